package merge

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// restated counts for one group how often late rows restated each window, by
// length and KPI.
type restated struct {
	counts [][]kept
	until  int64 // the second after which all counts are zero
}

// restate counts the revisions that this crossing's corrections make.
func (s *sums) restate() {
	if len(s.touches) == 0 {
		return
	}
	var data []byte
	for _, id := range slices.Sorted(maps.Keys(s.touches)) {
		if !s.groups.kept[id] { // what was folded since is not shown
			continue
		}
		touches := s.touches[id]
		s.reviseWindows(id, touches, s.head)
		s.reviseDays(id, touches)
		data = appendTouches(binary.LittleEndian.AppendUint64(data, s.groups.keys[id]), s.head, touches)
	}
	s.note(s.head, s.sealed, data)
	clear(s.touches)
}

// revise counts the revisions of sliding windows again that a page has.
func (s *sums) revise(head int64, r *codec.Reader) {
	for r.Len() > 0 {
		key := r.Uint64()
		touches := readTouches(head, r)
		if r.Err() != nil {
			return
		}
		if id, ok := s.groups.index.Get(key); ok && s.groups.since[id] <= head {
			s.reviseWindows(id, touches, head)
		}
	}
	s.saved = append(s.saved, head)
}

// reviseWindows adds one revision to every closed window that the touches of one
// crossing are in; head is that before it.
func (s *sums) reviseWindows(id uint32, touches []touch, head int64) {
	r := s.revised[id]
	if r == nil {
		r = &restated{}
		for range s.windows {
			r.counts = append(r.counts, make([]kept, len(s.plan.KPIs)))
		}
		s.revised[id] = r
	}
	slices.SortFunc(touches, func(a, b touch) int { return cmp.Compare(a.slice, b.slice) })
	for j, w := range s.windows {
		for q := range r.counts[j] {
			reached := plan.Floor(s.sealed, w.Step) / w.Step // windows up to here are done
			for _, t := range touches {
				if t.kpis>>q&1 == 0 {
					continue
				}
				lo := max(plan.Ceil(t.slice+1, w.Step)/w.Step, reached+1)
				hi := min((w.Exit(t.slice)-1)/w.Step, head/w.Step)
				if lo > hi {
					continue
				}
				k := &r.counts[j][q]
				k.add(lo, 1)
				k.add(hi+1, -1)
				s.due.note(lo * w.Step)
				s.due.note((hi + 1) * w.Step)
				r.until = max(r.until, (hi+1)*w.Step)
				reached = hi
			}
		}
	}
}

// reviseDays adds one revision to each business day that is over and that the
// touches are in.
func (s *sums) reviseDays(id uint32, touches []touch) {
	if !s.plan.Day {
		return
	}
	touched := map[int32]uint64{}
	for _, t := range touches {
		touched[s.day(t.slice)] |= t.kpis
	}
	for day, kpis := range touched {
		if !s.over(day) {
			continue
		}
		d := s.finalDay(day)
		d.soil(id)
		for q := range s.plan.KPIs {
			if kpis>>q&1 != 0 {
				d.revisions[revisionKey{id, uint8(q)}]++
			}
		}
	}
}
