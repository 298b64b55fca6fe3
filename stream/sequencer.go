package stream

import (
	"math"
	"slices"
	"time"
)

// MaxAhead is how far an event's time may be ahead of its message's before it
// is set apart as Future.
const MaxAhead = 10 * time.Minute

// NoTime is the watermark before the first event.
const NoTime = math.MinInt64

// Timing is how a lane's time is read.
type Timing struct {
	// Disorder is how far the watermark stays behind the newest event.
	Disorder time.Duration
	// Lateness is how far behind the watermark an event still counts.
	Lateness time.Duration
	// DedupWindow is how far behind the watermark ids are remembered; at least
	// Lateness + Disorder.
	DedupWindow time.Duration
}

// A Sequencer fixes the one order of a lane: row by row the verdict, against
// the watermark before that row, the watermark after it, and where it crosses
// the boundary of a second. What it says depends on the messages alone.
//
// The watermark is the maximum over rows of min(event time, message time),
// minus Disorder; ticks move it on without rows.
type Sequencer struct {
	timing    Timing
	watermark int64 // ms
	lastStamp int64
	newest    int64 // newest counted event time, ms
	ledger    Ledger
	settled   Ledger // at the last crossing
	settledAt uint64
	dedup     dedup
	// exceptions are the rows since the oldest start that were not counted.
	exceptions []Exception
	cut        bool // the last exception is not extended
	starts     []Start
	// replayTo is the row up to which the verdicts come from exceptions.
	replayTo int64
	replay   []Exception
}

// A Crossing is where the watermark passes the boundary of a second: before
// the row is added, everything before Watermark is closed. Row may be the
// number of rows, for a crossing by a tick behind them.
type Crossing struct {
	Row       int
	Watermark int64 // ms
}

// An Exception is a run of consecutive rows with one verdict other than Counted
// and Filtered, which follow from the row itself. Rows are numbered from the
// lane's beginning.
type Exception struct {
	Row     int64
	Rows    int64
	Verdict Verdict
}

// A Start is a place from which the events of Minute and later can be replayed:
// no counted row before it is of that minute or a later one.
type Start struct {
	Minute    int32
	Sequence  uint64 // of the message
	Row       int64  // number of its first row
	Watermark int64  // before it
	LastStamp int64
}

// Progress is what a Sequencer is restored from.
type Progress struct {
	// Start is where the replay begins, Row the number of the first row that is
	// not replayed.
	Start      Start
	Row        int64
	Ledger     Ledger
	Exceptions []Exception
}

// NewSequencer returns a sequencer at the beginning of a lane.
func NewSequencer(t Timing) *Sequencer {
	return &Sequencer{timing: t, watermark: NoTime, newest: NoTime}
}

// Restore returns a sequencer that replays from p.Start with the verdicts as
// they were given, then goes on by itself.
func Restore(t Timing, p Progress) *Sequencer {
	s := NewSequencer(t)
	s.watermark, s.lastStamp = p.Start.Watermark, p.Start.LastStamp
	s.dedup.horizon = s.horizon()
	s.ledger = p.Ledger
	s.replayTo = p.Row
	s.replay = slices.Clone(p.Exceptions)
	for len(s.replay) > 0 && s.replay[0].Row+s.replay[0].Rows <= p.Start.Row {
		s.replay = s.replay[1:]
	}
	return s
}

// Watermark is the event time in ms before which the input is believed
// complete, NoTime before the first event.
func (s *Sequencer) Watermark() int64 { return s.watermark }

// LastStamp is the time of the last message, in Unix milliseconds.
func (s *Sequencer) LastStamp() int64 { return s.lastStamp }

// Ledger is the account of every row so far.
func (s *Sequencer) Ledger() Ledger { return s.ledger }

// Settled is the account at the last crossing, when the late rows before it were
// taken in, and the sequence of the last message that was whole then.
func (s *Sequencer) Settled() (Ledger, uint64) { return s.settled, s.settledAt }

// Pass gives every row of the batch its verdict. first is the number of the
// batch's first row. The crossings are in order.
func (s *Sequencer) Pass(b *Batch, first int64, crossings []Crossing) []Crossing {
	row, warm := 0, 0
	for _, m := range b.Messages {
		start := Start{Sequence: m.Sequence, Row: first + int64(row), Watermark: s.watermark, LastStamp: s.lastStamp}
		newest := s.newest
		if m.Tick != nil {
			if s.tick(m) {
				crossings = append(crossings, s.cross(row, m))
			}
		}
		for end := row + m.Rows; row < end; row++ {
			if row == warm {
				warm = min(row+ahead, b.Rows)
				s.dedup.touch(b.ID[row:warm])
			}
			v := s.verdict(b, row, first, m.Stamp)
			b.Verdict[row] = v
			if first+int64(row) >= s.replayTo {
				s.ledger.Add(v, b.Reason[row])
			}
			if v != Counted && v != Filtered {
				s.except(first+int64(row), v)
				continue
			}
			t := b.Time[row]
			s.newest = max(s.newest, t)
			if s.advance(min(t, m.Stamp) - s.timing.Disorder.Milliseconds()) {
				crossings = append(crossings, s.cross(row, m))
			}
		}
		s.lastStamp = m.Stamp
		if s.newest != NoTime && (newest == NoTime || minute(s.newest) > minute(newest)) {
			start.Minute = minute(s.newest)
			s.starts = append(s.starts, start)
		}
	}
	return crossings
}

