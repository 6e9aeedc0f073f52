package photos

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // opens s3://
	"gocloud.dev/gcerrors"

	"qingfu/directory"
	"qingfu/store"
)

// Config is what a Store is made of.
type Config struct {
	Bucket    *blob.Bucket // for the pictures; see [OpenFolder] and [OpenURL]
	Documents *store.Store
	Log       *slog.Logger
	Now       func() time.Time
}

// Store keeps photos: their pictures in a bucket, and what is known of them in
// the document store. A photo is there when its document is; pictures without one
// are left over from a crash.
type Store struct {
	Config
	// mu is held by those who write pictures, together, and by Sweep when it
	// deletes some, alone: it must not delete what is just being uploaded again.
	mu sync.RWMutex
}

// New returns a Store. The bucket stays the caller's to close.
func New(cfg Config) *Store { return &Store{Config: cfg} }

// OpenFolder opens a folder for pictures and makes it when it is not there.
func OpenFolder(path string) (*blob.Bucket, error) {
	return fileblob.OpenBucket(path, &fileblob.Options{
		CreateDir: true, DirFileMode: 0o750,
		NoTempDir: true, // a rename within the folder is atomic, and an image from scratch has no /tmp
		Metadata:  fileblob.MetadataDontWrite,
	})
}

// OpenURL opens a bucket that [CheckURL] lets pass.
func OpenURL(ctx context.Context, address string) (*blob.Bucket, error) {
	if err := CheckURL(address); err != nil {
		return nil, err
	}
	if u, _ := url.Parse(address); u.Scheme == fileblob.Scheme { // it was parsed before
		return OpenFolder(filepath.FromSlash(u.Path))
	}
	return blob.OpenBucket(ctx, address)
}

// CheckURL refuses an address that cannot be that of a bucket.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
	case u.Scheme == fileblob.Scheme && u.Host == "" && u.Path != "" && u.RawQuery == "":
		return nil
	case u.Scheme == "s3" && u.Host != "":
		return nil
	}
	return fmt.Errorf("%q is neither file:///FOLDER nor s3://BUCKET?region=REGION", address)
}

// key is the name of a picture in the bucket. The first part spreads them over
// 256 folders.
func key(id, size string) string { return id[:2] + "/" + id + "-" + size + ".jpg" }

// Save keeps a photo that was uploaded. It tells whether its owner had not
// uploaded it for that purpose before; doing it again changes nothing but keeps
// the photo from the next sweeps.
func (s *Store) Save(ctx context.Context, photo *Photo, upload directory.Upload) (created bool, err error) {
	defer directory.Wrap(&err, "photos: save %s", photo.ID)
	s.mu.RLock()
	defer s.mu.RUnlock()
	// They are written even when they are there: that repairs what is damaged,
	// and shows a sweep on another server that they are new.
	for _, size := range Sizes {
		if err := s.write(ctx, key(photo.ID, size.Name), photo.JPEGs[size.Name]); err != nil {
			return false, err
		}
	}
	_, err = s.Documents.Photos.UpdateOrInsert(ctx, photo.ID, func(p *directory.StoredPhoto) error {
		if p.ID == "" {
			*p = directory.StoredPhoto{ID: photo.ID, Width: photo.Width, Height: photo.Height, Bytes: photo.bytes()}
		}
		created = p.Add(upload)
		return nil
	})
	return created, err
}

// write writes a picture, wholly or not at all.
func (s *Store) write(ctx context.Context, key string, data []byte) error {
	writing, cancel := context.WithCancel(ctx)
	defer cancel()
	var file *os.File // in a folder
	w, err := s.Bucket.NewWriter(writing, key, &blob.WriterOptions{
		ContentType: "image/jpeg",
		BeforeWrite: func(as func(any) bool) error { as(&file); return nil },
	})
	if err == nil {
		_, err = w.Write(data)
		if err == nil && file != nil {
			err = file.Sync() // else a power cut could leave its name without its content
		}
		if err != nil {
			cancel() // so that Close throws away what was written
		}
		err = errors.Join(err, w.Close())
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return unavailable(err) // also when it is the bucket that was not found
	}
}

// Read returns a picture of a photo, or NotFound.
func (s *Store) Read(ctx context.Context, id, size string) ([]byte, error) {
	data, err := s.Bucket.ReadAll(ctx, key(id, size))
	return data, failure(ctx, err)
}

// failure gives an error of the bucket about an object its kind: without the
// object it is NotFound, else the bucket is an engine that is away.
func failure(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case gcerrors.Code(err) == gcerrors.NotFound:
		return directory.Missing(what)
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return unavailable(err)
	}
}

func unavailable(err error) error {
	return &directory.Error{Kind: directory.Unavailable, What: "photos", Cause: err}
}

// useAgain is how long a photo that was put to use need not be noted again.
const useAgain = time.Hour

// Use has to be called before a document that names photos is stored. It returns
// those that their owner has not uploaded for that purpose, and keeps the
// others from being swept away until the document can be found.
func (s *Store) Use(ctx context.Context, owner string, purpose directory.PhotoPurpose, ids ...string) (unknown []string, err error) {
	now := s.Now().UTC()
	for _, id := range ids {
		_, err := s.Documents.Photos.Update(ctx, id, func(p *directory.StoredPhoto) error {
			switch {
			case !p.Has(owner, purpose):
				return directory.Missing(what)
			case now.Sub(p.NeededAt) < useAgain:
				return store.ErrUnchanged
			}
			p.NeededAt = now
			return nil
		})
		switch {
		case directory.KindOf(err) == directory.NotFound:
			unknown = append(unknown, id)
		case err != nil:
			return nil, err
		}
	}
	return unknown, nil
}

// Check is Use for a document whose fields name the photos: it returns Invalid with
// each that its owner has not uploaded for that purpose; pointer is where they stand,
// with %d for the place.
func (s *Store) Check(ctx context.Context, owner string, purpose directory.PhotoPurpose, pointer string, ids ...string) error {
	unknown, err := s.Use(ctx, owner, purpose, ids...)
	if err != nil {
		return err
	}
	uploaded := "/v1/photos"
	if purpose == directory.RatingPhoto || purpose == directory.EvidencePhoto {
		uploaded = "/v1/me/photos"
	}
	var wrong []directory.FieldError
	for i, id := range ids {
		if slices.Contains(unknown, id) {
			wrong = append(wrong, directory.FieldError{Pointer: fmt.Sprintf(pointer, i), Code: directory.CodeValue, Limit: uploaded})
		}
	}
	return directory.InvalidFields("photos", wrong)
}

// Release takes back that an owner has photos for a purpose: what nobody else has
// uploaded for everybody to see is not shown any more, and goes with a later sweep.
func (s *Store) Release(ctx context.Context, owner string, purpose directory.PhotoPurpose, ids ...string) error {
	for _, id := range ids {
		_, err := s.Documents.Photos.Update(ctx, id, func(p *directory.StoredPhoto) error {
			p.Uploads = slices.DeleteFunc(p.Uploads, func(u directory.Upload) bool { return u.Owner == owner && u.Purpose == purpose })
			return nil
		})
		if err != nil && directory.KindOf(err) != directory.NotFound {
			return err
		}
	}
	return nil
}
