package users

import (
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/step"
)

// restoring is what a partition has read of an epoch and takes in at Resume.
type restoring struct {
	// seen are by slice the entries of the journal, as encodeSlice has them.
	seen     map[uint32][]seenEntries
	open     []openTable
	waiting  []activity
	absences map[uint32]absence
}

type seenEntries struct {
	n    uint64
	data []byte
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
		at, fresh := sh.find(hash, p.rowWidth)
		if !fresh {
			return fmt.Errorf("shard %d has user %x twice", s, hash)
		}
		row := sh.row(at, p.rowWidth)
		for i := wordBits; i < p.rowWords; i++ {
			row[i] = r.Uint32()
		}
	}
	for r.Len() > 0 {
		row, track, code := r.Uint32(), int(r.Uint32()), r.Uint32()
		sh.over.Set(overOf(row, track, code), r.Uint32())
	}
	return r.Err()
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
		if at, _ := p.shards[ref>>24].find(hash, p.rowWidth); at != ref&0xffffff {
			return fmt.Errorf("user %x is row %d of shard %d, want %d", hash, at, ref>>24, ref&0xffffff)
		}
	}
	for range r.Uvarint() {
		slice, n, size := r.Uint32(), r.Uvarint(), r.Uint32()
		begin := r.Bytes(uint64(size))
		if r.Err() != nil {
			return r.Err()
		}
		into.seen[slice] = append(into.seen[slice], seenEntries{n, begin})
	}
	for range r.Uvarint() {
		ref := r.Uint32()
		w := [...]uint32{r.Uint32(), r.Uint32(), r.Uint32()}
		if r.Err() == nil && mine(ref) {
			copy(p.shards[ref>>24].row(ref&0xffffff, p.rowWidth)[wordBits:], w[:])
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
		w := activity{r.Uint32(), r.Uint32(), r.Uint32(), r.Uint32()}
		if r.Err() != nil {
			return r.Err()
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
		last, _ := sh.over.Get(key)
		sh.over.Set(key, max(last, slice))
		return
	}
	sh.over.Delete(key)
	if row[t.row-1] != 0 {
		sh.over.Set(overOf(ref, i, row[t.row-1]), row[t.row])
	}
	row[t.row-1], row[t.row] = code, slice
}

// Resume takes in what was read, as it was at the watermark when everything
// before sealed was. It answers what the live windows held at sealed, and what
// closed since as a step; nil of both before the first crossing.
func (p *Partition) Resume(sealed, watermark int64) (held []step.Delta, since *step.Step) {
	read := p.resuming()
	p.restoring = nil
	p.sealed, p.head, p.absences = sealed, sealed, read.absences
	if sealed != math.MinInt64 {
		p.unsee()
	}
	numbers := slices.Sorted(maps.Keys(read.seen))
	l := newActivityChunk(p)
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
			p.entries(slice).words = make([]uint32, 0, unsealed*p.entryWidth)
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

// restoreSealed takes in some of a slice that was sealed since the bases of
// some shards were written.
func (p *Partition) restoreSealed(l *activityChunk) {
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

// restoreBefore takes in the slices before theirs that are sealed.
func (p *Partition) restoreBefore(l *activityChunk) {
	for k, ref := range l.refs {
		for mask := l.masks[k]; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			if prev := l.prevs[i][k]; prev != 0 && int64(prev) < p.sealed {
				p.restore(ref, i, l.codes[i][k], prev)
			}
		}
	}
}

// seeAgain is see for the users of an activityChunk.
func (p *Partition) seeAgain(l *activityChunk) {
	for k, ref := range l.refs {
		u := &l.users[k]
		*u = sighting{hash: uint64(ref>>24) << 56, shard: p.shards[ref>>24], row: k, slice: l.slice, mask: l.masks[k], at: ref&0xffffff + 1}
		u.words = u.shard.row(ref&0xffffff, p.rowWidth)
		p.chunk.warmth += u.words[wordHead]
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
		for r := range uint32(sh.n) {
			row := sh.row(r, p.rowWidth)
			for i := range p.tracks {
				if t := &p.tracks[i]; row[t.row] != 0 {
					code := uint32(1)
					if t.keyed {
						code = row[t.row-1]
					}
					p.hold(i, code-1, int64(row[t.row]))
				}
			}
		}
		for key, last := range sh.over.All() {
			k := overKey(key)
			p.hold(k.track(), k.code()-1, int64(last))
		}
	}
	var out []step.Delta
	for i := range p.tracks {
		for code, g := range p.tally.tracks[i].groups {
			for j, n := range g.pending {
				if n != 0 {
					out = append(out, step.Delta{Head: p.sealed, Target: p.tracks[i].target, Column: int32(j), Group: int32(code), N: int64(n)})
					g.pending[j] = 0
				}
			}
		}
	}
	return out
}

func (p *Partition) hold(i int, code uint32, last int64) {
	t := &p.tally.tracks[i]
	g := t.group(code)
	for j, l := range t.lengths {
		if t.holds(j, last) {
			*g.pane(l, j, last)++
			g.pending[j]++
		}
	}
}
