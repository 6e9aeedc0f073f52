package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"qingfu/consumer"
	"qingfu/directory"
)

// ratingSettings are the thresholds by which ratings are held.
type ratingSettings struct {
	RatingRules string `name:"rating-rules" env:"QINGFU_RATING_RULES" type:"path" placeholder:"FILE" help:"File of thresholds by which ratings are held, as JSON; those that it lacks stay as they are by default."`
}

// rules returns the thresholds.
func (s *ratingSettings) rules() (directory.RatingRules, error) {
	rules := directory.DefaultRatingRules()
	if s.RatingRules == "" {
		return rules, nil
	}
	text, err := os.ReadFile(s.RatingRules)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(&rules)
	}
	if err == nil {
		err = rules.Validate()
	}
	if err != nil {
		return rules, fmt.Errorf("QINGFU_RATING_RULES: %w", err)
	}
	return rules, nil
}

// recountCommand compares the figures of all listings with their ratings.
type recountCommand struct {
	dataSettings
	Check bool `help:"Change nothing, and end with code 1 when a figure is wrong."`
}

// Run implements the command.
func (cmd *recountCommand) Run(ctx context.Context, con *console) error {
	st, closer, err := cmd.openStore(ctx)
	if err != nil {
		return err
	}
	defer closer.Close()
	listings, err := st.Listings.Count(ctx, nil)
	if err != nil {
		return err
	}
	c := consumer.New(consumer.Config{Store: st})
	wrong := 0
	err = c.Recount(ctx, cmd.Check, func(listing string, is, ought [5]int64) {
		wrong++
		con.printf("%s has %v, its ratings are %v\n", listing, is, ought)
	})
	if err != nil {
		return err
	}
	con.printf("%d listings, %d figures were wrong\n", listings[0].N, wrong)
	if cmd.Check && wrong > 0 {
		return fmt.Errorf("%d figures are wrong: server recount puts them right", wrong)
	}
	return nil
}
