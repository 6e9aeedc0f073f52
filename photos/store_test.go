package photos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"qingfu/directory"
	"qingfu/store"
	"qingfu/store/sqlite"
)

const (
	own   = "01a192b0-7400-7000-8000-00000000000a"
	other = "01a192b0-7400-7000-8000-00000000000b"
)

// fixture is a Store whose clock is moved by the tests. It begins with the real
// time, which is what buckets note.
type fixture struct {
	*Store
	late time.Duration
}

func newFixture(t testing.TB, bucket *blob.Bucket) *fixture {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.New(t.Context(), engine)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(bucket.Close(), engine.Close()); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{}
	f.Store = New(Config{Bucket: bucket, Documents: st, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(f.late) }})
	return f
}

func folder(t testing.TB) (path string, bucket *blob.Bucket) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "a folder", "photos?#%20")
	bucket, err := OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, bucket
}

var greys atomic.Int32

// newGrey returns a photo that no test has used: a grey of its own height.
func newGrey(t testing.TB) *Photo {
	t.Helper()
	n := greys.Add(1)
	img := image.NewRGBA(image.Rect(0, 0, 8, 8+int(n)))
	draw.Draw(img, img.Bounds(), image.NewUniform(color.Gray{128}), image.Point{}, draw.Src)
	p, err := Process(t.Context(), encodePNG(t, img))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (f *fixture) upload(organization string, purpose directory.PhotoPurpose) directory.Upload {
	return directory.Upload{Owner: organization, Purpose: purpose, Account: "somebody", At: f.Now()}
}

// save saves a photo for a listing of an organization.
func (f *fixture) save(t testing.TB, p *Photo) {
	t.Helper()
	if _, err := f.Save(t.Context(), p, f.upload(own, directory.ListingPhoto)); err != nil {
		t.Fatal(err)
	}
}

// there tells whether a photo's document and how many of its pictures are there.
func (f *fixture) there(t testing.TB, p *Photo) (document bool, pictures int) {
	t.Helper()
	_, err := f.Documents.Photos.Get(t.Context(), p.ID)
	if err != nil && directory.KindOf(err) != directory.NotFound {
		t.Fatal(err)
	}
	for _, size := range Sizes {
		data, err := f.Read(t.Context(), p.ID, size.Name)
		switch {
		case directory.KindOf(err) == directory.NotFound:
		case err != nil:
			t.Fatal(err)
		case !bytes.Equal(data, p.JPEGs[size.Name]):
			t.Errorf("%s is not what was saved", size.Name)
		default:
			pictures++
		}
	}
	return err == nil, pictures
}

func (f *fixture) expect(t testing.TB, what string, p *Photo, document bool, pictures int) {
	t.Helper()
	if d, n := f.there(t, p); d != document || n != pictures {
		t.Errorf("%s: the document is there: %t, and %d pictures", what, d, n)
	}
}

func TestSave(t *testing.T) {
	path, bucket := folder(t)
	f := newFixture(t, bucket)
	p := newGrey(t)
	f.expect(t, "before", p, false, 0)
	for _, tc := range []struct {
		organization string
		purpose      directory.PhotoPurpose
		created      bool
	}{
		{own, directory.ListingPhoto, true},
		{own, directory.ListingPhoto, false},
		{own, directory.DocumentPhoto, true},
		{other, directory.ListingPhoto, true},
		{own, directory.DocumentPhoto, false},
	} {
		created, err := f.Save(t.Context(), p, f.upload(tc.organization, tc.purpose))
		if err != nil || created != tc.created {
			t.Errorf("%+v: %t, %v", tc, created, err)
		}
	}
	f.expect(t, "after", p, true, 3)
	doc, err := f.Documents.Photos.Get(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	v := doc.Value
	if v.Width != p.Width || v.Height != p.Height || v.Bytes != p.bytes() || len(v.Uploads) != 3 || v.Uploads[0].Account != "somebody" ||
		!slices.Equal(v.Owners(directory.DocumentPhoto), []string{own}) || !slices.Equal(v.Owners(directory.ListingPhoto), []string{own, other}) {
		t.Errorf("%+v", v)
	}
	// In the folder there is nothing but the pictures.
	files := 0
	if err := filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files++
		}
		return err
	}); err != nil || files != 3 {
		t.Errorf("%d files, %v", files, err)
	}
	if _, err := f.Read(t.Context(), p.ID, "huge"); directory.KindOf(err) != directory.NotFound {
		t.Error(err)
	}
}

