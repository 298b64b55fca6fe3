package oracle

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
)

// A user is at risk on a day if the last active day is longer ago than the
// user's own rhythm explains, and churned once it is the gap's days ago; never
// both.
const (
	remembered = 64 // days, the last active one included, whose rhythm counts
	minGaps    = 5  // below this there is no rhythm
	minRisk    = 3  // days away that are no risk whatever the rhythm
)

// A person is a user as far as active days tell.
type person struct {
	days   []int32 // active, ascending
	origin *event  // by which the user was seen first
}

// A tale is the numbers of one series.
type tale struct {
	labels []string
	parts  [3]*big.Int // numerator, what is taken off it, denominator
}

// facts are the samples of a KPI over facts, on a day: of what is closed.
func (o *Oracle) facts(k *kpi.KPI, by kpi.Set, day int32, v View, all bool) []Sample {
	final := o.calendar.start(day + 1 + int32(k.Horizon))
	rows := o.visible(span{never, final}, View{Before: min(v.Before, o.Head())})
	told := o.tell(k, by, day, rows)

	// What came late restated the day if that changed a number.
	var late []int
	for _, r := range rows {
		if c := o.entered(r); c < len(o.heads) && o.heads[c-1] >= final && !slices.Contains(late, c) {
			late = append(late, c)
		}
	}
	slices.Sort(late)
	until := func(crossing int) map[string]*tale {
		return o.tell(k, by, day, slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return o.entered(r) > crossing }))
	}
	restated := map[string]int{}
	known := maps.Clone(told)
	for _, c := range late {
		before, after := until(c-1), until(c)
		for _, one := range [...]map[string]*tale{before, after} {
			for key, t := range one {
				if known[key] == nil {
					known[key] = newTale(t.labels)
				}
			}
		}
		for key := range known {
			if !equal(before[key], after[key]) {
				restated[key]++
			}
		}
	}
	if !all {
		known = told
	}
	var out []Sample
	for key, t := range known {
		s := Sample{Labels: t.labels, Numerator: new(big.Int).Sub(t.parts[0], t.parts[1]), Denominator: t.parts[2], Revision: 1 + restated[key]}
		if k.Minus != nil {
			s.Less = t.parts[1]
		}
		s.Null = k.Ratio() && s.Denominator.Sign() == 0 || k.FinalOnly && final*1000 > o.watermark
		if all || len(by) == 0 || !s.zero() {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Sample) int { return slices.Compare(a.Labels, b.Labels) })
	return out
}

func newTale(labels []string) *tale {
	return &tale{labels, [3]*big.Int{new(big.Int), new(big.Int), new(big.Int)}}
}

func equal(a, b *tale) bool {
	for i := range 3 {
		x, y := new(big.Int), new(big.Int)
		if a != nil {
			x = a.parts[i]
		}
		if b != nil {
			y = b.parts[i]
		}
		if x.Cmp(y) != 0 {
			return false
		}
	}
	return true
}

// tell adds up by series what is said of the users on the day, as far as the rows
// tell.
func (o *Oracle) tell(k *kpi.KPI, by kpi.Set, day int32, rows []*row) map[string]*tale {
	out := map[string]*tale{}
	find := func(labels []string) *tale {
		key := fmt.Sprintf("%q", labels)
		if out[key] == nil {
			out[key] = newTale(labels)
		}
		return out[key]
	}
	if len(by) == 0 {
		find([]string{})
	}
	for _, p := range o.people(k.From.Days.Where, rows) {
		for _, f := range p.facts(day, int32(k.From.Days.Gap)) {
			labels := []string{}
			for _, field := range by {
				labels = append(labels, label(&row{event: f.event}, field))
			}
			for i, m := range []*kpi.Measure{&k.Numerator, k.Minus, k.Denominator} {
				if m != nil && f.passes(m.Where) {
					part := find(labels).parts[i]
					part.Add(part, big.NewInt(f.weight))
				}
			}
		}
	}
	return out
}

// people are the users with an event that passes.
func (o *Oracle) people(where *kpi.Expr, rows []*row) map[string]*person {
	out := map[string]*person{}
	for _, r := range rows {
		if r.user == "" || !r.passes(where) {
			continue
		}
		p := out[r.user]
		if p == nil {
			p = &person{origin: r.event}
			out[r.user] = p
		}
		if r.time < p.origin.time {
			p.origin = r.event
		}
		if d := o.calendar.day(r.time); !slices.Contains(p.days, d) {
			p.days = append(p.days, d)
		}
	}
	for _, p := range out {
		slices.Sort(p.days)
	}
	return out
}

