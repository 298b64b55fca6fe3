package windows

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
)

// restoring is what a partition has read of an epoch and takes in at Resume.
type restoring struct {
	// seen are by slice the entries of the journal, as encodeSlice has them.
	seen    map[uint32][]entries
	open    []openGroups
	waiting []activity
}

type entries struct {
	n    uint64
	data []byte
}

// openGroups is the encoded table of one set and slice.
type openGroups struct {
	slice int64
	set   int
	data  []byte
}

func (p *Partition) resuming() *restoring {
	if p.restoring == nil {
		p.begin()
		p.restoring = &restoring{seen: map[uint32][]entries{}}
	}
	return p.restoring
}

// LoadShard reads a PageUsers page, if the shard is the partition's.
func (p *Partition) LoadShard(s int, data []byte) error {
	sh := p.shards[s]
	if sh == nil {
		return nil
	}
	r := &reader{b: data}
	p.resuming()
	base := &p.bases[s]
	base.number, base.sealed = r.u64(), int64(r.u64())
	n := int(r.uvarint())
	for range n {
		if r.err != nil {
			return r.err
		}
		hash := r.u64()
		at, fresh := sh.find(hash, p.rowWidth)
		if !fresh {
			return fmt.Errorf("shard %d has user %x twice", s, hash)
		}
		row := sh.row(at, p.rowWidth)
		for i := wordBits; i < p.rowWords; i++ {
			row[i] = r.u32()
		}
	}
	for len(r.b) > 0 {
		row, track, code := r.u32(), int(r.u32()), r.u32()
		sh.over.set(overOf(row, track, code), r.u32())
	}
	return r.err
}

// LoadDelta reads the section that checkpoint number added to a journal of user
// deltas. Sections come in order, after the shards. data is kept until Resume.
func (p *Partition) LoadDelta(number uint64, data []byte) error {
	r, into := &reader{b: data}, p.resuming()
	mine := func(ref uint32) bool {
		s := ref >> 24
		if p.shards[s] == nil || p.bases[s].number >= number {
			return false
		}
		p.bases[s].changed = true
		return true
	}
	for range r.uvarint() {
		ref, hash := r.u32(), r.u64()
		if r.err != nil || !mine(ref) {
			continue
		}
		if at, _ := p.shards[ref>>24].find(hash, p.rowWidth); at != ref&0xffffff {
			return fmt.Errorf("user %x is row %d of shard %d, want %d", hash, at, ref>>24, ref&0xffffff)
		}
	}
	for range r.uvarint() {
		slice, n, size := r.u32(), r.uvarint(), r.u32()
		begin := r.b
		if r.skip(uint64(size)); r.err != nil {
			return r.err
		}
		into.seen[slice] = append(into.seen[slice], entries{n, begin[:size]})
	}
	for range r.uvarint() {
		ref := r.u32()
		w := [...]uint32{r.u32(), r.u32(), r.u32()}
		if r.err == nil && mine(ref) {
			copy(p.shards[ref>>24].row(ref&0xffffff, p.rowWidth)[wordBits:], w[:])
		}
	}
	return r.err
}

// LoadOpen reads a PageOpen page. Any partition may take over the sums of a; each
// takes what waits of its own users.
func (p *Partition) LoadOpen(a uint32, data []byte) error {
	r, into := &reader{b: data}, p.resuming()
	for range r.uvarint() {
		slice := r.varint()
		for i, s := range p.plan.sums {
			if r.err != nil {
				return r.err
			}
			begin := r.b
			n := r.uvarint()
			r.skip(8 * n)
			for range n * uint64(len(s.columns)) {
				if r.err != nil {
					return r.err
				}
				r.varint()
			}
			r.skip(r.uvarint())
			if n > 0 && int(a)%p.of == p.index {
				into.open = append(into.open, openGroups{slice, i, begin[:len(begin)-len(r.b)]})
			}
		}
	}
	for range r.uvarint() {
		w := activity{r.u32(), r.u32(), r.u32(), r.u32()}
		if r.err != nil {
			return r.err
		}
		if sh := p.shards[w.ref>>24]; sh != nil {
			into.waiting = append(into.waiting, w)
		}
	}
	return r.err
}

// load adds what encode wrote.
func (t *groupTable) load(s *sumPlan, r *reader) {
	n := int(r.uvarint())
	keys := &reader{b: r.b}
	r.skip(8 * uint64(n))
	vals := make([]int64, n*len(s.columns))
	for i := range vals {
		vals[i] = r.varint()
	}
	r.uvarint()
	labels := r.b
	for i := range n {
		key := keys.u64()
		size := 0
		for range s.fields {
			if n := int(labels[size]) | int(labels[size+1])<<8; n != noLabel {
				size += n
			}
			size += 2
		}
		g, fresh := t.find(key, len(s.columns))
		if fresh {
			t.labels = append(t.labels, labels[:size]...)
		}
		labels = labels[size:]
		for c, v := range vals[i*len(s.columns):][:len(s.columns)] {
			t.vals[g*len(s.columns)+c] += v
		}
	}
}

// restore notes that the user was active in a sealed slice.
func (p *Partition) restore(ref uint32, i int, code, slice uint32) {
	t, sh := &p.tracks[i], p.shards[ref>>24]
	row := sh.row(ref&0xffffff, p.rowWidth)
	if !t.keyed || row[t.row-1] == code {
		row[t.row] = max(row[t.row], slice)
		return
	}
	key := overOf(ref, i, code)
	if row[t.row] > slice {
		last, _ := sh.over.get(key)
		sh.over.set(key, max(last, slice))
		return
	}
	sh.over.delete(key)
	if row[t.row-1] != 0 {
		sh.over.set(overOf(ref, i, row[t.row-1]), row[t.row])
	}
	row[t.row-1], row[t.row] = code, slice
}

