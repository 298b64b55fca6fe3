package users

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
)

// A sent is what signals said of a user about a day. Which went out follows from the active
// days: all that was entered on days that were judged, since the user was there last.
type sent struct {
	day    int32
	states uint8 // bit i for leaving[i]
	held   bool
	origin carry.Number
	// back is the day on which the user was said to be back before another's days were
	// brought among theirs, 0 where these tell it.
	back int32
}

// keptSignals are the signals of a user before a day where these no longer follow from the active
// days, since another's were brought among them.
type keptSignals struct {
	until int32
	sent  []sent
}

// recallDays are kpi.RecallDays.
var recallDays = func() (out []int32) {
	for _, text := range kpi.RecallDays {
		n, _ := strconv.Atoi(text) // they are constants
		out = append(out, int32(n))
	}
	return out
}()

// longestRecall is the last of these.
var longestRecall = slices.Max(recallDays)

// entered is what a user enters on a day by being away.
func (f *facts) entered(d *activeDays, day int32) (states uint8) {
	set := f.on(d, day).facts &^ f.on(d, f.dayBefore(day)).facts
	for i, bit := range [...]int{f.gapBit, f.gapBit + 1, declining} {
		states |= uint8(set>>bit&1) << i
	}
	return states
}

// each calls visit with the places of what was sent among the signalled.
func (s *sent) each(visit func(signalled int)) {
	for i := range leaving {
		if s.states>>i&1 == 0 {
			continue
		}
		at := i * len(kpi.Holdouts)
		if s.held {
			at++
		}
		visit(at)
	}
}

// send says that signals went out.
func (f *facts) send(slice int64, s *sent) {
	if f.signals != nil {
		s.each(func(signalled int) { f.note(slice, s.day, kindSignal+signalled, s.origin, 1) })
	}
}

// backBy is the day on which the user is back, -1 for none.
func (s *sent) backBy(d *activeDays) int32 {
	if s.back != 0 {
		return s.back
	}
	return d.after(s.day)
}

// returns says n times within how many days of what was sent the user is back.
func (f *facts) returns(slice int64, s *sent, d *activeDays, n int64) {
	back := s.backBy(d)
	if f.recalls == nil || back < 0 {
		return
	}
	s.each(func(signalled int) {
		for r, within := range recallDays {
			if back-s.day <= within {
				f.note(slice, s.day, kindRecall+signalled*len(recallDays)+r, s.origin, n)
			}
		}
	})
}

// recall says who is back by an active day of whom signals went out since the one before it.
func (p *Partition) recall(ref uint32, slice int64, before, after *activeDays, back int32) {
	if p.facts.recalls == nil || before.activity == 0 {
		return
	}
	for _, s := range p.sentOf(ref, before, max(before.before(back), back-longestRecall), back) {
		if s.back == 0 {
			p.facts.returns(slice, &s, before, -1)
			p.facts.returns(slice, &s, after, 1)
		}
	}
	p.recallEarlier(ref, slice, back)
}

// recallEarlier has who was said to be back be so by an active day before that, which came
// late.
func (p *Partition) recallEarlier(ref uint32, slice int64, back int32) {
	kept := p.shards[ref>>24].signals[ref&0xffffff]
	all := slices.Clone(kept.sent)
	for i := range all {
		if s := &all[i]; s.day < back && back < s.back {
			p.facts.returns(slice, s, nil, -1)
			s.back = back
			p.facts.returns(slice, s, nil, 1)
		}
	}
	if !slices.Equal(all, kept.sent) {
		p.keepSignals(ref, keptSignals{kept.until, all})
	}
}

// sentOf are the signals of a user about the days from one on that are judged before
// another, and those that are kept.
func (p *Partition) sentOf(ref uint32, d *activeDays, from, to int32) []sent {
	t := p.shards[ref>>24].signals[ref&0xffffff]
	out := slices.Clip(t.sent)
	for day := max(from, d.first, t.until); day < min(to, p.unjudged(ref)); day++ {
		if p.facts.skipped(day) {
			continue
		}
		if states := p.facts.entered(d, day); states != 0 {
			out = append(out, sent{day: day, states: states, held: d.held, origin: p.originOf(ref)})
		}
	}
	return out
}

// unjudged is the first day that the user's shard is not judged on.
func (p *Partition) unjudged(ref uint32) int32 {
	return p.dayOf(&p.judging, int(ref>>24), p.judging.at)
}

// outstanding are the signals of a user who is not back since, or by a day that is not
// sealed: what comes late may have been earlier.
func (p *Partition) outstanding(ref uint32, d *activeDays) []sent {
	if d.activity == 0 || p.facts.recalls == nil {
		return nil
	}
	to, unsealed := p.unjudged(ref), p.unsealedDay()
	var out []sent
	for _, s := range p.sentOf(ref, d, max(d.before(unsealed), to-longestRecall), to) {
		if back := s.backBy(d); back < 0 || back >= unsealed {
			s.back = max(back, 0)
			out = append(out, s)
		}
	}
	return out
}

