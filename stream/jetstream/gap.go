package jetstream

import "fmt"

// A Cause is why a row of sequences broke.
type Cause uint8

// The causes.
const (
	// Purged: the stream begins behind the sequence.
	Purged Cause = iota
	// Deleted: the message is missing from the middle of the stream.
	Deleted
	// LostTail: the stream ends before the sequence that was already read.
	// Unless stopped, it would give the lost sequences to other messages.
	LostTail
	// Rewritten: the message holds other data than when it was read.
	Rewritten
	// Recreated: the stream was made anew.
	Recreated
	// Unreadable: the server has the message and does not give it.
	Unreadable
)

// A GapError says that the next message of a stream cannot be had.
type GapError struct {
	Stream string
	Cause  Cause
	// Want is the sequence that should come next, or for Rewritten the last
	// one that was read.
	Want uint64
	// Got is the sequence that came in its place, for Deleted.
	Got uint64
	// First and Last are what the stream holds.
	First, Last uint64
}

func (e *GapError) Error() string {
	s := fmt.Sprintf("read %s from sequence %d: ", e.Stream, e.Want)
	switch e.Cause {
	case Purged:
		return s + fmt.Sprintf("it is purged, the stream begins at %d", e.First)
	case Deleted:
		return s + fmt.Sprintf("it is missing, %d came next", e.Got)
	case LostTail:
		return s + fmt.Sprintf("the stream lost its tail, it ends at %d", e.Last)
	case Rewritten:
		return s + "it is not the message that was read: the stream lost its tail and went on"
	case Recreated:
		return s + "the stream was made anew"
	case Unreadable:
		return s + fmt.Sprintf("it does not come, though the stream ends at %d: the file that holds it is damaged", e.Last)
	}
	return s + "the sequence broke"
}

// gap finds why next cannot follow in a stream; nil when it can.
func (i Info) gap(stream string, next uint64) error {
	e := &GapError{Stream: stream, Want: next, First: i.First, Last: i.Last}
	switch {
	case next > i.Last+1:
		e.Cause = LostTail
	case next < i.First:
		e.Cause = Purged
	default:
		return nil
	}
	return e
}
