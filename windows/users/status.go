package users

import (
	"math/bits"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A status is what is said of a user on a day: a bit for each of the facts, which
// are those that are levels and behind them those that are counted; and on how many
// of the last 30 days the user was active.
type status struct {
	facts  uint64
	active int
}

// The bits of a status. Behind these are at risk and churned by each gap.
const (
	within7 = iota
	within30
	before30
	sinceWeek
	sinceMonth
	away
	declining
	lNess7       // on one day of the last 7, and so on
	lNess28      = lNess7 + 7
	isNew        = lNess28 + 28
	isReturning  = isNew + 1
	isResurrect  = isReturning + 1
	isDormant    = isResurrect + 1
	firstGap     = isDormant + 1
	bitsOfGap    = 3 // at risk, churned, churning
	countedFacts = 1<<isNew | 1<<isReturning | 1<<isResurrect | 1<<isDormant
)

const _ = uint(64 - firstGap - plan.MaxGaps*bitsOfGap) // all have room

// A statement is a fact that is told of users of whom a bit is set.
type statement struct {
	weight int64
	texts  [numFields]string     // of kpi.FactFields; "" for none
	said   [numFields]carry.Text // the same
}

const numFields = 7

func say(weight int64, kind string, pairs ...string) statement {
	s := statement{weight: weight}
	s.set(kpi.FactField, kind)
	for i := 0; i < len(pairs); i += 2 {
		s.set(pairs[i], pairs[i+1])
	}
	return s
}

func (s *statement) set(field, text string) {
	for i, f := range kpi.FactFields {
		if f == field {
			s.texts[i] = text
		}
	}
}

// hash has the texts ready.
func (s *statement) hash(rows *factRows) {
	for i, text := range s.texts {
		if text != "" {
			s.said[i] = rows.text(text)
		}
	}
}

// statements are the facts of each bit.
func statements(d *plan.Days) (out [64][]statement) {
	add := func(bit int, s statement) {
		if d.Kinds[s.texts[0]] {
			out[bit] = append(out[bit], s)
		}
	}
	add(within7, say(1, kpi.FactWithin, kpi.OfField, "7"))
	add(within30, say(1, kpi.FactWithin, kpi.OfField, "30"))
	add(within30, say(30, kpi.FactPossibleDays, kpi.OfField, "30"))
	add(before30, say(1, kpi.FactBefore, kpi.OfField, "30"))
	add(sinceWeek, say(1, kpi.FactWeek))
	add(sinceMonth, say(1, kpi.FactMonth))
	add(away, say(1, kpi.FactAway))
	add(declining, say(1, kpi.FactDeclining))
	for n := range 7 {
		add(lNess7+n, say(1, kpi.FactFrequency, kpi.OfField, "7", kpi.DaysField, strconv.Itoa(n+1)))
	}
	for n := range 28 {
		add(lNess28+n, say(1, kpi.FactFrequency, kpi.OfField, "28", kpi.DaysField, strconv.Itoa(n+1)))
	}
	for bit, state := range map[int]string{isNew: "new", isReturning: "returning", isResurrect: "resurrecting", isDormant: "dormant"} {
		add(bit, say(1, kpi.FactStage, kpi.StateField, state))
	}
	for i, gap := range d.Gaps {
		bit, text := firstGap+i*bitsOfGap, strconv.Itoa(gap)
		add(bit, say(1, kpi.FactAtRisk, kpi.GapField, text))
		add(bit+1, say(1, kpi.FactChurned, kpi.GapField, text))
		add(bit+2, say(1, kpi.FactChurning, kpi.GapField, text))
	}
	return out
}

// counted are the bits of facts that are counted on their day. The others are
// levels.
func counted(gaps int) uint64 {
	out := uint64(countedFacts)
	for i := range gaps {
		out |= 1 << (firstGap + i*bitsOfGap + 2)
	}
	return out
}

// on is the status on a day of a user with these active days: none of who is forgotten by
// then.
func (f *facts) on(d *activeDays, day int32) (s status) {
	if d == nil || d.activity == 0 || day < d.first {
		return s
	}
	seen := d.until(day)
	set := func(bit int, is bool) {
		if is {
			s.facts |= 1 << bit
		}
	}
	last := d.before(day + 1)
	gone := day - last
	if last >= 0 && gone > f.forgetAfter {
		return s
	}
	set(within7, gone < 7)
	set(within30, gone < 30)
	set(before30, seen>>1&(1<<30-1) != 0)
	c := f.calendarDay(day)
	set(sinceWeek, seen&(1<<c.week-1) != 0)
	set(sinceMonth, seen&(1<<c.month-1) != 0)
	earlier := seen >> 1
	set(away, earlier&1 == 0 && day > d.first)
	s.active = bits.OnesCount64(seen & (1<<30 - 1))
	seven, four := bits.OnesCount64(seen&(1<<7-1)), bits.OnesCount64(seen>>7&(1<<28-1))
	set(declining, 8*seven < four)
	set(lNess7+seven-1, seven > 0)
	twentyEight := bits.OnesCount64(seen & (1<<28 - 1))
	set(lNess28+twentyEight-1, twentyEight > 0)
	set(isNew, day == d.first)
	set(isReturning, seen&1 == 1 && earlier&1 == 1)
	set(isResurrect, seen&1 == 1 && earlier&1 == 0 && day != d.first)
	set(isDormant, seen&1 == 0 && earlier&1 == 1)
	usual := int32(0)
	if gone > minThreshold && gone < int32(f.days.Gaps[len(f.days.Gaps)-1]) {
		usual, _ = UsualGap(d.until(last))
	}
	for i, gap := range f.days.Gaps {
		bit := firstGap + i*bitsOfGap
		set(bit, gone > max(minThreshold, usual) && gone < int32(gap))
		set(bit+1, gone >= int32(gap))
		set(bit+2, gone == int32(gap))
	}
	return s
}

// A calendarDay is a day with how many days of its calendar week, which begins on a
// Monday, and of its month are over with it.
type calendarDay struct {
	day         int32
	week, month int
	skipped     bool // by the zone: nothing is of such a date
}

func (f *facts) calendarDay(day int32) *calendarDay {
	c := &f.calendar[day&3]
	if c.day != day || c.week == 0 {
		t := time.Unix(int64(day)*86400, 0).UTC()
		*c = calendarDay{day, (int(t.Weekday())+6)%7 + 1, t.Day(), f.plan.Calendar.Start(day) == f.plan.Calendar.Start(day+1)}
	}
	return c
}

// dayBefore is the last day before one.
func (f *facts) dayBefore(day int32) int32 {
	day--
	for f.skipped(day) {
		day--
	}
	return day
}

// skipped reports whether there is no such day. What a user enters or leaves on it
// shows on the next one.
func (f *facts) skipped(day int32) bool { return f.calendarDay(day).skipped }
