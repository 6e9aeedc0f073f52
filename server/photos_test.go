package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"qingfu/seed"
)

// TestPhotosAreKept uploads a photo for the demonstration organization, which has
// to be there after the next start, too, and in the folder that a setting names.
func TestPhotosAreKept(t *testing.T) {
	data, elsewhere := seeded(t), filepath.Join(t.TempDir(), "elsewhere")
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	organization, owner := seed.DemoOrganization()
	token := ""
	upload := func(s *served) (thumb string) {
		t.Helper()
		if token == "" {
			token, _ = s.signIn(owner)["access_token"].(string)
		}
		req, err := http.NewRequest("POST", s.base+"/v1/photos?purpose=listing&organization="+organization.ID, bytes.NewReader(picture.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "image/png")
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var answer struct{ Sizes struct{ Thumb string } }
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode/100 != 2 {
			t.Fatalf("%s, %v", resp.Status, err)
		}
		return answer.Sizes.Thumb
	}
	show := func(s *served, path string) {
		t.Helper()
		resp, err := http.Get(s.base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !bytes.HasPrefix(body, []byte("\xff\xd8\xff")) {
			t.Errorf("%s: %s, %v", path, resp.Status, err)
		}
	}
	s := serve(t, "--data-dir", data)
	thumb := upload(s)
	show(s, thumb)
	s.end()
	s = serve(t, "--data-dir", data)
	show(s, thumb)
	s.end()
	s = serve(t, "--data-dir", data, "--photos-url", "file://"+filepath.ToSlash(elsewhere))
	show(s, upload(s))
	s.end()
	for _, folder := range []string{filepath.Join(data, "photos"), elsewhere} {
		if files, err := filepath.Glob(filepath.Join(folder, "??", "*.jpg")); err != nil || len(files) != 3 {
			t.Errorf("in %s there are %q, %v", folder, files, err)
		}
	}
}

// TestBadBucket: what is wrong with a bucket is one line, too.
func TestBadBucket(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"file://" + filepath.ToSlash(file), "s3://photos?colour=red"} {
		e := command(t.Context(), "serve", "--addr", "127.0.0.1:0", "--data-dir", t.TempDir(), "--no-demo", "--photos-url", address)
		lines := strings.Split(strings.TrimSpace(e.err), "\n")
		if last := lines[len(lines)-1]; e.code != 1 || !strings.Contains(last, "QINGFU_PHOTOS_URL") {
			t.Errorf("%s: code %d, %s", address, e.code, e.err)
		}
	}
}
