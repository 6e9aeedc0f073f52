package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
	"qingfu/store"
)

// maxFavourites is how many listings one account keeps.
const maxFavourites = 500

func (a *api) listFavourites(c *fiber.Ctx, in *input) error {
	hash := in.queryHash()
	q := store.Query{
		Where: []store.Condition{store.Equal("account", in.caller.Account)},
		Order: "added", Desc: true, Limit: in.integer("limit"), After: in.readPosition(hash),
	}
	if err := in.err(); err != nil {
		return err
	}
	docs, next, err := a.Store.Favourites.Find(c.UserContext(), q)
	if err != nil {
		return err
	}
	ids := make([]string, len(docs))
	for i := range docs {
		ids[i] = docs[i].Value.Listing
	}
	listings, err := a.Store.Listings.ByID(c.UserContext(), ids...)
	if err != nil {
		return err
	}
	type view struct {
		ID      string       `json:"id"`
		AddedAt time.Time    `json:"added_at"`
		Listing *listingView `json:"listing"` // null when it is not public any more
	}
	items := make([]view, len(docs))
	for i := range docs {
		items[i] = view{ID: ids[i], AddedAt: docs[i].Value.AddedAt}
		if l := listings[ids[i]]; l != nil && l.Status == directory.Published {
			v := a.viewListing(l, in)
			items[i].Listing = &v
		}
	}
	return sendList(c, items, hash, next)
}

func (a *api) addFavourite(c *fiber.Ctx, in *input) error {
	listing, err := a.publicListing(c, in)
	if err != nil {
		return err
	}
	kept, err := a.Store.Favourites.Count(c.UserContext(), []store.Condition{store.Equal("account", in.caller.Account)})
	if err != nil {
		return err
	}
	if kept[0].N >= maxFavourites {
		return &directory.Error{Kind: directory.Conflict, What: "favourites"}
	}
	_, err = a.Store.Favourites.Insert(c.UserContext(), directory.Favourite{Account: in.caller.Account, Listing: listing.ID, AddedAt: a.Now().UTC()})
	if err != nil && directory.KindOf(err) != directory.Conflict { // it is one already
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}

func (a *api) removeFavourite(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	key := (&directory.Favourite{Account: in.caller.Account, Listing: in.text("id")}).Key()
	doc, err := a.Store.Favourites.Get(c.UserContext(), key)
	if err == nil {
		err = a.Store.Favourites.Delete(c.UserContext(), key, doc.Version)
	}
	if err != nil && directory.KindOf(err) != directory.NotFound { // it is none already
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
