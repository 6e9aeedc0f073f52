package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/photos"
)

// photosADay bounds what an organization can fill a disk with: a photo takes up
// a few hundred KB, and one that nobody uses is kept for a day.
var photosADay = auth.Limit{Class: "photos by organization", Most: 1000, Window: 24 * time.Hour}

// photoSizes is where the pictures of a photo are.
type photoSizes struct {
	Thumb  string `json:"thumb"`
	Medium string `json:"medium"`
	Large  string `json:"large"`
}

// newPhotoSizes returns where the pictures are of a photo that is used for a
// purpose. What everybody may see has paths of its own, so that an operation says
// who may call it and a cache what it may keep.
func newPhotoSizes(id string, purpose directory.PhotoPurpose) photoSizes {
	at := "/v1/photos/" + id
	if purpose == directory.DocumentPhoto {
		at = "/v1/documents/" + id
	}
	return photoSizes{at + "/thumb.jpg", at + "/medium.jpg", at + "/large.jpg"}
}

func (a *api) uploadPhoto(c *fiber.Ctx, in *input) error {
	organization, err := a.ownOrganization(c, in, in.text("organization"))
	if err != nil {
		return err
	}
	if err := a.take(c, photosADay, organization.ID); err != nil {
		return err
	}
	photo, err := photos.Process(c.UserContext(), in.file())
	if err != nil {
		return err
	}
	purpose := directory.PhotoPurpose(in.text("purpose"))
	created, err := a.Photos.Save(c.UserContext(), photo, directory.Upload{
		Organization: organization.ID, Purpose: purpose, Account: in.caller.Account, At: a.Now().UTC(),
	})
	if err != nil {
		return err
	}
	if created {
		c.Status(fiber.StatusCreated)
	}
	return sendSecret(c, struct {
		ID     string     `json:"id"`
		Width  int        `json:"width"` // of the largest size
		Height int        `json:"height"`
		Sizes  photoSizes `json:"sizes"`
	}{photo.ID, photo.Width, photo.Height, newPhotoSizes(photo.ID, purpose)})
}

func (a *api) getPhoto(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Photos.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if len(doc.Value.Organizations(directory.ListingPhoto)) == 0 {
		return directory.Missing("photo")
	}
	return a.sendPicture(c, in, "public, max-age=31536000, immutable")
}

// getDocument shows a photo of papers to those who look after an organization
// that has uploaded it: its members, and whoever decides about it.
func (a *api) getDocument(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Photos.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	ids := doc.Value.Organizations(directory.DocumentPhoto)
	if len(ids) == 0 {
		return directory.Missing("photo")
	}
	organizations, err := a.Store.Organizations.GetMany(c.UserContext(), ids...)
	if err != nil {
		return err
	}
	for i := range organizations {
		if in.covers(a, organizations[i].Value.Scope()) == nil {
			return a.sendPicture(c, in, "private, no-store")
		}
	}
	return in.hide(a, c, "photo")
}

// sendPicture sends what stands under the name of a photo, which never changes,
// so that the name can be the ETag.
func (a *api) sendPicture(c *fiber.Ctx, in *input, caching string) error {
	id, size := in.text("id"), in.text("size")
	etag := `"` + id[:16] + "-" + size + `"`
	known := matches(c.Get(fiber.HeaderIfNoneMatch), etag)
	var picture []byte
	if !known {
		var err error
		if picture, err = a.Photos.Read(c.UserContext(), id, size); err != nil {
			return err
		}
	}
	h := &c.Response().Header
	h.Set(fiber.HeaderCacheControl, caching)
	h.Set(fiber.HeaderETag, etag)
	h.Del(fiber.HeaderVary) // it is the same in every language, and is never compressed
	if known {
		c.Status(fiber.StatusNotModified)
		return nil
	}
	h.SetContentType("image/jpeg")
	return c.Send(picture)
}
