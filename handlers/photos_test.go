package handlers

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"qingfu/directory"
	"qingfu/photos"
	"qingfu/store"
)

// newPhotos keeps photos in memory.
func newPhotos(st *store.Store, now func() time.Time) *photos.Store {
	return photos.New(photos.Config{Bucket: memblob.OpenBucket(nil), Documents: st, Log: slog.New(slog.DiscardHandler), Now: now})
}

var pictureCount atomic.Int32

// newPicture returns a PNG file that no test has used: each has a height of its own.
func newPicture(t testing.TB) string {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 400, 10+int(pictureCount.Add(1))))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// uploaded is the answer to an upload.
type uploaded struct {
	ID            string
	Width, Height int
	Sizes         map[string]string
}

// upload uploads a file for an organization.
func (f *fixture) upload(t testing.TB, organization, purpose, contentType, file string, headers ...string) answer {
	t.Helper()
	return f.request(t, "POST", "/v1/photos?organization="+organization+"&purpose="+purpose, file, append(headers, "Content-Type", contentType)...)
}

// photoOf uploads a new picture for an organization, as an admin.
func (f *fixture) photoOf(t testing.TB, organization, purpose string) uploaded {
	t.Helper()
	a := f.upload(t, organization, purpose, "image/png", newPicture(t), f.as(t, admin)...)
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	return decode[uploaded](t, a)
}

func TestUploadPhoto(t *testing.T) {
	f := newFixture(t, nil)
	f.organization(t, ownOrganization, "630202")
	f.organization(t, otherOrganization, "632701")
	mine := f.as(t, staff)
	file := newPicture(t)
	first := f.upload(t, ownOrganization, "listing", "image/png", file, mine...)
	if first.StatusCode != http.StatusCreated {
		t.Fatalf("%d %s", first.StatusCode, first.body)
	}
	p := decode[uploaded](t, first)
	if p.Width != 400 || p.Sizes["thumb"] != "/v1/photos/"+p.ID+"/thumb.jpg" || p.Sizes["large"] != "/v1/photos/"+p.ID+"/large.jpg" {
		t.Errorf("%+v", p)
	}
	doc, err := f.store.Photos.Get(t.Context(), p.ID)
	if err != nil || len(doc.Value.Uploads) != 1 || doc.Value.Uploads[0].Account == "" || !doc.Value.NeededAt.Equal(f.clock.Now()) {
		t.Errorf("%+v, %v", doc.Value, err)
	}
	for _, again := range []struct {
		organization, purpose string
		status                int
		headers               []string
	}{
		{ownOrganization, "listing", 200, mine},
		{ownOrganization, "document", 201, mine},
		{ownOrganization, "document", 200, mine},
		{otherOrganization, "listing", 201, f.as(t, admin)}, // it does not learn that others have it
	} {
		a := f.upload(t, again.organization, again.purpose, "image/jpeg", file, again.headers...) // whatever type is announced
		if a.StatusCode != again.status || decode[uploaded](t, a).ID != p.ID {
			t.Errorf("%+v: %d %s", again, a.StatusCode, a.body)
		}
	}
	if a := f.upload(t, ownOrganization, "document", "image/png", file, mine...); !strings.Contains(string(a.body), "/v1/documents/"+p.ID+"/thumb.jpg") {
		t.Errorf("%s", a.body)
	}

	const none = "01a192b0-7400-7000-8000-0000000000ee"
	large := file + strings.Repeat("\x00", photos.MaxBytes-len(file))
	for _, tc := range []struct {
		name, organization, purpose, contentType, file string
		status                                         int
		has                                            string
	}{
		{"as large as can be", ownOrganization, "listing", "image/png", large, 200, p.ID},
		{"nothing", ownOrganization, "listing", "image/png", "", 400, `"code":"required"`},
		{"a page", ownOrganization, "listing", "image/png", "<html>", 400, `"code":"bad_format","limit":"JPEG, PNG, WebP"`},
		{"an iPhone's", ownOrganization, "listing", "image/heic", "\x00\x00\x00\x24ftypheic\x00\x00\x00\x00", 400, "兼容性最佳"},
		{"a bomb", ownOrganization, "listing", "image/png", file[:16] + "\x00\x00\xff\xff\x00\x00\xff\xff" + file[24:], 400, `"errors"`},
		{"JSON", ownOrganization, "listing", "application/json", "{}", 415, "unsupported_media_type"},
		{"a form", ownOrganization, "listing", "multipart/form-data; boundary=x", "--x--", 415, "unsupported_media_type"},
		{"no purpose", ownOrganization, "", "image/png", file, 400, `"parameter":"purpose"`},
		{"of another organization", otherOrganization, "listing", "image/png", file, 403, "forbidden"},
		{"of none", none, "listing", "image/png", file, 403, "forbidden"}, // as if there were one
	} {
		a := f.upload(t, tc.organization, tc.purpose, tc.contentType, tc.file, mine...)
		if a.StatusCode != tc.status || !strings.Contains(string(a.body), tc.has) {
			t.Errorf("%s: %d, want %d with %s: %s", tc.name, a.StatusCode, tc.status, tc.has, a.body)
		}
	}
	if a := f.upload(t, none, "listing", "image/png", file, f.as(t, admin)...); a.StatusCode != 404 {
		t.Errorf("for no organization: %d %s", a.StatusCode, a.body)
	}
}