// Resume takes in what was read, as it was at the watermark when everything
// before sealed was. It answers what the live windows held at sealed, and what
// closed since as a step; nil of both before the first crossing.
func (p *Partition) Resume(sealed, watermark int64) (held []Change, since *Step) {
	read := p.resuming()
	p.restoring = nil
	p.sealed, p.head = sealed, sealed
	if sealed != math.MinInt64 {
		p.unsee()
	}
	numbers := slices.Sorted(maps.Keys(read.seen))
	l := newSeenLot(p)
	for _, slice := range numbers {
		unsealed := 0
		l.each(slice, read.seen[slice], func(n int) {
			if int64(slice) >= sealed {
				unsealed += n
				p.restoreBefore(l)
			} else {
				p.restoreSealed(l)
			}
		})
		if unsealed > 0 {
			p.userSlice(slice).words = make([]uint32, 0, unsealed*p.entryWidth)
		}
	}
	if sealed != math.MinInt64 {
		held = p.held()
	}
	waiting := map[uint32]map[activity]bool{} // by slice
	for _, w := range read.waiting {
		if waiting[w.slice] == nil {
			waiting[w.slice] = map[activity]bool{}
		}
		waiting[w.slice][w] = true
	}
	for _, slice := range numbers {
		if int64(slice) >= sealed {
			l.each(slice, read.seen[slice], func(int) {
				l.omit(waiting[slice])
				p.seeAgain(l)
			})
		}
	}
	if sealed != math.MinInt64 {
		since = p.cross(watermark)
	}
	for _, w := range read.waiting {
		l.one(w)
		p.seeAgain(l)
	}
	for _, s := range p.unsaved {
		s.saved, s.unsaved, s.again = len(s.words)/p.entryWidth, false, s.again[:0]
	}
	clear(p.unsaved)
	p.unsaved = p.unsaved[:0]
	for _, o := range read.open {
		p.accumulator(o.slice).sets[o.set].load(p.plan.sums[o.set], &reader{b: o.data})
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

// restoreSealed takes in a lot of a slice that was sealed since the bases of
// some shards were written.
func (p *Partition) restoreSealed(l *seenLot) {
	for k, ref := range l.refs {
		if int64(l.slice) < p.bases[ref>>24].sealed {
			continue
		}
		for mask := l.masks[k]; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			p.restore(ref, i, l.codes[i][k], l.slice)
		}
	}
}

// restoreBefore takes in the slices before a lot's that are sealed.
func (p *Partition) restoreBefore(l *seenLot) {
	for k, ref := range l.refs {
		for mask := l.masks[k]; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			if prev := l.prevs[i][k]; prev != 0 && int64(prev) < p.sealed {
				p.restore(ref, i, l.codes[i][k], prev)
			}
		}
	}
}

// seeAgain is see for the users of a lot.
func (p *Partition) seeAgain(l *seenLot) {
	for k, ref := range l.refs {
		u := &l.users[k]
		*u = sighting{hash: uint64(ref>>24) << 56, shard: p.shards[ref>>24], row: k, slice: l.slice, mask: l.masks[k], at: ref&0xffffff + 1}
		u.words = u.shard.row(ref&0xffffff, p.rowWidth)
		p.lot.warmth += u.words[wordHead]
	}
	for k := range l.refs {
		p.observe(&l.users[k], l.labels)
	}
}

// unsee forgets what the shards have of slices that are not sealed.
func (p *Partition) unsee() {
	for _, sh := range p.shards {
		if sh == nil {
			continue
		}
		for r := range uint32(sh.n) {
			row := sh.row(r, p.rowWidth)
			for i := range p.tracks {
				t := &p.tracks[i]
				if int64(row[t.row]) < p.sealed {
					continue
				}
				row[t.row] = 0
				if t.keyed {
					row[t.row-1] = 0
				}
			}
		}
		var unsealed []uint64
		for key, last := range sh.over.all() {
			if int64(last) >= p.sealed {
				unsealed = append(unsealed, key)
			}
		}
		for _, key := range unsealed {
			sh.over.delete(key)
		}
	}
}

// held is what the live windows hold at the end of what is sealed.
func (p *Partition) held() []Change {
	p.advanceTails(p.sealed)
	for _, sh := range p.shards {
		if sh == nil {
			continue
		}
		for r := range uint32(sh.n) {
			row := sh.row(r, p.rowWidth)
			for i := range p.tracks {
				if t := &p.tracks[i]; row[t.row] != 0 {
					code := uint32(1)
					if t.keyed {
						code = row[t.row-1]
					}
					p.hold(t, code-1, int64(row[t.row]))
				}
			}
		}
		for key, last := range sh.over.all() {
			k := overKey(key)
			p.hold(&p.tracks[k.track()], k.code()-1, int64(last))
		}
	}
	var out []Change
	for i := range p.tracks {
		for code, g := range p.tracks[i].groups {
			for j, n := range g.pending {
				if n != 0 {
					out = append(out, Change{X: p.sealed, Users: int32(i), Lens: int32(j), Code: uint32(code), N: n})
					g.pending[j] = 0
				}
			}
		}
	}
	return out
}

func (p *Partition) hold(t *track, code uint32, last int64) {
	g := t.group(code)
	for j, l := range t.plan.lenses {
		if floorTo(last, l.step)/l.step >= t.tails[j] {
			*pane(l, last, g.rings[j])++
			g.pending[j]++
		}
	}
}
