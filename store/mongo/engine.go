// Package mongo is the engine behind the store on MongoDB 6 or later, as a replica
// set or sharded.
//
// Each collection is one of MongoDB, with a document for each of the store's, deleted
// ones included:
//
//	{_id, version, seq, above, deleted, f: {<field>: …}, doc: "the JSON"}
//
// A deleted document keeps its id and its version and has neither f nor doc: no
// comparison matches it and no unique index sees it. The collection _collections has
// a head for each collection: its declaration and its numbers; sequence.go says how
// these are given. Only single documents are ever written atomically.
package mongo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"qingfu/directory"
	"qingfu/store"
)

// defaultDatabase is used when the URI names none.
const defaultDatabase = "qingfu"

// Engine implements store.Engine.
type Engine struct {
	// Lease is how long a write that has begun may hold those up who follow the
	// changes, before it is kept from happening. It is a matter of patience and not of
	// correctness, and is set before the engine is used.
	Lease time.Duration

	client   *driver.Client
	db       *driver.Database
	heads    *driver.Collection // _collections
	sessions bool               // whether the server has them

	declaring sync.Mutex // held by Declare and Close

	mu     sync.RWMutex
	tables map[string]*table
	seen   *bson.Timestamp // of the last operation of this engine: every read sees it

	closed chan struct{} // closed by Close
	loops  sync.WaitGroup
	once   sync.Once
}

var _ store.Engine = (*Engine)(nil)

// Open connects to the deployment of a MongoDB URI, which names the database too;
// without one it is "qingfu". The error is Unavailable when no server answers. Options
// of the URI win over those set here, but for what the store relies on: a write is
// acknowledged when the journals of a majority have it, and is read from there.
func Open(ctx context.Context, uri string) (_ *Engine, err error) {
	defer directory.Wrap(&err, "mongo: open")
	set := options.Client().
		SetAppName("qingfu").
		SetConnectTimeout(5 * time.Second).
		SetServerSelectionTimeout(2 * time.Second). // how long a call waits for a primary
		SetMaxConnIdleTime(5 * time.Minute).
		SetTimeout(15 * time.Second). // of calls whose context has no end
		ApplyURI(uri)
	journaled := true
	set.SetRetryReads(true).SetRetryWrites(true).
		SetReadPreference(readpref.Primary()).
		SetReadConcern(readconcern.Majority()).
		SetWriteConcern(&writeconcern.WriteConcern{W: writeconcern.WCMajority, Journal: &journaled})
	if err := set.Validate(); err != nil {
		return nil, unquoted(uri, err)
	}
	client, err := driver.Connect(set)
	if err != nil {
		return nil, err
	}
	db := client.Database(databaseName(uri))
	e := &Engine{
		Lease:  5 * time.Second,
		client: client,
		db:     db,
		heads:  db.Collection("_collections"),
		tables: map[string]*table{},
		closed: make(chan struct{}),
	}
	var hello struct {
		Timeout *int `bson:"logicalSessionTimeoutMinutes"`
	}
	if err := db.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return nil, errors.Join(translate(ctx, err), client.Disconnect(context.WithoutCancel(ctx)))
	}
	e.sessions = hello.Timeout != nil // MongoDB has them; what imitates it may not
	return e, nil
}

// unquoted is the error of a URI that cannot be read, without what may be a part of the
// password: the driver's own words may quote it.
func unquoted(uri string, err error) error {
	scheme, rest, ok := strings.Cut(uri, "://")
	if at := strings.LastIndex(rest, "@"); ok && at >= 0 {
		if err = options.Client().ApplyURI(scheme + "://" + rest[at+1:]).Validate(); err == nil {
			err = errors.New("the user and the password in the URI cannot be read: other characters than letters, digits and -._~ have to be written as %XX")
		}
	}
	return err
}

func databaseName(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	_, rest, _ = strings.Cut(rest, "/")
	name, _, _ := strings.Cut(rest, "?")
	if plain, err := url.PathUnescape(name); err == nil && plain != "" {
		return plain
	}
	return defaultDatabase
}