// TestSaveWritesTheDocumentLast: a photo of which a picture is missing is not there.
func TestSaveWritesTheDocumentLast(t *testing.T) {
	path, bucket := folder(t)
	f := newFixture(t, bucket)
	p := newGrey(t)
	last := filepath.Join(path, key(p.ID, Sizes[2].Name))
	if err := os.MkdirAll(filepath.Join(last, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Save(t.Context(), p, f.upload(own, directory.ListingPhoto)); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("with something in the way: %v", err)
	}
	if _, err := f.Documents.Photos.Get(t.Context(), p.ID); directory.KindOf(err) != directory.NotFound {
		t.Errorf("a document is there: %v", err)
	}
	if err := os.RemoveAll(last); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Save(ended, p, f.upload(own, directory.ListingPhoto)); !errors.Is(err, context.Canceled) {
		t.Errorf("with an ended context: %v", err)
	}
	f.expect(t, "with an ended context", p, false, 2) // those of the first time
	f.save(t, p)
	f.expect(t, "at last", p, true, 3)
}

// TestSaveInParallel has several people of several organizations upload the same.
func TestSaveInParallel(t *testing.T) {
	f := newFixture(t, memblob.OpenBucket(nil))
	p := newGrey(t)
	const organizations, people = 6, 4
	var created atomic.Int32
	var wg sync.WaitGroup
	for i := range organizations * people {
		wg.Go(func() {
			first, err := f.Save(t.Context(), p, f.upload(fmt.Sprint(i%organizations), directory.DocumentPhoto))
			if err != nil {
				t.Error(err)
			}
			if first {
				created.Add(1)
			}
		})
	}
	wg.Wait()
	doc, err := f.Documents.Photos.Get(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if n := created.Load(); n != organizations || len(doc.Value.Uploads) != organizations {
		t.Errorf("%d were told that they were first, and %d uploads are noted", n, len(doc.Value.Uploads))
	}
}

func TestUse(t *testing.T) {
	f := newFixture(t, memblob.OpenBucket(nil))
	a, b := newGrey(t), newGrey(t)
	f.save(t, a)
	f.save(t, b)
	unsaved := newGrey(t).ID
	for _, tc := range []struct {
		organization string
		purpose      directory.PhotoPurpose
		unknown      []string
	}{
		{own, directory.ListingPhoto, []string{unsaved}},
		{own, directory.DocumentPhoto, []string{a.ID, unsaved, b.ID}},
		{other, directory.ListingPhoto, []string{a.ID, unsaved, b.ID}},
	} {
		unknown, err := f.Use(t.Context(), tc.organization, tc.purpose, a.ID, unsaved, b.ID)
		if err != nil || !slices.Equal(unknown, tc.unknown) {
			t.Errorf("%+v: %v, %v", tc, unknown, err)
		}
	}
}

// TestSweep has photos of every kind, and looks at what is left of them a day later.
func TestSweep(t *testing.T) {
	path, bucket := folder(t)
	f := newFixture(t, bucket)
	kept := map[string]*Photo{}
	keep := func(name string) *Photo {
		kept[name] = newGrey(t)
		f.save(t, kept[name])
		return kept[name]
	}
	listing := func(name string) directory.Listing {
		return directory.Listing{ID: "01a192b0-7400-7000-8000-00000000000c", Photos: []directory.Photo{{ID: keep(name + ", first").ID}, {ID: keep(name).ID}}}
	}
	st := f.Documents
	for _, err := range []error{
		second(st.Listings.Insert(t.Context(), listing("of a listing"))),
		second(st.Proposals.Insert(t.Context(), directory.Proposal{ID: "a", Content: listing("of a proposal")})),
		second(st.Revisions.Insert(t.Context(), directory.Revision{ID: "a", Content: listing("of a revision")})),
		second(st.Organizations.Insert(t.Context(), directory.Organization{ID: own, Documents: []string{keep("of an organization").ID}})),
		second(st.Claims.Insert(t.Context(), directory.Claim{ID: "a", Documents: []string{keep("of a claim").ID}})),
		second(st.Complaints.Insert(t.Context(), directory.Complaint{ID: "a", Evidence: []string{keep("of a complaint").ID}})),
		second(st.Ratings.Insert(t.Context(), directory.Rating{
			ID: "a", Photos: []string{keep("of a rating").ID}, History: []directory.RatingEdit{{Photos: []string{keep("of a rating before").ID}}},
		})),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	orphan, again, used := newGrey(t), newGrey(t), newGrey(t)
	f.save(t, orphan)
	f.save(t, again)
	f.save(t, used)
	// What crashes leave: pictures without a document, a document whose pictures
	// were being deleted, and a picture that was being written.
	crashed, half := newGrey(t), newGrey(t)
	if err := f.write(t.Context(), key(crashed.ID, "large"), crashed.JPEGs["large"]); err != nil {
		t.Fatal(err)
	}
	f.save(t, half)
	if err := bucket.Delete(t.Context(), key(half.ID, "large")); err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(path, key(kept["of a listing"].ID, "large")) + ".18ad5.tmp"
	foreign := filepath.Join(path, "README.txt")
	for _, name := range []string{cut, foreign} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func() {
		t.Helper()
		if err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	f.late = 23 * time.Hour
	sweep()
	f.expect(t, "after 23 hours, an orphan", orphan, true, 3)
	f.expect(t, "after 23 hours, after a crash", crashed, false, 1)
	if _, err := os.Stat(cut); err != nil {
		t.Errorf("after 23 hours, a picture being written: %v", err)
	}
	f.save(t, again)
	if unknown, err := f.Use(t.Context(), own, directory.ListingPhoto, used.ID); err != nil || len(unknown) > 0 {
		t.Fatal(unknown, err)
	}

	f.late = 25 * time.Hour
	for range 2 { // the second time changes nothing
		sweep()
		for name, p := range kept {
			f.expect(t, name, p, true, 3)
		}
		f.expect(t, "an orphan", orphan, false, 0)
		f.expect(t, "uploaded again", again, true, 3)
		f.expect(t, "put to use", used, true, 3)
		f.expect(t, "after a crash", crashed, false, 0)
		f.expect(t, "half deleted", half, false, 0)
		if _, err := os.Stat(cut); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what was being written is there: %v", err)
		}
		if _, err := os.Stat(foreign); err != nil {
			t.Errorf("a file of others: %v", err)
		}
	}

	f.late = 50 * time.Hour
	sweep()
	f.expect(t, "uploaded again and left", again, false, 0)
	f.expect(t, "put to use and left", used, false, 0)
	f.expect(t, "of a listing", kept["of a listing"], true, 3)
}

// TestSweepGoesOn leaves of a photo everything that a sweep or an upload which was
// cut off can leave: the next sweep clears it away.
func TestSweepGoesOn(t *testing.T) {
	f := newFixture(t, memblob.OpenBucket(nil))
	var photos []*Photo
	for left := range 1 << 4 {
		p := newGrey(t)
		photos = append(photos, p)
		f.save(t, p)
		if left&1 == 0 {
			if err := f.Documents.Photos.Remove(t.Context(), p.ID); err != nil {
				t.Fatal(err)
			}
		}
		for i, size := range Sizes {
			if left&(2<<i) == 0 {
				if err := f.Bucket.Delete(t.Context(), key(p.ID, size.Name)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	f.late = 25 * time.Hour
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for left, p := range photos {
		f.expect(t, fmt.Sprintf("%04b", left), p, false, 0)
	}
}

// TestSweepDuringUploads: a photo that is uploaded again while its leftovers are
// being cleared away is whole afterwards.
func TestSweepDuringUploads(t *testing.T) {
	f := newFixture(t, memblob.OpenBucket(nil))
	f.late = 25 * time.Hour // of everything, also of what has just been written
	for range 30 {
		p := newGrey(t)
		for _, size := range Sizes {
			if err := f.write(t.Context(), key(p.ID, size.Name), p.JPEGs[size.Name]); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := second(f.sweepFolder(t.Context(), p.ID[:2]+"/", f.Now().Add(-grace))); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() { f.save(t, p) })
		wg.Wait()
		f.expect(t, "uploaded again", p, true, 3)
	}
}

// TestSweepBesideAnotherServer: pictures that were old when they were listed have
// been written anew by another server, which is about to write the document.
func TestSweepBesideAnotherServer(t *testing.T) {
	f := newFixture(t, memblob.OpenBucket(nil))
	p := newGrey(t)
	var keys []string
	for _, size := range Sizes {
		keys = append(keys, key(p.ID, size.Name))
		if err := f.write(t.Context(), keys[len(keys)-1], p.JPEGs[size.Name]); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func(late time.Duration) {
		t.Helper()
		f.late = late
		n, err := f.removeLeftOver(t.Context(), p.ID, keys, f.Now().Add(-grace))
		if err != nil {
			t.Fatal(err)
		}
		if late == 0 && n != 0 {
			t.Errorf("%d of the pictures just written are deleted", n)
		}
	}
	sweep(0)
	f.expect(t, "just written", p, false, 3)
	sweep(25 * time.Hour)
	f.expect(t, "a day later", p, false, 0)
}

func TestSweepDaily(t *testing.T) {
	f := newFixture(t, memblob.OpenBucket(nil))
	sweep := func() {
		t.Helper()
		if err := f.sweepDaily(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep()
	p := newGrey(t)
	f.save(t, p)
	if err := f.Documents.Photos.Remove(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	f.late = 23 * time.Hour // when it is not due again
	sweep()
	f.late = 25 * time.Hour
	sweep()
	f.expect(t, "a day later", p, false, 0)
	f.save(t, p)
	if err := f.Documents.Photos.Remove(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	f.late = 48 * time.Hour // the pictures are old, but it is not due again
	sweep()
	f.expect(t, "less than a day after the last time", p, false, 3)

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Run(ended); err != nil {
		t.Error(err)
	}
}

func TestURLs(t *testing.T) {
	for address, good := range map[string]bool{
		"file:///var/lib/photos": true, "s3://photos": true, "s3://photos?region=cn-north-1&endpoint=http://localhost:9000&use_path_style=true": true,
		"": false, "/var/lib/photos": false, "file://photos": false, "file:///photos?metadata=skip": false, "s3:///photos": false,
		"gs://photos": false, "mem://": false, "http://photos": false, "s3://a b": false, "%": false,
	} {
		if err := CheckURL(address); (err == nil) != good {
			t.Errorf("%q: %v", address, err)
		}
	}
	path := filepath.Join(t.TempDir(), "made here")
	bucket, err := OpenURL(t.Context(), (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String())
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, bucket)
	p := newGrey(t)
	f.save(t, p)
	if _, err := os.Stat(filepath.Join(path, key(p.ID, "thumb"))); err != nil {
		t.Error(err)
	}
	for _, address := range []string{"mem://", "s3://photos?colour=red"} {
		if _, err := OpenURL(t.Context(), address); err == nil {
			t.Errorf("%s was opened", address)
		}
	}
}
