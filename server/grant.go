package main

import (
	"context"
	"fmt"
	"strings"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/seed"
)

// roleSettings name a role and its scope.
type roleSettings struct {
	Phone        string `required:"" help:"Mobile number of the person."`
	Role         string `required:"" enum:"owner,staff,official,admin" help:"owner, staff, official or admin."`
	Organization string `placeholder:"ID" help:"Of an owner or staff: the organization."`
	Bureau       string `help:"Of an official: the bureau, such as 民政 or civil_affairs."`
	Region       string `placeholder:"CODE" help:"Of an official: the region, such as 630200."`
}

// grant reads the flags. A bureau may be given by its Chinese name, too.
func (s *roleSettings) grant() directory.Grant {
	return directory.Grant{
		Role: directory.Role(s.Role), Organization: s.Organization, Bureau: directory.Bureau(codeOf(directory.Bureaus, s.Bureau)), Region: s.Region,
	}
}

// codeOf returns the code of a term that is called so; without one, name itself.
func codeOf(terms []directory.Term, name string) string {
	for _, t := range terms {
		if t.Names.Zh == name {
			return t.Code
		}
	}
	return name
}

// grantCommand gives somebody a role.
type grantCommand struct {
	dataSettings
	keySettings
	roleSettings
	Powers []string `help:"Of an official: review, complaints, certify, statistics, publish."`
}

// Run implements the command.
func (cmd *grantCommand) Run(ctx context.Context, con *console) error {
	regions, err := seed.Regions()
	if err != nil {
		return err
	}
	g := cmd.grant()
	for _, p := range cmd.Powers {
		g.Powers = append(g.Powers, directory.Power(codeOf(directory.Powers, p)))
	}
	return cmd.withAuth(ctx, &cmd.dataSettings, con, func(a *auth.Auth) error {
		g, _, err := a.Grant(ctx, directory.Caller{}, cmd.Phone, g, regions, auth.Client{})
		if err != nil {
			return err
		}
		con.printf("granted: %s\n", describe(g))
		if g.NeedsSecondFactor() {
			con.printf("it counts once the person has signed in and registered an authenticator app\n")
		}
		return nil
	})
}

func describe(g directory.Grant) string {
	parts := []string{string(g.Role)}
	for _, p := range []string{g.Organization, string(g.Bureau), g.Region} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	for _, p := range g.Powers {
		parts = append(parts, "+"+string(p))
	}
	return strings.Join(parts, " ")
}

// revokeCommand takes a role back.
type revokeCommand struct {
	dataSettings
	keySettings
	roleSettings
}

// Run implements the command.
func (cmd *revokeCommand) Run(ctx context.Context, con *console) error {
	return cmd.withAuth(ctx, &cmd.dataSettings, con, func(a *auth.Auth) error {
		account, err := a.FindAccount(ctx, cmd.Phone)
		if err != nil {
			return err
		}
		g := cmd.grant()
		g.Account = account.ID
		if g, err = a.GetGrant(ctx, g.Key()); err != nil {
			return err
		}
		if err := a.Revoke(ctx, directory.Caller{}, g, auth.Client{}); err != nil {
			return err
		}
		con.printf("revoked: %s\n", describe(g))
		return nil
	})
}

// resetCommand forgets the authenticator app of somebody who has lost it.
type resetCommand struct {
	dataSettings
	keySettings
	Phone string `required:"" help:"Mobile number of the person."`
}

// Run implements the command.
func (cmd *resetCommand) Run(ctx context.Context, con *console) error {
	return cmd.withAuth(ctx, &cmd.dataSettings, con, func(a *auth.Auth) error {
		account, err := a.FindAccount(ctx, cmd.Phone)
		if err != nil {
			return err
		}
		if err := a.ResetSecondFactor(ctx, account); err != nil {
			return err
		}
		con.printf("the authenticator app of %s is forgotten; make sure that it was the right person who asked\n", directory.MaskPhone(cmd.Phone))
		return nil
	})
}

// keysCommand looks after keys.
type keysCommand struct {
	RotateSigning rotateSigningCommand `cmd:"" help:"Make a new key that signs access tokens. By itself that happens every 30 days."`
	RotateData    rotateDataCommand    `cmd:"" help:"Make a new key that protects personal data, and seal everything with it."`
	Reseal        resealCommand        `cmd:"" help:"Seal everything with the key in front that is not yet."`
}

// rotateSigningCommand makes a new signing key.
type rotateSigningCommand struct {
	dataSettings
	keySettings
	Now bool `help:"Withdraw the keys before it at once, because somebody else may have them; access tokens have to be renewed."`
}

// Run implements the command.
func (cmd *rotateSigningCommand) Run(ctx context.Context, con *console) error {
	return cmd.withAuth(ctx, &cmd.dataSettings, con, func(a *auth.Auth) error {
		why := auth.Early
		if cmd.Now {
			why = auth.AtOnce
		}
		if err := a.RotateSigningKeys(ctx, why); err != nil {
			return err
		}
		keys, err := a.PublicKeys(ctx)
		if err != nil {
			return err
		}
		con.printf("the new key is %s\n", keys[len(keys)-1].ID)
		return nil
	})
}

// rotateDataCommand makes a new key for what is stored.
type rotateDataCommand struct {
	dataSettings
	keySettings
}

// Run implements the command.
func (cmd *rotateDataCommand) Run(ctx context.Context, con *console) error {
	return cmd.withAuth(ctx, &cmd.dataSettings, con, func(a *auth.Auth) error {
		if err := a.Keys.AddKey(a.Random); err != nil {
			return err
		}
		return reseal(ctx, a, con)
	})
}

// resealCommand finishes a rotation, or that of keys which are not in a file.
type resealCommand struct {
	dataSettings
	keySettings
}

// Run implements the command.
func (cmd *resealCommand) Run(ctx context.Context, con *console) error {
	return cmd.withAuth(ctx, &cmd.dataSettings, con, func(a *auth.Auth) error { return reseal(ctx, a, con) })
}

func reseal(ctx context.Context, a *auth.Auth, con *console) error {
	n, err := a.Reseal(ctx)
	if err != nil {
		return fmt.Errorf("%d documents were sealed anew, then: %w", n, err)
	}
	con.printf("documents sealed anew: %d\n", n)
	return nil
}
