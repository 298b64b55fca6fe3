package oracle

import (
	"cmp"
	"fmt"
	"maps"
	"math"
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
	// until is the last day on which something is counted of who was erased.
	until  int32
	erased bool
	sent   []following // signals of the user

	calendar    *calendar
	forgetAfter int32
}

// A telling is which facts count: those that became known in the window, or those of
// the day that became known before nothing more can.
type telling struct {
	span
	day   bool
	date  int32
	final int64 // Unix seconds
	// crossing is the last one whose moves are made.
	crossing int
}

func (o *Oracle) telling(k *kpi.KPI, w span, day bool) telling {
	return telling{w, day && k.Also == nil, o.calendar.date(w.start), o.final(k, w, day), math.MaxInt}
}

// facts are the samples of a KPI over facts: of what is closed. Events of a KPI that
// measures facts like events go as far as the view.
func (o *Oracle) facts(k *kpi.KPI, by kpi.Set, t telling, v View, all bool) []Sample {
	rows := o.visible(span{never, t.final}, View{Before: min(v.Before, o.Head())})
	told := o.tell(k, by, t, rows, o.Head())
	if k.Also != nil {
		told = o.tellWith(k, by, t, rows, o.Head(), o.visible(t.span, v))
	}

	// What came late restated the window if that changed a number.
	late := o.judgedLater(k, t)
	for _, r := range rows {
		if c := o.entered(r); c < len(o.heads) && o.heads[c-1] >= t.final && !slices.Contains(late, c) {
			late = append(late, c)
		}
	}
	slices.Sort(late)
	until := func(crossing int) map[string]*series {
		t := t
		t.crossing = crossing
		return o.tell(k, by, t, slices.DeleteFunc(slices.Clone(rows), func(r *row) bool { return o.entered(r) > crossing }), t.final)
	}
	restated := map[string]int{}
	known := maps.Clone(told)
	var before map[string]*series
	if len(late) > 0 {
		before = until(late[0] - 1)
	}
	for _, c := range late {
		after := until(c)
		for _, one := range [...]map[string]*series{before, after} {
			for key, s := range one {
				if known[key] == nil {
					known[key] = newSeries(k, s.labels)
				}
			}
		}
		for key := range known {
			if !alike(k, before[key], after[key], t.day) {
				restated[key]++
			}
		}
		before = after // nothing came between two of them
	}
	if !all {
		known = told
	}
	var out []Sample
	for key, one := range known {
		s := o.sample(one, by, t.end)
		s.Revision, s.Guess = 1+restated[key], k.Quantile()
		s.Null = s.Null || k.FinalOnly && t.final*1000 > o.watermark
		if all || len(by) == 0 || !s.zero() || s.Mixed {
			out = append(out, s)
		}
	}
	arrange(k, out)
	return out
}

func newSeries(k *kpi.KPI, labels []string) *series {
	return &series{labels: labels, measures: [3]*measured{newMeasured(&k.Numerator), newMeasured(k.Minus), newMeasured(k.Denominator)}}
}

// alike reports whether the numbers are the same: of a day its sums, else those of
// each second.
func alike(k *kpi.KPI, a, b *series, day bool) bool {
	if a == nil {
		a = newSeries(k, nil)
	}
	if b == nil {
		b = newSeries(k, nil)
	}
	for i := range 3 {
		x, y := a.measures[i], b.measures[i]
		if x == nil {
			continue
		}
		if day && !same(x.sums, y.sums) || !day && !same(x.changes, y.changes) || !same(x.bag(day), y.bag(day)) {
			return false
		}
	}
	return true
}

// bag is how often each value of a quantile is there, of a second.
func (m *measured) bag(day bool) map[change]*big.Int {
	out := map[change]*big.Int{}
	for i, v := range m.values {
		c := change{currency: v.String()}
		if !day {
			c.second = m.seconds[i]
		}
		if out[c] == nil {
			out[c] = new(big.Int)
		}
		out[c].Add(out[c], big.NewInt(1))
	}
	return out
}

// same compares sums; one that is not there is 0.
func same[K comparable](a, b map[K]*big.Int) bool {
	for _, m := range [...]map[K]*big.Int{a, b} {
		for key := range m {
			x, y := new(big.Int), new(big.Int)
			if a[key] != nil {
				x = a[key]
			}
			if b[key] != nil {
				y = b[key]
			}
			if x.Cmp(y) != 0 {
				return false
			}
		}
	}
	return true
}

// tell adds up by series what is told, as far as the rows tell, of what became known
// before a head.
func (o *Oracle) tell(k *kpi.KPI, by kpi.Set, t telling, rows []*row, head int64) map[string]*series {
	events := slices.DeleteFunc(slices.Clone(rows), func(r *row) bool {
		return r.second < t.start || r.second >= t.end || r.second >= head
	})
	if t.day {
		events = append(events, o.lateOn(k, t.span, false)...)
	}
	return o.tellWith(k, by, t, rows, head, events)
}

