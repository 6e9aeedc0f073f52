package auth

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	randv2 "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"qingfu/directory"
)

func TestSealAndOpen(t *testing.T) {
	k := newKeyring(t)
	rapid.Check(t, func(t *rapid.T) {
		text, purpose := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "purpose")
		sealed, err := k.Seal(purpose, text)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := k.Open(purpose, sealed); err != nil || opened != text {
			t.Fatalf("opened %q, %v", opened, err)
		}
		if !k.Current(sealed) || len(text) > 5 && strings.Contains(sealed, text) {
			t.Fatalf("sealed %q", sealed)
		}
		if again, err := k.Seal(purpose, text); err != nil || again == sealed {
			t.Fatalf("sealed alike %q, %v", again, err)
		}
		if opened, err := k.Open(purpose+rapid.StringN(1, 3, -1).Draw(t, "more"), sealed); err == nil || opened != "" {
			t.Fatalf("opened for another purpose: %q", opened)
		}
		id, encoded, _ := strings.Cut(sealed, ".")
		raw, err := base64.RawURLEncoding.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		bit := rapid.IntRange(0, 8*len(raw)-1).Draw(t, "bit")
		flipped := bytes.Clone(raw)
		flipped[bit/8] ^= 1 << (bit % 8)
		cut := raw[:rapid.IntRange(0, len(raw)-1).Draw(t, "length")]
		for _, bad := range [][]byte{flipped, cut, append(bytes.Clone(raw), 0)} {
			if opened, err := k.Open(purpose, id+"."+base64.RawURLEncoding.EncodeToString(bad)); err == nil || opened != "" {
				t.Fatalf("opened %q of %x", opened, bad)
			}
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	k := newKeyring(t)
	sealed, err := k.Seal("phone", ann)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := newKeyring(t).Seal("phone", ann)
	if err != nil {
		t.Fatal(err)
	}
	for what, tt := range map[string]struct{ sealed, want string }{
		"nothing":          {"", `open phone: sealed with the key "", which is not among the keys`},
		"a clear text":     {ann, `open phone: sealed with the key "13800000001", which is not among the keys`},
		"an unknown key":   {"2" + sealed[1:], `open phone: sealed with the key "2", which is not among the keys`},
		"a key of another": {foreign, "open phone: cipher: message authentication failed"},
		"no base64":        {"1.!", "open phone: illegal base64 data at input byte 0"},
		"nothing sealed":   {"1.", "open phone: cipher: message authentication failed"},
	} {
		if text, err := k.Open("phone", tt.sealed); err == nil || err.Error() != tt.want || text != "" {
			t.Errorf("%s: %q, %v", what, text, err)
		}
	}
}

func TestHash(t *testing.T) {
	k, other := newKeyring(t), newKeyring(t)
	seen := map[string]string{}
	for what, hash := range map[string]string{
		"phone": k.Hash("phone", ann), "another phone": k.Hash("phone", ben), "another purpose": k.Hash("code", ann),
		"other keys": other.Hash("phone", ann), "moved border": k.Hash("phone1", ann[1:]), "nothing": k.Hash("", ""),
	} {
		if seen[hash] != "" || len(hash) != 64 {
			t.Errorf("%s and %s: %q", what, seen[hash], hash)
		}
		seen[hash] = what
	}
	if _, ok := seen[k.Hash("phone", ann)]; !ok {
		t.Error("not the same twice")
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k := openKeys(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := k.Seal("x", "text")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseKeyring(text)
	if err != nil {
		t.Fatal(err)
	}
	for what, same := range map[string]*Keyring{"opened again": openKeys(t, path), "as a setting": parsed} {
		if opened, err := same.Open("x", sealed); err != nil || opened != "text" || same.Hash("x", "y") != k.Hash("x", "y") {
			t.Errorf("%s: %q, %v", what, opened, err)
		}
	}
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	hashes := make([]string, 8)
	_, failures := parallel(len(hashes), func(i int) error {
		k, err := OpenKeyFile(path, rand.Reader)
		hashes[i] = k.Hash("x", "y")
		return err
	})
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	for _, hash := range hashes {
		if hash != hashes[0] {
			t.Errorf("several keys: %v", hashes)
		}
	}
	onlyKeys(t, path)
}

// onlyKeys checks that nothing lies beside a key file.
func onlyKeys(t *testing.T, path string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(files) != 1 || files[0].Name() != filepath.Base(path) {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestKeyFileCannotBeMade(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "keys.json")
	if _, err := OpenKeyFile(path, strings.NewReader("too few bytes")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("files %v, %v", files, err)
	}
	path = filepath.Join(dir, "none", "keys.json")
	if _, err := OpenKeyFile(path, rand.Reader); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "key file "+path+": ") {
		t.Error(err)
	}
}

func TestBadKeys(t *testing.T) {
	secret := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("S"), 32))
	short := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("S"), 31))
	const form = `keys: not JSON of the form {"lookup": "…", "keys": [{"id": "1", "secret": "…"}]}`
	for what, tt := range map[string]struct{ text, want string }{
		"nothing":          {"", form},
		"no JSON":          {secret, form},
		"a list":           {`["` + secret + `"]`, form},
		"an unknown field": {`{"lookup": "` + secret + `", "key": "` + secret + `"}`, form},
		"no base64":        {`{"lookup": "` + secret[1:] + `"}`, form},
		"a number":         {`{"lookup": "` + secret + `", "keys": [{"id": 1, "secret": "` + secret + `"}]}`, form},
		"cut off":          {`{"lookup": "` + secret + `", "keys": [{"id": "1", "secret": "` + secret, form},
		"two":              {`{"lookup": "` + secret + `", "keys": [{"id": "1", "secret": "` + secret + `"}]} {}`, form},
		"text behind":      {`{"lookup": "` + secret + `", "keys": [{"id": "1", "secret": "` + secret + `"}]}]`, form},
		"no lookup key":    {`{"keys": [{"id": "1", "secret": "` + secret + `"}]}`, "keys: the lookup key has 0 bytes, not 32"},
		"a short one":      {`{"lookup": "` + short + `", "keys": [{"id": "1", "secret": "` + secret + `"}]}`, "keys: the lookup key has 31 bytes, not 32"},
		"no keys":          {`{"lookup": "` + secret + `", "keys": []}`, "keys: there is none that could seal"},
		"no id":            {`{"lookup": "` + secret + `", "keys": [{"secret": "` + secret + `"}]}`, `keys: the id "" is empty or has a dot or space`},
		"an id with a dot": {`{"lookup": "` + secret + `", "keys": [{"id": "1.2", "secret": "` + secret + `"}]}`, `keys: the id "1.2" is empty or has a dot or space`},
		"the same id": {`{"lookup": "` + secret + `", "keys": [{"id": "1", "secret": "` + secret + `"}, {"id": "1", "secret": "` + secret + `"}]}`,
			`keys: the id "1" stands twice`},
		"a short secret": {`{"lookup": "` + secret + `", "keys": [{"id": "1", "secret": "` + short + `"}]}`, `keys: the secret of "1" has 31 bytes, not 32`},
	} {
		_, err := ParseKeyring([]byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v", what, err)
			continue
		}
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = OpenKeyFile(path, rand.Reader)
		if err == nil || err.Error() != "key file "+path+": "+tt.want || strings.Contains(err.Error(), secret[:8]) {
			t.Errorf("%s, in a file: %v", what, err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != tt.text {
			t.Errorf("%s: the file is now %s, %v", what, text, err)
		}
	}
	good := `{"lookup": "` + secret + `", "keys": [{"id": "1", "secret": "` + secret + `"}]}` + "\n"
	if _, err := ParseKeyring([]byte(good)); err != nil {
		t.Error(err)
	}
}

func TestAddKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k, other := openKeys(t, path), openKeys(t, path)
	old, err := k.Seal("x", "old")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.AddKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	fresh, err := k.Seal("x", "new")
	if err != nil || old[:2] != "1." || fresh[:2] != "2." || k.Current(old) || !k.Current(fresh) {
		t.Fatalf("sealed %q and %q, %v", old, fresh, err)
	}
	// The other one does not know the key until it meets it.
	if !other.Current(old) {
		t.Error("known too early")
	}
	for _, ring := range []*Keyring{k, other, openKeys(t, path)} {
		for want, sealed := range map[string]string{"new": fresh, "old": old} {
			if text, err := ring.Open("x", sealed); err != nil || text != want {
				t.Errorf("%q, %v", text, err)
			}
		}
	}
	if err := other.AddKey(rand.Reader); err != nil || other.Current(fresh) {
		t.Errorf("a third key: %v", err)
	}
	if third, err := other.Seal("x", "third"); err != nil || third[:2] != "3." {
		t.Errorf("%q, %v", third, err)
	}
	if k.Hash("x", "y") != openKeys(t, path).Hash("x", "y") {
		t.Error("the lookup key is another one")
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	onlyKeys(t, path)
}

func TestAddKeyFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k := openKeys(t, path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.AddKey(strings.NewReader("too few bytes")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, text) {
		t.Errorf("the file has changed, %v", err)
	}
	parsed, err := ParseKeyring(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := parsed.AddKey(rand.Reader); err == nil || !strings.Contains(err.Error(), "put a new one in front of QINGFU_KEYS") {
		t.Error(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := k.AddKey(rand.Reader); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := k.Open("x", "2.x"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// repeatable is random bytes that are the same in each run, so that a code does
// not turn up in a hash by chance once in a while.
type repeatable struct {
	mu   sync.Mutex
	from *randv2.ChaCha8
}

func (r *repeatable) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from.Read(p)
}

// TestTheStoreHoldsNoSecrets looks for them in the bytes of the database.
func TestTheStoreHoldsNoSecrets(t *testing.T) {
	random := &repeatable{from: randv2.NewChaCha8([32]byte{1})}
	f := newFixture(t, func(cfg *Config) {
		keys, err := OpenKeyFile(filepath.Join(t.TempDir(), "keys.json"), random)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Random, cfg.Keys = random, keys
	})
	secrets := map[string]string{}
	var accounts []string
	for i := range 5 {
		phone := fmt.Sprintf("1371234567%d", i)
		secrets["phone "+phone] = phone
		tokens := f.signIn(t, phone)
		secrets["spent token of "+phone] = tokens.Refresh
		tokens = f.refresh(t, tokens)
		secrets["token of "+phone] = tokens.Refresh
		secrets["access token of "+phone] = tokens.Access
		secret, recovery := f.enrol(t, f.caller(t, tokens))
		secrets["second factor of "+phone] = secret
		for _, code := range recovery {
			secrets["recovery code "+code] = code
			secrets["recovery code "+code+", plain"] = strings.ToUpper(strings.ReplaceAll(code, "-", ""))
		}
		f.clock.pass(time.Hour)
		secrets["code for "+phone] = f.code(t, phone)
		accounts = append(accounts, tokens.Session.Account)
	}
	f.grant(t, "13712345670", directory.Grant{Role: directory.Admin}, testRegions(t))
	key, text := f.newAPIKey(t, directory.Caller{Account: accounts[0]})
	if _, err := f.AuthenticateKey(t.Context(), text, home); err != nil {
		t.Fatal(err)
	}
	accounts = append(accounts, key.ID)
	secrets["API key"], secrets["its secret"] = text, text[26:48]
	if _, err := f.Erase(t.Context(), directory.Caller{Account: accounts[1]}, home); err != nil {
		t.Fatal(err)
	}
	for _, m := range f.outbox.sent() {
		secrets["code "+m.Code] = m.Code
	}
	for _, k := range f.signing {
		secrets["signing key "+k.ID] = string(k.private.Seed())
		secrets["signing key "+k.ID+", base64"] = base64.StdEncoding.EncodeToString(k.private.Seed())
	}
	var stored []byte
	for _, file := range []string{f.disk.path, f.disk.path + "-wal"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, text...)
	}
	for _, id := range accounts { // to see that this is where everything is
		if !bytes.Contains(stored, []byte(id)) {
			t.Errorf("account %s is not stored", id)
		}
	}
	for what, secret := range secrets {
		if bytes.Contains(stored, []byte(secret)) {
			t.Errorf("%s is stored as it is", what)
		}
	}
}
