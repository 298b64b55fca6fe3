package users

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/step"
)

// restoring is what a partition has read of an epoch and takes in at Resume.
type restoring struct {
	// seen are by slice the entries of the journal, as encodeSlice has them.
	seen     map[uint32][]seenEntries
	open     []openTable
	waiting  []waitingActivity
	absences map[uint32]absence
}

type seenEntries struct {
	audience int
	n        uint64
	data     []byte
}

// A waitingActivity is an activity with the codes of its labels.
type waitingActivity struct {
	activity
	codes []uint32
}

// An openTable is the encoded table of one set and slice.
type openTable struct {
	slice int64
	set   int
	data  []byte
}

func (p *Partition) resuming() *restoring {
	if p.restoring == nil {
		p.begin()
		p.restoring = &restoring{seen: map[uint32][]seenEntries{}, absences: map[uint32]absence{}}
	}
	return p.restoring
}

// LoadShard reads a page of users, if the shard is the partition's.
func (p *Partition) LoadShard(s int, data []byte) error {
	sh := p.shards[s]
	if sh == nil {
		return nil
	}
	r := codec.NewReader(data)
	p.resuming()
	base := &p.bases[s]
	base.number, base.sealed = r.Uint64(), int64(r.Uint64())
	n := int(r.Uvarint())
	for range n {
		if r.Err() != nil {
			return r.Err()
		}
		hash := r.Uint64()
		at, fresh := sh.find(hash)
		if !fresh {
			return fmt.Errorf("shard %d has user %x twice", s, hash)
		}
		sh.row(at).loadDays(r)
	}
	for i := range p.audiences {
		if err := p.loadMembers(r, sh, i); err != nil {
			return err
		}
	}
	for r.Len() > 0 {
		row, track, code := r.Uint32(), int(r.Uint32()), r.Uint32()
		sh.over.Set(overOf(row, track, code), r.Uint32())
	}
	return r.Err()
}

func (row *row) loadDays(r *codec.Reader) {
	row.activity = r.Uint64()
	days := r.Uint32()
	row.last, row.first = uint16(days), uint16(days>>16)
}

// loadMembers reads what encodeMembers wrote.
func (p *Partition) loadMembers(r *codec.Reader, sh *shard, number int) error {
	a := p.audiences[number]
	numbers := make([]uint32, 1, 64)
	for range r.Count(len(a.slots)) {
		for k := range a.slots {
			a.codes[k] = uint32(r.Uvarint())
		}
		if r.Err() != nil {
			return r.Err()
		}
		numbers = append(numbers, a.labels.number(a.codes))
	}
	for range r.Uvarint() {
		at, place, newest := uint32(r.Uvarint()), r.Uvarint(), r.Uint32()
		if r.Err() != nil {
			return r.Err()
		}
		if at >= uint32(sh.n) || place >= uint64(len(numbers)) {
			r.Fail()
			return r.Err()
		}
		m := sh.member(number, at)
		m.newest, m.labels = newest, numbers[place]
		a.labels.take(m.labels)
	}
	return nil
}

// LoadDelta reads the section that checkpoint number added to a journal of user
// deltas. Sections come in order, after the shards. data is kept until Resume.
func (p *Partition) LoadDelta(number uint64, data []byte) error {
	r, into := codec.NewReader(data), p.resuming()
	mine := func(ref uint32) bool {
		s := ref >> 24
		if p.shards[s] == nil || p.bases[s].number >= number {
			return false
		}
		p.bases[s].changed = true
		return true
	}
	for range r.Uvarint() {
		ref, hash := r.Uint32(), r.Uint64()
		if r.Err() != nil || !mine(ref) {
			continue
		}
		if at, _ := p.shards[ref>>24].find(hash); at != ref&0xffffff {
			return fmt.Errorf("user %x is row %d of shard %d, want %d", hash, at, ref>>24, ref&0xffffff)
		}
	}
	for range r.Uvarint() {
		second, audience, n, size := r.Uint32(), int(r.Uvarint()), r.Uvarint(), r.Uint32()
		data := r.Bytes(uint64(size))
		if audience >= len(p.audiences) {
			r.Fail()
		}
		if r.Err() != nil {
			return r.Err()
		}
		into.seen[second] = append(into.seen[second], seenEntries{audience, n, data})
	}
	for range r.Uvarint() {
		var days row
		ref := r.Uint32()
		days.loadDays(r)
		if r.Err() == nil && mine(ref) {
			p.shards[ref>>24].row(ref & 0xffffff).setDays(days.days())
		}
	}
	return r.Err()
}

