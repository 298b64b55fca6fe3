package users

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// journal is what a partition has to note at the next checkpoint, and how far
// the former ones are needed. Before the first checkpoint nothing is noted: that
// one writes all there is.
type journal struct {
	begun     bool
	freshRows []freshRow
	unsaved   []*slice
	dirtyDays []uint32 // refs
	// dirtyOrigins are refs of users that were seen first, or earlier.
	dirtyOrigins []uint32
	// purging is set while the journal may name who was erased, or forgotten.
	purging bool
	// leaving are refs of those erased with the moves that are being made.
	leaving []uint32
	// released are refs of rows that are nobody's any more.
	released []uint32
	// renamed are refs of users who have others' places among the names in pages, or none.
	renamed []uint32
	// dirtyIdentities are refs of users whose anonymous ids changed.
	dirtyIdentities []uint32
	// dirtySignals are refs of users of whom other signals are kept.
	dirtySignals []uint32
	freshMerges  []roster.Merge
	freshHeirs   []heir

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

// leastBase is the LeastBase of a partition by default.
const leastBase = 32 << 10

// Saved is a partition's share of a checkpoint.
type Saved struct {
	Pages []page.Page
	Delta page.Section // Data is nil when nothing changed
	// Renamed are names that pages may hold otherwise.
	Renamed []Name
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
	u.Renamed = p.takeRenamed()
	want := p.LeastBase
	if data, until := p.encodeDelta(); data != nil {
		u.Delta = page.Section{Kind: page.UserDelta, A: uint32(p.index), Until: until, Data: data, Room: page.HeadRoom}
		want = max(len(data), p.LeastBase)
	} else if !all && !p.purging {
		want = 0
	}
	for n := 0; (want > 0 || all) && n < Shards; n++ {
		s := p.nextBase
		p.nextBase = (p.nextBase + 1) % Shards
		if p.shards[s] == nil {
			continue
		}
		pages := append(p.shards[s].names.pages(s), page.Page{Kind: page.Users, A: uint32(s), Data: p.encodeShard(s, number)})
		for i, f := range p.followers {
			pages = append(pages, page.Page{Kind: page.Journeys, A: uint32(s), B: uint64(i), Data: f.book.EncodeShard(s, f.texts)})
		}
		for _, written := range pages {
			want -= len(written.Data)
		}
		u.Pages = append(u.Pages, pages...)
		b := &p.bases[s]
		b.number, b.sealed, b.changed = number, p.sealed, false
	}
	u.Floor = p.floor()
	p.purging = p.purging && u.Floor.Number != math.MaxUint64
	return u
}

// begin lets the journal begin with all that is unsealed.
func (p *Partition) begin() {
	p.begun = true
	for _, f := range p.followers {
		f.book.Begin()
	}
	for i := range p.bases {
		p.bases[i].until = math.MinInt64
	}
	for _, a := range p.audiences {
		for _, second := range slices.Sorted(maps.Keys(a.slices)) {
			p.unsave(a.slices[second])
		}
	}
}

// unsave puts the slice on the journal's list.
func (p *Partition) unsave(s *slice) {
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
			n += sh.n - sh.gone
		}
	}
	return n
}

