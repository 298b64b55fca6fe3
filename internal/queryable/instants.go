package queryable

import (
	"slices"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// minute is how far apart the samples of a standing value are, in ms.
const minute = int64(time.Minute / time.Millisecond)

// A stand is where samples of the windows of a length stand. Times are Unix
// milliseconds.
type stand struct {
	window   kpi.Window
	calendar *kpi.Calendar
	// open is how many business days behind its own a day stands.
	open int
	// oldest is the first end that is kept, watermark the last one that can be.
	oldest, watermark int64
	// live says that the window that is not over is shown.
	live bool
}

func standOf(v View, k *kpi.KPI, w kpi.Window) (s stand, known bool) {
	s = stand{window: w, calendar: v.Calendar(), live: !w.IsDay()}
	if k.FinalOnly {
		s.open = k.Horizon
	}
	s.watermark, known = v.Watermark()
	s.oldest = v.Kept(w)
	return s, known
}

// An instant is a window, and the times at which its samples stand, which ascend.
type instant struct {
	end   int64 // of the window; that of the live one is not told
	live  bool
	times []int64
	gone  int64 // when its samples stand no more though no other window stands; 0: never
}

// last is the newest time up to ms at which a window stands that is over.
func (s *stand) last(ms int64) int64 {
	if s.window.IsDay() {
		return s.calendar.Start(s.calendar.Day(ms))
	}
	step := s.window.Step().Milliseconds()
	return ms - (ms%step+step)%step
}

// end is when the window ended that stands at a time.
func (s *stand) end(at int64) int64 {
	if s.open == 0 {
		return at
	}
	day := s.calendar.Day(at)
	for range s.open {
		day = s.calendar.Before(day)
	}
	return s.calendar.Start(day)
}

// apart is how far apart samples are, in ms.
func (s *stand) apart() int64 {
	if s.repeats() {
		return minute
	}
	return s.window.Step().Milliseconds()
}

// repeats says that the value stands at every minute until the next end.
func (s *stand) repeats() bool { return s.window.IsDay() || s.window.Step() > time.Minute }

// every is all instants with times in [from, to], and before them the one that stands at
// from.
func (s *stand) every(from, to int64) (out []instant) {
	reach := min(to, s.watermark)
	next := reach + 1
	if s.shows(reach) {
		next = reach
	}
	for at := s.last(reach); s.end(at) >= s.oldest; at = s.last(at - 1) {
		in := instant{end: s.end(at)}
		if at >= from && at <= to {
			in.times = append(in.times, at)
		}
		if s.repeats() {
			for m := max(at, from-1)/minute*minute + minute; m < next; m += minute {
				if m > at && m >= from && !s.yesterday(in, m) {
					in.times = append(in.times, m)
				}
			}
		}
		if gone := at + 1; s.yesterday(in, gone) && gone >= from && gone <= to && (gone < next || next > reach) {
			in.gone = gone
		}
		if out = append(out, in); at < from {
			break
		}
		next = at
	}
	slices.Reverse(out)
	if s.watermark >= from && s.shows(to) {
		out = append(out, instant{live: true, times: []int64{s.watermark}})
	}
	return out
}

// shows reports whether at a time the window that is not over is the newest one.
func (s *stand) shows(t int64) bool {
	return s.live && t >= s.watermark && s.last(s.watermark) < s.watermark
}

// A sequence is instants whose room is used again.
type sequence struct {
	instants []instant
	times    []int64 // of all of them, each behind those of the one before
}

// roomiest is how many times a sequence may have whose room is kept.
const roomiest = 4096

var sequences = sync.Pool{New: func() any { return &sequence{} }}

// free lets others use the room of a sequence.
func (q *sequence) free() {
	if cap(q.times) <= roomiest {
		sequences.Put(q)
	}
}

// at is what is newest at each of the times from first to last by step: no older than
// so many ms. It stands in the room of a sequence.
func (s *stand) at(first, last, step, lookback int64, in *sequence) []instant {
	if behind := s.oldest - first; behind > 0 && step > 0 { // before it nothing stands
		first += (behind + step - 1) / step * step
	}
	room, out := in.times[:0], in.instants[:0]
	if step > 0 && first <= last {
		n := int((last-first)/step + 1)
		room, out = slices.Grow(room, n), slices.Grow(out, min(n, int((last-first)/s.apart()+2)))
	}
	for t := first; t <= last; t += step {
		var next instant
		next, room = s.newest(t, room)
		if n := len(out); n > 0 {
			s.leave(&out[n-1], next, t)
		}
		if n := len(next.times); t-next.times[n-1] < lookback && (next.live || next.end >= s.oldest && !s.yesterday(next, t)) {
			out = s.put(out, next)
		}
		if step == 0 {
			break
		}
	}
	in.times, in.instants = room, out
	return out
}

// leave has the window of a day go with it, if at a time the next one has begun. Next is what
// stands then, if anything does.
func (s *stand) leave(in *instant, next instant, t int64) {
	if s.window != kpi.Today || in.live || in.gone != 0 {
		return
	}
	over := s.calendar.Start(s.calendar.Day(in.end-1) + 1)
	if t > over && s.watermark >= over && (!next.live || s.watermark > over+1) {
		in.gone = over + 1
	}
}

// yesterday reports whether an instant is the end of the day before, which is not today any
// more at a time of the next.
func (s *stand) yesterday(in instant, t int64) bool {
	return s.window == kpi.Today && t > in.end && in.end == s.calendar.Start(s.calendar.Day(t))
}

// newest is what stands at a time, or stood last before it. Room is where its time goes to.
func (s *stand) newest(t int64, room []int64) (instant, []int64) {
	n := len(room)
	if s.shows(t) {
		room = append(room, s.watermark)
		return instant{live: true, times: room[n:]}, room
	}
	t = min(t, s.watermark)
	at := s.last(t)
	in := instant{end: s.end(at)}
	if s.repeats() {
		at = max(at, t/minute*minute)
	}
	room = append(room, at)
	in.times = room[n:]
	return in, room
}

// put appends an instant that is not before the last one.
func (s *stand) put(out []instant, in instant) []instant {
	if n := len(out); n > 0 && out[n-1].live == in.live && out[n-1].end == in.end {
		if last := &out[n-1]; last.times[len(last.times)-1] < in.times[0] {
			last.times = append(last.times, in.times...)
		}
		return out
	}
	return append(out, in)
}

// some are instants of which each series between two times has one: windows that lie
// close to each other, each at one time.
func (s *stand) some(from, to int64) (out []instant) {
	for at := s.last(min(to, s.watermark)); s.end(at) >= s.oldest; {
		out = append(out, instant{end: s.end(at), times: []int64{at}})
		if at <= from {
			break
		}
		switch {
		case s.window == kpi.Today: // what is in it stays until the day is over
			at = s.last(s.calendar.Start(s.calendar.Day(at - 1)))
		case s.window.IsDay():
			at = s.last(at - 1)
		default:
			at = min(s.last(at-s.window.Length.Milliseconds()/2), s.last(at-1))
		}
	}
	slices.Reverse(out)
	if s.watermark >= from && s.shows(to) {
		out = append(out, instant{live: true, times: []int64{s.watermark}})
	}
	return out
}