// departSignals puts the signals of an anonymous id into a bundle.
func (p *Partition) departSignals(b *Bundle, d *activeDays) {
	b.sent = p.outstanding(b.ref, d)
	for _, s := range b.sent {
		var texts []carry.Text
		if p.origins != nil {
			texts = slices.Clone(p.origins.At(s.origin))
		}
		b.sentTexts = append(b.sentTexts, texts)
	}
	p.keepSignals(b.ref, keptSignals{})
}

// arriveSignals puts them among the user's own, and says who is back by the days of both.
func (p *Partition) arriveSignals(b *Bundle, ref uint32, slice int64, all []sent, after *activeDays) {
	if p.facts.recalls == nil {
		return
	}
	for i, s := range b.sent {
		if b.sentTexts[i] != nil {
			s.origin = p.origins.Number(b.sentTexts[i])
		}
		all = append(all, s)
	}
	for i := range all {
		if s := &all[i]; s.back == 0 {
			p.facts.returns(slice, s, after, 1)
			s.back = max(after.after(s.day), 0)
		}
	}
	p.keepSignals(ref, keptSignals{})
	if !slices.Equal(all, p.outstanding(ref, after)) {
		p.keepSignals(ref, keptSignals{max(p.unjudged(ref), 0), all})
	}
}

// forgetSignals lets go of what is kept of a shard's users and makes no difference any more, as a
// day begins that nothing late can be before.
func (p *Partition) forgetSignals(shard int, today int32) {
	for at, t := range p.shards[shard].signals {
		ref := uint32(shard)<<24 | at
		d := p.daysOf(ref)
		open := slices.DeleteFunc(slices.Clone(t.sent), func(s sent) bool {
			back := s.backBy(&d)
			return back >= 0 && back < today
		})
		switch {
		case t.until+longestRecall < today, len(open) == 0 && d.before(today) >= t.until:
			p.keepSignals(ref, keptSignals{})
		case len(open) < len(t.sent):
			p.keepSignals(ref, keptSignals{t.until, open})
		}
	}
}

// keepSignals keeps signals of a user, none if there is no day.
func (p *Partition) keepSignals(ref uint32, t keptSignals) {
	sh, at := p.shards[ref>>24], ref&0xffffff
	if _, is := sh.signals[at]; !is && t.until == 0 {
		return
	}
	sh.setSignals(at, t)
	if p.begun {
		p.dirtySignals = append(p.dirtySignals, ref)
	}
}

func (s *shard) setSignals(at uint32, t keptSignals) {
	if t.until == 0 {
		delete(s.signals, at)
		return
	}
	if s.signals == nil {
		s.signals = map[uint32]keptSignals{}
	}
	s.signals[at] = t
}

// inHoldout marks the states of who is held out.
const inHoldout = 1 << 7

func (p *Partition) appendSignals(b []byte, t keptSignals) []byte {
	b = binary.AppendUvarint(b, uint64(t.until))
	b = binary.AppendUvarint(b, uint64(len(t.sent)))
	for _, s := range t.sent {
		states := s.states
		if s.held {
			states |= inHoldout
		}
		b = append(binary.AppendUvarint(b, uint64(s.day)), states)
		b = binary.AppendUvarint(b, uint64(s.back))
		if p.origins != nil {
			b = p.origins.Append(b, s.origin)
		}
	}
	return b
}

func (p *Partition) readSignals(r *codec.Reader) (t keptSignals) {
	t.until = int32(r.Uvarint())
	for range r.Count(2) {
		s := sent{day: int32(r.Uvarint())}
		states := r.Byte()
		s.states, s.held, s.back = states&^inHoldout, states&inHoldout != 0, int32(r.Uvarint())
		if p.origins != nil {
			s.origin = p.restoring.originTexts.Read(r)
		}
		t.sent = append(t.sent, s)
	}
	return t
}

// encodeSignals writes what is kept of a shard's users: a list of rows, each with it.
func (p *Partition) encodeSignals(b []byte, sh *shard) []byte {
	b = binary.AppendUvarint(b, uint64(len(sh.signals)))
	for at, t := range sh.signals {
		b = p.appendSignals(binary.AppendUvarint(b, uint64(at)), t)
	}
	return b
}

func (p *Partition) loadSignals(r *codec.Reader, sh *shard) {
	for range r.Count(3) {
		at, t := uint32(r.Uvarint()), p.readSignals(r)
		if r.Err() == nil {
			sh.setSignals(at, t)
		}
	}
}