// encodeDelta: rows that are nobody's any more (ref); fresh rows (ref, hash, 0 of nobody; name, where names are kept); slices with what was seen in them; days
// (ref, activity, days); origins (ref, time, texts); anonymous ids (ref, ids); signals that are kept (ref, keptSignals); merges; heirs; by operator
// the rows that it follows. They begin behind page.HeadRoom; until is behind the newest
// slice.
func (p *Partition) encodeDelta() (b []byte, until int64) {
	if p.Unwritten() == 0 {
		return nil, 0
	}
	le := binary.LittleEndian
	size := 16 + 12*len(p.freshRows) + 16*len(p.dirtyDays)
	for _, s := range p.unsaved {
		size += 16 + (s.n-s.saved+len(s.again))*(7+2*len(p.audiences[s.audience].slots))
	}
	for _, f := range p.followers {
		size += f.book.FreshSize()
	}
	b = make([]byte, page.HeadRoom, page.HeadRoom+size)
	b = binary.AppendUvarint(b, uint64(len(p.released)))
	for _, ref := range p.released {
		p.bases[ref>>24].changed = true
		b = le.AppendUint32(b, ref)
	}
	b = binary.AppendUvarint(b, uint64(len(p.freshRows)))
	for _, f := range p.freshRows {
		p.bases[f.ref>>24].changed = true
		b = le.AppendUint32(b, f.ref)
		b = le.AppendUint64(b, p.shards[f.ref>>24].row(f.ref&0xffffff).hash)
		if p.facts != nil {
			name := p.shards[f.ref>>24].names.of(int(f.ref & 0xffffff))
			b = append(binary.AppendUvarint(b, uint64(len(name))), name...)
		}
	}
	until = math.MinInt64
	b = binary.AppendUvarint(b, uint64(len(p.unsaved)))
	for _, s := range p.unsaved {
		until = max(until, int64(s.second)+1)
		b = p.encodeSlice(b, s)
		if s.unsaved, s.again = false, s.again[:0]; s.sealed {
			p.audiences[s.audience].letGo(s)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.dirtyDays)))
	for _, ref := range p.dirtyDays {
		p.bases[ref>>24].changed = true
		b = le.AppendUint32(b, ref)
		b = p.shards[ref>>24].row(ref & 0xffffff).appendDays(b)
	}
	b = binary.AppendUvarint(b, uint64(len(p.dirtyOrigins)))
	for _, ref := range p.dirtyOrigins {
		p.bases[ref>>24].changed = true
		b = le.AppendUint32(b, ref)
		b = p.shards[ref>>24].originAt(ref&0xffffff).append(b, p.origins)
	}
	p.dirtyIdentities = distinct(p.dirtyIdentities)
	b = binary.AppendUvarint(b, uint64(len(p.dirtyIdentities)))
	for _, ref := range p.dirtyIdentities {
		p.bases[ref>>24].changed = true
		b = le.AppendUint32(b, ref)
		b = codec.AppendTexts(b, p.shards[ref>>24].identities[ref&0xffffff])
	}
	p.dirtySignals = distinct(p.dirtySignals)
	b = binary.AppendUvarint(b, uint64(len(p.dirtySignals)))
	for _, ref := range p.dirtySignals {
		p.bases[ref>>24].changed = true
		b = le.AppendUint32(b, ref)
		b = p.appendSignals(b, p.shards[ref>>24].signals[ref&0xffffff])
	}
	b = binary.AppendUvarint(b, uint64(len(p.freshMerges)))
	for _, m := range p.freshMerges {
		p.bases[m.Into>>24].changed = true
		b = appendMerge(b, m)
	}
	b = binary.AppendUvarint(b, uint64(len(p.freshHeirs)))
	for _, h := range p.freshHeirs {
		p.bases[h.ref>>24].changed = true
		b = appendHeir(b, h)
	}
	for _, f := range p.followers {
		b = f.book.EncodeFresh(b, f.texts, func(ref, second uint32) {
			until = max(until, int64(second)+1)
			p.bases[ref>>24].note(second)
		})
	}
	clear(p.unsaved)
	p.released = p.released[:0]
	p.freshRows, p.unsaved, p.dirtyDays, p.dirtyOrigins, p.dirtyIdentities = p.freshRows[:0], p.unsaved[:0], p.dirtyDays[:0], p.dirtyOrigins[:0], p.dirtyIdentities[:0]
	p.dirtySignals = p.dirtySignals[:0]
	p.freshMerges, p.freshHeirs = p.freshMerges[:0], p.freshHeirs[:0]
	return b, until
}

// distinct sorts refs and leaves each once.
func distinct(refs []uint32) []uint32 {
	slices.Sort(refs)
	return slices.Compact(refs)
}

func (r *row) appendDays(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, r.activity)
	b = binary.LittleEndian.AppendUint16(b, r.last)
	return binary.LittleEndian.AppendUint16(b, r.first)
}

// encodeSlice: the slice, its audience, the number of entries and of their bytes,
// the entries that no checkpoint has as they are.
func (p *Partition) encodeSlice(b []byte, s *slice) []byte {
	a := p.audiences[s.audience]
	b = binary.LittleEndian.AppendUint32(b, s.second)
	b = binary.AppendUvarint(b, uint64(s.audience))
	b = binary.AppendUvarint(b, uint64(s.n-s.saved+len(s.again)))
	size := len(b)
	b = append(b, 0, 0, 0, 0)
	for _, place := range s.again {
		b = p.encodeEntry(b, s, a.at(place))
	}
	for n := s.saved; n < s.n; n++ {
		b = p.encodeEntry(b, s, a.nth(s, n))
	}
	s.saved = s.n
	binary.LittleEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	return b
}

// encodeEntry: ref; by keyed track the label; how far back the slice before is, 0
// for none, doubled; or 1, and then by track one more than that, 0 where the track
// does not count it.
func (p *Partition) encodeEntry(b []byte, s *slice, e *entry) []byte {
	a := p.audiences[s.audience]
	p.bases[e.ref>>24].note(s.second)
	b = binary.LittleEndian.AppendUint32(b, e.ref)
	for _, code := range a.labels.of(e.labels) {
		b = binary.AppendUvarint(b, uint64(code))
	}
	detail := s.detail(e, len(a.tracks))
	if detail == nil {
		return binary.AppendUvarint(b, uint64(e.back)<<1)
	}
	b = append(b, 1)
	for _, before := range detail {
		if before == s.second {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(s.back(before))+1)
	}
	return b
}

