package directory

import "time"

// Import is a table of listings that an organization has sent, and what has
// become of it.
type Import struct {
	ID           string      `json:"id"` // UUID, version 7
	Organization string      `json:"organization"`
	Account      string      `json:"account"` // who sent it
	Kind         Kind        `json:"kind"`
	Filename     string      `json:"filename,omitempty"`
	Submit       bool        `json:"submit,omitempty"` // hand the good rows to the officials, too
	State        ImportState `json:"state"`
	Total        int         `json:"total"` // rows
	Done         int         `json:"done"`  // rows that have been looked at
	Counts       RowCounts   `json:"counts"`
	Attempts     int         `json:"attempts,omitempty"` // that have failed
	// Worker is the server that works on it until LeaseUntil, when another may take
	// over.
	Worker     string     `json:"worker,omitempty"`
	LeaseUntil *time.Time `json:"lease_until,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	KeepUntil  time.Time  `json:"keep_until"` // when it and its files go
}

// ImportState is where an import stands.
type ImportState string

// The states of an import.
const (
	ImportQueued  ImportState = "queued"
	ImportRunning ImportState = "running"
	ImportDone    ImportState = "done"
	ImportFailed  ImportState = "failed" // given up after several tries, or because who sent it is no member any more
)

// RowCounts is what became of rows.
type RowCounts struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"` // something is wrong with them
}

// FileChunk is a part of a file that the program keeps for a time.
type FileChunk struct {
	ID        string    `json:"id"` // owner, name and number
	Owner     string    `json:"owner"`
	Data      []byte    `json:"data"`
	KeepUntil time.Time `json:"keep_until"`
}