func TestUploadsADay(t *testing.T) {
	before := photosADay.Most
	defer func() { photosADay.Most = before }()
	photosADay.Most = 2
	f := newFixture(t, nil)
	f.organization(t, ownOrganization, "630202")
	for i, status := range []int{201, 201, 429} {
		if a := f.upload(t, ownOrganization, "listing", "image/png", newPicture(t), f.as(t, owner)...); a.StatusCode != status {
			t.Errorf("upload %d: %d %s", i+1, a.StatusCode, a.body)
		}
	}
}

func TestGetPhoto(t *testing.T) {
	f := newFixture(t, nil)
	f.organization(t, ownOrganization, "630202")
	p := f.photoOf(t, ownOrganization, "listing")
	tags := map[string]bool{}
	for size, side := range map[string]int{"thumb": 320, "medium": 400, "large": 400} {
		a := f.get(t, p.Sizes[size], "Accept-Encoding", "gzip, br")
		img, err := jpeg.Decode(bytes.NewReader(a.body))
		if a.StatusCode != 200 || err != nil {
			t.Fatalf("%s: %d, %v", size, a.StatusCode, err)
		}
		if w := img.Bounds().Dx(); w != side || color.GrayModel.Convert(img.At(5, 5)).(color.Gray).Y != 200 {
			t.Errorf("%s is %d wide and %v", size, w, img.At(5, 5))
		}
		h := a.Header
		if h.Get("Content-Type") != "image/jpeg" || h.Get("Content-Encoding") != "" || h.Get("Vary") != "" ||
			h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", size, h)
		}
		tag := h.Get("ETag")
		tags[tag] = true
		again := f.get(t, p.Sizes[size], "If-None-Match", tag)
		if again.StatusCode != 304 || len(again.body) != 0 || again.Header.Get("ETag") != tag || again.Header.Get("Cache-Control") != h.Get("Cache-Control") {
			t.Errorf("%s again: %d %v", size, again.StatusCode, again.Header)
		}
		head := f.do(t, "HEAD", p.Sizes[size])
		if head.StatusCode != 200 || len(head.body) != 0 || head.Header.Get("Content-Length") != fmt.Sprint(len(a.body)) {
			t.Errorf("HEAD %s: %d %v", size, head.StatusCode, head.Header)
		}
	}
	if len(tags) != 3 {
		t.Errorf("the sizes have the ETags %v", tags)
	}

	document := f.photoOf(t, ownOrganization, "document")
	for path, status := range map[string]int{
		"/v1/photos/" + strings.Repeat("0", 64) + "/large.jpg":              404,
		"/v1/photos/" + document.ID + "/large.jpg":                          404, // not for everybody
		"/v1/photos/" + p.ID + "/huge.jpg":                                  400,
		"/v1/photos/" + p.ID + "/large.png":                                 404,
		"/v1/photos/" + p.ID + "/large":                                     404,
		"/v1/photos/" + strings.ToUpper(p.ID) + "/large.jpg":                400,
		"/v1/photos/..%2f" + p.ID[5:] + "/large.jpg":                        400,
		"/v1/photos/" + p.ID + "/large.jpg?organization=" + ownOrganization: 400,
	} {
		a := f.get(t, path)
		if a.StatusCode != status || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d, %v %s", path, a.StatusCode, status, a.Header, a.body)
		}
	}
	// One whose pictures are lost is not there.
	if err := f.api.Photos.Bucket.Delete(t.Context(), p.ID[:2]+"/"+p.ID+"-large.jpg"); err != nil {
		t.Fatal(err)
	}
	if a := f.get(t, p.Sizes["large"]); a.StatusCode != 404 || a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("ETag") != "" {
		t.Errorf("without its picture: %d %v", a.StatusCode, a.Header)
	}
}

