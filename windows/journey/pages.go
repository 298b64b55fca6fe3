package journey

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// Begin has the journal begin: the first checkpoint writes all there is.
func (b *Book) Begin() { b.begun = true }

// Unwritten is how many rows no checkpoint has.
func (b *Book) Unwritten() int { return len(b.fresh) }

// EncodeShard writes the users of a shard, nil without any: the combinations of texts;
// a list of users, each with its row, the items as of the last sealed slice and the
// rows behind it.
func (b *Book) EncodeShard(shard int, texts *carry.Texts) []byte {
	places := &b.places[shard]
	if places.Len() == 0 {
		return nil
	}
	var table carry.Table
	body := binary.AppendUvarint(nil, uint64(places.Len()))
	for row, p := range places.All() {
		u := &b.users[p]
		body = binary.AppendUvarint(body, row)
		body = binary.AppendUvarint(body, uint64(len(u.sealed)))
		for i := range u.sealed {
			body = u.sealed[i].append(body, &table)
		}
		body = binary.AppendUvarint(body, uint64(u.rows.len()))
		for i := range u.rows.len() {
			r := u.rows.at(i)
			body = r.append(body, &table)
		}
	}
	return append(table.Append(nil, texts), body...)
}

// EncodeFresh writes the rows that no checkpoint has, and calls note with the ref of
// each: the combinations of texts; a list of refs and rows.
func (b *Book) EncodeFresh(into []byte, texts *carry.Texts, note func(ref uint32)) []byte {
	for i := range b.fresh {
		note(b.fresh[i].ref)
	}
	into = encode(into, b.fresh, texts)
	b.fresh = b.fresh[:0]
	return into
}

// EncodeLate writes the rows that wait for the next crossing, as EncodeFresh does.
func (b *Book) EncodeLate(into []byte, texts *carry.Texts) []byte {
	var late []freshRow
	for _, p := range b.late {
		u := &b.users[p]
		for _, r := range u.late {
			late = append(late, freshRow{u.ref, r})
		}
	}
	return encode(into, late, texts)
}

// Late is how many users have rows that wait for the next crossing.
func (b *Book) Late() int { return len(b.late) }

func encode(into []byte, rows []freshRow, texts *carry.Texts) []byte {
	var table carry.Table
	body := binary.AppendUvarint(nil, uint64(len(rows)))
	for i := range rows {
		body = binary.LittleEndian.AppendUint32(body, rows[i].ref)
		body = rows[i].append(body, &table)
	}
	return append(table.Append(into, texts), body...)
}

func (it *Item) append(b []byte, table *carry.Table) []byte {
	b = binary.LittleEndian.AppendUint64(b, it.Key)
	b = binary.AppendVarint(b, it.Begin)
	b = binary.AppendVarint(b, it.Last-it.Begin)
	b = binary.AppendVarint(b, it.Until-it.Last)
	b = binary.AppendVarint(b, it.Rows)
	b = append(b, it.Marks)
	return binary.AppendUvarint(b, uint64(table.Place(it.Texts)))
}

// append writes the time, a varint; a byte: the kind, plus 64 if there is a key and 128
// if a number; the place of the texts, a uvarint; the key, 8 bytes, and the number, a
// varint, where they are.
func (r *Row) append(b []byte, table *carry.Table) []byte {
	b = binary.AppendVarint(b, r.Time)
	word := r.Kind
	if r.Key != 0 {
		word |= hasKey
	}
	if r.Number != stream.Missing {
		word |= hasNumber
	}
	b = append(b, word)
	b = binary.AppendUvarint(b, uint64(table.Place(r.Texts)))
	if r.Key != 0 {
		b = binary.LittleEndian.AppendUint64(b, r.Key)
	}
	if r.Number != stream.Missing {
		b = binary.AppendVarint(b, r.Number)
	}
	return b
}

const (
	hasKey    = 64
	hasNumber = 128
)

