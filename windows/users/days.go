package users

import (
	"math/bits"
	"slices"
)

const (
	minThreshold = 3 // days
	minGaps      = 5 // below this the user's rhythm is not known
)

// threshold is the number of inactive days that the user's rhythm explains, at
// least three days and at most gap.
func threshold(activity uint64, gap int32) int32 {
	usual, _ := UsualGap(activity)
	return min(max(minThreshold, usual), gap)
}

// UsualGap is the 90th percentile (nearest rank) of the gaps between active days, in
// days; there is none for less than five gaps.
func UsualGap(activity uint64) (days int32, known bool) {
	var count [64]uint8
	n := 0
	for rest := activity &^ 1; rest != 0; rest &= rest - 1 {
		at := bits.TrailingZeros64(rest)
		newer := activity & (1<<at - 1)
		count[at-(63-bits.LeadingZeros64(newer))]++
		n++
	}
	if n < minGaps {
		return 0, false
	}
	rank := (9*n + 9) / 10
	for g, c := range count {
		if rank -= int(c); rank <= 0 {
			return int32(g), true
		}
	}
	return 0, false // not reached: the ranks end before the gaps do
}

// activeDays are the days on which a user was active: bit i of activity is set
// if that was i days before the last one.
type activeDays struct {
	activity    uint64
	last, first int32 // since 1970
	absences    []absence
	held        bool // no webhook is told of the user
}

// An absence is what a user's days were before they came back after so long that
// bits were lost. It is kept while an event may still come late that lies in
// between.
type absence struct {
	activity uint64
	last     int32 // active day
	back     int32 // active day
}

func (r *row) days() activeDays {
	if r.isElsewhere() {
		return activeDays{}
	}
	return activeDays{activity: r.activity, last: int32(r.last), first: int32(r.first)}
}

func (r *row) setDays(d activeDays) {
	r.activity, r.last, r.first = d.activity, uint16(d.last), uint16(d.first)
}

// wasThere notes that a user was active on a day with a label, by a slice of it that
// closed.
func (p *Partition) wasThere(d *userDay) {
	if d.track.days {
		p.activeDay(d.ref, d.day, d.slice)
	}
	p.rosters.at(rosterOf{d.day, d.track.target}).attend(d.track, d.group, d.ref)
}

// activeDay notes that the user was active on a day, by a slice of it that closed. A
// day that is known changes nothing.
func (p *Partition) activeDay(ref uint32, day int32, slice int64) {
	row := p.shards[ref>>24].row(ref & 0xffffff)
	if row.isElsewhere() {
		return
	}
	before := p.daysOf(ref)
	if before.activity != 0 && (day <= before.last-64 || day <= before.last && before.until(day)&1 == 1) {
		p.recallEarlier(ref, slice, day)
		return
	}
	after := before
	after.absences = slices.Clip(before.absences)
	if before.activity == 0 {
		after.activity, after.last, after.first = 1, day, day
	} else {
		p.addDay(&after, day)
	}
	p.welcome(ref, &before, day, slice)
	p.facts.change(slice, p.originOf(ref), &before, &after, day, p.entered(ref))
	p.recall(ref, slice, &before, &after, day)
	row.setDays(after)
	if len(after.absences) > len(before.absences) {
		p.keepAbsences(ref, after.absences)
	}
	p.dirtyDay(ref)
}

// addDay puts a day among the others.
func (p *Partition) addDay(d *activeDays, day int32) {
	d.first = min(d.first, day)
	if day < d.last {
		d.activity |= 1 << (d.last - day)
		return
	}
	shift := day - d.last
	if d.activity<<shift>>shift != d.activity {
		if from := p.unsealedDay(); from < day && d.mayBeAway(day, from) {
			d.absences = append(d.absences, absence{d.activity, d.last, day})
		}
	}
	d.activity, d.last = d.activity<<shift|1, day
}

// until are the days as they are remembered on one of them, the last then: bit i
// is set if the user was active i days before it.
func (d *activeDays) until(day int32) uint64 {
	out := on(day, d.activity, d.last)
	for _, a := range d.absences {
		out |= on(day, a.activity, a.last)
	}
	return out
}

// on is activity as of another day than the last one.
func on(day int32, activity uint64, last int32) uint64 {
	if day > last {
		return activity << (day - last)
	}
	return activity >> (last - day)
}

// before is the active day before a day, a negative one if none is known.
func (d *activeDays) before(day int32) int32 {
	if active := d.until(day - 1); active != 0 {
		return day - 1 - int32(bits.TrailingZeros64(active))
	}
	if d.last < day {
		return d.last
	}
	out := int32(-1)
	for _, a := range d.absences {
		if a.last < day {
			out = max(out, a.last)
		}
	}
	return out
}

// after is the first active day behind a day, -1 if there is none.
func (d *activeDays) after(day int32) int32 {
	out := int32(-1)
	look := func(activity uint64, last int32) {
		if later := activity; day < last {
			if shift := last - day; shift < 64 {
				later &= 1<<shift - 1
			}
			if at := last - int32(63-bits.LeadingZeros64(later)); later != 0 && (out < 0 || at < out) {
				out = at
			}
		}
	}
	look(d.activity, d.last)
	for _, a := range d.absences {
		look(a.activity, a.last)
	}
	return out
}

// mayBeAway reports whether the user could be at risk, or churned, between the
// days from and back, whatever the rhythm: if not, what is lost is never missed.
func (d *activeDays) mayBeAway(back, from int32) bool {
	for back > from {
		last := d.before(back)
		if last < 0 {
			return false
		}
		if back-last > minThreshold+1 {
			return true
		}
		back = last
	}
	return false
}

// unsealedDay is the first day that is not sealed as a whole.
func (p *Partition) unsealedDay() int32 { return p.plan.Calendar.Day(max(p.sealed, 0) * 1000) }

func (p *Partition) keepAbsences(ref uint32, list []absence) {
	if p.absences == nil {
		p.absences = map[uint32][]absence{}
	}
	p.absences[ref] = list
}

// forgetAbsences lets go of those that nothing late can fall into any more.
func (p *Partition) forgetAbsences() {
	from := p.unsealedDay()
	for ref, list := range p.absences {
		list = slices.DeleteFunc(list, func(a absence) bool { return a.back <= from })
		if len(list) == 0 {
			delete(p.absences, ref)
		} else {
			p.absences[ref] = list
		}
	}
}
