package users

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// elsewhere stands for the first day of a row of which all that was known is another
// user's. That one's hash stands in place of the activity, and in place of the last day one,
// by UTC, on which the row's id was noted to be seen.
const elsewhere = math.MaxUint16

// isElsewhere reports whether what was known by the row is another user's.
func (r *row) isElsewhere() bool { return r.first == elsewhere }

// free stands in place of the activity of a row that is used again. One whose hash is 0 is
// nobody's, since a day that stands in place of the last one.
const free = 1

// isFree reports whether a row is used again for the next user.
func (r *row) isFree() bool { return r.hash == 0 && r.activity == free }

// leaveTo has all that is known by a row be another user's, whose id was seen on a day.
func (s *shard) leaveTo(at uint32, user uint64, seen int32) {
	s.setDays(at, row{activity: user, last: uint16(seen), first: elsewhere})
}

// setDays takes over the days of a row, which may be elsewhere.
func (s *shard) setDays(at uint32, days row) {
	row := s.row(at)
	if days.isElsewhere() && !row.isElsewhere() {
		s.gone++
	}
	row.activity, row.last, row.first = days.activity, days.last, days.first
}

// Aliases calls visit with each anonymous id that is a user's, by hash, and with a day on
// which it was seen.
func (p *Partition) Aliases(visit func(anonymous, user uint64, seen int32)) {
	for _, sh := range p.shards {
		if sh == nil {
			continue
		}
		for r := range uint32(sh.n) {
			if row := sh.row(r); row.isElsewhere() && row.hash != 0 {
				visit(row.hash, row.activity, int32(row.last))
			}
		}
	}
}

// Canonical is the hash of the user whom an id is of: its own but for anonymous ids that
// were identified.
func (p *Partition) Canonical(hash uint64) uint64 {
	if sh := p.shards[ShardOf(hash)]; sh != nil {
		if r, known := sh.lookUp(hash); known && sh.row(r).isElsewhere() {
			return sh.row(r).activity
		}
	}
	return hash
}

// handOver makes the moves once the slices before head are closed.
func (p *Partition) handOver(moves []stream.Move, head int64) {
	if len(moves) == 0 {
		return
	}
	open := p.takeOpen(moves)
	defer p.dropOpen()
	for i := range moves {
		m := &moves[i]
		switch {
		case m.To == 0:
			p.erase(m.From, head)
		case m.Again:
			p.seeAgain(m)
		default:
			p.hand(m, open, head)
		}
		if m.Before != 0 && p.shards[ShardOf(m.Before)] != nil {
			p.disown(m)
		}
	}
}

// seeAgain notes that an anonymous id that is a user's was seen.
func (p *Partition) seeAgain(m *stream.Move) {
	if sh := p.shards[ShardOf(m.From)]; sh != nil {
		if at, known := sh.lookUp(m.From); known && sh.row(at).isElsewhere() {
			sh.row(at).last = uint16(m.Seen)
			p.dirtyDay(refOf(m.From, at))
		}
	}
}

// hand makes a move from an anonymous id to a user.
func (p *Partition) hand(m *stream.Move, open []map[uint32][]journey.Row, head int64) {
	if p.shards[ShardOf(m.From)] != nil {
		p.Exchange.Put(m.Number, p.depart(m, open, head))
	}
	if p.shards[ShardOf(m.To)] != nil {
		p.arrive(m, p.Exchange.Take(m.Number), head)
	}
}

// takeOpen takes the rows that are not closed of those who move out of the books, by
// operator and ref.
func (p *Partition) takeOpen(moves []stream.Move) (out []map[uint32][]journey.Row) {
	refs := map[uint32]bool{}
	for i := range moves {
		if sh := p.shards[ShardOf(moves[i].From)]; sh != nil && moves[i].To != 0 {
			if at, known := sh.lookUp(moves[i].From); known && !sh.row(at).isElsewhere() {
				refs[refOf(moves[i].From, at)] = true
			}
		}
	}
	for _, f := range p.followers {
		if len(refs) == 0 {
			out = append(out, nil)
			continue
		}
		out = append(out, f.book.TakeOpen(refs))
	}
	return out
}

func refOf(hash uint64, row uint32) uint32 { return uint32(ShardOf(hash))<<24 | row }

