package journey

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// Begin has the journal begin: the first checkpoint writes all there is.
func (b *Book) Begin() {
	b.begun = true
	for _, second := range slices.Sorted(maps.Keys(b.slices)) {
		b.note(b.slices[second])
	}
}

// Unwritten is how many slices have rows that no checkpoint has.
func (b *Book) Unwritten() int { return len(b.unsaved) }

// Late is how many rows wait for the next crossing.
func (b *Book) Late() int { return len(b.late) }

// EncodeShard writes the items of a shard as of the last sealed slice, nil without any:
// the combinations of texts; a list of users, each with its row and its items.
func (b *Book) EncodeShard(shard int, texts *carry.Texts) []byte {
	table := b.emptied(texts)
	var body []byte
	n := 0
	for row, p := range b.places[shard].All() {
		u := b.user(p)
		if len(u.sealed) == 0 {
			continue
		}
		n++
		body = binary.AppendUvarint(body, row)
		body = binary.AppendUvarint(body, uint64(len(u.sealed)))
		for i := range u.sealed {
			body = u.sealed[i].append(body, table)
		}
	}
	if n == 0 {
		return nil
	}
	return append(binary.AppendUvarint(table.Append(nil), uint64(n)), body...)
}

// FreshSize is about how many bytes EncodeFresh writes.
func (b *Book) FreshSize() (n int) {
	for _, s := range b.unsaved {
		n += (len(s.entries) - s.saved) * rowBytes
	}
	return n
}

// EncodeFresh writes the rows that no checkpoint has: the combinations of texts; a list
// of slices, each with its second and a list of rows. note is told whose they are.
func (b *Book) EncodeFresh(into []byte, texts *carry.Texts, note func(ref, second uint32)) []byte {
	table := b.emptied(texts)
	for _, s := range b.unsaved {
		for i := range s.entries[s.saved:] {
			if e := &s.entries[s.saved+i]; e.user != nobody {
				s.place(e, table)
			}
		}
	}
	out := binary.AppendUvarint(table.Append(into), uint64(len(b.unsaved)))
	for _, s := range b.unsaved {
		out = binary.AppendUvarint(out, uint64(s.second))
		fresh := s.entries[s.saved:]
		refs := b.refs(s, fresh)
		out = binary.AppendUvarint(out, uint64(len(refs)))
		for i := range fresh {
			e := &fresh[i]
			if e.user == nobody {
				continue
			}
			ref := refs[0]
			refs = refs[1:]
			note(ref, s.second)
			out = binary.LittleEndian.AppendUint32(out, ref)
			s.read(e, &b.row)
			out = b.row.append(out, s.second, table)
		}
		if s.saved, s.unsaved = len(s.entries), false; s.sealed {
			b.letGo(s)
		}
	}
	clear(b.unsaved)
	b.unsaved = b.unsaved[:0]
	return out
}

// refs are those of the users of rows of a slice, of all who are not gone.
func (b *Book) refs(s *slice, rows []entry) []uint32 {
	b.whose = b.whose[:0]
	for i := range rows {
		if user := rows[i].user; user != nobody && s.closed {
			b.whose = append(b.whose, b.user(user).ref)
		} else if user != nobody {
			b.whose = append(b.whose, user)
		}
	}
	return b.whose
}

// rowBytes are those of most rows.
const rowBytes = 24

// place gives the texts of a row their places.
func (s *slice) place(e *entry, table *carry.Table) {
	table.Place(e.texts)
	if e.kind == joining {
		for _, it := range s.joined[e.tail-1] {
			table.Place(it.Texts)
		}
	}
}

// emptied is the table of texts, for the next page.
func (b *Book) emptied(texts *carry.Texts) *carry.Table {
	b.table.Reset(texts)
	return &b.table
}

// EncodeLate writes the rows that wait for the next crossing: the combinations of
// texts; a list of rows, each behind its second.
func (b *Book) EncodeLate(into []byte, texts *carry.Texts) []byte {
	table := b.emptied(texts)
	body := binary.AppendUvarint(nil, uint64(len(b.late)))
	for i := range b.late {
		l := &b.late[i]
		at := uint32(second(l.Time))
		body = binary.AppendUvarint(body, uint64(at))
		body = binary.LittleEndian.AppendUint32(body, l.ref)
		body = l.append(body, at, table)
	}
	return append(table.Append(into), body...)
}

func (it *Item) append(b []byte, table *carry.Table) []byte {
	b = binary.LittleEndian.AppendUint64(b, it.Key)
	b = binary.AppendVarint(b, it.Until)
	for _, n := range it.State {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(it.Rows))
	b = append(b, it.Marks)
	return table.AppendPlace(b, it.Texts)
}

// append writes the milliseconds of the time within the second, a uvarint; a uvarint: 16
// times the kind, plus 1 if there is a key, and 2, 4 and 8 if there is the first, the
// second and the third number; the places of the texts, uvarints; the key, 8 bytes, and
// the numbers, varints, where they are; of a row that joins a list of items.
func (r *Row) append(b []byte, second uint32, table *carry.Table) []byte {
	b = binary.AppendUvarint(b, uint64(r.Time-int64(second)*1000))
	word := uint64(r.Kind) << (1 + kpi.RowNumbers)
	if r.Key != 0 {
		word |= hasKey
	}
	for i, n := range r.Numbers {
		if n != stream.Missing {
			word |= hasNumber << i
		}
	}
	b = binary.AppendUvarint(b, word)
	b = table.AppendPlace(b, r.Texts)
	if r.Key != 0 {
		b = binary.LittleEndian.AppendUint64(b, r.Key)
	}
	for _, n := range r.Numbers {
		if n != stream.Missing {
			b = binary.AppendVarint(b, n)
		}
	}
	if r.Kind == joining {
		b = binary.AppendUvarint(b, uint64(len(*r.joined)))
		for i := range *r.joined {
			b = (*r.joined)[i].append(b, table)
		}
	}
	return b
}