// tellWith adds up these events, too.
func (o *Oracle) tellWith(k *kpi.KPI, by kpi.Set, t telling, rows []*row, head int64, events []*row) map[string]*series {
	out := map[string]*series{}
	find := func(labels []string) *series {
		key := fmt.Sprintf("%q", labels)
		if out[key] == nil {
			out[key] = newSeries(k, labels)
		}
		return out[key]
	}
	if len(by) == 0 {
		find([]string{})
	}
	add := func(r *row, weight int64, events bool) {
		labels := []string{}
		for _, field := range by {
			labels = append(labels, label(r, field))
		}
		for i, m := range []*kpi.Measure{&k.Numerator, k.Minus, k.Denominator} {
			if m != nil && (m.Events == events || k.Also != nil) && r.passes(m.Where) {
				for range weight {
					find(labels).measures[i].add(r, len(o.heads))
				}
				for range -weight {
					find(labels).measures[i].takeBack(r, len(o.heads))
				}
			}
		}
	}
	for _, f := range o.told(k, t, rows, head) {
		add(&row{event: f.event, second: f.at}, f.weight, false)
	}
	for _, r := range events { // those that stand beside facts
		add(r, 1, true)
	}
	return out
}

// told are the facts.
func (o *Oracle) told(k *kpi.KPI, t telling, rows []*row, head int64) (out []fact) {
	operator := cmp.Or(k.From, k.Also)
	if d := operator.Days; d != nil {
		limit := min(t.final, head)
		moves := o.moved(limit, t.crossing)
		people, sent := o.people(d.Where, rows, moves), o.sentOn(t.date, limit, t.crossing)
		o.attach(people, sent, d.Where, rows, moves)
		for user, late := range o.madeLater(limit, t.crossing) {
			out = append(out, o.factsSince(d, user, late, rows, t.date, sent)...)
			maps.DeleteFunc(people, func(who spelled, _ *person) bool { return who.user == user })
		}
		for _, p := range people {
			out = append(out, p.facts(t.date, int32(d.Gap))...)
		}
		for _, m := range moves {
			if m.to != "" && o.calendar.day(o.movedAt(m)*1000) == t.date {
				out = append(out, fact{event: &event{texts: map[string]string{"fact": "joined"}}, weight: 1})
			}
		}
		return out
	}
	for _, f := range o.journeys(operator, t, rows, head) {
		if f.at < head && (t.day && f.day == t.date && f.at < t.final || !t.day && f.at >= t.start && f.at < t.end) {
			out = append(out, f)
		}
	}
	return out
}

// people are the users with an event that passes, by spell, once moves are made.
func (o *Oracle) people(where *kpi.Expr, rows []*row, moves []move) map[spelled]*person {
	out := map[spelled]*person{}
	owners, erased := map[spelled]spelled{}, map[spelled]int64{}
	for _, m := range moves {
		if from := (spelled{m.from, m.fromSpell}); m.to != "" {
			owners[from] = spelled{m.to, m.toSpell}
		} else {
			erased[from] = o.movedAt(m)
		}
	}
	for i := range o.rows { // what is ahead goes with the rest
		if r := &o.rows[i]; owners[r.who()].user != "" && !slices.Contains(rows, r) {
			rows = append(slices.Clip(rows), r)
		}
	}
	for _, r := range rows {
		if r.user == "" || !r.passes(where) {
			continue
		}
		who := cmp.Or(owners[r.who()], r.who())
		user := who.user
		if at, is := erased[r.who()]; is && r.second > at {
			continue
		}
		p := out[who]
		if p == nil {
			p = &person{origin: r.event, calendar: o.calendar, forgetAfter: int32(o.catalogue.ForgetAfter)}
			out[who] = p
		}
		if r.time < p.origin.time || r.time == p.origin.time && r.user == user && p.origin.user != user {
			p.origin = r.event
		}
		if d := o.calendar.day(r.time); !slices.Contains(p.days, d) {
			p.days = append(p.days, d)
		}
	}
	for who, at := range erased {
		if p := out[who]; p != nil {
			p.erased, p.until = true, o.calendar.day(at*1000)
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
	at     int64 // the second by which it became known
	day    int32 // that it belongs to
}

// facts are all that is said of the user on the day.
func (p *person) facts(day, gap int32) (out []fact) {
	say := func(weight int64, kind string, pairs ...string) {
		if p.erased && day == p.until && !slices.Contains([]string{"retention", "stage", "churning"}, kind) {
			return
		}
		texts := maps.Clone(p.origin.texts)
		for _, own := range kpi.FactFields {
			delete(texts, own)
		}
		texts["fact"] = kind
		for i := 0; i < len(pairs); i += 2 {
			texts[pairs[i]] = pairs[i+1]
		}
		out = append(out, fact{event: &event{texts: texts}, weight: weight})
	}
	out = p.signalled(day)
	active := func(d int32) bool { return slices.Contains(p.days, d) }
	among := func(from, to int32) (n int) {
		for d := from; d <= to; d++ {
			if active(d) {
				n++
			}
		}
		return n
	}
	if p.erased && day > p.until {
		return out
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
	known := slices.DeleteFunc(slices.Clone(p.days), func(d int32) bool { return d > day })
	gone, text := day-known[len(known)-1], fmt.Sprint(gap)
	if gone > p.forgetAfter {
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
func (o *Oracle) final(k *kpi.KPI, w span, day bool) int64 {
	if k.Horizon == 0 || !day {
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
