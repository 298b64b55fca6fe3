package windows

import (
	"encoding/binary"
	"slices"
)

// actives is the merged state of one user set: distinct users by label code.
type actives struct {
	plan     *userPlan
	name     string     // of its blocks
	columns  []string   // of its blocks
	texts    [][]string // by code; 0 is kpi.Other, or the total
	keys     []uint64
	codes    []*activeCode
	live     []int32 // by code and lens: users in the live windows
	days     map[int32]*activeDay
	fresh    map[int64][]Fresh // of unsealed slices
	blocks   []*openBlock      // by lens
	sealed   []int64           // by lens: the sum over the codes in the last kept window
	resumed  []bool            // by lens: the next kept window may differ unnoticed
	versions []uint64          // by lens: counts the changes of the live windows
	dirty    bool              // labels changed since the last checkpoint
	agenda   *agenda
}

// An activeCode is one label's distinct users, by lens.
type activeCode struct {
	values    []kept
	revisions []kept // nil before the first correction
}

// An activeDay counts users by the code of their label.
type activeDay struct {
	live, final []int64
	revisions   map[uint32]int
	dirty       bool
}

func newActives(p *userPlan, g *agenda) *actives {
	a := &actives{plan: p, name: "users:" + p.key + ":" + p.name, columns: []string{p.key, revisionColumn}, agenda: g, days: map[int32]*activeDay{}, fresh: map[int64][]Fresh{}}
	a.texts, a.keys = [][]string{p.otherLabels()}, []uint64{0}
	n := len(p.lenses)
	a.blocks, a.sealed, a.resumed, a.versions = make([]*openBlock, n), make([]int64, n), make([]bool, n), make([]uint64, n)
	return a
}

func (a *actives) code(code uint32, span int64) *activeCode {
	for int(code) >= len(a.codes) {
		c := &activeCode{}
		for _, l := range a.plan.lenses {
			c.values = append(c.values, kept{ring: make([]int32, l.keptLen(span))})
		}
		a.codes, a.live = append(a.codes, c), append(a.live, make([]int32, len(a.plan.lenses))...)
	}
	return a.codes[code]
}

// change adds n users to the live windows from head x on.
func (a *actives) change(code uint32, lens int, x int64, n int32, span int64) {
	c, l := a.code(code, span), a.plan.lenses[lens]
	a.live[int(code)*len(a.plan.lenses)+lens] += n
	a.versions[lens]++
	end := ceilTo(x, l.step)
	*c.values[lens].at(end / l.step) += n
	a.agenda.note(end)
}

// correct adds one user to the live windows of the heads Lo to Hi.
func (a *actives) correct(k Correction, head, span int64) {
	a.change(k.Code, int(k.Lens), k.Lo, 1, span)
	if k.Hi+1 <= head {
		a.change(k.Code, int(k.Lens), k.Hi+1, -1, span)
	}
}

// restate adds one revision to every closed window that the corrections of one
// crossing touch. They are of one label and lens, by Lo ascending.
func (a *actives) restate(ks []Correction, sealed, head, span int64) {
	c := a.code(ks[0].Code, span)
	if c.revisions == nil {
		for _, l := range a.plan.lenses {
			c.revisions = append(c.revisions, kept{ring: make([]int32, l.keptLen(span))})
		}
	}
	l, r := a.plan.lenses[ks[0].Lens], &c.revisions[ks[0].Lens]
	reached := sealed / l.step
	for _, k := range ks {
		lo := max(ceilTo(k.Lo, l.step)/l.step, reached+1)
		hi := min(k.Hi, head) / l.step
		if lo <= hi {
			*r.at(lo)++
			*r.at(hi + 1)--
			a.agenda.note(lo * l.step)
			a.agenda.note((hi + 1) * l.step)
			reached = hi
		}
	}
}

// freshen takes in users whose first slice of the day it is.
func (a *actives) freshen(f Fresh, day int32) {
	a.fresh[f.Slice] = append(a.fresh[f.Slice], f)
	a.day(day).add(f.Code, int64(f.N), false)
}

func (a *actives) day(day int32) *activeDay {
	d := a.days[day]
	if d == nil {
		d = &activeDay{revisions: map[uint32]int{}}
		a.days[day] = d
	}
	return d
}

func (d *activeDay) add(code uint32, n int64, final bool) {
	account := &d.live
	if final {
		account, d.dirty = &d.final, true
	}
	*account = atLeast(*account, int(code)+1)
	(*account)[code] += n
}

func (a *actives) checkpoint(pages []Page, set uint32) []Page {
	if a.dirty && a.plan.slot >= 0 {
		a.dirty = false
		var b []byte
		b = binary.AppendUvarint(b, uint64(len(a.texts)-1))
		for i, texts := range a.texts[1:] {
			b = binary.LittleEndian.AppendUint64(b, a.keys[i+1])
			for _, t := range texts {
				b = appendText(b, t)
			}
		}
		pages = append(pages, Page{PageLabels, uint32(a.plan.slot), 0, b})
	}
	for j := range a.plan.lenses {
		pages = a.blocks[j].checkpoint(pages, set<<8|uint32(j))
	}
	for day, d := range a.days {
		if d.dirty {
			d.dirty = false
			pages = append(pages, Page{PageDay, set, uint64(day), d.encode()})
		}
	}
	return pages
}

func (d *activeDay) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(len(d.final)))
	for _, n := range d.final {
		b = binary.AppendVarint(b, n)
	}
	b = binary.AppendUvarint(b, uint64(len(d.revisions)))
	for code, n := range d.revisions {
		b = binary.AppendUvarint(b, uint64(code))
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func (d *activeDay) load(r *reader) {
	for range r.uvarint() {
		if r.err != nil {
			return
		}
		d.final = append(d.final, r.varint())
	}
	d.live = slices.Clone(d.final)
	for range r.uvarint() {
		code := uint32(r.uvarint())
		d.revisions[code] = int(r.uvarint())
		if r.err != nil {
			return
		}
	}
}

// resume lets the next kept window of each length be noted: it may differ from
// the last one by what the partitions' live windows are about to say.
func (a *actives) resume(sealed, span int64) {
	a.code(uint32(len(a.texts)-1), span)
	for j, l := range a.plan.lenses {
		a.resumed[j] = true
		a.agenda.note(ceilTo(sealed+1, l.step))
	}
}
