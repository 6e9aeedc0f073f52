package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"qingfu/auth"
	"qingfu/directory"
	"qingfu/photos"
)

// These bound what an organization or a resident can fill a disk with: a photo takes up
// a few hundred KB, and one that nobody uses is kept for a day.
var (
	photosADay    = auth.Limit{Class: "photos by organization", Most: 1000, Window: 24 * time.Hour}
	ownPhotosADay = auth.Limit{Class: "photos by account", Most: 60, Window: 24 * time.Hour}
)

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
	return photoSizesAt(at)
}

func photoSizesAt(path string) photoSizes {
	return photoSizes{path + "/thumb.jpg", path + "/medium.jpg", path + "/large.jpg"}
}

func (a *api) uploadPhoto(c *fiber.Ctx, in *input) error {
	organization, err := a.ownOrganization(c, in, in.text("organization"))
	if err != nil {
		return err
	}
	purpose := directory.PhotoPurpose(in.text("purpose"))
	return a.savePhoto(c, in, photosADay, directory.Upload{Owner: organization.ID, Purpose: purpose}, func(id string) photoSizes { return newPhotoSizes(id, purpose) })
}

// uploadOwnPhoto takes a resident's photo, for a rating or as evidence.
func (a *api) uploadOwnPhoto(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	upload := directory.Upload{Owner: in.caller.Account, Purpose: directory.PhotoPurpose(in.text("purpose"))}
	return a.savePhoto(c, in, ownPhotosADay, upload, func(id string) photoSizes { return photoSizesAt("/v1/me/photos/" + id) })
}

// savePhoto keeps the photo that is the body, and answers with where its owner sees it.
func (a *api) savePhoto(c *fiber.Ctx, in *input, limit auth.Limit, upload directory.Upload, sizes func(id string) photoSizes) error {
	if err := a.take(c, limit, upload.Owner); err != nil {
		return err
	}
	photo, err := photos.Process(c.UserContext(), in.file())
	if err != nil {
		return err
	}
	upload.Account, upload.At = in.caller.Account, a.Now().UTC()
	created, err := a.Photos.Save(c.UserContext(), photo, upload)
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
	}{photo.ID, photo.Width, photo.Height, sizes(photo.ID)})
}

func (a *api) getPhoto(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Photos.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if len(doc.Value.Owners(directory.ListingPhoto))+len(doc.Value.Owners(directory.RatingPhoto)) == 0 {
		return directory.Missing("photo")
	}
	return a.sendPicture(c, in, in.text("id"), "public, max-age=31536000, immutable")
}

// getOwnPhoto shows a resident what they have uploaded.
func (a *api) getOwnPhoto(c *fiber.Ctx, in *input) error {
	if err := in.err(); err != nil {
		return err
	}
	doc, err := a.Store.Photos.Get(c.UserContext(), in.text("id"))
	if err != nil {
		return err
	}
	if p := &doc.Value; !p.Has(in.caller.Account, directory.RatingPhoto) && !p.Has(in.caller.Account, directory.EvidencePhoto) {
		return directory.Missing("photo")
	}
	return a.sendPicture(c, in, in.text("id"), "private, no-store")
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
	ids := doc.Value.Owners(directory.DocumentPhoto)
	if len(ids) == 0 {
		return directory.Missing("photo")
	}
	organizations, err := a.Store.Organizations.GetMany(c.UserContext(), ids...)
	if err != nil {
		return err
	}
	for i := range organizations {
		if in.covers(a, organizations[i].Value.Scope()) == nil {
			return a.sendPicture(c, in, in.text("id"), "private, no-store")
		}
	}
	return in.hide(a, c, "photo")
}

// sendPicture sends what stands under the name of a photo, which never changes,
// so that the name can be the ETag.
func (a *api) sendPicture(c *fiber.Ctx, in *input, id, caching string) error {
	size := in.text("size")
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
