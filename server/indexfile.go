package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"

	"qingfu/directory"
	"qingfu/search"
	"qingfu/search/memory"
	"qingfu/seed"
	"qingfu/store"
)

// indexFile keeps a copy of the search index beside the store, so that a start
// need not build it anew. It is only a shortcut: whatever is wrong with it, the
// index is built from the store.
type indexFile struct {
	dir     string
	engine  *memory.Engine
	storeID string
	program func() (string, error) // programHash, asked for when it is needed
	saved   int64                  // the last change in the file
}

// indexManifest describes the index file that is valid. It is written after it.
type indexManifest struct {
	File  string `json:"file"`
	Owner string `json:"owner"`
	Seq   int64  `json:"seq"` // the last change that is in it
	CRC   uint32 `json:"crc32c"`
}

const manifestName = "manifest.json"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openIndexFile prepares to keep the index in the data folder.
func openIndexFile(ctx context.Context, dataDir string, st *store.Store, engine *memory.Engine) (*indexFile, error) {
	id, err := st.ID(ctx)
	return &indexFile{
		dir: filepath.Join(dataDir, "index"), engine: engine, storeID: id, program: sync.OnceValues(programHash),
	}, err
}

// language is what indexes have to know of words, places and days.
type language struct {
	regions  *directory.Regions
	calendar *directory.Calendar
	lexicon  *search.Lexicon
	indexer  *search.Indexer
}

func readLanguage() (*language, error) {
	regions, err := seed.Regions()
	if err != nil {
		return nil, err
	}
	calendar, err := seed.Calendar()
	if err != nil {
		return nil, err
	}
	return &language{regions, calendar, search.NewLexicon(regions), search.NewIndexer(regions)}, nil
}

// openIndex prepares the embedded index of a data folder, of which nothing is loaded
// yet. The caller closes its engine.
func (s *dataSettings) openIndex(ctx context.Context, st *store.Store, l *language, log *slog.Logger) (*projector, error) {
	engine, err := memory.New(l.lexicon, l.calendar)
	if err != nil {
		return nil, err
	}
	file, err := openIndexFile(ctx, s.DataDir, st, engine)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return newProjector(st.Listings, l.indexer, engine, file, log), nil
}

// owner names the store and the program that the index belongs to.
func (f *indexFile) owner() (string, error) {
	program, err := f.program()
	return f.storeID + " " + program, err
}

// programHash tells programs apart. The index depends on every rule of indexing
// and on the words built into the program, so it belongs to the very program that
// built it.
func programHash() (string, error) {
	path, err := os.Executable()
	if err != nil { // without /proc, as in an empty root folder
		path, err = exec.LookPath(os.Args[0])
	}
	if err != nil {
		return "", err
	}
	program, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer program.Close()
	h := sha256.New()
	if _, err := io.Copy(h, program); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// load fills the engine from the file and returns the last change that it
// holds. It returns fs.ErrNotExist when there is no file of this program and
// store; with any error the engine is empty.
func (f *indexFile) load() (seq int64, err error) {
	defer directory.Wrap(&err, "index file")
	b, err := os.ReadFile(filepath.Join(f.dir, manifestName))
	if err != nil {
		return 0, err
	}
	var m indexManifest
	if err := json.Unmarshal(b, &m); err != nil {
		return 0, err
	}
	owner, err := f.owner()
	if err != nil {
		return 0, err
	}
	if m.Owner != owner {
		return 0, fmt.Errorf("of another program or store: %w", fs.ErrNotExist)
	}
	file, err := os.Open(filepath.Join(f.dir, filepath.Base(m.File)))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	sum := crc32.New(castagnoli)
	r := io.TeeReader(file, sum)
	err = f.engine.Restore(r)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if err == nil && sum.Sum32() != m.CRC {
		err = errors.New("the checksum does not fit")
	}
	if err != nil {
		f.engine.Reset()
		return 0, err
	}
	f.saved = m.Seq
	return m.Seq, nil
}

// save writes the engine's content, which holds at least the changes up to seq.
// A crash at any moment leaves the file before or the new one.
func (f *indexFile) save(seq int64) (err error) {
	defer directory.Wrap(&err, "index file")
	owner, err := f.owner()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o750); err != nil {
		return err
	}
	// The name is new even when the number is not, as after a reindex.
	m := indexManifest{File: fmt.Sprintf("%d-%s.idx", seq, rand.Text()[:8]), Owner: owner, Seq: seq}
	sum := crc32.New(castagnoli)
	if err := writeFile(filepath.Join(f.dir, m.File), func(w io.Writer) error {
		return f.engine.Save(io.MultiWriter(w, sum))
	}); err != nil {
		return err
	}
	m.CRC = sum.Sum32()
	if err := writeFile(filepath.Join(f.dir, manifestName), func(w io.Writer) error {
		return json.NewEncoder(w).Encode(m)
	}); err != nil {
		return err
	}
	f.saved = seq
	old, err := filepath.Glob(filepath.Join(f.dir, "*.idx*"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if filepath.Base(path) != m.File {
			err = errors.Join(err, os.Remove(path))
		}
	}
	return err
}

// drop makes sure that no start takes up the file that is there.
func (f *indexFile) drop() error {
	err := os.Remove(filepath.Join(f.dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// writeFile replaces a file by what write writes, as a whole or not at all.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
