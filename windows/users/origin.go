package users

import (
	"encoding/binary"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// An origin is when a user was first seen, and with which texts. Facts are told
// apart by them.
type origin struct {
	at     int64  // event time in ms
	number uint32 // of the texts; 0 for none
}

// origins numbers the combinations of texts with which users were first seen.
type origins struct {
	columns []int // of the events
	numbers map[string]uint32
	texts   [][]originText // by number
}

// An originText has hash 0 where the event did not carry the field.
type originText struct {
	hash uint64
	text string
}

// A lateOrigin is an event that came late and was before the one by which the user
// was first seen.
type lateOrigin struct {
	ref    uint32
	second uint32
	origin
}

func newOrigins(d *plan.Days) *origins {
	o := &origins{numbers: map[string]uint32{}, texts: [][]originText{nil}}
	for _, column := range d.Origin {
		if column >= 0 {
			o.columns = append(o.columns, column)
		}
	}
	return o
}

func (o *origins) number(texts []originText) uint32 {
	var key []byte
	for _, t := range texts {
		key = binary.LittleEndian.AppendUint64(key, t.hash)
	}
	n, ok := o.numbers[string(key)]
	if !ok {
		n = uint32(len(o.texts))
		o.numbers[string(key)] = n
		o.texts = append(o.texts, texts)
	}
	return n
}

// of is the number of the texts of an event.
func (o *origins) of(b *stream.Batch, row int) uint32 {
	texts := make([]originText, len(o.columns))
	for i, column := range o.columns {
		c := &b.Text[column]
		if texts[i].hash = c.Hash[row]; texts[i].hash != 0 {
			s := c.Span[row]
			texts[i].text = string(b.Payload[s.Off : s.Off+s.Len])
		}
	}
	return o.number(texts)
}

// append writes the texts: with a mark before those that are there.
func (o *origins) append(b []byte, number uint32) []byte {
	texts := make([]string, len(o.columns))
	for i, t := range o.texts[number] {
		if t.hash != 0 {
			texts[i] = "=" + t.text
		}
	}
	return codec.AppendTexts(b, texts)
}

func (o *origins) read(p *plan.Plan, r *codec.Reader) uint32 {
	list := r.Texts()
	if len(list) != len(o.columns) {
		r.Fail()
		return 0
	}
	texts := make([]originText, len(list))
	for i, t := range list {
		if t != "" {
			texts[i] = originText{p.Text(t[1:]), t[1:]}
		}
	}
	return o.number(texts)
}

// originAt is the user's origin, where origins are kept.
func (s *shard) originAt(r uint32) *origin {
	for int(r/blockRows) >= len(s.origins) {
		s.origins = append(s.origins, new([blockRows]origin))
	}
	return &s.origins[r/blockRows][r%blockRows]
}

func (p *Partition) originOf(ref uint32) uint32 {
	if p.origins == nil {
		return 0
	}
	return p.shards[ref>>24].originAt(ref & 0xffffff).number
}

// trace notes with which texts a user was seen first. m is as it was before the
// event.
func (p *Partition) trace(b *stream.Batch, u *sighting, m *member) {
	if m.newest != 0 && u.second > m.newest {
		return // seen before
	}
	at, o := b.Time[u.row], u.shard.originAt(u.at-1)
	if o.number != 0 && at >= o.at {
		return
	}
	first := origin{at, p.origins.of(b, u.row)}
	if u.user.activity != 0 {
		p.lateOrigins = append(p.lateOrigins, lateOrigin{u.ref(), u.second, first})
		return
	}
	*o = first
	p.noteOrigin(u.ref())
}

func (p *Partition) noteOrigin(ref uint32) {
	if p.begun {
		p.dirtyOrigins = append(p.dirtyOrigins, ref)
	}
}

// moveOrigins has the users be of the origins that came late: all that was said of
// them is said anew.
func (p *Partition) moveOrigins() {
	for _, l := range p.lateOrigins {
		o := p.shards[l.ref>>24].originAt(l.ref & 0xffffff)
		if l.at >= o.at {
			continue
		}
		if days := p.daysOf(l.ref); l.number != o.number {
			entered := p.dayOf(&p.entering, int(l.ref>>24), p.entering.at)
			p.facts.change(int64(l.second), o.number, &days, nil, days.first, entered)
			p.facts.change(int64(l.second), l.number, nil, &days, days.first, entered)
		}
		*o = l.origin
		p.noteOrigin(l.ref)
	}
	p.lateOrigins = p.lateOrigins[:0]
}

func (p *Partition) daysOf(ref uint32) activeDays {
	days := p.shards[ref>>24].row(ref & 0xffffff).days()
	days.absences = p.absences[ref]
	return days
}

func (o origin) append(b []byte, in *origins) []byte {
	b = binary.AppendVarint(b, o.at)
	return in.append(b, o.number)
}

func (p *Partition) readOrigin(r *codec.Reader) origin {
	at := r.Varint()
	if p.origins == nil {
		r.Fail()
		return origin{}
	}
	return origin{at, p.origins.read(p.plan, r)}
}

// encodeOrigins writes those of a shard, and each combination of texts once.
func (p *Partition) encodeOrigins(b []byte, sh *shard) []byte {
	places, met := map[uint32]int{}, []uint32(nil)
	for r := range uint32(sh.n) {
		n := sh.originAt(r).number
		if _, known := places[n]; !known && n != 0 {
			met = append(met, n)
			places[n] = len(met)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(met)))
	for _, n := range met {
		b = p.origins.append(b, n)
	}
	for r := range uint32(sh.n) {
		o := sh.originAt(r)
		b = binary.AppendUvarint(b, uint64(places[o.number]))
		if o.number != 0 {
			b = binary.AppendVarint(b, o.at)
		}
	}
	return b
}

func (p *Partition) loadOrigins(r *codec.Reader, sh *shard) {
	numbers := make([]uint32, 1, 8)
	for range r.Count(1) {
		numbers = append(numbers, p.origins.read(p.plan, r))
	}
	for row := range uint32(sh.n) {
		place := r.Uvarint()
		if place >= uint64(len(numbers)) {
			r.Fail()
		}
		if r.Err() != nil {
			return
		}
		if place > 0 {
			*sh.originAt(row) = origin{r.Varint(), numbers[place]}
		}
	}
}
