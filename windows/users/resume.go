package users

import (
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// restore notes that a member was active in a sealed slice with labels.
func (p *Partition) restore(number int, ref uint32, m *member, codes []uint32, second uint32) {
	a := p.audiences[number]
	labels := a.combination(m, codes)
	defer a.labels.release(labels)
	if second < m.newest || second == m.newest && m.labels != 0 {
		for k := range a.tracks {
			p.restoreLabel(number, k, ref, m, a.code(labels, &a.tracks[k]), second)
		}
		return
	}
	if labels == m.labels {
		m.newest = second
		return
	}
	p.raise(number, ref, m, second)
	a.labels.take(labels)
	m.labels = labels
	for k := range a.tracks {
		t := &a.tracks[k]
		p.shards[ref>>24].over.Delete(overOf(ref, t.number, a.code(labels, t)))
	}
}

// restoreLabel notes that a member was active in a sealed slice with one label.
func (p *Partition) restoreLabel(number, k int, ref uint32, m *member, code, second uint32) {
	a := p.audiences[number]
	t := &a.tracks[k]
	if second > m.newest {
		p.raise(number, ref, m, second)
	}
	if code == a.code(m.labels, t) {
		return
	}
	over := &p.shards[ref>>24].over
	key := overOf(ref, t.number, code)
	last, _ := over.Get(key)
	over.Set(key, max(last, second))
}

// raise moves the member's newest slice, with labels that are not known yet.
func (p *Partition) raise(number int, ref uint32, m *member, second uint32) {
	a := p.audiences[number]
	if m.labels != 0 {
		for k := range a.tracks {
			if t := &a.tracks[k]; t.keyed >= 0 {
				p.shards[ref>>24].over.Set(overOf(ref, t.number, a.code(m.labels, t)), m.newest)
			}
		}
		a.labels.drop(m.labels)
	}
	m.newest, m.labels = second, 0
}

// Resume takes in what was read, as it was at the watermark when everything
// before sealed was. It answers what the live windows held at sealed, and what
// closed since as a step; nil of both before the first crossing. Journeys are left to
// ReadOn.
func (p *Partition) Resume(sealed, watermark int64) (held []step.Delta, since *step.Step) {
	read := p.resuming()
	p.restoring = nil
	p.sealed, p.head, p.absences = sealed, sealed, read.absences
	for _, a := range p.audiences {
		a.sealed = uint32(max(sealed, 0))
	}
	if sealed != math.MinInt64 {
		p.unsee()
	}
	seconds := slices.Sorted(maps.Keys(read.seen))
	l := &entryChunk{p: p}
	for _, second := range seconds {
		if int64(second) < sealed {
			l.each(second, read.seen[second], l.isSealed, func(e *savedEntry, m *member) { p.restore(l.audience, e.ref, m, e.codes, second) })
			continue
		}
		l.each(second, read.seen[second], l.followsSealed, func(e *savedEntry, m *member) { p.restoreBefore(l, e, m) })
	}
	if sealed != math.MinInt64 {
		p.forgetHeirs(p.unsealedDay())
		held = p.held()
		p.resumeDues(sealed)
	}
	waiting := map[activity]bool{}
	for i := range read.waiting {
		w := &read.waiting[i]
		labels := &p.audiences[w.audience].labels
		w.labels = labels.number(w.codes)
		labels.take(w.labels)
		waiting[w.activity] = true
	}
	for _, second := range seconds {
		if int64(second) < sealed {
			continue
		}
		l.each(second, read.seen[second], func(*savedEntry) bool { return true }, func(e *savedEntry, m *member) {
			a := p.audiences[l.audience]
			labels := a.combination(m, e.codes)
			if !waiting[activity{uint32(l.audience), e.ref, labels, second}] {
				p.observe(l.audience, e.ref, m, second, labels)
			}
		})
	}
	if sealed != math.MinInt64 {
		p.entering.resume(plan.Floor(watermark, 1000) / 1000)
		p.judging.resume(sealed)
		p.forgetting.resume(sealed)
		since = p.cross(watermark, nil)
	}
	for _, w := range read.waiting {
		p.observe(int(w.audience), w.ref, p.shards[w.ref>>24].member(int(w.audience), w.ref&0xffffff), w.second, w.labels)
		p.audiences[w.audience].labels.drop(w.labels)
	}
	p.lateOrigins = read.origins
	for _, s := range p.unsaved {
		s.saved, s.unsaved, s.again = s.n, false, s.again[:0]
	}
	clear(p.unsaved)
	p.unsaved = p.unsaved[:0]
	for _, o := range read.open {
		p.slice(o.slice).Sets[o.set].Add(p.plan.Sums[o.set], codec.NewReader(o.data))
	}
	p.resumeBases()
	for _, sh := range p.shards {
		if sh != nil {
			sh.resume()
		}
	}
	return held, since
}

// resumeBases goes on behind the base that was written last, which is where those
// of the oldest number begin: starts that follow each other quickly would never
// get to some, and the journal would grow.
func (p *Partition) resumeBases() {
	oldest, before := uint64(math.MaxUint64), uint64(0)
	for s, sh := range p.shards {
		if sh != nil {
			before = p.bases[s].number
			oldest = min(oldest, before)
		}
	}
	for s, sh := range p.shards {
		if sh == nil {
			continue
		}
		if n := p.bases[s].number; n == oldest && before != oldest {
			p.nextBase = s
		}
		before = p.bases[s].number
	}
}

// isSealed reports whether an entry is of a slice that was sealed since the base of its
// shard was written.
func (l *entryChunk) isSealed(e *savedEntry) bool {
	return int64(l.second) >= l.p.bases[e.ref>>24].sealed
}

// followsSealed reports whether a slice before an entry may be sealed. Most are not: their
// members need not be looked at.
func (l *entryChunk) followsSealed(e *savedEntry) bool {
	return e.detail != nil || l.p.isSealed(e.before)
}

// isSealed reports whether there is a slice and it is sealed.
func (p *Partition) isSealed(second uint32) bool { return second != 0 && int64(second) < p.sealed }

// restoreBefore takes in the slices before an entry that are sealed.
func (p *Partition) restoreBefore(l *entryChunk, e *savedEntry, m *member) {
	if e.detail == nil {
		p.restore(l.audience, e.ref, m, e.codes, e.before)
		return
	}
	tracks := p.audiences[l.audience].tracks
	for k, before := range e.detail {
		code := uint32(0)
		if at := tracks[k].keyed; at >= 0 {
			code = e.codes[at]
		}
		if p.isSealed(before) {
			p.restoreLabel(l.audience, k, e.ref, m, code, before)
		}
	}
}

// unsee forgets what the shards have of slices that are not sealed.
func (p *Partition) unsee() {
	for _, sh := range p.shards {
		if sh == nil {
			continue
		}
		for i, a := range p.audiences {
			for _, m := range sh.members(i) {
				if int64(m.newest) < p.sealed {
					continue
				}
				if m.labels != 0 {
					a.labels.drop(m.labels)
				}
				*m = member{}
			}
		}
		var unsealed []uint64
		for key, last := range sh.over.All() {
			if int64(last) >= p.sealed {
				unsealed = append(unsealed, key)
			}
		}
		for _, key := range unsealed {
			sh.over.Delete(key)
		}
	}
}

// held is what the live windows hold at the end of what is sealed. Who was active on
// the day that is not sealed by then is in its rosters.
func (p *Partition) held() []step.Delta {
	p.advance(p.tally, p.sealed)
	day := p.unsealedDay()
	begins := p.plan.Calendar.Start(day) / 1000
	hold := func(number, k int, ref, code uint32, last int64) {
		p.hold(number, k, code, last)
		t := &p.audiences[number].tracks[k]
		if t.daily && last >= begins {
			p.rosters.at(rosterOf{day, t.target}).attend(t, code, ref)
		}
		if t.daily && len(p.shards[ref>>24].heirs.heads) > 0 {
			if a := (attendance{p.plan.Calendar.Day(last * 1000), int32(t.number), code}); p.countedFrom(ref, a) <= p.sealed {
				p.holdOnce(a)
			}
		}
	}
	for s, sh := range p.shards {
		if sh == nil {
			continue
		}
		for i, a := range p.audiences {
			for r, m := range sh.members(i) {
				for k := range a.tracks {
					if t := &a.tracks[k]; t.keyed < 0 || m.labels != 0 {
						hold(i, k, uint32(s)<<24|r, a.group(m.labels, t), int64(m.newest))
					}
				}
			}
		}
		for key, last := range sh.over.All() {
			over := overKey(key)
			i, k := p.trackAt(over.track())
			hold(i, k, uint32(s)<<24|over.row(), over.code()-1, int64(last))
		}
		for _, h := range sh.heirs.others {
			if int64(h.head) <= p.sealed {
				p.holdOnce(h.attendance)
			}
		}
	}
	var out []step.Delta
	for i, a := range p.audiences {
		for k := range a.tracks {
			for code, label := range p.tally.audiences[i].tracks[k] {
				for j, n := range label.gains {
					if n != 0 {
						out = append(out, step.Delta{Head: p.sealed, Target: a.tracks[k].target, Column: int32(j), Group: int32(code), N: int64(n)})
						label.gains[j] = 0
					}
				}
			}
		}
	}
	return out
}

func (p *Partition) hold(number, k int, code uint32, last int64) {
	t := &p.audiences[number].tracks[k]
	label := p.tally.label(number, k, t, code)
	for j, l := range t.plan.Lengths {
		if last >= p.tally.audiences[number].tails[t.lengths[j].of] {
			label.panes[t.lengths[j].panes+pane(l, last)]++
			label.gains[j]++
		}
	}
}

// holdOnce takes one who is counted by another id off the live windows of today.
func (p *Partition) holdOnce(a attendance) {
	i, k := p.trackAt(int(a.track))
	t := &p.audiences[i].tracks[k]
	for j, l := range t.plan.Lengths {
		if l.Today() && p.plan.Calendar.Start(a.day)/1000 >= p.tally.audiences[i].tails[t.lengths[j].of] {
			label := p.tally.label(i, k, t, a.group)
			label.gains[j]--
			label.twice++
		}
	}
}
