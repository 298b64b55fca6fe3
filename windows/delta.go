package windows

import (
	"encoding/binary"
	"fmt"
	"math"
)

// A Page is a part of the engine's state as an epoch keeps it. Data is nil for
// a page that is no longer needed.
type Page struct {
	Kind PageKind
	A    uint32
	B    uint64
	Data []byte
}

// PageKind says what a page holds.
type PageKind uint16

// The kinds of pages. Format: each kind's encoder.
const (
	PageRoot       PageKind = iota + 1
	PageUsers               // a shard's users; A shard
	PageUserDelta           // what changed in users; A partition, B epoch
	PageLabels              // labels of a keyed user set; A slot
	PageGroups              // keys and labels of a sum set; A set, B part
	PagePane                // sums of one pane; A set and lens, B pane
	PageDay                 // sums and fresh users of one day; A set, B day
	PageBlock               // an unfinished block of history; A set and lens
	PageRevisions           // restated windows by one crossing; B head
	PageRisk                // churn by day
	PageExceptions          // verdicts other than counted; B part
)

// delta is what changed in a partition's users since the last checkpoint.
type delta struct {
	freshRows    []freshRow
	sealedSlices []*userSlice
	dirtyDays    []uint32 // refs

	nextBase  int // shard whose base is written next
	baseEpoch [Shards]uint64
	changed   [Shards]bool // a delta is about the shard since its base was written
}

type freshRow struct {
	ref  uint32
	hash uint64
}

// minBase is what is rewritten of the base at the least when anything changed,
// in bytes, so that deltas do not pile up.
const minBase = 32 << 10

// Users is a partition's share of a checkpoint.
type Users struct {
	Pages []Page
	// Base is the epoch at which each shard of the partition was last written
	// whole; older deltas are not needed for it.
	Base map[int]uint64
	Rows int
}

// Checkpoint encodes what changed since the last one, and about as many bytes
// of the base, so that the cost follows the change and recovery reads at most
// twice the base.
func (p *Partition) Checkpoint(epoch uint64, index int) Users {
	u := Users{Base: map[int]uint64{}}
	if data := p.encodeDelta(); data != nil {
		u.Pages = append(u.Pages, Page{PageUserDelta, uint32(index), epoch, data})
		want := max(len(data), minBase)
		for n := 0; want > 0 && n < Shards; n++ {
			s := p.nextBase
			p.nextBase = (p.nextBase + 1) % Shards
			if p.shards[s] == nil {
				continue
			}
			base := p.encodeShard(s, epoch)
			u.Pages = append(u.Pages, Page{PageUsers, uint32(s), 0, base})
			p.baseEpoch[s], p.changed[s] = epoch, false
			want -= len(base)
		}
	}
	for s, sh := range p.shards {
		if sh == nil {
			continue
		}
		u.Base[s] = epoch // no delta is about it
		if p.changed[s] {
			u.Base[s] = p.baseEpoch[s]
		}
	}
	u.Rows = p.Users()
	return u
}

// Users is how many users the partition knows.
func (p *Partition) Users() (n int) {
	for _, sh := range p.shards {
		if sh != nil {
			n += sh.n
		}
	}
	return n
}

// encodeDelta: fresh rows (ref, hash); sealed slices: slice, entries (ref,
// mask, by track of the mask the label); days (ref, bits, days).
func (p *Partition) encodeDelta() []byte {
	if len(p.freshRows)+len(p.sealedSlices)+len(p.dirtyDays) == 0 {
		return nil
	}
	le := binary.LittleEndian
	size := 16 + 12*len(p.freshRows) + 16*len(p.dirtyDays)
	for _, s := range p.sealedSlices {
		size += 16 + len(s.words)/p.entryWidth*(8+4*len(p.tracks))
	}
	b := make([]byte, 0, size)
	b = binary.AppendUvarint(b, uint64(len(p.freshRows)))
	for _, f := range p.freshRows {
		p.changed[f.ref>>24] = true
		b = le.AppendUint32(b, f.ref)
		b = le.AppendUint64(b, f.hash)
	}
	b = binary.AppendUvarint(b, uint64(len(p.sealedSlices)))
	for _, s := range p.sealedSlices {
		b = le.AppendUint32(b, s.slice)
		b = binary.AppendUvarint(b, uint64(len(s.words)/p.entryWidth))
		for at := 0; at < len(s.words); at += p.entryWidth {
			e := s.words[at : at+p.entryWidth]
			p.changed[e[entryRef]>>24] = true
			b = le.AppendUint32(b, e[entryRef])
			b = binary.AppendUvarint(b, uint64(e[entryMask]))
			for i := range p.tracks {
				if t := &p.tracks[i]; t.keyed && e[entryMask]>>i&1 != 0 {
					b = binary.AppendUvarint(b, uint64(e[t.entry-1]))
				}
			}
		}
		s.words = s.words[:0]
		if len(p.spareSlices) < 8 {
			p.spareSlices = append(p.spareSlices, s)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.dirtyDays)))
	for _, ref := range p.dirtyDays {
		row := p.shards[ref>>24].row(ref&0xffffff, p.rowWidth)
		p.changed[ref>>24] = true
		b = le.AppendUint32(b, ref)
		for _, w := range row[wordBits : wordDays+1] {
			b = le.AppendUint32(b, w)
		}
	}
	p.freshRows, p.sealedSlices, p.dirtyDays = p.freshRows[:0], p.sealedSlices[:0], p.dirtyDays[:0]
	return b
}

