package users

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/tidewatch/tidewatch/windows/page"
)

// journal is what a partition has to note at the next checkpoint, and how far
// the former ones are needed. Before the first checkpoint nothing is noted: that
// one writes all there is.
type journal struct {
	begun     bool
	freshRows []freshRow
	unsaved   []*entries
	dirtyDays []uint32 // refs

	nextBase int // shard whose base is written next
	bases    [Shards]base
}

// base is when a shard was last written whole, and what of the journal is about
// it since.
type base struct {
	number  uint64
	sealed  int64 // slices before it are in the base
	changed bool  // its rows or days were noted after it
	until   int64 // behind the newest slice that was noted, of all times
}

// note keeps account of a slice that the journal has.
func (b *base) note(slice uint32) { b.until = max(b.until, int64(slice)+1) }

type freshRow struct {
	ref  uint32
	hash uint64
}

// minBase is what is rewritten of the base at the least when anything changed,
// in bytes, so that the journal does not grow.
const minBase = 32 << 10

// Saved is a partition's share of a checkpoint.
type Saved struct {
	Pages []page.Page
	Delta page.Section // Data is nil when nothing changed
	// Floor is how far the journal is needed for the partition's shards.
	Floor page.Floor
	Rows  int
}

// Checkpoint encodes what is open, what changed otherwise since the last one,
// and about as many bytes of the base, so that the cost follows the change and
// recovery reads at most twice the base beside what is unsealed.
func (p *Partition) Checkpoint(number uint64) Saved {
	u := Saved{Rows: p.Users(), Pages: []page.Page{{Kind: page.Open, A: uint32(p.index), Data: p.encodeOpen()}}}
	all := !p.begun
	if all {
		p.begin()
	}
	want := minBase
	if data, until := p.encodeDelta(); data != nil {
		u.Delta = page.Section{Kind: page.UserDelta, A: uint32(p.index), Until: until, Data: data}
		want = max(len(data), minBase)
	} else if !all {
		want = 0
	}
	for n := 0; (want > 0 || all) && n < Shards; n++ {
		s := p.nextBase
		p.nextBase = (p.nextBase + 1) % Shards
		if p.shards[s] == nil {
			continue
		}
		data := p.encodeShard(s, number)
		u.Pages = append(u.Pages, page.Page{Kind: page.Users, A: uint32(s), Data: data})
		b := &p.bases[s]
		b.number, b.sealed, b.changed = number, p.sealed, false
		want -= len(data)
	}
	u.Floor = p.floor()
	return u
}

// begin lets the journal begin with all that is unsealed.
func (p *Partition) begin() {
	p.begun = true
	for i := range p.bases {
		p.bases[i].until = math.MinInt64
	}
	for _, s := range p.ring {
		if s != nil && len(s.words) > 0 {
			p.unsave(s)
		}
	}
}

// unsave puts the slice on the journal's list.
func (p *Partition) unsave(s *entries) {
	if p.begun && !s.unsaved {
		s.unsaved = true
		p.unsaved = append(p.unsaved, s)
	}
}

func (p *Partition) floor() page.Floor {
	f := page.Floor{Number: math.MaxUint64, Until: math.MaxInt64}
	for s, sh := range p.shards {
		if sh == nil {
			continue
		}
		b := &p.bases[s]
		if b.changed {
			f.Number = min(f.Number, b.number)
		}
		if b.until > b.sealed {
			f.Until = min(f.Until, b.sealed)
		}
	}
	return f
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

// encodeDelta: fresh rows (ref, hash); slices with what was seen in them:
// slice, entries (ref, mask, by keyed track of the mask the label); days (ref,
// bits, days). until is behind the newest slice.
func (p *Partition) encodeDelta() (b []byte, until int64) {
	if len(p.freshRows)+len(p.unsaved)+len(p.dirtyDays) == 0 {
		return nil, 0
	}
	le := binary.LittleEndian
	size := 16 + 12*len(p.freshRows) + 16*len(p.dirtyDays)
	for _, s := range p.unsaved {
		size += 16 + (len(s.words)/p.entryWidth-s.saved+len(s.again))*(10+2*len(p.tracks))
	}
	b = make([]byte, 0, size)
	b = binary.AppendUvarint(b, uint64(len(p.freshRows)))
	for _, f := range p.freshRows {
		p.bases[f.ref>>24].changed = true
		b = le.AppendUint32(b, f.ref)
		b = le.AppendUint64(b, f.hash)
	}
	until = math.MinInt64
	b = binary.AppendUvarint(b, uint64(len(p.unsaved)))
	for _, s := range p.unsaved {
		until = max(until, int64(s.slice)+1)
		b = p.encodeSlice(b, s)
		if s.unsaved, s.again = false, s.again[:0]; s.sealed {
			p.spare(s)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.dirtyDays)))
	for _, ref := range p.dirtyDays {
		row := p.shards[ref>>24].row(ref&0xffffff, p.rowWidth)
		p.bases[ref>>24].changed = true
		b = le.AppendUint32(b, ref)
		for _, w := range row[wordBits : wordDays+1] {
			b = le.AppendUint32(b, w)
		}
	}
	clear(p.unsaved)
	p.freshRows, p.unsaved, p.dirtyDays = p.freshRows[:0], p.unsaved[:0], p.dirtyDays[:0]
	return b, until
}

