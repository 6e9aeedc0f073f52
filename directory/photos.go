package directory

import (
	"slices"
	"time"
)

// StoredPhoto is what is known of a photo that was uploaded and whose pictures
// are kept. Equal pictures are one photo, whoever uploads them.
type StoredPhoto struct {
	ID     string `json:"id"`    // hash of its largest size
	Width  int    `json:"width"` // of its largest size
	Height int    `json:"height"`
	Bytes  int64  `json:"bytes"` // of all its sizes
	// Uploads are for whom and for what it was uploaded, each once.
	Uploads []Upload `json:"uploads"`
	// NeededAt is when it was last uploaded or put to use. Only a photo that
	// nobody has touched for long can be one that nobody needs.
	NeededAt time.Time `json:"needed_at"`
}

// Upload says that somebody has a photo for a purpose.
type Upload struct {
	Owner   string       `json:"owner"` // an organization, or the account of a resident
	Purpose PhotoPurpose `json:"purpose"`
	Account string       `json:"account"` // who uploaded it first
	At      time.Time    `json:"at"`
}

// PhotoPurpose is what a photo was uploaded for.
type PhotoPurpose string

// The purposes. What is for one cannot be used for the other.
const (
	ListingPhoto  PhotoPurpose = "listing"  // everybody may see it
	DocumentPhoto PhotoPurpose = "document" // of papers, for members of the organization and officials
	RatingPhoto   PhotoPurpose = "rating"   // of a resident's rating: everybody may see it
	EvidencePhoto PhotoPurpose = "evidence" // of a resident's complaint, for those who take part in it
)

// Add notes an upload. It tells whether that owner had not uploaded the
// photo for that purpose before.
func (p *StoredPhoto) Add(u Upload) bool {
	if u.At.After(p.NeededAt) {
		p.NeededAt = u.At
	}
	if p.Has(u.Owner, u.Purpose) {
		return false
	}
	p.Uploads = append(p.Uploads, u)
	return true
}

// Has tells whether an owner has uploaded the photo for a purpose.
func (p *StoredPhoto) Has(owner string, purpose PhotoPurpose) bool {
	return slices.ContainsFunc(p.Uploads, func(u Upload) bool { return u.Owner == owner && u.Purpose == purpose })
}

// Owners returns those that have uploaded the photo for a purpose.
func (p *StoredPhoto) Owners(purpose PhotoPurpose) []string {
	var out []string
	for _, u := range p.Uploads {
		if u.Purpose == purpose {
			out = append(out, u.Owner)
		}
	}
	return out
}
