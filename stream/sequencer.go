package stream

import (
	"math"
	"time"
)

// MaxAhead is how far an event's time may be ahead of its message's before it
// is set apart as Future, and how far ahead a tick may state that all is in.
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
	// Yield is called every so often while rows pass. nil: not called.
	Yield func()
	// ForgetAfter is for how many days an anonymous id stays a user's that is not seen, and
	// for up to 30 more. By default it stays for ever.
	ForgetAfter int32

	timing     Timing
	acceptance Acceptance
	Progress
	dedup    dedup
	accepted *dedup // ids of accepted types, nil if there are none
	aliases  aliases
	coming   aliases // those of the next crossing that are others
}

// Progress is where a Sequencer stands, without the ids that it remembers.
type Progress struct {
	// Watermark is the event time in ms before which the input is believed
	// complete, NoTime before the first event.
	Watermark int64
	// First is the time in ms of the earliest event so far that was counted or
	// filtered, math.MaxInt64 before there is one: nothing is known of the time
	// before it.
	First int64
	// LastStamp is the time of the last message that let time go on, in Unix
	// milliseconds: a tick, or one with an event that is neither late, belated nor
	// faulty nor known. The others are as silence.
	LastStamp int64
	// Ledger is the account of every row so far.
	Ledger Ledger
	// Settled is the account at the last crossing, when the late rows before it
	// were taken in, SettledAt the sequence of the last message that was whole
	// then.
	Settled   Ledger
	SettledAt uint64
	// Moves are those since the last crossing, Moved how many there were in all.
	Moves []Move
	Moved uint64
	// Erasures are the users who are erased with the next crossing.
	Erasures []uint64
	// Ended is the day, by UTC, on which it was last looked which anonymous ids end.
	Ended int32
	// Reassigned is how many anonymous ids became another user's.
	Reassigned uint64
}

// A Crossing is where the watermark passes the boundary of a second: before
// the row is added, everything before Watermark is closed. Row may be the
// number of rows, for a crossing by a tick behind them.
type Crossing struct {
	Row       int
	Watermark int64  // ms
	Moves     []Move // since the crossing before, in order
}

// NewSequencer returns a sequencer at the beginning of a lane.
func NewSequencer(t Timing, a Acceptance) *Sequencer {
	s := &Sequencer{timing: t, acceptance: a, aliases: aliases{}, coming: aliases{}, Progress: Progress{Watermark: NoTime, First: math.MaxInt64}}
	if len(a.Types) > 0 {
		s.accepted = new(dedup)
	}
	return s
}

// Restore returns a sequencer that stands at p. Before it goes on it is to Recall.
func Restore(t Timing, a Acceptance, p Progress) *Sequencer {
	s := NewSequencer(t, a)
	s.Progress = p
	s.forget()
	return s
}

// Recall has a sequencer remember what checkpoints noted, as the encodings of their
// Memories, in any order: of all ids, and of those of accepted types.
func (s *Sequencer) Recall(memories, accepted [][]byte) error {
	if err := s.dedup.recall(memories); err != nil || s.accepted == nil {
		return err
	}
	return s.accepted.recall(accepted)
}

// Memorize is what the sequencer remembers and did not say the last time: of all ids,
// and of those of accepted types.
func (s *Sequencer) Memorize() (all, accepted Memory) {
	if s.accepted != nil {
		accepted = s.accepted.memorize()
	}
	return s.dedup.memorize(), accepted
}

// Horizons are the event times in seconds before which no id is remembered, and none
// of an accepted type.
func (s *Sequencer) Horizons() (all, accepted int64) {
	return int64(s.horizon(s.timing.DedupWindow)) * 60, int64(s.horizon(s.acceptance.longest())) * 60
}

// yieldRows is how many rows pass between two yields.
const yieldRows = 1024

