package auth

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"qingfu/directory"
)

// Keyring holds the secrets that protect what is stored: keys that seal
// (AES-256-GCM), of which the first is used and the others still open what they
// sealed, and a lookup key for keyed hashes (HMAC-SHA-256). It is kept apart
// from the data, as a file or a setting of this form:
//
//	{"lookup": "<32 bytes, base64>", "keys": [{"id": "2", "secret": "<32 bytes, base64>"}, {"id": "1", …}]}
//
// The lookup key cannot be changed: by it accounts are found.
type Keyring struct {
	path string // "" when it does not come from a file

	mu   sync.RWMutex
	keys keyringFile
}

type keyringFile struct {
	Lookup []byte    `json:"lookup"`
	Keys   []dataKey `json:"keys"`
}

type dataKey struct {
	ID     string `json:"id"`
	Secret []byte `json:"secret"`
}

const secretSize = 32 // bytes

// ParseKeyring reads a keyring from its JSON form.
func ParseKeyring(text []byte) (*Keyring, error) {
	keys, err := parseKeys(text)
	return &Keyring{keys: keys}, err
}

func parseKeys(text []byte) (keys keyringFile, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err = decoder.Decode(&keys)
	// What is wrong is not quoted: it may be part of a secret.
	if _, end := decoder.Token(); err != nil || end != io.EOF {
		return keys, errors.New(`keys: not JSON of the form {"lookup": "…", "keys": [{"id": "1", "secret": "…"}]}`)
	}
	if len(keys.Lookup) != secretSize {
		return keys, fmt.Errorf("keys: the lookup key has %d bytes, not %d", len(keys.Lookup), secretSize)
	}
	if len(keys.Keys) == 0 {
		return keys, errors.New("keys: there is none that could seal")
	}
	seen := map[string]bool{}
	for _, k := range keys.Keys {
		switch {
		case k.ID == "" || strings.ContainsAny(k.ID, ". "):
			return keys, fmt.Errorf("keys: the id %q is empty or has a dot or space", k.ID)
		case seen[k.ID]:
			return keys, fmt.Errorf("keys: the id %q stands twice", k.ID)
		case len(k.Secret) != secretSize:
			return keys, fmt.Errorf("keys: the secret of %q has %d bytes, not %d", k.ID, len(k.Secret), secretSize)
		}
		seen[k.ID] = true
	}
	return keys, nil
}

