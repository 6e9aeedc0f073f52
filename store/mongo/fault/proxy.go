// Package fault stands between a program and MongoDB and brings about what can go
// wrong between them. Only tests import it.
//
// To the program the proxy is a replica set of one, with sessions and retryable
// writes, whatever is behind it: it knows by session and number which writes have been
// done, and answers one that is sent again with its first answer, as MongoDB does. So
// the driver does here what it does with MongoDB and what it cannot do with what
// stands in for it.
package fault

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Command is what the program asks of MongoDB.
type Command struct {
	Name       string // such as "update"; "hello" in all its forms
	Collection string
}

// Proxy stands in front of a MongoDB. Its methods are safe for concurrent use.
type Proxy struct {
	target   string
	listener net.Listener
	serving  sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed when what is below changes
	closed  bool
	away    bool
	slow    time.Duration
	code    int // with which every command is refused, 0 for none
	cut     func(Command) bool
	plain   bool
	conns   map[net.Conn]bool
	done    map[string][]byte // the answers to the writes that can be sent again
}

// Start stands in front of the MongoDB of a URI until the test ends.
func Start(t testing.TB, uri string) *Proxy {
	t.Helper()
	target, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target.Host, listener: listener, changed: make(chan struct{}), conns: map[net.Conn]bool{}, done: map[string][]byte{}}
	p.serving.Go(p.accept)
	t.Cleanup(func() {
		p.set(func() { p.closed = true })
		listener.Close()
		p.cutAll()
		p.serving.Wait()
	})
	return p
}

// URI returns the address of a database behind the proxy.
func (p *Proxy) URI(database string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.plain {
		return fmt.Sprintf("mongodb://%s/%s", p.listener.Addr(), database)
	}
	return fmt.Sprintf("mongodb://%s/%s?replicaSet=%s", p.listener.Addr(), database, setName)
}

// setName is the name of the replica set.
const setName = "rs0"

// Plain leaves out the replica set, its sessions and its retryable writes, so that
// nothing is sent again by the driver.
func (p *Proxy) Plain() { p.set(func() { p.plain = true }) }

// Away cuts all connections and takes no new ones.
func (p *Proxy) Away() { p.set(func() { p.away = true }); p.cutAll() }

// Slow makes every answer take so much longer, but for those that say who is there.
func (p *Proxy) Slow(by time.Duration) { p.set(func() { p.slow = by }) }

// StepDown makes a secondary of the server, which refuses every command with a code,
// such as 10107 (NotWritablePrimary) or 189 (PrimarySteppedDown).
func (p *Proxy) StepDown(code int) { p.set(func() { p.code = code }) }

// Back ends what Away, Slow and StepDown began.
func (p *Proxy) Back() { p.set(func() { p.away, p.slow, p.code = false, 0, 0 }) }

// CutAfter lets the next command that meets a condition happen and cuts the
// connection in the place of its answer. What it returns tells whether that came.
func (p *Proxy) CutAfter(meets func(Command) bool) (came func() bool) {
	cut := false
	p.set(func() {
		p.cut = func(c Command) bool {
			if cut || !meets(c) {
				return false
			}
			cut = true
			return true
		}
	})
	return func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return cut
	}
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		refuse := p.away || p.closed
		p.conns[client] = true
		p.mu.Unlock()
		p.serving.Go(func() {
			if !refuse {
				_ = p.serve(client) // by whatever it ends, the driver sees the connection end
			}
			client.Close()
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.conns, client)
		})
	}
}

// serve passes messages on, one after the other, as the driver sends them.
func (p *Proxy) serve(client net.Conn) error {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return err
	}
	defer server.Close()
	for {
		asked, err := readMessage(client)
		if err != nil {
			return err
		}
		answer, err := p.answer(server, asked)
		if err != nil {
			return err
		}
		if _, err := client.Write(answer); err != nil {
			return err
		}
	}
}

var errCut = errors.New("the connection is cut")

// answer returns the answer to a message.
func (p *Proxy) answer(server io.ReadWriter, asked []byte) ([]byte, error) {
	ask, command, err := read(asked)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	code, plain := p.code, p.plain
	before := p.done[writeKey(ask)]
	p.mu.Unlock()
	id := binary.LittleEndian.Uint32(asked[4:])
	isHello := command.Name == "hello"
	switch {
	case code != 0 && !isHello:
		return message(id, bson.D{
			{Key: "ok", Value: 0.0}, {Key: "code", Value: int32(code)}, {Key: "errmsg", Value: "not primary"},
			{Key: "errorLabels", Value: bson.A{"RetryableWriteError"}},
		})
	case before != nil:
		again := slices.Clone(before)
		binary.LittleEndian.PutUint32(again[8:], id)
		return again, nil
	}
	if _, err := server.Write(asked); err != nil {
		return nil, err
	}
	answer, err := readMessage(server)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	if key := writeKey(ask); key != "" {
		p.done[key] = answer
	}
	cut := p.cut != nil && p.cut(command)
	p.mu.Unlock()
	if cut {
		return nil, errCut
	}
	if isHello {
		if plain {
			return answer, nil
		}
		return p.hello(answer)
	}
	return answer, p.wait(time.Now())
}