// A Loader reads pages into a book.
type Loader struct {
	*Book
	Texts *carry.Texts
	Hash  func(text string) uint64 // of a text
}

// Shard reads what EncodeShard wrote. rows is how many users the shard has.
func (l Loader) Shard(shard, rows int, data []byte) error {
	r := codec.NewReader(data)
	numbers := l.Texts.ReadTable(r, l.Hash)
	for range r.Count(3) {
		row := r.Uvarint()
		if row >= uint64(rows) {
			r.Fail()
		}
		if r.Err() != nil {
			return r.Err()
		}
		u := &l.users[l.place(uint32(shard)<<24|uint32(row))]
		for range r.Count(12) {
			u.sealed = append(u.sealed, readItem(r, numbers))
		}
		for range r.Count(2) {
			u.rows.insert(readRow(r, numbers))
		}
	}
	return r.Err()
}

// Fresh reads what EncodeFresh wrote, of the users that are wanted.
func (l Loader) Fresh(r *codec.Reader, wanted func(ref uint32) bool) {
	l.each(r, wanted, func(u *user, row Row) { u.rows.insert(row) })
}

// Late reads what EncodeLate wrote, of the users that are wanted.
func (l Loader) Late(r *codec.Reader, wanted func(ref uint32) bool) {
	l.each(r, wanted, func(u *user, row Row) { u.late = append(u.late, row) })
}

func (l Loader) each(r *codec.Reader, wanted func(ref uint32) bool, visit func(*user, Row)) {
	numbers := l.Texts.ReadTable(r, l.Hash)
	for range r.Count(6) {
		ref, row := r.Uint32(), readRow(r, numbers)
		if r.Err() != nil {
			return
		}
		if wanted(ref) {
			visit(&l.users[l.place(ref)], row)
		}
	}
}

func readItem(r *codec.Reader, numbers []uint32) (it Item) {
	it.Key, it.Begin = r.Uint64(), r.Varint()
	it.Last = it.Begin + r.Varint()
	it.Until = it.Last + r.Varint()
	it.Rows = r.Varint()
	it.Marks = r.Byte()
	it.Texts = numberOf(r, numbers, r.Uvarint())
	return it
}

func readRow(r *codec.Reader, numbers []uint32) Row {
	row := Row{Time: r.Varint(), Number: stream.Missing}
	word := r.Byte()
	row.Kind = word &^ (hasKey | hasNumber)
	row.Texts = numberOf(r, numbers, r.Uvarint())
	if word&hasKey != 0 {
		row.Key = r.Uint64()
	}
	if word&hasNumber != 0 {
		row.Number = r.Varint()
	}
	return row
}

func numberOf(r *codec.Reader, numbers []uint32, place uint64) uint32 {
	if place >= uint64(len(numbers)) {
		r.Fail()
		return 0
	}
	return numbers[place]
}

// Resume goes on with what was read, as it was when the slices before head were closed
// and those before sealed were sealed.
func (b *Book) Resume(sealed, head int64) {
	b.sealed, b.head = sealed, head
	for p := range b.users {
		u := &b.users[p]
		if len(u.late) > 0 {
			b.late = append(b.late, uint32(p))
		}
		if sealed != math.MinInt64 {
			var n int
			u.sealed, n = derive(b.rules, u.sealed, &u.rows, 0, u.rows.len(), sealed*1000, quiet)
			u.rows.drop(n)
			u.now, u.taken = derive(b.rules, slices.Clone(u.sealed), &u.rows, 0, u.rows.len(), head*1000, func(f Fact, _ int64) { b.behind.add(f.At, uint32(p)) })
		}
		for i := range u.rows.list {
			if at := second(u.rows.list[i].time); i < u.taken {
				b.behind.add(at, uint32(p))
			} else {
				b.ahead.add(at, uint32(p))
			}
		}
		b.expect(uint32(p))
		b.release(uint32(p))
	}
}
