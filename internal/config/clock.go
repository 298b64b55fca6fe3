package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ClockErrors are messages of the event stream that were stored while the clock
// was wrong, by their sequences. They are read as if it had been right.
type ClockErrors []ClockError

// A ClockError is a run of messages, From and To included, whose times are Ahead
// of the true ones.
type ClockError struct {
	From, To uint64
	Ahead    time.Duration
}

// Ahead is by how many milliseconds the message's time is ahead.
func (c ClockErrors) Ahead(sequence uint64) int64 {
	for _, e := range c {
		if sequence >= e.From && sequence <= e.To {
			return e.Ahead.Milliseconds()
		}
	}
	return 0
}

// UpTo names what matters to whoever has read up to the sequence.
func (c ClockErrors) UpTo(sequence uint64) string {
	var b strings.Builder
	for _, e := range c {
		if e.From <= sequence {
			fmt.Fprintf(&b, "%d-%d:%s ", e.From, min(e.To, sequence), e.Ahead)
		}
	}
	return b.String()
}

// clockErrors takes them out of "FROM-TO: LENGTH" pairs.
func (r *reader) clockErrors(given map[string]time.Duration) ClockErrors {
	var out ClockErrors
	for _, run := range slices.Sorted(maps.Keys(given)) {
		path := "clock_errors." + run
		first, last, found := strings.Cut(run, "-")
		if !found {
			last = first
		}
		from, err := strconv.ParseUint(first, 10, 64)
		to, err2 := strconv.ParseUint(last, 10, 64)
		if err != nil || err2 != nil || from == 0 || to < from {
			r.fail(path, strconv.Quote(run), "is no run of messages", "write the first and the last sequence, such as 4711-4790")
			continue
		}
		out = append(out, ClockError{from, to, given[run]})
	}
	slices.SortFunc(out, func(a, b ClockError) int { return cmp.Compare(a.From, b.From) })
	for i := range out[min(1, len(out)):] {
		if a, b := out[i], out[i+1]; b.From <= a.To {
			r.fail("clock_errors", fmt.Sprintf("%d-%d and %d-%d", a.From, a.To, b.From, b.To), "overlap", "give a message one error")
		}
	}
	return out
}
