package step

import (
	"slices"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// An Aligner brings lanes to one time: that of the lane that is furthest behind.
// What others say of later waits until all have come so far.
type Aligner struct {
	lanes   []*waiting
	reached int64 // the watermark of the last round
}

// waiting is what a lane said and the others have not come to yet.
type waiting struct {
	lane      string
	watermark int64
	steps     []*Step
}

// NewAligner aligns the lanes of these names, of which none has begun.
func NewAligner(lanes ...string) *Aligner {
	a := &Aligner{reached: stream.NoTime}
	for _, name := range lanes {
		a.lanes = append(a.lanes, &waiting{lane: name, watermark: stream.NoTime})
	}
	return a
}

// Add takes in the steps of a lane for one of its crossings. It returns a round:
// the steps of all lanes up to the least of their watermarks, which is that of
// each; none as long as one of the lanes holds up the others.
func (a *Aligner) Add(lane string, steps []*Step) (round []*Step) {
	l := a.lanes[slices.IndexFunc(a.lanes, func(l *waiting) bool { return l.lane == lane })]
	l.watermark = steps[0].Watermark
	l.steps = append(l.steps, steps...)
	to := l.watermark
	for _, other := range a.lanes {
		to = min(to, other.watermark)
	}
	if to == stream.NoTime || a.reached != stream.NoTime && plan.Floor(to, 1000) == plan.Floor(a.reached, 1000) {
		return nil
	}
	a.reached = to
	for _, l := range a.lanes {
		later := l.steps[:0]
		for _, s := range l.steps {
			s, rest := s.split(to)
			round = append(round, s)
			if rest != nil {
				later = append(later, rest)
			}
		}
		clear(l.steps[len(later):])
		l.steps = later
	}
	return round
}

// split is what of the step counts up to the watermark, and what counts later.
func (s *Step) split(watermark int64) (now, later *Step) {
	if s.Watermark <= watermark {
		s.Watermark = watermark
		return s, nil
	}
	head := plan.Floor(watermark, 1000) / 1000
	now, later = &Step{Watermark: watermark}, &Step{Watermark: s.Watermark}
	for _, slice := range s.Slices {
		if slice.Second < head {
			now.Slices = append(now.Slices, slice)
		} else {
			later.Slices = append(later.Slices, slice)
		}
	}
	later.Rosters = s.Rosters
	for _, d := range s.Deltas {
		if d.Head <= head {
			now.Deltas = append(now.Deltas, d)
		} else {
			later.Deltas = append(later.Deltas, d)
		}
	}
	return now, later
}