// encodeShard: the epoch; rows; the labels that are not in the rows. Slices
// that are not sealed are left out: the stream has them.
func (p *Partition) encodeShard(s int, epoch uint64) []byte {
	sh := p.shards[s]
	le := binary.LittleEndian
	b := make([]byte, 0, 32+sh.n*4*p.rowWidth)
	b = le.AppendUint64(b, epoch)
	b = binary.AppendUvarint(b, uint64(sh.n))
	for r := range uint32(sh.n) {
		row := sh.row(r, p.rowWidth)
		for i, w := range row[:wordTracks] {
			if i != wordHead && i != wordHead+1 {
				b = le.AppendUint32(b, w)
			}
		}
		ref := uint32(s)<<24 | r
		for i := range p.tracks {
			t := &p.tracks[i]
			var code uint32
			if t.keyed {
				code = row[t.row-1]
			}
			last := p.sealedLast(ref, row, i, code, row[t.row])
			if t.keyed {
				if last == 0 {
					code = 0
				}
				b = le.AppendUint32(b, code)
			}
			b = le.AppendUint32(b, last)
		}
	}
	at, n := len(b), uint32(0)
	b = le.AppendUint32(b, 0)
	var forgotten []uint64
	for key, last := range sh.over.all() {
		k := overKey(key)
		if p.forgotten(&p.tracks[k.track()], last) {
			forgotten = append(forgotten, key)
			continue
		}
		if last = p.sealedLast(uint32(s)<<24|k.row(), sh.row(k.row(), p.rowWidth), k.track(), k.code(), last); last == 0 {
			continue
		}
		for _, w := range [...]uint32{k.row(), uint32(k.track()), k.code(), last} {
			b = le.AppendUint32(b, w)
		}
		n++
	}
	for _, key := range forgotten {
		sh.over.delete(key)
	}
	le.PutUint32(b[at:], n)
	return b
}

// sealedLast is the newest sealed slice at or before last.
func (p *Partition) sealedLast(ref uint32, row []uint32, i int, code, last uint32) uint32 {
	t := &p.tracks[i]
	at := row[wordHead:]
	for int64(last) >= p.sealed && last != 0 {
		e := p.entryOf(at[0], at[1])
		if at[0] == last && e[entryMask]>>i&1 != 0 && (!t.keyed || e[t.entry-1] == code) {
			last = e[t.entry]
			continue
		}
		at = e[entryNext:]
	}
	return last
}

// A reader reads what the encoders wrote; the first thing amiss sticks.
type reader struct {
	b   []byte
	err error
}

func (r *reader) fail() {
	if r.err == nil {
		r.err = fmt.Errorf("page is cut short")
	}
	r.b = nil
}

func (r *reader) u32() uint32 {
	if len(r.b) < 4 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint32(r.b)
	r.b = r.b[4:]
	return v
}

func (r *reader) u64() uint64 { lo := r.u32(); return uint64(lo) | uint64(r.u32())<<32 }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail()
		return ""
	}
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// LoadShard reads a PageUsers page, if the shard is the partition's.
func (p *Partition) LoadShard(s int, data []byte) error {
	sh := p.shards[s]
	if sh == nil {
		return nil
	}
	r := &reader{b: data}
	p.baseEpoch[s] = r.u64()
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
	for range r.u32() {
		if r.err != nil {
			break
		}
		row, track, code := r.u32(), int(r.u32()), r.u32()
		sh.over.set(overOf(row, track, code), r.u32())
	}
	return r.err
}

// LoadDelta applies a PageUserDelta page: to each shard of the partition that
// was last written whole before the epoch.
func (p *Partition) LoadDelta(epoch uint64, data []byte) error {
	r := &reader{b: data}
	mine := func(ref uint32) bool {
		s := ref >> 24
		if p.shards[s] == nil || p.baseEpoch[s] >= epoch {
			return false
		}
		p.changed[s] = true
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
		slice := r.u32()
		for range r.uvarint() {
			if r.err != nil {
				return r.err
			}
			ref, mask := r.u32(), uint32(r.uvarint())
			for i := range p.tracks {
				if mask>>i&1 == 0 {
					continue
				}
				code := uint32(0)
				if p.tracks[i].keyed {
					code = uint32(r.uvarint())
				}
				if mine(ref) {
					p.restore(ref, i, code, slice)
				}
			}
		}
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

// Resume puts a restored partition to where everything before sealed is in,
// and returns what the live windows hold there. The page table is complete.
func (p *Partition) Resume(sealed int64) []Change {
	p.sealed, p.head = sealed, sealed
	if sealed == math.MinInt64 {
		return nil
	}
	p.advanceTails(sealed)
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
					p.resume(t, code-1, int64(row[t.row]))
				}
			}
		}
		for key, last := range sh.over.all() {
			k := overKey(key)
			p.resume(&p.tracks[k.track()], k.code()-1, int64(last))
		}
	}
	var out []Change
	for i := range p.tracks {
		for code, g := range p.tracks[i].groups {
			for j, n := range g.pending {
				if n != 0 {
					out = append(out, Change{X: sealed, Users: int32(i), Lens: int32(j), Code: uint32(code), N: n})
					g.pending[j] = 0
				}
			}
		}
	}
	return out
}

func (p *Partition) resume(t *track, code uint32, last int64) {
	g := t.group(code)
	for j, l := range t.plan.lenses {
		if floorTo(last, l.step)/l.step >= t.tails[j] {
			*pane(l, last, g.rings[j])++
			g.pending[j]++
		}
	}
}