// LoadOpen reads a page of what is open. Any partition may take over the sums of
// a; each takes what waits of its own users.
func (p *Partition) LoadOpen(a uint32, data []byte) error {
	r, into := codec.NewReader(data), p.resuming()
	for range r.Uvarint() {
		second := r.Varint()
		for i, s := range p.plan.Sums {
			if table := step.Skip(s, r); table != nil && int(a)%p.of == p.index {
				into.open = append(into.open, openTable{second, i, table})
			}
		}
		if r.Err() != nil {
			return r.Err()
		}
	}
	for range r.Uvarint() {
		w := waitingActivity{activity: activity{audience: uint32(r.Uvarint()), ref: r.Uint32(), second: r.Uint32()}}
		if int(w.audience) >= len(p.audiences) {
			r.Fail()
		}
		if r.Err() != nil {
			return r.Err()
		}
		for range p.audiences[w.audience].slots {
			w.codes = append(w.codes, uint32(r.Uvarint()))
		}
		if p.shards[w.ref>>24] != nil {
			into.waiting = append(into.waiting, w)
		}
	}
	for range r.Uvarint() {
		ref, a := r.Uint32(), absence{r.Uint64(), int32(r.Uint32()), int32(r.Uint32())}
		if r.Err() != nil {
			return r.Err()
		}
		if p.shards[ref>>24] != nil {
			into.absences[ref] = a
		}
	}
	return r.Err()
}

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
// closed since as a step; nil of both before the first crossing.
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
		restore := p.restoreSealed
		if int64(second) >= sealed {
			restore = p.restoreBefore
		}
		l.each(second, read.seen[second], func(e *savedEntry, m *member) { restore(l, e, m) })
	}
	if sealed != math.MinInt64 {
		held = p.held()
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
		l.each(second, read.seen[second], func(e *savedEntry, m *member) {
			a := p.audiences[l.audience]
			labels := a.combination(m, e.codes)
			if !waiting[activity{uint32(l.audience), e.ref, labels, second}] {
				p.observe(l.audience, e.ref, m, second, labels)
			}
		})
	}
	if sealed != math.MinInt64 {
		since = p.cross(watermark)
	}
	for _, w := range read.waiting {
		p.observe(int(w.audience), w.ref, p.shards[w.ref>>24].member(int(w.audience), w.ref&0xffffff), w.second, w.labels)
		p.audiences[w.audience].labels.drop(w.labels)
	}
	for _, s := range p.unsaved {
		s.saved, s.unsaved, s.again = s.n, false, s.again[:0]
	}
	clear(p.unsaved)
	p.unsaved = p.unsaved[:0]
	for _, o := range read.open {
		p.slice(o.slice).Sets[o.set].Add(p.plan.Sums[o.set], codec.NewReader(o.data))
	}
	p.resumeBases()
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

// restoreSealed takes in an entry of a slice that was sealed since the bases of
// some shards were written.
func (p *Partition) restoreSealed(l *entryChunk, e *savedEntry, m *member) {
	if int64(l.second) >= p.bases[e.ref>>24].sealed {
		p.restore(l.audience, e.ref, m, e.codes, l.second)
	}
}

// restoreBefore takes in the slices before an entry that are sealed.
func (p *Partition) restoreBefore(l *entryChunk, e *savedEntry, m *member) {
	sealed := func(before uint32) bool { return before != 0 && int64(before) < p.sealed }
	if e.detail == nil {
		if sealed(e.before) {
			p.restore(l.audience, e.ref, m, e.codes, e.before)
		}
		return
	}
	tracks := p.audiences[l.audience].tracks
	for k, before := range e.detail {
		code := uint32(0)
		if at := tracks[k].keyed; at >= 0 {
			code = e.codes[at]
		}
		if sealed(before) {
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

// held is what the live windows hold at the end of what is sealed.
func (p *Partition) held() []step.Delta {
	p.advance(p.tally, p.sealed)
	for _, sh := range p.shards {
		if sh == nil {
			continue
		}
		for i, a := range p.audiences {
			for _, m := range sh.members(i) {
				for k := range a.tracks {
					t := &a.tracks[k]
					if t.keyed < 0 {
						p.hold(i, k, 0, int64(m.newest))
					} else if m.labels != 0 {
						p.hold(i, k, a.code(m.labels, t)-1, int64(m.newest))
					}
				}
			}
		}
		for key, last := range sh.over.All() {
			number := overKey(key).track()
			for i, a := range p.audiences {
				for k := range a.tracks {
					if a.tracks[k].number == number {
						p.hold(i, k, overKey(key).code()-1, int64(last))
					}
				}
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
