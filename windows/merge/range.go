package merge

import (
	"iter"
	"math"

	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A Range is a question about consecutive windows that are closed. It goes piece
// by piece, so that it keeps nobody from moving the merger on for long and holds
// no more than a piece:
//
//	for r := NewRange(p, q, moments); m.Plan(r); {
//		for answer, err := range r.Answers(history) {
//		}
//	}
//
// Each block is read once, and a window that is not sealed is put together from
// the one before it.
type Range struct {
	// Rest are the moments that were not planned: in the end those ahead of what is
	// closed.
	Rest []Moment

	plan     *plan.Plan
	question Question
	piece    []*Lookup
	steps    uint64
	memory   memory // of the merger, at that step
	read     memory // of history
}

// NewRange is a question about the windows at the moments, which ascend; its own
// moment is not looked at.
func NewRange(p *plan.Plan, q Question, moments []Moment) *Range {
	return &Range{plan: p, question: q, Rest: moments}
}

// How many windows a piece has.
const (
	pieceSealed = 1024
	pieceClosed = 16
)

// Plan plans the next piece, as Lookup does, and reports whether there is one.
func (m *Merger) Plan(r *Range) bool {
	if m.head == math.MinInt64 {
		return false
	}
	if r.steps != m.steps {
		r.memory, r.steps = memory{}, m.steps
	}
	k, ss := r.plan.Find(r.question.KPI, r.question.By, r.question.Window)
	r.piece = r.piece[:0]
	for room := pieceSealed; room > 0 && len(r.Rest) > 0; room-- {
		l := &Lookup{plan: r.plan, question: r.question}
		l.question.Moment = r.Rest[0]
		if l.window = m.window(l.question); m.ahead(l.window) {
			break
		}
		m.look(l, k, ss, &r.memory)
		r.piece, r.Rest = append(r.piece, l), r.Rest[1:]
		if !l.stored {
			room = min(room, pieceClosed)
		}
	}
	return len(r.piece) > 0
}

// Answers are the answers of the piece, oldest first, or why there is none.
func (r *Range) Answers(h History) iter.Seq2[*sample.Answer, error] {
	return func(yield func(*sample.Answer, error) bool) {
		for i, l := range r.piece {
			r.piece[i] = nil
			if !yield(l.read(h, &r.read)) {
				return
			}
		}
	}
}