// cross is the crossing before the row is added; if the row made it, it is of a
// second that stays open.
func (s *Sequencer) cross(row int, m Message) Crossing {
	s.settled, s.settledAt = s.ledger, m.Sequence-1
	return Crossing{row, s.watermark}
}

// ahead is how many ids are looked up at once, so that the memory's latency is
// waited for together.
const ahead = 64

func (s *Sequencer) verdict(b *Batch, row int, first, stamp int64) Verdict {
	if n := first + int64(row); n < s.replayTo {
		return s.replayed(b, row, n)
	}
	t := b.Time[row]
	switch {
	case b.Verdict[row] == Quarantined:
		return Quarantined
	case t > stamp+MaxAhead.Milliseconds():
		return Future
	case s.watermark != NoTime && t < s.watermark-s.timing.Lateness.Milliseconds():
		return Late
	case s.dedup.see(b.ID[row], minute(t)):
		return Duplicate
	}
	return wanted(b, row)
}

// wanted is Counted for a row that some definition wants.
func wanted(b *Batch, row int) Verdict {
	for _, w := range b.Mask[row*b.MaskWords : (row+1)*b.MaskWords] {
		if w != 0 {
			return Counted
		}
	}
	return Filtered
}

// replayed is the verdict that row n got when it was first passed.
func (s *Sequencer) replayed(b *Batch, row int, n int64) Verdict {
	for len(s.replay) > 0 && s.replay[0].Row+s.replay[0].Rows <= n {
		s.replay = s.replay[1:]
	}
	if len(s.replay) > 0 && s.replay[0].Row <= n {
		return s.replay[0].Verdict
	}
	s.dedup.see(b.ID[row], minute(b.Time[row]))
	return wanted(b, row)
}

func (s *Sequencer) except(n int64, v Verdict) {
	if last := len(s.exceptions) - 1; last >= 0 && !s.cut {
		e := &s.exceptions[last]
		if e.Verdict == v && e.Row+e.Rows == n {
			e.Rows++
			return
		}
	}
	s.exceptions, s.cut = append(s.exceptions, Exception{n, 1, v}), false
}

// advance moves the watermark up to wm and reports whether it crossed the
// boundary of a second.
func (s *Sequencer) advance(wm int64) bool {
	if wm <= s.watermark {
		return false
	}
	crossed := s.watermark == NoTime || floorDiv(wm, 1000) > floorDiv(s.watermark, 1000)
	s.watermark = wm
	s.dedup.horizon = s.horizon()
	return crossed
}

// horizon is the oldest minute whose ids are remembered.
func (s *Sequencer) horizon() int32 {
	if s.watermark == NoTime {
		return math.MinInt32
	}
	return minute(s.watermark - s.timing.DedupWindow.Milliseconds())
}

func (s *Sequencer) tick(m Message) bool {
	if m.Tick.To != 0 { // no more ahead of its message than an event may be
		return s.advance(min(max(m.Tick.To, minTime), m.Stamp+MaxAhead.Milliseconds()))
	}
	if s.watermark == NoTime || m.Stamp <= s.lastStamp {
		return false
	}
	return s.advance(min(s.watermark+m.Stamp-s.lastStamp, max(s.watermark, m.Stamp-s.timing.Disorder.Milliseconds())))
}

// Sealed is the event time in ms before which no event counts any more.
func (s *Sequencer) Sealed() int64 {
	if s.watermark == NoTime {
		return NoTime
	}
	return s.watermark - s.timing.Lateness.Milliseconds()
}

// ReplayStart is where a recovery from the position behind the last batch has
// to begin: all rows that are unsealed, and all ids that are remembered, come
// after it. ok is false while nothing has been counted: next is as good then.
func (s *Sequencer) ReplayStart() (start Start, ok bool) {
	if s.watermark == NoTime {
		return Start{}, false
	}
	want := min(s.dedup.horizon, minute(s.Sealed()))
	for len(s.starts) > 1 && s.starts[0].Minute < want && s.starts[1].Minute <= want {
		s.starts = s.starts[1:]
	}
	if len(s.starts) == 0 || s.starts[len(s.starts)-1].Minute < want {
		return Start{}, false
	}
	for _, start := range s.starts {
		if start.Minute >= want {
			return start, true
		}
	}
	return Start{}, false
}

// Exceptions are those from row number from on; those before are forgotten.
// What it returned once does not change: the next exception begins a new run.
func (s *Sequencer) Exceptions(from int64) []Exception {
	i := 0
	for i < len(s.exceptions) && s.exceptions[i].Row+s.exceptions[i].Rows <= from {
		i++
	}
	s.exceptions, s.cut = slices.Clone(s.exceptions[i:]), true
	return s.exceptions
}

func minute(ms int64) int32 { return int32(floorDiv(ms, 60_000)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
