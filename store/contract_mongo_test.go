package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"qingfu/store"
	"qingfu/store/mongo"
)

// MONGODB_URI names a deployment of MongoDB, or of what speaks its protocol, on which
// the contract runs too: each test in a database of its own, whose name is drawn, kept
// in the test's folder, and dropped at the end. MONGODB_IS names what is there when it
// is not MongoDB itself, for it cannot show everything.
const (
	mongoURI = "MONGODB_URI"
	mongoIs  = "MONGODB_IS"
)

// cannot says by what stands in for MongoDB which tests it cannot pass, and why.
var cannot = map[string]map[string]string{
	"ferretdb": {
		"TestUniqueIndex": "an update that breaks a unique index is an internal error there",
		"TestLoadFollows": "an update that breaks a unique index is an internal error there",
	},
}

func mongoOrSkip(t *testing.T, dir string) {
	t.Helper()
	uri := os.Getenv(mongoURI)
	if uri == "" {
		t.Skipf("%s names no MongoDB to test with", mongoURI)
	}
	test, _, _ := strings.Cut(t.Name(), "/")
	if why := cannot[os.Getenv(mongoIs)][test]; why != "" {
		t.Skipf("%s cannot show it: %s", os.Getenv(mongoIs), why)
	}
	t.Cleanup(func() {
		name, err := os.ReadFile(filepath.Join(dir, "database"))
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		client, err := driver.Connect(options.Client().ApplyURI(uri))
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := errors.Join(client.Database(string(name)).Drop(ctx), client.Disconnect(ctx)); err != nil {
			t.Error(err)
		}
	})
}

// openMongo opens the database whose name is in the folder, which it draws at first.
func openMongo(ctx context.Context, dir string) (store.Engine, error) {
	file := filepath.Join(dir, "database")
	name, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		name = []byte("qingfu_test_" + strings.ToLower(rand.Text()))
		err = os.WriteFile(file, name, 0o600)
	}
	if err != nil {
		return nil, err
	}
	uri, err := url.Parse(os.Getenv(mongoURI))
	if err != nil {
		return nil, err
	}
	uri.Path = "/" + string(name)
	e, err := mongo.Open(ctx, uri.String())
	if err != nil {
		return nil, err
	}
	e.Lease = 500 * time.Millisecond // killed writers are to be found out soon
	return e, nil
}