// known is the row of a user, a new one at first.
func (p *Partition) known(hash uint64, name string) (ref uint32) {
	sh := p.shards[ShardOf(hash)]
	at, fresh := sh.find(hash)
	ref = refOf(hash, at)
	if fresh {
		p.meet(ref, hash, []byte(name))
	}
	return ref
}

// depart takes out what is known of an anonymous id.
func (p *Partition) depart(m *stream.Move, open []map[uint32][]journey.Row, head int64) *Bundle {
	ref := p.known(m.From, m.Name)
	sh, at := p.shards[ref>>24], ref&0xffffff
	row, out := sh.row(at), &Bundle{ref: ref}
	p.renew(ref, p.plan.Calendar.Day(head*1000-1))
	if !row.isElsewhere() {
		out.attended = p.attendances(ref, head)
		out.days = p.daysOf(ref)
		p.departSignals(out, &out.days)
		if out.days.activity != 0 {
			p.facts.change(head-1, p.originOf(ref), &out.days, nil, out.days.first, p.entered(ref))
		}
		delete(p.absences, ref)
		p.takeOpenDays(&out.days, ref, head)
		if p.origins != nil {
			out.origin = *sh.originAt(at)
			out.texts = slices.Clone(p.origins.At(out.origin.number))
		}
		for i, f := range p.followers {
			j := followed{items: f.book.Leave(ref, head*1000-1), rows: open[i][ref]}
			for k := range j.items {
				j.itemTexts = append(j.itemTexts, slices.Clone(f.texts.At(j.items[k].Texts)))
			}
			for k := range j.rows {
				j.rowTexts = append(j.rowTexts, slices.Clone(f.texts.At(j.rows[k].Texts)))
			}
			out.journeys = append(out.journeys, j)
		}
	}
	sh.leaveTo(at, m.To, m.Seen)
	p.dirtyDay(ref)
	return out
}

// takeOpenDays adds the days of slices that are not closed.
func (p *Partition) takeOpenDays(d *activeDays, ref uint32, head int64) {
	for i, a := range p.audiences {
		if !a.days {
			continue
		}
		m := p.shards[ref>>24].member(i, ref&0xffffff)
		var days []int32
		newest := m.newest
		for place := m.entry; a.holds(place, ref, newest) && int64(a.second(place)) >= head; place = a.at(place).older {
			newest = a.second(place)
			days = append(days, p.plan.Calendar.Day(int64(newest)*1000))
		}
		slices.Reverse(days)
		for _, day := range days {
			p.include(d, day)
		}
	}
}

// include has a day be among the active ones, be it before all others or not.
func (p *Partition) include(d *activeDays, day int32) {
	switch {
	case d.activity == 0:
		d.activity, d.last, d.first = 1, day, day
	case day <= d.last-64:
		d.first = min(d.first, day)
	case day > d.last || d.until(day)&1 == 0:
		p.addDay(d, day)
	}
}

// arrive takes in what was known of an anonymous id.
func (p *Partition) arrive(m *stream.Move, b *Bundle, head int64) {
	ref := p.known(m.To, "")
	p.own(ref, m.Name)
	if m.Before == 0 && p.facts != nil && p.facts.joined != nil {
		p.facts.note(head-1, p.plan.Calendar.Day(head*1000-1), kindJoined, carry.Number{}, 1)
	}
	p.inherit(ref, b.attended, head)
	if b.days.activity != 0 {
		p.arriveDays(ref, m, b, head)
		p.merge(roster.Merge{From: b.ref, Into: ref, Last: b.days.last})
	}
	for i := range b.journeys {
		f, j := p.followers[i], &b.journeys[i]
		for k := range j.items {
			j.items[k].Texts = f.number(j.itemTexts[k])
		}
		f.book.Join(ref, j.items)
		for k, r := range j.rows {
			r.Texts = f.number(j.rowTexts[k])
			f.book.Add(ref, &r)
		}
	}
}

// number is that of texts that another partition had.
func (f *follower) number(texts []carry.Text) carry.Number {
	if texts == nil {
		return carry.Number{}
	}
	return f.texts.Number(texts)
}