func TestGetDocument(t *testing.T) {
	f := newFixture(t, nil)
	f.organization(t, ownOrganization, "630202")
	f.organization(t, otherOrganization, "632701")
	p := f.photoOf(t, ownOrganization, "document")
	path := p.Sizes["medium"]
	elsewhere := f.as(t, directory.Grant{Role: directory.Owner, Organization: otherOrganization})
	powerless := marketOfficial("630200")
	powerless.Powers = []directory.Power{directory.StatisticsPower}
	for _, tc := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"a stranger", nil, 401},
		{"a resident", f.as(t), 403},
		{"an owner", f.as(t, owner), 200},
		{"staff", f.as(t, staff), 200},
		{"an owner of another organization", elsewhere, 404},
		{"an official who decides about it", f.as(t, marketOfficial("630200")), 200},
		{"an official of the place itself", f.as(t, marketOfficial("630202")), 200},
		{"an official of another place", f.as(t, marketOfficial("632700")), 404},
		{"an official of another bureau", f.as(t, official), 404},
		{"an official who does not decide", f.as(t, powerless), 403},
		{"an admin", f.as(t, admin), 200},
		{"an admin, one factor", f.withoutSecondFactor(t, admin), 401},
	} {
		a := f.get(t, path, tc.headers...)
		if a.StatusCode != tc.status {
			t.Errorf("%s: %d, want %d: %s", tc.name, a.StatusCode, tc.status, a.body)
		}
		want := "no-store"
		if tc.status == 200 {
			want = "private, no-store"
		}
		if got := a.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control is %q", tc.name, got)
		}
	}
	// The refusals are in the log.
	entries, err := f.store.Audit.All(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	refusals := 0
	for _, e := range entries {
		if e.Value.Refused && e.Value.Operation == "getDocument" {
			refusals++
		}
	}
	if refusals < 6 {
		t.Errorf("%d refusals were noted", refusals)
	}
	// Whoever has uploaded the same papers sees them, too, and a photo for
	// everybody is no document.
	if a := f.get(t, strings.Replace(f.photoOf(t, ownOrganization, "listing").Sizes["large"], "photos", "documents", 1), f.as(t, owner)...); a.StatusCode != 404 {
		t.Errorf("a listing's photo: %d %s", a.StatusCode, a.body)
	}
	tag := f.get(t, path, f.as(t, owner)...).Header.Get("ETag")
	if a := f.get(t, path, append(f.as(t, owner), "If-None-Match", tag)...); a.StatusCode != 304 {
		t.Errorf("with its ETag: %d", a.StatusCode)
	}
	if a := f.get(t, path, append(elsewhere, "If-None-Match", tag)...); a.StatusCode != 404 {
		t.Errorf("with its ETag, of another organization: %d", a.StatusCode)
	}
}

// TestPhotosOfAListing: the detail says where the pictures are.
func TestPhotosOfAListing(t *testing.T) {
	f := newFixture(t, nil)
	l := f.listings[slices.IndexFunc(f.listings, func(l directory.Listing) bool { return l.Kind == directory.StreetKind })]
	l.ID = "01890a5d-ac96-774b-bcce-b3020000000f"
	id := strings.Repeat("0a", 32)
	l.Photos = []directory.Photo{{ID: id, Caption: "大门"}}
	if _, err := f.store.Listings.Insert(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.store.Listings.Remove(context.Background(), l.ID); err != nil {
			t.Error(err)
		}
	})
	a := f.get(t, "/v1/listings/"+l.ID)
	got := decode[struct {
		Photos []struct {
			ID, Caption string
			Sizes       map[string]string
		}
	}](t, a)
	if len(got.Photos) != 1 || got.Photos[0].ID != id || got.Photos[0].Caption != "大门" || got.Photos[0].Sizes["medium"] != "/v1/photos/"+id+"/medium.jpg" {
		t.Errorf("%s", a.body)
	}
}