// encodeOpen: by slice that is added up its tables; the activities that wait for
// the next crossing (audience, ref, slice, labels), and the origins that do (ref,
// slice, time, texts); absences (ref, activity, last and returning day); by operator
// the rows that wait; by operator that finds them the cuts of days. nil if there is
// nothing.
func (p *Partition) encodeOpen() []byte {
	late := 0
	for _, f := range p.followers {
		late += f.book.Late()
	}
	cuts := p.appendCuts(nil)
	if len(p.open)+len(p.waiting)+len(p.lateOrigins)+len(p.absences)+late+len(cuts) == 0 {
		return nil
	}
	absences := 0
	for _, list := range p.absences {
		absences += len(list)
	}
	size := 16 + 16*len(p.waiting) + 20*absences
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
		b = binary.AppendUvarint(b, uint64(w.audience))
		b = binary.LittleEndian.AppendUint32(b, w.ref)
		b = binary.LittleEndian.AppendUint32(b, w.second)
		for _, code := range p.audiences[w.audience].labels.of(w.labels) {
			b = binary.AppendUvarint(b, uint64(code))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(p.lateOrigins)))
	for _, l := range p.lateOrigins {
		b = binary.LittleEndian.AppendUint32(b, l.ref)
		b = binary.LittleEndian.AppendUint32(b, l.second)
		b = l.origin.append(b, p.origins)
	}
	b = binary.AppendUvarint(b, uint64(absences))
	for ref, list := range p.absences {
		for _, a := range list {
			b = binary.LittleEndian.AppendUint32(b, ref)
			b = binary.LittleEndian.AppendUint64(b, a.activity)
			b = binary.LittleEndian.AppendUint32(b, uint32(a.last))
			b = binary.LittleEndian.AppendUint32(b, uint32(a.back))
		}
	}
	for _, f := range p.followers {
		b = f.book.EncodeLate(b, f.texts)
	}
	return append(b, cuts...)
}

// encodeShard: the checkpoint's number, the second before which all is sealed;
// rows; where they are kept, the combinations of the origins' texts and by row when
// it was seen first and the place of its combination; the anonymous ids of users; signals that are kept of users; merges; heirs; for each audience the labels that its members have together and the
// members; the labels that are no member's newest. A slice that is not sealed
// stands for none: the journal has it with the slice before.
func (p *Partition) encodeShard(s int, number uint64) []byte {
	sh := p.shards[s]
	le := binary.LittleEndian
	b := make([]byte, 0, 64+sh.n*29+16*sh.over.Len())
	b = le.AppendUint64(b, number)
	b = le.AppendUint64(b, uint64(p.sealed))
	b = binary.AppendUvarint(b, uint64(sh.n))
	for r := range uint32(sh.n) {
		row := sh.row(r)
		b = le.AppendUint64(b, row.hash)
		b = row.appendDays(b)
	}
	if p.origins != nil {
		b = p.encodeOrigins(b, sh)
	}
	b = encodeIdentities(b, sh)
	b = p.encodeSignals(b, sh)
	b = binary.AppendUvarint(b, uint64(len(sh.merges)))
	for _, m := range sh.merges {
		b = appendMerge(b, m)
	}
	list := sh.heirs.list(s)
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, h := range list {
		b = appendHeir(b, h)
	}
	for i := range p.audiences {
		b = p.encodeMembers(b, sh, i)
	}
	var forgotten []uint64
	for key, last := range sh.over.All() {
		k := overKey(key)
		if p.forgotten(p.track(k.track()), last) {
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

// encodeMembers: the combinations of labels; the members (row, place of their
// combination, newest slice).
func (p *Partition) encodeMembers(b []byte, sh *shard, number int) []byte {
	labels := &p.audiences[number].labels
	p.places = append(p.places[:0], make([]uint32, len(labels.uses))...) // in the page, by number
	var met []uint32
	n := 0
	for _, m := range sh.members(number) {
		if n++; m.labels != 0 && p.places[m.labels] == 0 {
			met = append(met, m.labels)
			p.places[m.labels] = uint32(len(met))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(met)))
	for _, l := range met {
		for _, code := range labels.of(l) {
			b = binary.AppendUvarint(b, uint64(code))
		}
	}
	b = binary.AppendUvarint(b, uint64(n))
	for r, m := range sh.members(number) {
		b = binary.AppendUvarint(b, uint64(r))
		b = binary.AppendUvarint(b, uint64(p.places[m.labels]))
		b = binary.LittleEndian.AppendUint32(b, m.newest)
	}
	return b
}

// Unwritten is how many changes wait for a checkpoint to write them.
func (p *Partition) Unwritten() int {
	n := len(p.released) + len(p.freshRows) + len(p.unsaved) + len(p.dirtyDays) + len(p.dirtyOrigins) + len(p.dirtyIdentities) + len(p.dirtySignals) + len(p.freshMerges) + len(p.freshHeirs)
	for _, f := range p.followers {
		n += f.book.Unwritten()
	}
	return n
}