// OpenKeyFile reads a keyring from its file, which is made with new keys, for
// its owner's eyes only, when there is none.
func OpenKeyFile(path string, random io.Reader) (_ *Keyring, err error) {
	defer directory.Wrap(&err, "key file %s", path)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		var keys keyringFile
		if keys.Lookup, err = newSecret(random); err == nil {
			err = keys.add(random)
		}
		if err == nil {
			err = writeKeys(path, keys, os.Link) // which does not overwrite: another server may be quicker
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o007 != 0 { // a group may: so are secrets of containers mounted
		return nil, fmt.Errorf("everybody may read it (mode %04o): chmod 600", info.Mode().Perm())
	}
	k, err := ParseKeyring(text)
	k.path = path
	return k, err
}

func newSecret(random io.Reader) ([]byte, error) {
	secret := make([]byte, secretSize)
	_, err := io.ReadFull(random, secret)
	return secret, err
}

// add puts a new key in front.
func (f *keyringFile) add(random io.Reader) error {
	secret, err := newSecret(random)
	next := 1
	for _, k := range f.Keys {
		if n, err := strconv.Atoi(k.ID); err == nil {
			next = max(next, n+1)
		}
	}
	f.Keys = append([]dataKey{{strconv.Itoa(next), secret}}, f.Keys...)
	return err
}

// writeKeys writes the file beside its place, to the disk, and then lets place
// put it there, so that there is never half a file.
func writeKeys(path string, keys keyringFile, place func(from, to string) error) (err error) {
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".keys-*") // only its owner may read it
	if err != nil {
		return err
	}
	defer func() {
		if removeErr := os.Remove(f.Name()); !errors.Is(removeErr, fs.ErrNotExist) {
			err = errors.Join(err, removeErr)
		}
	}()
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	// The name is on the disk before anything is sealed with what the file holds.
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// AddKey puts a new key in front of those in the file, by which everything is
// sealed from now on. Servers that run find it when they first meet it.
func (k *Keyring) AddKey(random io.Reader) (err error) {
	defer directory.Wrap(&err, "key file %s", k.path)
	if k.path == "" {
		return errors.New("the keys do not come from a file: put a new one in front of QINGFU_KEYS")
	}
	// Of two that add a key at once, one would lose its own, and what it has sealed.
	lock, err := os.OpenFile(k.path+".lock", os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("another rotation is under way, or was cut off (then remove the file): %w", err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close(), os.Remove(lock.Name())) }()
	keys, err := k.read()
	if err == nil {
		err = keys.add(random)
	}
	if err == nil {
		err = writeKeys(k.path, keys, os.Rename)
	}
	if err == nil {
		_, err = k.read()
	}
	return err
}

// read takes over what the file holds now.
func (k *Keyring) read() (keyringFile, error) {
	text, err := os.ReadFile(k.path)
	if err != nil {
		return keyringFile{}, err
	}
	keys, err := parseKeys(text)
	if err != nil {
		return keyringFile{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !bytes.Equal(keys.Lookup, k.keys.Lookup) {
		return keyringFile{}, errors.New("the lookup key has become another: put back the file that the data was made with")
	}
	k.keys = keys
	return keys, nil
}

// key returns the key of an id. One that is not known may have come into the
// file since it was read.
func (k *Keyring) key(id string) (dataKey, error) {
	for again := range 2 {
		k.mu.RLock()
		for _, key := range k.keys.Keys {
			if key.ID == id {
				k.mu.RUnlock()
				return key, nil
			}
		}
		k.mu.RUnlock()
		if again > 0 || k.path == "" {
			break
		}
		if _, err := k.read(); err != nil {
			return dataKey{}, err
		}
	}
	return dataKey{}, fmt.Errorf("sealed with the key %q, which is not among the keys", id)
}

func (key dataKey) aead() (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, key.Secret, nil, "qingfu seal", secretSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts text. The purpose, such as a kind of field and the id of its
// document, has to be named again to open it, so that one field cannot be put in
// the place of another.
func (k *Keyring) Seal(purpose, text string) (string, error) {
	k.mu.RLock()
	key := k.keys.Keys[0]
	k.mu.RUnlock()
	aead, err := key.aead()
	if err != nil {
		return "", err
	}
	return key.ID + "." + base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, []byte(text), []byte(purpose))), nil
}

// Open decrypts what was sealed for a purpose.
func (k *Keyring) Open(purpose, sealed string) (_ string, err error) {
	defer directory.Wrap(&err, "open %s", purpose)
	id, encoded, _ := strings.Cut(sealed, ".")
	key, err := k.key(id)
	if err != nil {
		return "", err
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return "", err
	}
	aead, err := key.aead()
	if err != nil {
		return "", err
	}
	text, err := aead.Open(nil, nil, raw, []byte(purpose))
	return string(text), err
}

// Current tells whether something is sealed with the key that is used now.
func (k *Keyring) Current(sealed string) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return strings.HasPrefix(sealed, k.keys.Keys[0].ID+".")
}

// Hash returns a keyed hash of text in hexadecimal. Hashes of one text for two
// purposes have nothing in common.
func (k *Keyring) Hash(purpose, text string) string { return hex.EncodeToString(k.mac(purpose, text)) }

func (k *Keyring) mac(purpose, text string) []byte {
	k.mu.RLock()
	lookup := k.keys.Lookup
	k.mu.RUnlock()
	// The purpose is parted from the text by a byte that stands in no purpose.
	mac := hmac.New(sha256.New, lookup)
	io.WriteString(mac, purpose+"\x00"+text)
	return mac.Sum(nil)
}