// Pass gives every row of the batch its verdict. The crossings are in order.
func (s *Sequencer) Pass(b *Batch, crossings []Crossing) []Crossing {
	row, warm, rested := 0, 0, 0
	anonymous, identities := 0, b.Identities
	for _, m := range b.Messages {
		if m.Tick != nil {
			crossings = s.advance(s.tick(m), row, m, crossings)
			s.LastStamp = m.Stamp
		}
		if m.Erasure != nil {
			s.Erasures = append(s.Erasures, m.Erasure.user)
		}
		if s.Yield != nil && row-rested >= yieldRows {
			s.Yield()
			rested = row
		}
		for end := row + m.Rows; row < end; row++ {
			if row == warm {
				warm = min(row+ahead, b.Rows)
				s.dedup.touch(b.ID[row:warm])
			}
			unnamed := anonymous < len(b.Anonymous) && b.Anonymous[anonymous] == row
			if unnamed {
				anonymous++
			}
			v := s.verdict(b, row, m.Stamp)
			admitted := v == Counted && !b.IsBelated(row)
			if admitted {
				s.LastStamp = m.Stamp
				s.First = min(s.First, b.Time[row])
				crossings = s.advance(min(b.Time[row], m.Stamp)-s.timing.Disorder.Milliseconds(), row, m, crossings)
				if unnamed {
					s.name(b, row, anonymous-1)
				}
			}
			if v == Counted {
				v = wanted(b, row)
			}
			b.Verdict[row] = v
			s.Ledger.Add(v, b.Reason[row])
			if !admitted {
				continue
			}
			for len(identities) > 0 && identities[0].Row <= row {
				if i := identities[0]; i.Row == row {
					s.identify(i.Anonymous, b.User[row], b.Bytes(i.Name), b.Time[row])
				}
				identities = identities[1:]
			}
		}
	}
	return crossings
}

// cross is the crossing before the row is added; if the row made it, it is of a
// second that stays open.
func (s *Sequencer) cross(row int, m Message) Crossing {
	s.Settled, s.SettledAt = s.Ledger, m.Sequence-1
	return Crossing{row, s.Watermark, s.take()}
}

// ahead is how many ids are looked up at once, so that the memory's latency is
// waited for together.
const ahead = 64

// verdict is Counted for a row that is Filtered if nobody wants it.
func (s *Sequencer) verdict(b *Batch, row int, stamp int64) Verdict {
	t := b.Time[row]
	belated := s.Watermark != NoTime && t < s.Watermark-s.timing.Lateness.Milliseconds()
	switch {
	case b.Verdict[row] == Quarantined:
		return Quarantined
	case t > stamp+MaxAhead.Milliseconds():
		return Future
	case belated && !s.accepts(b, row):
		return Late
	case s.known(b, row, belated):
		return Duplicate
	case belated:
		b.Belated = append(b.Belated, row)
	}
	return Counted
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

// advance moves the watermark up to wm, with the crossings of boundaries of seconds. Who
// somebody is counts from the next second on, however long nothing comes: that ends by itself.
func (s *Sequencer) advance(wm int64, row int, m Message, crossings []Crossing) []Crossing {
	if wm <= s.Watermark {
		return crossings
	}
	if s.Watermark != NoTime && len(s.coming)+len(s.Erasures) > 0 && s.secondEnd() < wm {
		s.Watermark = s.secondEnd()
		crossings = append(crossings, s.cross(row, m))
	}
	crossed := s.Watermark == NoTime || wm >= s.secondEnd()
	s.Watermark = wm
	s.forget()
	if crossed {
		crossings = append(crossings, s.cross(row, m))
	}
	return crossings
}

// secondEnd is where the second of the watermark ends.
func (p *Progress) secondEnd() int64 { return (floorDiv(p.Watermark, 1000) + 1) * 1000 }

// forget lets go of the ids that are too old.
func (s *Sequencer) forget() {
	s.dedup.horizon = s.horizon(s.timing.DedupWindow)
	if s.accepted != nil {
		s.accepted.horizon = s.horizon(s.acceptance.longest())
	}
}

// horizon is the oldest minute that is as far back.
func (s *Sequencer) horizon(back time.Duration) int32 {
	if s.Watermark == NoTime {
		return math.MinInt32
	}
	return minute(s.Watermark - back.Milliseconds())
}

// tick is the watermark that a tick brings.
func (s *Sequencer) tick(m Message) int64 {
	if m.Tick.To != 0 { // no more ahead of its message than an event may be
		return min(max(m.Tick.To, minTime), m.Stamp+MaxAhead.Milliseconds())
	}
	if s.Watermark == NoTime || m.Stamp <= s.LastStamp {
		return NoTime
	}
	return min(s.Watermark+m.Stamp-s.LastStamp, max(s.Watermark, m.Stamp-s.timing.Disorder.Milliseconds()))
}

// TickCloses is the stamp from which on a tick closes a second: one before that
// would move the watermark and nothing else. There must be a watermark.
func (p *Progress) TickCloses(disorder time.Duration) int64 {
	end := p.secondEnd()
	return max(p.LastStamp+end-p.Watermark, end+disorder.Milliseconds())
}

func minute(ms int64) int32 { return int32(floorDiv(ms, 60_000)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