// Place names the database of a MongoDB URI and its hosts, in an order that does not
// depend on how they are written, and nobody's password.
func Place(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	hosts, _, _ := strings.Cut(rest, "/")
	hosts, _, _ = strings.Cut(hosts, "?")
	list := strings.Split(strings.ToLower(hosts[strings.LastIndex(hosts, "@")+1:]), ",")
	for i, host := range list {
		list[i] = strings.TrimSuffix(host, ":27017")
	}
	slices.Sort(list)
	return databaseName(uri) + " at " + strings.Join(list, ",")
}

// Close implements store.Engine.
func (e *Engine) Close() error {
	err := errors.New("mongo: closed already")
	e.once.Do(func() {
		e.declaring.Lock()
		defer e.declaring.Unlock()
		close(e.closed)
		e.loops.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = e.client.Disconnect(ctx)
	})
	return err
}

// table returns a declared collection.
func (e *Engine) table(collection string) (*table, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if t := e.tables[collection]; t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("collection %q is not declared", collection)
}

// causally runs operations, one after the other, that see all that the ones before
// them in this engine saw or wrote, whichever servers answer them: after an election
// too, and across shards. Its error is that of run, translated.
func (e *Engine) causally(ctx context.Context, run func(ctx context.Context) error) error {
	if !e.sessions {
		return translate(ctx, run(ctx))
	}
	s, err := e.client.StartSession()
	if err != nil {
		return err
	}
	defer s.EndSession(context.WithoutCancel(ctx))
	e.mu.RLock()
	seen := e.seen
	e.mu.RUnlock()
	if seen != nil {
		if err := s.AdvanceOperationTime(seen); err != nil {
			return err
		}
	}
	err = run(driver.NewSessionContext(ctx, s))
	if now := s.OperationTime(); now != nil {
		e.mu.Lock()
		if e.seen == nil || now.After(*e.seen) {
			e.seen = now
		}
		e.mu.Unlock()
	}
	return translate(ctx, err)
}

// translate gives an error of MongoDB the kind that callers act on. An ended context
// comes first, because the driver calls its effect by many names.
func translate(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return unavailable(err)
}

// unavailable makes the errors of a server that is away or busy, or that changes its
// role, Unavailable, and leaves others as they are.
func unavailable(err error) error {
	if err == nil || directory.KindOf(err) != "" {
		return err
	}
	_, unselected := errors.AsType[topology.ServerSelectionError](err)
	_, unconnected := errors.AsType[topology.ConnectionError](err)
	_, pooled := errors.AsType[interface {
		error
		Retryable() bool
	}](err) // the connections were given up because one of them failed
	failed, unconfirmed := errors.AsType[driver.WriteException](err)
	unconfirmed = unconfirmed && failed.WriteConcernError != nil
	answer, answered := errors.AsType[driver.ServerError](err)
	busy := answered && (answer.HasErrorLabel("RetryableWriteError") || answer.HasErrorLabel("TransientTransactionError"))
	for _, code := range busyCodes {
		busy = busy || answered && answer.HasErrorCode(code)
	}
	if unselected || unconnected || pooled || unconfirmed || busy || driver.IsNetworkError(err) || driver.IsTimeout(err) {
		return &directory.Error{Kind: directory.Unavailable, What: "store", Cause: err}
	}
	return err
}

// busyCodes are the codes of MongoDB's error_codes.yml that pass by themselves.
var busyCodes = []int{
	6, 7, 89, 9001, // HostUnreachable, HostNotFound, NetworkTimeout, SocketException
	64, 91, 133, 189, 262, // WriteConcernFailed, ShutdownInProgress, FailedToSatisfyReadPreference, PrimarySteppedDown, ExceededTimeLimit
	10107, 11600, 11602, 13435, 13436, // NotWritablePrimary, Interrupted…, NotPrimaryNoSecondaryOk, NotPrimaryOrSecondary
	14031, // OutOfDiskSpace
}