// arriveDays puts active days, and by which event they began, among the user's own.
func (p *Partition) arriveDays(ref uint32, m *stream.Move, b *Bundle, head int64) {
	sh, at := p.shards[ref>>24], ref&0xffffff
	today := p.plan.Calendar.Day(head*1000 - 1)
	p.renew(ref, today)
	before := p.daysOf(ref)
	own := p.outstanding(ref, &before)
	after := before
	after.absences = slices.Clip(before.absences)
	for rest := b.days.activity; rest != 0; {
		oldest := 63 - bits.LeadingZeros64(rest)
		rest &^= 1 << oldest
		p.include(&after, b.days.last-int32(oldest))
	}
	after.first = min(after.first, b.days.first)
	after.absences = append(after.absences, b.days.absences...)
	if day := p.plan.Calendar.Day(m.At); b.days.last >= day { // else nobody is back by it
		p.welcome(ref, &before, day, plan.Floor(m.At, 1000)/1000)
	}
	number := p.originOf(ref)
	old := number
	if p.origins != nil && b.texts != nil {
		if o := sh.originAt(at); o.number == (carry.Number{}) || b.origin.at < o.at {
			number = p.origins.Number(b.texts)
			*o = origin{b.origin.at, number}
			p.noteOrigin(ref)
		}
	}
	entered := p.entered(ref)
	if number == old || before.activity == 0 {
		p.facts.change(head-1, number, &before, &after, b.days.first, entered)
	} else {
		p.facts.change(head-1, old, &before, nil, before.first, entered)
		p.facts.change(head-1, number, nil, &after, after.first, entered)
	}
	p.arriveSignals(b, ref, head-1, own, &after)
	sh.row(at).setDays(after)
	if len(after.absences) > len(before.absences) {
		p.keepAbsences(ref, after.absences)
	}
	p.dirtyDay(ref)
}

// entered is the day that the user's shard has entered.
func (p *Partition) entered(ref uint32) int32 {
	return p.dayOf(&p.entering, int(ref>>24), p.entering.at)
}

// maxIdentities is of how many anonymous ids of a user it is told that they are the
// user's.
const maxIdentities = 1000

// own notes that an anonymous id is the user's, disown that it is no longer.
func (p *Partition) own(ref uint32, name string) {
	if p.facts == nil {
		return
	}
	sh := p.shards[ref>>24]
	if sh.identities == nil {
		sh.identities = map[uint32][]string{}
	}
	if list := sh.identities[ref&0xffffff]; len(list) < maxIdentities {
		sh.identities[ref&0xffffff] = append(list, name)
		p.dirtyIdentity(ref)
	}
}

func (p *Partition) disown(m *stream.Move) {
	sh := p.shards[ShardOf(m.Before)]
	at, known := sh.lookUp(m.Before)
	if !known || p.facts == nil {
		return
	}
	if list := slices.DeleteFunc(sh.identities[at], func(name string) bool { return p.plan.Anonymous(name) == m.From }); len(list) > 0 {
		sh.identities[at] = list
	} else {
		delete(sh.identities, at)
	}
	p.dirtyIdentity(refOf(m.Before, at))
}

func (p *Partition) dirtyDay(ref uint32) {
	if p.begun {
		p.dirtyDays = append(p.dirtyDays, ref)
	}
}

func (p *Partition) dirtyIdentity(ref uint32) {
	if p.begun {
		p.dirtyIdentities = append(p.dirtyIdentities, ref)
	}
}

// encodeIdentities writes the anonymous ids of a shard's users: a list of rows, each
// with its ids.
func encodeIdentities(b []byte, sh *shard) []byte {
	b = binary.AppendUvarint(b, uint64(len(sh.identities)))
	for at, names := range sh.identities {
		b = binary.AppendUvarint(b, uint64(at))
		b = codec.AppendTexts(b, names)
	}
	return b
}

func loadIdentities(r *codec.Reader, sh *shard) {
	for range r.Count(2) {
		at, names := uint32(r.Uvarint()), r.Texts()
		if r.Err() == nil {
			sh.setIdentities(at, names)
		}
	}
}

func (s *shard) setIdentities(at uint32, names []string) {
	if s.identities == nil {
		s.identities = map[uint32][]string{}
	}
	if len(names) == 0 {
		delete(s.identities, at)
		return
	}
	s.identities[at] = names
}