// A fact is something that is said of a user, so many times.
type fact struct {
	*event
	weight int64
}

// facts are all that is said of the user on the day.
func (p *person) facts(day, gap int32) (out []fact) {
	say := func(weight int64, kind string, pairs ...string) {
		texts := maps.Clone(p.origin.texts)
		for _, own := range kpi.FactFields {
			delete(texts, own)
		}
		texts["fact"] = kind
		for i := 0; i < len(pairs); i += 2 {
			texts[pairs[i]] = pairs[i+1]
		}
		out = append(out, fact{&event{texts: texts}, weight})
	}
	active := func(d int32) bool { return slices.Contains(p.days, d) }
	among := func(from, to int32) (n int) {
		for d := from; d <= to; d++ {
			if active(d) {
				n++
			}
		}
		return n
	}
	first := p.days[0]
	if day == first {
		for after := range int32(remembered) {
			if active(first + after) {
				say(1, "retention", "after", fmt.Sprint(after))
			}
		}
	}
	if day < first {
		return out
	}
	switch yesterday := active(day - 1); {
	case active(day) && day == first:
		say(1, "stage", "state", "new")
	case active(day) && yesterday:
		say(1, "stage", "state", "returning")
	case active(day):
		say(1, "stage", "state", "resurrecting")
	case yesterday:
		say(1, "stage", "state", "dormant")
	}
	for _, of := range []int32{7, 30} {
		if among(day-of+1, day) > 0 {
			say(1, "within", "of", fmt.Sprint(of))
		}
	}
	if among(day-30, day-1) > 0 {
		say(1, "before", "of", "30")
	}
	if n := among(day-29, day); n > 0 {
		say(int64(n), "active_days", "of", "30")
		say(30, "possible_days", "of", "30")
	}
	for _, of := range []int32{7, 28} {
		if n := among(day-of+1, day); n > 0 {
			say(1, "frequency", "of", fmt.Sprint(of), "days", strconv.Itoa(n))
		}
	}
	for d := day; ; d-- { // back to the Monday
		if active(d) {
			say(1, "week")
			break
		}
		if (d+3)%7 == 0 { // 1970-01-01 was a Thursday
			break
		}
	}
	for d := day; monthOf(d) == monthOf(day); d-- {
		if active(d) {
			say(1, "month")
			break
		}
	}
	if day > first && !active(day-1) {
		say(1, "away")
	}
	if 8*among(day-6, day) < among(day-34, day-7) {
		say(1, "declining")
	}
	known := slices.DeleteFunc(slices.Clone(p.days), func(d int32) bool { return d > day })
	gone, text := day-known[len(known)-1], fmt.Sprint(gap)
	switch {
	case gone >= gap:
		say(1, "churned", "gap", text)
	case gone > rhythm(known, gap):
		say(1, "at_risk", "gap", text)
	}
	if gone == gap {
		say(1, "churning", "gap", text)
	}
	return out
}

// rhythm is the number of days away that the user's rhythm explains: the 90th
// percentile, by nearest rank, of the gaps between active days.
func rhythm(days []int32, gap int32) int32 {
	last := days[len(days)-1]
	var gaps []int32
	for i := 1; i < len(days); i++ {
		if last-days[i-1] < remembered {
			gaps = append(gaps, days[i]-days[i-1])
		}
	}
	if len(gaps) < minGaps {
		return min(minRisk, gap)
	}
	slices.Sort(gaps)
	rank := (len(gaps)*9 + 9) / 10
	return min(max(minRisk, gaps[rank-1]), gap)
}

// final is the second from which on nothing becomes known of a window.
func (o *Oracle) final(k *kpi.KPI, w span) int64 {
	if k.Horizon == 0 {
		return w.end
	}
	return o.calendar.start(o.calendar.date(w.start) + 1 + int32(k.Horizon))
}

// newestFinal is the newest day that has a value, of a KPI without any before nothing
// more becomes known of it.
func (o *Oracle) newestFinal(k *kpi.KPI, watermark int64) (span, bool) {
	if !k.FinalOnly {
		return span{}, false
	}
	end := o.calendar.start(o.calendar.day(watermark))
	for range k.Horizon {
		end = o.calendar.start(o.calendar.before(end * 1000))
	}
	return span{o.calendar.start(o.calendar.before(end * 1000)), end}, end*1000 > o.first
}
