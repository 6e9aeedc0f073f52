package photos

import (
	"bytes"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"qingfu/directory"
)

// s3 is as much of an S3-compatible service as photos need, with one bucket.
type s3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	types   map[string]string
	down    bool
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, inBucket := strings.CutPrefix(r.URL.Path, "/photos/")
	data, ok := s.objects[name]
	fail := func(status int, code string) {
		w.WriteHeader(status)
		io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
	}
	type object struct {
		Key          string
		LastModified time.Time
		Size         int
	}
	switch {
	case s.down:
		fail(http.StatusForbidden, "AccessDenied")
	case !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/"):
		fail(http.StatusForbidden, "InvalidAccessKeyId")
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		var list struct {
			XMLName  xml.Name `xml:"ListBucketResult"`
			Contents []object
		}
		for _, key := range slices.Sorted(maps.Keys(s.objects)) {
			if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
				list.Contents = append(list.Contents, object{key, time.Now().UTC(), len(s.objects[key])})
			}
		}
		if err := xml.NewEncoder(w).Encode(list); err != nil {
			panic(err)
		}
	case !inBucket:
		fail(http.StatusNotFound, "NoSuchBucket")
	case r.Method == http.MethodPut:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		s.objects[name], s.types[name] = body, r.Header.Get("Content-Type")
	case r.Method == http.MethodDelete:
		delete(s.objects, name)
		w.WriteHeader(http.StatusNoContent)
	case !ok:
		fail(http.StatusNotFound, "NoSuchKey")
	default: // GET and HEAD
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Write(data)
	}
}

// TestS3 keeps photos in a bucket as docs/settings.md describes it.
func TestS3(t *testing.T) {
	service := &s3{objects: map[string][]byte{}, types: map[string]string{}}
	server := httptest.NewServer(service)
	defer server.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	open := func(name string) *fixture {
		bucket, err := OpenURL(t.Context(), "s3://"+name+"?region=cn-north-1&endpoint="+server.URL+"&use_path_style=true&request_checksum_calculation=when_required")
		if err != nil {
			t.Fatal(err)
		}
		return newFixture(t, bucket)
	}
	f := open("photos")
	p := newGrey(t)
	f.save(t, p)
	f.expect(t, "saved", p, true, 3)
	for key, kind := range service.types {
		if kind != "image/jpeg" {
			t.Errorf("%s is %q", key, kind)
		}
	}
	path, inFolder := folder(t)
	newFixture(t, inFolder).save(t, p)
	for key, data := range service.objects {
		// docs/migrating.md copies files as they are.
		if file, err := os.ReadFile(filepath.Join(path, filepath.FromSlash(key))); err != nil || !bytes.Equal(file, data) {
			t.Errorf("%s is not the same in a folder: %v", key, err)
		}
	}
	f.late = 25 * time.Hour
	if err := f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.expect(t, "swept", p, false, 0)
	if n := len(service.objects); n != 0 {
		t.Errorf("%d objects are left", n)
	}

	elsewhere := open("nothing")
	if _, err := elsewhere.Save(t.Context(), p, f.upload(own, directory.ListingPhoto)); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("saving without the bucket: %v", err)
	}
	service.down = true
	if _, err := f.Save(t.Context(), p, f.upload(own, directory.ListingPhoto)); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("saving without the service: %v", err)
	}
	if _, err := f.Read(t.Context(), p.ID, "large"); directory.KindOf(err) != directory.Unavailable {
		t.Errorf("reading without the service: %v", err)
	}
}