// encodeSlice: the slice, the number of entries and of their bytes, the entries
// that no checkpoint has as they are.
func (p *Partition) encodeSlice(b []byte, s *entries) []byte {
	n := len(s.words) / p.entryWidth
	b = binary.LittleEndian.AppendUint32(b, s.slice)
	b = binary.AppendUvarint(b, uint64(n-s.saved+len(s.again)))
	size := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, at := range s.again {
		b = p.encodeEntry(b, s, int(at))
	}
	for at := s.saved; at < n; at++ {
		b = p.encodeEntry(b, s, at)
	}
	s.saved = n
	binary.LittleEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	return b
}

// encodeEntry: ref, mask; by keyed track of the mask the label; how far back the
// slice before is in the first track, 0 for none; the tracks in which it is
// another, and for these the same.
func (p *Partition) encodeEntry(b []byte, s *entries, at int) []byte {
	e := s.words[at*p.entryWidth:][:p.entryWidth]
	mask := e[entryMask]
	p.bases[e[entryRef]>>24].note(s.slice)
	b = binary.LittleEndian.AppendUint32(b, e[entryRef])
	b = binary.AppendUvarint(b, uint64(mask))
	first := e[p.tracks[bits.TrailingZeros32(mask)].entry]
	var others uint32
	for rest := mask; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros32(rest)
		t := &p.tracks[i]
		if t.keyed {
			b = binary.AppendUvarint(b, uint64(e[t.entry-1]))
		}
		if e[t.entry] != first {
			others |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, back(s.slice, first))
	b = binary.AppendUvarint(b, uint64(others))
	for ; others != 0; others &= others - 1 {
		b = binary.AppendUvarint(b, back(s.slice, e[p.tracks[bits.TrailingZeros32(others)].entry]))
	}
	return b
}

// back is how far prev is before the slice, 0 if there is none. It is its own
// inverse.
func back(slice, prev uint32) uint64 {
	if prev == 0 {
		return 0
	}
	return uint64(slice - prev)
}

// encodeOpen: by slice that is added up its tables; the activities that wait for
// the next crossing (ref, track, label code, slice); absences (ref, activity, last
// and returning day). nil if there is nothing.
func (p *Partition) encodeOpen() []byte {
	if len(p.open)+len(p.waiting)+len(p.absences) == 0 {
		return nil
	}
	size := 16 + 16*len(p.waiting) + 20*len(p.absences)
	for _, s := range p.open {
		for i := range s.Sets {
			size += s.Sets[i].Size()
		}
	}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(len(p.open)))
	for _, s := range p.open {
		b = binary.AppendVarint(b, s.Second)
		for i := range s.Sets {
			b = s.Sets[i].Append(b)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.waiting)))
	for _, w := range p.waiting {
		for _, n := range [...]uint32{w.ref, w.track, w.code, w.slice} {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.absences)))
	for ref, a := range p.absences {
		b = binary.LittleEndian.AppendUint32(b, ref)
		b = binary.LittleEndian.AppendUint64(b, a.activity)
		b = binary.LittleEndian.AppendUint32(b, uint32(a.last))
		b = binary.LittleEndian.AppendUint32(b, uint32(a.back))
	}
	return b
}

// encodeShard: the checkpoint's number, the second before which all is sealed;
// rows; the labels that are not in the rows. A slice that is not sealed stands
// for none: the journal has it with the slice before.
func (p *Partition) encodeShard(s int, number uint64) []byte {
	sh := p.shards[s]
	le := binary.LittleEndian
	b := make([]byte, 0, 32+sh.n*4*p.rowWords+16*sh.over.Len())
	b = le.AppendUint64(b, number)
	b = le.AppendUint64(b, uint64(p.sealed))
	b = binary.AppendUvarint(b, uint64(sh.n))
	for r := range uint32(sh.n) {
		row := sh.row(r, p.rowWidth)
		b = le.AppendUint32(b, row[0])
		b = le.AppendUint32(b, row[1])
		for _, w := range row[wordBits:p.rowWords] {
			b = le.AppendUint32(b, w)
		}
	}
	var forgotten []uint64
	for key, last := range sh.over.All() {
		k := overKey(key)
		if p.forgotten(&p.tracks[k.track()], last) {
			forgotten = append(forgotten, key)
			continue
		}
		for _, w := range [...]uint32{k.row(), uint32(k.track()), k.code(), last} {
			b = le.AppendUint32(b, w)
		}
	}
	for _, key := range forgotten {
		sh.over.Delete(key)
	}
	return b
}

// Unwritten is how many changes wait for a checkpoint to write them.
func (p *Partition) Unwritten() int { return len(p.freshRows) + len(p.unsaved) + len(p.dirtyDays) }
