package windows

import (
	"math"
	"slices"
)

// A Preview is what is in but not closed yet: what the live windows would gain
// and lose if the watermark stood at Head.
type Preview struct {
	Head    int64
	steps   uint64 // of the merger when it was made
	reach   int64  // the head up to which events are known to be in
	sums    []previewSums
	actives []map[uint32]*previewCode
	risk    []Risk
	day     int32 // the business day of the newest slice
	pending bool
}

// previewSums are differences by group, and of keys that have none yet.
type previewSums struct {
	groups map[uint32]*previewGroup
	fresh  map[uint64]*previewGroup
}

type previewGroup struct {
	labels []string  // of a key that has no group
	lenses [][]int64 // nil: no difference
	day    []int64
}

type previewCode struct {
	lenses []int32
	day    int64
}

// Pending reports whether late rows wait for the next crossing: the preview has
// them, windows that are closed do not yet.
func (v *Preview) Pending() bool { return v.pending }

// Peek answers what is in before head and not closed, as a step that changes
// nothing.
func (p *Partition) Peek(head int64) *Step {
	out := &Step{Corrections: slices.Clone(p.out.Corrections), Fresh: slices.Clone(p.out.Fresh)}
	if p.head == math.MinInt64 {
		return out
	}
	head = max(head, p.head)
	for _, a := range p.open {
		if a.slice < head {
			out.Sums = append(out.Sums, a.clone())
		}
	}
	live, dirty := p.out, len(p.dirtyDays)
	p.out = out
	var days []savedDays
	for _, d := range p.lateDays {
		days = p.peekDay(d.ref, d.day, days)
	}
	for i := range p.tracks {
		days = p.peekTrack(i, head, days)
	}
	for _, d := range slices.Backward(days) {
		copy(d.row[wordBits:], d.words[:])
	}
	p.out, p.dirtyDays = live, p.dirtyDays[:dirty]
	return out
}

// savedDays is a user's active days before a peek.
type savedDays struct {
	row   []uint32
	words [3]uint32
}

func (a *accumulator) clone() *accumulator {
	out := &accumulator{slice: a.slice, sets: make([]groupTable, len(a.sets))}
	for i := range a.sets {
		t := &a.sets[i]
		out.sets[i] = groupTable{keys: slices.Clone(t.keys), vals: slices.Clone(t.vals), labels: slices.Clone(t.labels), at: slices.Clone(t.at)}
	}
	return out
}

// peekTrack is closeUsers for all open slices before head. It leaves no trace
// but active days; those of before are added to the saved ones.
func (p *Partition) peekTrack(i int, head int64, days []savedDays) []savedDays {
	t := &p.tracks[i]
	gains := map[uint32][]int32{}
	gain := func(code uint32) []int32 {
		g := gains[code]
		if g == nil {
			g = make([]int32, len(t.plan.lenses))
			gains[code] = g
		}
		return g
	}
	tails := make([]int64, len(t.plan.lenses))
	for j, l := range t.plan.lenses {
		tails[j] = l.tail(head) / l.step
		n := min(tails[j]-t.tails[j], l.length/l.step+1)
		for k := t.tails[j]; k < t.tails[j]+n; k++ {
			for code, g := range t.groups {
				if c := g.rings[j][k%int64(len(g.rings[j]))]; c != 0 {
					gain(uint32(code))[j] -= c
				}
			}
		}
	}
	cal := p.plan.calendar
	for _, slice := range p.openUsers(head) {
		s := p.userSlice(uint32(slice))
		day := cal.Day(int64(s.slice) * 1000)
		dayStart := uint32(cal.Start(day) / 1000)
		fresh := map[uint32]int32{}
		for at := 0; at < len(s.words); at += p.entryWidth {
			e := s.words[at : at+p.entryWidth]
			if e[entryMask]>>i&1 == 0 {
				continue
			}
			code := uint32(0)
			if t.keyed {
				code = e[t.entry-1] - 1
			}
			prev := e[t.entry]
			var g []int32
			for j, l := range t.plan.lenses {
				if int64(s.slice)/l.step >= tails[j] && (prev == 0 || int64(prev)/l.step < tails[j]) {
					if g == nil {
						g = gain(code)
					}
					g[j]++
				}
			}
			if prev < dayStart {
				fresh[code]++
				if i == p.plan.churnUsers {
					days = p.peekDay(e[entryRef], day, days)
				}
			}
		}
		for code, n := range fresh {
			p.out.Fresh = append(p.out.Fresh, Fresh{Slice: int64(s.slice), Users: int32(i), Code: code, N: n})
		}
	}
	for code, g := range gains {
		for j, n := range g {
			if n != 0 {
				p.out.Changes = append(p.out.Changes, Change{X: head, Users: int32(i), Lens: int32(j), Code: code, N: n})
			}
		}
	}
	return days
}

