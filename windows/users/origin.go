package users

import (
	"encoding/binary"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// An origin is when a user was first seen, and with which texts. Facts are told
// apart by them.
type origin struct {
	at     int64        // event time in ms
	number carry.Number // of the texts
}

// A lateOrigin is an event that came late and was before the one by which the user
// was first seen.
type lateOrigin struct {
	ref    uint32
	second uint32
	origin
}

// originAt is the user's origin, where origins are kept.
func (s *shard) originAt(r uint32) *origin {
	for int(r/blockRows) >= len(s.origins) {
		s.origins = append(s.origins, new([blockRows]origin))
	}
	return &s.origins[r/blockRows][r%blockRows]
}

func (p *Partition) originOf(ref uint32) carry.Number {
	if p.origins == nil {
		return carry.Number{}
	}
	return p.shards[ref>>24].originAt(ref & 0xffffff).number
}

// trace notes with which texts a user was seen first. m is as it was before the event; that
// of a user without active days may be from before the user was forgotten, or of another
// who had the row.
func (p *Partition) trace(b *stream.Batch, u *sighting, m *member) {
	if u.user.activity != 0 && m.newest != 0 && u.second > m.newest {
		return // seen before
	}
	at, o := b.Time[u.row], u.shard.originAt(u.at-1)
	if o.number != (carry.Number{}) && at >= o.at {
		return
	}
	first := origin{at, p.origins.Of(b, u.row)}
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
		if l.at >= o.at || p.shards[l.ref>>24].row(l.ref&0xffffff).isElsewhere() {
			continue
		}
		if days := p.daysOf(l.ref); l.number != o.number {
			entered := p.entered(l.ref)
			p.facts.change(int64(l.second), o.number, &days, nil, days.first, entered)
			p.facts.change(int64(l.second), l.number, nil, &days, days.first, entered)
		}
		*o = l.origin
		p.noteOrigin(l.ref)
	}
	p.lateOrigins = p.lateOrigins[:0]
}

func (p *Partition) daysOf(ref uint32) activeDays {
	sh, row := p.shards[ref>>24], ref&0xffffff
	days := sh.row(row).days()
	days.held = sh.holdout.has(row)
	if len(p.absences) > 0 {
		days.absences = p.absences[ref]
	}
	return days
}

func (o origin) append(b []byte, in *carry.Texts) []byte {
	b = binary.AppendVarint(b, o.at)
	return in.Append(b, o.number)
}

func (p *Partition) readOrigin(r *codec.Reader) origin {
	at := r.Varint()
	if p.origins == nil {
		r.Fail()
		return origin{}
	}
	return origin{at, p.restoring.originTexts.Read(r)}
}

// encodeOrigins writes those of a shard, and each combination of texts once.
func (p *Partition) encodeOrigins(b []byte, sh *shard) []byte {
	table := &p.originTable
	table.Reset(p.origins)
	var body []byte
	for r := range uint32(sh.n) {
		o := sh.originAt(r)
		body = table.AppendPlace(body, o.number)
		if o.number != (carry.Number{}) {
			body = binary.AppendVarint(body, o.at)
		}
	}
	return append(table.Append(b), body...)
}

func (p *Partition) loadOrigins(r *codec.Reader, sh *shard) {
	places := p.restoring.originTexts.Table(r)
	for row := range uint32(sh.n) {
		number := places.Number(r)
		if r.Err() != nil {
			return
		}
		if number != (carry.Number{}) {
			*sh.originAt(row) = origin{r.Varint(), number}
		}
	}
}
