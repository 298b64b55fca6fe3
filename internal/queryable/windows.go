package queryable

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// A Window is a closed window, which stands from At on, in Unix milliseconds, until the
// next does. Answer is nil if it is lost.
type Window struct {
	At     int64
	Answer *sample.Answer
}

// Windows are those that stand between two times, in Unix milliseconds, both inclusive, in
// their order.
func Windows(ctx context.Context, v View, q Question, from, to int64) iter.Seq2[Window, error] {
	return func(yield func(Window, error) bool) {
		s, known := standOf(v, q.KPI, q.Window)
		if !known {
			return
		}
		s.live = false
		var at, ends []int64
		for w := s.last(min(to, s.watermark)); s.end(w) >= s.oldest; w = s.last(w - 1) {
			at, ends = append(at, w), append(ends, s.end(w))
			if w <= from {
				break
			}
		}
		slices.Reverse(at)
		slices.Reverse(ends)
		next := 0
		for a, err := range v.Windows(ctx, q, ends) {
			w := Window{at[next], a}
			next++
			if _, lost := errors.AsType[*LostError](err); lost {
				w.Answer, err = nil, nil
			}
			if !yield(w, err) || err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(Window{}, err)
		}
	}
}
