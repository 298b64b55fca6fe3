package stream

import "time"

// An Acceptance says which rows count although they come later than Lateness, and for
// how long their ids are remembered. Such a row is belated: it moves no time, and goes
// to the business days that are open for it alone.
type Acceptance struct {
	// Type is the text column of an event's type.
	Type int
	// Types are those that are accepted.
	Types []AcceptedType
	// Wanted are the filters by which a belated row counts somewhere, as a row's mask
	// has them. One that passes none of them is late.
	Wanted []uint64
}

// An AcceptedType is a type of events that are told late.
type AcceptedType struct {
	Hash uint64 // of its text
	// Within is how far behind the watermark its events still count, in ms.
	Within int64
}

// within is how far behind the watermark the row still counts, 0 if it is of no type
// that is accepted.
func (a *Acceptance) within(b *Batch, row int) int64 {
	for i := range a.Types {
		if t := &a.Types[i]; b.Text[a.Type].Hash[row] == t.Hash {
			return t.Within
		}
	}
	return 0
}

// wants reports whether a belated row counts somewhere.
func (a *Acceptance) wants(b *Batch, row int) bool {
	for w, mask := range a.Wanted {
		if b.Mask[row*b.MaskWords+w]&mask != 0 {
			return true
		}
	}
	return false
}

// longest is for how long ids of accepted types are remembered.
func (a *Acceptance) longest() (d time.Duration) {
	for _, t := range a.Types {
		d = max(d, time.Duration(t.Within)*time.Millisecond)
	}
	return d
}

// accepts reports whether a row that comes later than Lateness counts. Of the time
// before the first event nothing is known.
func (s *Sequencer) accepts(b *Batch, row int) bool {
	t := b.Time[row]
	return t >= s.Watermark-s.acceptance.within(b, row) && t >= s.First && s.acceptance.wants(b, row)
}

// known reports whether the row's id came before, and remembers it: what comes in time
// until DedupWindow, what is of an accepted type for as long as that is. A belated row
// is none of the former.
func (s *Sequencer) known(b *Batch, row int, belated bool) bool {
	id, at := b.ID[row], minute(b.Time[row])
	if s.accepted == nil || s.acceptance.within(b, row) == 0 {
		return s.dedup.see(id, at)
	}
	if s.dedup.has(id) || s.accepted.see(id, at) {
		return true
	}
	return !belated && s.dedup.see(id, at)
}
