package registry

import (
	"context"
	"fmt"
	"time"

	"qingfu/directory"
	"qingfu/store"
)

// chunkSize is how many bytes of a file one document holds.
const chunkSize = 512 << 10

// saveFile keeps a file of an owner until a time. A file of the same name is
// replaced.
func (r *Registry) saveFile(ctx context.Context, owner, name string, data []byte, until time.Time) error {
	var chunks []directory.FileChunk
	for n := 0; n == 0 || n*chunkSize < len(data); n++ {
		part := data[min(n*chunkSize, len(data)):min((n+1)*chunkSize, len(data))]
		chunks = append(chunks, directory.FileChunk{ID: chunkID(owner, name, n), Owner: owner, Data: part, KeepUntil: until})
	}
	results, err := r.Store.Files.Upsert(ctx, chunks)
	for _, result := range results {
		if err == nil {
			err = result.Err
		}
	}
	if err != nil {
		return err
	}
	// An earlier file may have been longer.
	return r.Store.Files.Remove(ctx, chunkID(owner, name, len(chunks)))
}

func chunkID(owner, name string, n int) string { return fmt.Sprintf("%s.%s.%06d", owner, name, n) }

// file returns a file, or NotFound.
func (r *Registry) file(ctx context.Context, owner, name string) ([]byte, error) {
	var data []byte
	for n := 0; ; n++ {
		doc, err := r.Store.Files.Get(ctx, chunkID(owner, name, n))
		if directory.KindOf(err) == directory.NotFound && n > 0 {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		data = append(data, doc.Value.Data...)
		if len(doc.Value.Data) < chunkSize {
			return data, nil
		}
	}
}

// sweepFiles deletes imports and files whose time is over.
func (r *Registry) sweepFiles(ctx context.Context) error {
	past := store.Where(store.Condition{Field: "keep", Op: store.Less, Value: r.now().UnixMilli()})
	if err := r.Store.Imports.RemoveAll(ctx, past); err != nil {
		return err
	}
	return r.Store.Files.RemoveAll(ctx, past)
}
