package users

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/windows/step"
)

// An attendance is a day on which a user was active with a label of a track.
type attendance struct {
	day   int32
	track int32 // its number
	group uint32
}

// An heir is a user who attended by what another id did that turned out to be the user's.
// That id is counted, so the user is not, in days and windows of today that end at head or
// later.
type heir struct {
	ref uint32
	attendance
	head uint32
}

func (h *heir) key() uint64 { return overOf(h.ref, int(h.track), h.group) }

// heirs are those among a shard's users, of days that are not sealed.
type heirs struct {
	// heads are, by day and overKey, those of the heirs: where several ids turned out to be
	// one user, the least.
	heads map[int32]*hashmap.Map
	// others are heirs by a further id each, which is counted, too.
	others []heir
}

// head is from when on a user does not count who attends: has is false where there is no
// other id.
func (hs *heirs) head(ref uint32, a attendance) (head int64, has bool) {
	of := hs.heads[a.day]
	if of == nil {
		return 0, false
	}
	n, has := of.Get(overOf(ref, int(a.track), a.group))
	return int64(n), has
}

// add puts an heir among the others. It answers the one of whom it is known that one is to
// be taken off, if any.
func (hs *heirs) add(h heir) (other heir, known bool) {
	of := hs.heads[h.day]
	if of == nil {
		if hs.heads == nil {
			hs.heads = map[int32]*hashmap.Map{}
		}
		of = &hashmap.Map{}
		hs.heads[h.day] = of
	}
	head, known := of.Get(h.key())
	if !known {
		of.Set(h.key(), h.head)
		return heir{}, false
	}
	of.Set(h.key(), min(head, h.head))
	h.head = max(head, h.head)
	hs.others = append(hs.others, h)
	return h, true
}

// forget lets go of the heirs of days before one.
func (hs *heirs) forget(day int32) {
	for of := range hs.heads {
		if of < day {
			delete(hs.heads, of)
		}
	}
	hs.others = slices.DeleteFunc(hs.others, func(h heir) bool { return h.day < day })
}

// list is all heirs of a shard.
func (hs *heirs) list(shard int) (out []heir) {
	for day, of := range hs.heads {
		for key, head := range of.All() {
			k := overKey(key)
			out = append(out, heir{uint32(shard)<<24 | k.row(), attendance{day, int32(k.track()), k.code()}, head})
		}
	}
	return append(out, hs.others...)
}

// heirBytes is what appendHeir adds.
const heirBytes = 20

func appendHeir(b []byte, h heir) []byte {
	for _, n := range [...]uint32{h.ref, uint32(h.day), uint32(h.track), h.group, h.head} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}

func readHeir(r *codec.Reader) heir {
	return heir{r.Uint32(), attendance{int32(r.Uint32()), int32(r.Uint32()), r.Uint32()}, r.Uint32()}
}

// attendances are those of a user on days that are not sealed, with the slices before head
// closed: each with the first head that knows of it, but not before head.
func (p *Partition) attendances(ref uint32, head int64) map[attendance]int64 {
	out := map[attendance]int64{}
	for of, d := range p.rosters {
		number := p.setOf(of)
		i, k := p.trackAt(number)
		m, t := p.shards[ref>>24].memberIn(i, ref&0xffffff), &p.audiences[i].tracks[k]
		if m == nil {
			continue
		}
		newest := uint32(0)
		if m.labels != 0 {
			newest = p.audiences[i].group(m.labels, t)
		}
		d.of(t, newest, ref, func(label uint32) { out[attendance{of.day, int32(number), label}] = head })
	}
	for i, a := range p.audiences {
		m := p.shards[ref>>24].memberIn(i, ref&0xffffff)
		if m == nil {
			continue
		}
		newest := m.newest
		for place := m.entry; a.holds(place, ref, newest) && int64(a.second(place)) >= head; place = a.at(place).older {
			newest = a.second(place)
			day := p.plan.Calendar.Day(int64(newest) * 1000)
			for k := range a.tracks {
				t := &a.tracks[k]
				at := attendance{day, int32(t.number), a.group(a.at(place).labels, t)}
				if known, is := out[at]; t.daily && (!is || known > head) {
					out[at] = int64(newest) + 1
				}
			}
		}
	}
	return out
}