// peekDay is activeDay; what was before is added to the saved days.
func (p *Partition) peekDay(ref uint32, day int32, days []savedDays) []savedDays {
	row := p.shards[ref>>24].row(ref&0xffffff, p.rowWidth)
	days = append(days, savedDays{row, [3]uint32(row[wordBits : wordDays+1])})
	p.activeDay(ref, day)
	return days
}

// Show makes a preview of what the partitions answered to Peek.
func (m *Merger) Show(steps []*Step, head int64) *Preview {
	if m.head == math.MinInt64 {
		return nil
	}
	head = max(head, m.head)
	v := &Preview{Head: head, steps: m.steps, reach: m.head, day: m.plan.calendar.Day(head*1000 - 1)}
	if m.published != nil {
		v.reach = max(v.reach, m.published.reach)
	}
	for i, s := range m.sums {
		diffs := previewSums{map[uint32]*previewGroup{}, map[uint64]*previewGroup{}}
		v.sums = append(v.sums, diffs)
		for _, step := range steps {
			for _, a := range step.Sums {
				v.pending = v.pending || a.slice < m.head
				m.previewSlice(v, s, diffs, a.slice, &a.sets[i])
			}
		}
		for j, w := range s.windows {
			to := w.tail(head) / w.step
			for _, p := range w.panesBetween(w.liveTail, to) {
				s.previewLeave(diffs, j, p)
			}
			for _, p := range s.between(w.liveTail*w.step, to*w.step) {
				s.previewLeave(diffs, j, p)
			}
		}
	}
	for range m.actives {
		v.actives = append(v.actives, map[uint32]*previewCode{})
	}
	code := func(users int32, code uint32) *previewCode {
		c := v.actives[users][code]
		if c == nil {
			c = &previewCode{lenses: make([]int32, len(m.actives[users].plan.lenses))}
			v.actives[users][code] = c
		}
		return c
	}
	for _, step := range steps {
		v.pending = v.pending || len(step.Corrections) > 0
		for _, c := range step.Corrections {
			if c.Hi >= m.head {
				code(c.Users, c.Code).lenses[c.Lens]++
			}
		}
		for _, c := range step.Changes {
			code(c.Users, c.Code).lenses[c.Lens] += c.N
		}
		for _, f := range step.Fresh {
			if m.plan.calendar.Day(f.Slice*1000) == v.day {
				code(f.Users, f.Code).day += int64(f.N)
			}
		}
		v.risk = append(v.risk, step.Risk...)
	}
	return v
}

func (m *Merger) previewSlice(v *Preview, s *sums, diffs previewSums, slice int64, t *groupTable) {
	today := m.plan.calendar.Day(slice*1000) == v.day
	for g, key := range t.keys {
		var p *previewGroup
		if id, ok := s.groups.index.get(key); ok {
			p = diffs.group(id, len(s.windows))
		} else if p = diffs.fresh[key]; p == nil {
			p = newPreviewGroup(len(s.windows))
			p.labels = t.decodeLabels(g, len(s.plan.set))
			diffs.fresh[key] = p
		}
		vals := t.vals[g*s.width:][:s.width]
		for j, w := range s.windows {
			if slice >= w.tail(v.Head) {
				p.lenses[j] = addTo(p.lenses[j], vals, 1)
			}
		}
		if today {
			p.day = addTo(p.day, vals, 1)
		}
	}
}

func (s *sums) previewLeave(diffs previewSums, lens int, v *vector) {
	for i, id := range v.ids {
		p := diffs.group(id, len(s.windows))
		p.lenses[lens] = addTo(p.lenses[lens], v.vals[i*s.width:][:s.width], -1)
	}
}

func (d previewSums) group(id uint32, lenses int) *previewGroup {
	p := d.groups[id]
	if p == nil {
		p = newPreviewGroup(lenses)
		d.groups[id] = p
	}
	return p
}

func newPreviewGroup(lenses int) *previewGroup {
	return &previewGroup{lenses: make([][]int64, lenses)}
}

func addTo(sum, vals []int64, sign int64) []int64 {
	if sum == nil {
		sum = make([]int64, len(vals))
	}
	for i, n := range vals {
		sum[i] += sign * n
	}
	return sum
}
