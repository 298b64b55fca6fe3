package stream

import (
	"math"
	"slices"
)

// A Schema names the columns that the definitions read. The decoder validates
// every field of an event but keeps only these.
type Schema struct {
	// Text fields are kept as a keyed 64-bit hash and a span of the payload.
	// A number or a boolean is taken as its JSON text: 3 reads "3".
	Text []string
	// Number fields are kept as integers: whole for kpi.Integer fields, in
	// millionths for others.
	Number []string
	// Currency is that of an amount whose event names none. By default such an
	// event is quarantined.
	Currency string
}

// Missing is the value of a number column for an event without the field.
const Missing = math.MinInt64

// A Key is the 128-bit keyed hash by which duplicates are known; 96 bits of it
// are remembered.
type Key struct{ Hi, Lo uint64 }

// A Batch is the events of one or several consecutive messages of a lane,
// decoded into columns. All columns have one entry a row; rows are in stream
// order. A batch is immutable once the sequencer has passed it on.
type Batch struct {
	Rows int
	// Time is the event time in Unix milliseconds; 0 for a row that could not
	// be read.
	Time []int64
	// User is the keyed hash of the user (or anonymous) id, 0 without one.
	User []uint64
	// Name is where the id stands of which User is the hash.
	Name []Span
	// ID is the keyed hash of the pair of user and event id.
	ID []Key
	// Verdict is Quarantined where the decoder says so; the sequencer fills in
	// the others.
	Verdict []Verdict
	// Belated are the rows that count although they come later than Lateness,
	// ascending. The sequencer fills it in.
	Belated []int
	// Reason is why a row is quarantined, ReasonNone otherwise.
	Reason []Reason
	// Line is where the event's JSON text stands in Payload.
	Line []Span
	// Text and Number have a column for each name of the schema; behind these
	// are those that the plan computes after decoding.
	Text   []TextColumn
	Number [][]int64
	// Mask holds, by row, MaskWords words: bit f is set where filter f of the
	// plan passes. The plan fills it in after decoding.
	Mask      []uint64
	MaskWords int
	// Code holds, by keyed user set of the plan, the number of each row's label. The
	// engine fills it in behind the sequencer.
	Code [][]uint32

	// Anonymous are the rows of events that name no user, ascending. The sequencer has
	// those be the user's whose anonymous id is known, and pass what Known says.
	Anonymous []int
	Known     Known
	// Identities are the rows by which an anonymous id becomes a user's, ascending.
	Identities []Identity

	// Messages are the messages that the rows came in.
	Messages []Message
	// Payload is what the spans point into.
	Payload []byte
}

// ManyRows is more than a batch mostly has: what is made for one of more is let go of.
const ManyRows = 64 << 10

// IsBelated reports whether a row counts although it came later than Lateness.
func (b *Batch) IsBelated(row int) bool {
	if len(b.Belated) == 0 {
		return false
	}
	_, belated := slices.BinarySearch(b.Belated, row)
	return belated
}

// A TextColumn holds a text field. A row without the field has hash 0.
type TextColumn struct {
	Hash []uint64
	Span []Span
}

// Known are anonymous rows as they are where the user is known. The plan fills it in with
// the masks.
type Known struct {
	// Column is that of the texts that says whether there is a user, -1 for none: then
	// nothing is different.
	Column int
	// Hash is by anonymous row that of its id's text, Mask as that of the batch.
	Hash, Mask []uint64
}

// know has an anonymous row, by its place among these, be one whose user is known.
func (b *Batch) know(place int) {
	k, row := &b.Known, b.Anonymous[place]
	if k.Column < 0 || len(k.Hash) == 0 {
		return
	}
	b.Text[k.Column].Hash[row], b.Text[k.Column].Span[row] = k.Hash[place], b.Name[row]
	copy(b.Mask[row*b.MaskWords:(row+1)*b.MaskWords], k.Mask[place*b.MaskWords:])
}

// An Identity is a row that says which user an anonymous id is of.
type Identity struct {
	Row       int
	Anonymous uint64 // the keyed hash of the anonymous id
	Name      Span   // where it stands
}

// A Span is a part of a batch's payload.
type Span struct{ Off, Len uint32 }

// A Message is one message of a lane, as its broker dates it.
type Message struct {
	Sequence uint64
	// Stamp is the broker's time in Unix milliseconds.
	Stamp int64
	// Rows is the number of rows that came in this message.
	Rows int
	// Tick is not nil for a message that only moves time, Erasure for one that only
	// erases a user.
	Tick    *Tick
	Erasure *Erasure
	// Fingerprint is a hash of the message's data.
	Fingerprint uint64
}

// A Tick moves the watermark without an event.
type Tick struct {
	// To states that every event before this time (Unix milliseconds) is in.
	// Zero moves time on by what passed since the message before.
	To int64 `json:"to,omitempty"`
}

// An Erasure has a user forgotten, as one by a user id or by an anonymous one.
type Erasure struct {
	UserID      string `json:"user_id,omitempty"`
	AnonymousID string `json:"anonymous_id,omitempty"`

	user uint64 // its hash
}

// A Verdict is the sequencer's decision on one row, and its column of the
// ledger.
type Verdict uint8

// The verdicts, in the order in which they are tried.
const (
	Counted Verdict = iota
	Quarantined
	Future
	Late
	Duplicate
	Filtered
	verdicts
)

// String is the ledger's word for the verdict.
func (v Verdict) String() string {
	return [...]string{"counted", "quarantined", "future", "late", "duplicate", "filtered"}[v]
}