const (
	hasKey    = 1
	hasNumber = 2 // the first
)

// A Loader reads pages into a book.
type Loader struct {
	*Book
	Texts *carry.Reading
}

// Load has the book be read: it does not go on before Resume.
func (b *Book) Load() { b.loading = true }

// Loading reports whether the book is read, and has not gone on since.
func (b *Book) Loading() bool { return b.loading }

// Shard reads what EncodeShard wrote. rows is how many users the shard has.
func (l Loader) Shard(shard, rows int, data []byte) error {
	r := codec.NewReader(data)
	places := l.Texts.Table(r)
	for range r.Count(3) {
		row := r.Uvarint()
		if row >= uint64(rows) {
			r.Fail()
		}
		if r.Err() != nil {
			return r.Err()
		}
		u := l.user(l.place(uint32(shard)<<24 | uint32(row)))
		for range r.Count(14) {
			u.sealed = append(u.sealed, readItem(r, &places))
		}
	}
	return r.Err()
}

// Fresh reads what EncodeFresh wrote, of the users that are wanted then.
func (l Loader) Fresh(r *codec.Reader, wanted func(ref, second uint32) bool) {
	places := l.Texts.Table(r)
	for range r.Count(2) {
		second := uint32(r.Uvarint())
		for left := r.Count(6); left > 0; left-- {
			ref, row := r.Uint32(), readRow(r, second, &places)
			if r.Err() != nil {
				return
			}
			if wanted(ref, second) {
				s := l.at(int64(second))
				s.entries = slices.Grow(s.entries, left)
				s.add(ref, &row)
			}
		}
	}
}

// Late reads what EncodeLate wrote, of the users that are wanted.
func (l Loader) Late(r *codec.Reader, wanted func(ref uint32) bool) {
	places := l.Texts.Table(r)
	for range r.Count(7) {
		second := uint32(r.Uvarint())
		ref, row := r.Uint32(), readRow(r, second, &places)
		if r.Err() == nil && wanted(ref) {
			l.late = append(l.late, lateRow{ref, row})
		}
	}
}

func readItem(r *codec.Reader, places *carry.Places) (it Item) {
	it.Key, it.Until = r.Uint64(), r.Varint()
	for i := range it.State {
		it.State[i] = r.Varint()
	}
	it.Rows = uint32(r.Uvarint())
	it.Marks = r.Byte()
	it.Texts = places.Number(r)
	return it
}

func readRow(r *codec.Reader, second uint32, places *carry.Places) Row {
	ms := r.Uvarint()
	if ms >= 1000 {
		r.Fail()
	}
	row := Row{Time: int64(second)*1000 + int64(ms), Numbers: NoNumbers}
	word := r.Uvarint()
	if row.Kind = uint8(word >> (1 + kpi.RowNumbers)); word>>(1+kpi.RowNumbers) > joining {
		r.Fail()
	}
	row.Texts = places.Number(r)
	if word&hasKey != 0 {
		row.Key = r.Uint64()
	}
	for i := range row.Numbers {
		if word&(hasNumber<<i) != 0 {
			row.Numbers[i] = r.Varint()
		}
	}
	if row.Kind == joining {
		var items []Item
		for range r.Count(14) {
			items = append(items, readItem(r, places))
		}
		row.joined = &items
	}
	return row
}

// Resume goes on with what was read, as it was when the slices before head were closed
// and those before sealed were sealed. What was written before its user was gone is
// left out.
func (b *Book) Resume(sealed, head int64, gone func(ref uint32) bool) {
	b.loading = false
	for _, s := range b.slices {
		for i := range s.entries {
			if e := &s.entries[i]; gone(e.user) {
				e.user = nobody
			}
		}
	}
	for p := range uint32(b.n) {
		if u := b.user(p); gone(u.ref) {
			b.forget(u, p)
		}
	}
	for at := b.open.first(); at < sealed; at = b.open.first() {
		s := b.slices[uint32(b.open.pop())]
		delete(b.slices, s.second)
		b.each(s, func(u *user, _, _ uint32, e *entry) {
			s.read(e, &b.row)
			u.sealed = take(b.rules, u.sealed, &b.row, quiet)
		})
	}
	clear(b.recent[:])
	for p := range uint32(b.n) {
		u := b.user(p)
		if u.gone {
			continue
		}
		if sealed != math.MinInt64 {
			u.sealed = pass(b.rules, u.sealed, sealed*1000, quiet)
		}
		u.now, u.settled = u.sealed, true
	}
	for at := b.open.first(); at < head; at = b.open.first() {
		b.closed.push(b.open.pop())
		s := b.slices[uint32(at)]
		b.each(s, func(u *user, p, place uint32, e *entry) {
			s.read(e, &b.row)
			b.take(u, &b.row, b.ending(p), quiet)
			b.enter(u, p, e, link{s.second, place})
		})
		s.closed = true
	}
	b.sealed, b.head = sealed, head
	for p := range uint32(b.n) {
		u := b.user(p)
		if u.gone {
			continue
		}
		if head != math.MinInt64 {
			if _, at := due(u.now); at < head*1000 {
				b.unsettle(u)
				u.now = pass(b.ending(p), u.now, head*1000, quiet)
			}
		}
		b.expect(u, p)
		b.release(u, p)
	}
	for _, s := range b.slices {
		s.saved = len(s.entries)
	}
}
