package users

import (
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// Labels numbers the labels of the keyed user sets, in the order in which the
// stream shows them. Number 0 is kpi.Other: what came when the budget was
// spent. It runs behind the sequencer, so that admission depends on the stream
// alone.
type Labels struct {
	plan *plan.Plan
	sets []labelSet // by slot
}

type labelSet struct {
	target int
	users  *plan.Users
	codes  map[uint64]uint32
	memo   [memoSize]labelMemo // keys looked up, by their high bits
}

type labelMemo struct {
	key  uint64
	code uint32
}

const memoSize = 1 << 8

// NewLabels returns an empty numbering.
func NewLabels(p *plan.Plan) *Labels {
	l := &Labels{plan: p}
	for i, u := range p.Users {
		if u.Slot >= 0 {
			l.sets = append(l.sets, labelSet{target: p.UsersTarget(i), users: u, codes: map[uint64]uint32{}})
		}
	}
	return l
}

// Assign fills in the batch's codes and returns the labels that are new.
func (l *Labels) Assign(b *stream.Batch) []NewLabel {
	var fresh []NewLabel
	for len(b.Code) < len(l.sets) {
		b.Code = append(b.Code, nil)
	}
	for i := range l.sets {
		s := &l.sets[i]
		b.Code[i] = resize(b.Code[i], b.Rows)
		w, bit := s.users.Filter/64, uint64(1)<<(s.users.Filter%64)
		for r := range b.Rows {
			if b.Verdict[r] != stream.Counted || b.Mask[r*b.MaskWords+w]&bit == 0 || b.IsBelated(r) {
				continue
			}
			k := s.users.Key(l.plan, b, r)
			memo := &s.memo[k>>56]
			if memo.key == k && k != 0 {
				b.Code[i][r] = memo.code
				continue
			}
			code, ok := s.codes[k]
			if !ok && len(s.codes) < s.users.Budget {
				n := NewLabel{Target: s.target, Key: k, Texts: s.users.Labels(b, r)}
				code = s.admit(n)
				fresh = append(fresh, n)
				ok = true
			}
			b.Code[i][r] = code
			if ok {
				*memo = labelMemo{k, code}
			}
		}
	}
	return fresh
}

// A NewLabel is a label that just got the next number of its set.
type NewLabel struct {
	Target int
	Key    uint64
	Texts  []string
}

// Restore numbers the keys of a set in their order, as they were numbered before.
func (l *Labels) Restore(target int, keys []uint64) {
	for i := range l.sets {
		if s := &l.sets[i]; s.target == target {
			for _, k := range keys {
				s.admit(NewLabel{Key: k})
			}
		}
	}
}

func (s *labelSet) admit(n NewLabel) uint32 {
	code := uint32(len(s.codes) + 1)
	s.codes[n.Key] = code
	return code
}

// resize returns s with length n, keeping its array where it is large enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