// inherit has a user attend by what another id did, with the slices before head closed.
func (p *Partition) inherit(ref uint32, attended map[attendance]int64, head int64) {
	hs := &p.shards[ref>>24].heirs
	for a, from := range attended {
		h := heir{ref, a, uint32(min(from, p.plan.Calendar.Start(a.day+1)/1000))}
		if p.begun {
			p.freshHeirs = append(p.freshHeirs, h)
		}
		was, _ := hs.head(ref, a)
		other, again := hs.add(h)
		if again && was > int64(h.head) { // and is still to come
			i := slices.IndexFunc(p.dues, func(d due) bool { return d.heir == other && !d.other })
			p.dues[i].other = true
			again = false
		} else if again {
			h = other
		}
		p.take(due{h, again}, head)
	}
}

// A due is an heir whose head is still to come: one is taken off there if the user attended
// as well, of an other in any case.
type due struct {
	heir
	other bool
}

// take takes off what is due with the slices before head closed, or puts it among the dues.
func (p *Partition) take(d due, head int64) {
	if int64(d.head) <= head {
		p.takeOff(p.tally, &d)
		return
	}
	i, _ := slices.BinarySearchFunc(p.dues, d.head, func(a due, head uint32) int { return int(int64(a.head) - int64(head)) })
	p.dues = slices.Insert(p.dues, i, d)
}

// takeDues takes off what is due up to a head, with the slices before the one that ends
// there closed.
func (p *Partition) takeDues(c *tally, head int64) {
	for ; c.taken < len(p.dues) && int64(p.dues[c.taken].head) <= head; c.taken++ {
		p.takeOff(c, &p.dues[c.taken])
	}
}

// takeOff takes one off the day, and off the windows of today that end with the head or
// later.
func (p *Partition) takeOff(c *tally, d *due) {
	i, k := p.trackAt(int(d.track))
	t := &p.audiences[i].tracks[k]
	if !d.other && !p.rosters.has(rosterOf{d.day, t.target}, d.group, d.ref) && !c.met[metHeir{d.ref, d.attendance}] {
		return
	}
	say := func(head int64, column int32, n int64) {
		p.delta(step.Delta{Head: head, Target: t.target, Column: column, Group: int32(d.group), N: n})
	}
	say(int64(d.head), t.fresh, -1)
	begin := p.plan.Calendar.Start(d.day) / 1000
	for j, l := range t.plan.Lengths {
		if exit := l.Exit(begin); l.Today() && int64(d.head) < exit {
			say(int64(d.head), int32(j), -1)
			if c.audiences[i].tails[t.lengths[j].of] <= begin {
				c.label(i, k, t, d.group).twice++
			} else {
				say(exit, int32(j), 1)
			}
		}
	}
}

// A metHeir is an heir who attends in slices that a look beyond what is closed closes.
type metHeir struct {
	ref uint32
	attendance
}

// countedFrom is the head from which on another id of a user who attends is counted, the
// last of all where there is none.
func (p *Partition) countedFrom(ref uint32, a attendance) int64 {
	if head, has := p.shards[ref>>24].heirs.head(ref, a); has {
		return head
	}
	return math.MaxInt64
}

// isCounted reports whether another id of a user who attends by a slice is counted.
func (p *Partition) isCounted(c *tally, ref uint32, a attendance, slice int64) bool {
	head, has := p.shards[ref>>24].heirs.head(ref, a)
	if has && c.met != nil {
		c.met[metHeir{ref, a}] = true
	}
	return has && slice+1 >= head
}

// forgetHeirs lets go of those of days before one.
func (p *Partition) forgetHeirs(day int32) {
	for _, sh := range p.shards {
		if sh != nil {
			sh.heirs.forget(day)
		}
	}
}

// resumeDues finds the heirs whose heads are still to come, with the slices before head
// closed.
func (p *Partition) resumeDues(head int64) {
	for s, sh := range p.shards {
		if sh == nil {
			continue
		}
		list := sh.heirs.list(s)
		for i, h := range list {
			if int64(h.head) > head {
				p.dues = append(p.dues, due{h, i >= len(list)-len(sh.heirs.others)})
			}
		}
	}
	slices.SortFunc(p.dues, func(a, b due) int { return int(int64(a.head) - int64(b.head)) })
}