// wait holds an answer up for as long as the server is slow.
func (p *Proxy) wait(since time.Time) error {
	for {
		p.mu.Lock()
		slow, closed, changed := p.slow, p.closed, p.changed
		p.mu.Unlock()
		left := slow - time.Since(since)
		switch {
		case closed:
			return errCut
		case left <= 0:
			return nil
		}
		select {
		case <-changed:
		case <-time.After(left):
		}
	}
}

// hello makes a member of a replica set of the server.
func (p *Proxy) hello(answer []byte) ([]byte, error) {
	at := bodyOf(answer)
	var says bson.M
	if err := bson.Unmarshal(answer[at:], &says); err != nil {
		return nil, err
	}
	p.mu.Lock()
	primary := p.code == 0
	p.mu.Unlock()
	me := p.listener.Addr().String()
	for name, value := range map[string]any{
		"ismaster": primary, "isWritablePrimary": primary, "secondary": !primary,
		"setName": setName, "setVersion": int32(1), "hosts": bson.A{me}, "me": me, "logicalSessionTimeoutMinutes": int32(30),
	} {
		says[name] = value
	}
	body, err := bson.Marshal(says)
	if err != nil {
		return nil, err
	}
	out := append(slices.Clone(answer[:at]), body...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	return out, nil
}

// The messages of MongoDB's wire protocol: a header of four numbers, of which the first
// is the length, the second the message's own and the third that of the one it answers.
const (
	header  = 16
	opReply = 1    // the answer to opQuery
	opQuery = 2004 // by which a driver says hello before it knows the server's version
	opMsg   = 2013
)

func readMessage(from io.Reader) ([]byte, error) {
	head := make([]byte, header)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := int(binary.LittleEndian.Uint32(head))
	if length < header+4 || length > 48<<20 {
		return nil, fmt.Errorf("a message of %d bytes", length)
	}
	out := append(head, make([]byte, length-header)...)
	_, err := io.ReadFull(from, out[header:])
	return out, err
}

// bodyOf returns where the document of a message begins.
func bodyOf(message []byte) int {
	if binary.LittleEndian.Uint32(message[12:]) == opReply {
		return header + 20 // flags, a cursor, from where and how many
	}
	return header + 5 // flags and the kind of the section
}

// read returns the command of a message, and its name.
func read(message []byte) (bson.Raw, Command, error) {
	switch op := binary.LittleEndian.Uint32(message[12:]); op {
	case opQuery:
		return nil, Command{Name: "hello"}, nil
	case opMsg:
	default:
		return nil, Command{}, fmt.Errorf("a message of kind %d", op)
	}
	for at := header + 4; at+5 <= len(message); {
		kind, size := message[at], int(binary.LittleEndian.Uint32(message[at+1:]))
		if at+1+size > len(message) {
			break
		}
		if kind == 0 {
			ask := bson.Raw(message[at+1 : at+1+size])
			first, err := ask.IndexErr(0)
			if err != nil {
				return nil, Command{}, err
			}
			c := Command{Name: first.Key()}
			c.Collection, _ = first.Value().StringValueOK()
			if c.Name == "isMaster" || c.Name == "ismaster" {
				c.Name = "hello"
			}
			return ask, c, nil
		}
		at += 1 + size // documents of a command that is further on
	}
	return nil, Command{}, errors.New("a message without a command")
}

// writeKey names a write that can be sent again, by its session and number; "" for
// anything else.
func writeKey(ask bson.Raw) string {
	session, err := ask.LookupErr("lsid")
	if err != nil {
		return ""
	}
	number, err := ask.LookupErr("txnNumber")
	if err != nil {
		return ""
	}
	return session.String() + number.String()
}

// message makes an answer.
func message(to uint32, says bson.D) ([]byte, error) {
	body, err := bson.Marshal(says)
	out := make([]byte, header+5, header+5+len(body))
	out = append(out, body...)
	binary.LittleEndian.PutUint32(out, uint32(len(out)))
	binary.LittleEndian.PutUint32(out[8:], to)
	binary.LittleEndian.PutUint32(out[12:], opMsg)
	return out, err
}

// Database draws the name of a new database, which is dropped when the test ends.
func Database(t testing.TB, uri string) string {
	t.Helper()
	name := "qingfu_test_" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		client, err := driver.Connect(options.Client().ApplyURI(uri))
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := errors.Join(client.Database(name).Drop(ctx), client.Disconnect(ctx)); err != nil {
			t.Error(err)
		}
	})
	return name
}
