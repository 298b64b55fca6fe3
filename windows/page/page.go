// Package page says what the engine's state looks like in an epoch: pages that
// are written anew where they changed, and journals to which each checkpoint
// adds a section. The encoder of each kind stands beside its type; FORMAT.md in
// the folder above lists them.
package page

// A Page is a part of the engine's state as an epoch keeps it. Data is nil for
// a page that is no longer needed.
type Page struct {
	Kind Kind
	A    uint32
	B    uint64
	Data []byte
}

// A Section is what one checkpoint adds to a journal: pages that are read in
// the order in which they were written. Sections of one kind and A belong
// together.
type Section struct {
	Kind Kind
	A    uint32
	// Until is the event time in seconds from which on it is not needed.
	Until int64
	// Data begins with Room bytes that are free: with HeadRoom of them a page that begins
	// with the section takes it as it is.
	Data []byte
	Room int
}

// A Floor says which sections of a journal are no longer needed: those of
// checkpoint Number or before whose Until is at most Until.
type Floor struct {
	Number uint64
	Until  int64
}

// Format counts the formats of pages so far: an epoch of another is as one of
// other definitions.
const Format = 15

// Kind says what a page holds.
type Kind uint16

// The kinds of pages.
const (
	Users       Kind = iota + 1 // a shard's users; A shard
	UserDelta                   // journal: what changed in users; A partition
	Open                        // what is not closed; A partition
	Labels                      // labels of a keyed user set; A target
	Groups                      // keys and labels of a sum set; A target, B part
	Pane                        // sums of one pane; A target and length, B pane
	Slice                       // sums of one unsealed slice; A target, B slice
	Corrections                 // journal: what came late into such slices
	Day                         // sums (B part and day) and users (B day) of one day; A target
	Block                       // an unfinished block of history; A target and length
	Revisions                   // what late rows touched until one crossing; A target, B head
	IDs                         // journal: ids that are remembered
	Names                       // names of some of a shard's users; A shard, B segment
	Journeys                    // what a shard's users are about; A shard, B operator
	AcceptedIDs                 // journal: ids of types that are accepted late
)

// Of names the page of one of a target's lengths.
func Of(target, length int) uint32 { return uint32(target)<<8 | uint32(length) }

// Split is the inverse of Of.
func Split(a uint32) (target, length int) { return int(a >> 8), int(a & 0xff) }
