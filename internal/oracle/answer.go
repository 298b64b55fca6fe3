package oracle

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Sample is a KPI for one window at one set of labels.
type Sample struct {
	Labels []string
	// Numerator and Denominator are whole numbers, in millionths for the sum
	// of a field that takes fractions. Denominator is 0 for a KPI that is no
	// ratio; of a quantile it is the number of values.
	Numerator, Denominator *big.Int
	// Less is what was taken off the numerator.
	Less *big.Int
	// Null says that there is no value: 0/0, the largest of nothing, or money in several currencies,
	// which Mixed says.
	Null, Mixed bool
	Currency    string
	// Revision is 1 for the window as it closed, and one more for every
	// crossing at which late events changed what the KPI reads.
	Revision int
	// Guess says that there may have been fewer revisions: values that a quantile does
	// not tell apart took each other's place.
	Guess bool
}

// zero reports whether nothing is in the sample.
func (s *Sample) zero() bool { return s.Numerator.Sign() == 0 && s.Denominator.Sign() == 0 }

// A span of seconds, [start, end).
type span struct{ start, end int64 }

// A View says what of the log is looked at.
type View struct {
	// Before is the second before which events happened (Unix seconds).
	Before int64
	// Waiting lets in what came late and waits for the next crossing.
	Waiting bool
}

// Sliding is the KPI in the window of that length, or of today, that ends at end
// (Unix seconds): every series that is not zero, and the total.
func (o *Oracle) Sliding(k *kpi.KPI, by kpi.Set, w kpi.Window, end int64, v View) []Sample {
	return o.answer(k, by, w, o.until(w, end), v, false)
}

// until is the window that ends at end: of today, from the start of the day that its
// last instant is of.
func (o *Oracle) until(w kpi.Window, end int64) span {
	if w == kpi.Today {
		return span{o.calendar.start(o.calendar.day(end*1000 - 1)), end}
	}
	return span{end - int64(w.Length.Seconds()), end}
}

// Day is the KPI on the business day.
func (o *Oracle) Day(k *kpi.KPI, by kpi.Set, day int32, v View) []Sample {
	return o.answer(k, by, kpi.Window{}, span{o.calendar.start(day), o.calendar.start(day + 1)}, v, false)
}

// visible are the events of the view that happened in the span.
func (o *Oracle) visible(s span, v View) []*row {
	var out []*row
	for i := range o.rows {
		r := &o.rows[i]
		if r.second >= s.start && r.second < s.end && r.second < v.Before && (v.Waiting || !o.waits(r)) {
			out = append(out, r)
		}
	}
	return out
}

// A series is what counts towards one sample.
type series struct {
	labels   []string
	measures [3]*measured // numerator, what is taken off it, denominator; nil for none
}

// measured is a measure of the events of one series.
type measured struct {
	*kpi.Measure
	sums    map[string]*big.Int // by currency, "" for what is no money
	changes map[change]*big.Int // to the sums
	best    map[string]*big.Int // the largest or the smallest number, by currency
	values  []*big.Int          // of a quantile
	seconds []int64             // of the values
	brought []int               // crossings at which a number came that may be the best, or is a value
	users   map[string]int      // distinct, with the crossing at which each was first known
	twins   []int               // crossings from which on one of the users is another of them
}

// A change is what entered at one crossing into one second.
type change struct {
	crossing int
	second   int64
	currency string
}

// answer has the series that are zero, but have events, if all is set.
func (o *Oracle) answer(k *kpi.KPI, by kpi.Set, w kpi.Window, s span, v View, all bool) []Sample {
	day := w.IsDay()
	if k.From != nil || k.Also != nil {
		return o.facts(k, by, o.telling(k, s, day), v, all)
	}
	found := map[string]*series{}
	find := func(labels []string) *series {
		key := fmt.Sprintf("%q", labels) // quoted, so that no label can look like two
		if found[key] == nil {
			found[key] = newSeries(k, labels)
		}
		return found[key]
	}
	if len(by) == 0 {
		find([]string{})
	}
	rows, final := o.visible(s, v), s.end
	if day {
		rows, final = append(rows, o.lateOn(k, s, v.Waiting)...), o.final(k, s, true)
	}
	for _, r := range rows {
		labels := []string{}
		for _, field := range by {
			labels = append(labels, label(r, field))
		}
		for i, m := range []*kpi.Measure{&k.Numerator, k.Minus, k.Denominator} {
			if m != nil && r.passes(m.Where) {
				find(labels).measures[i].add(r, o.entered(r))
			}
		}
	}
	var joins []move
	if day || w == kpi.Today {
		joins = o.joinedOn(s)
	}
	var out []Sample
	for _, one := range found {
		for _, m := range one.measures {
			m.unite(joins)
		}
		if sample := o.sample(one, by, final); all || len(by) == 0 || !sample.zero() || sample.Mixed || len(one.measures[0].best) > 0 {
			out = append(out, sample)
		}
	}
	arrange(k, out)
	return out
}

// arrange puts an answer in order: a list in that of its ranking.
func arrange(k *kpi.KPI, out []Sample) {
	slices.SortFunc(out, func(a, b Sample) int {
		if k.Top > 0 {
			return rank(&a, &b)
		}
		return slices.Compare(a.Labels, b.Labels)
	})
}

// rank is the order of a list: the largest first, what has no value last, ties
// by key bytes.
func rank(a, b *Sample) int {
	switch {
	case a.Null != b.Null && a.Null:
		return 1
	case a.Null != b.Null:
		return -1
	case a.Null:
		return slices.Compare(a.Labels, b.Labels)
	}
	return cmp.Or(b.Numerator.Cmp(a.Numerator), slices.Compare(a.Labels, b.Labels))
}

// sample puts a series together for the window that ends at end.
func (o *Oracle) sample(s *series, by kpi.Set, end int64) Sample {
	out := Sample{Labels: s.labels, Numerator: s.measures[0].value(), Denominator: s.measures[2].value()}
	if less := s.measures[1]; less != nil {
		// In one scale, that of the finer of both.
		out.Numerator.Mul(out.Numerator, big.NewInt(max(1, scale(less.Measure)/scale(s.measures[0].Measure))))
		off := less.value()
		out.Less = less.value()
		off.Mul(off, big.NewInt(max(1, scale(s.measures[0].Measure)/scale(less.Measure))))
		out.Numerator.Sub(out.Numerator, off)
	}
	restated := map[int]bool{}
	for _, m := range s.measures {
		if m == nil {
			continue
		}
		for c, n := range m.sums {
			if n.Sign() != 0 { // something of that currency is in the sum
				out.holds(c)
			}
		}
		for c := range m.best {
			out.holds(c)
		}
		for _, crossing := range m.crossings() {
			if crossing < len(o.heads) && o.heads[crossing-1] >= end {
				restated[crossing] = true
			}
		}
	}
	if slices.Contains(by, "currency") {
		out.Currency = "" // the labels say it
	}
	out.Revision = 1 + len(restated)
	if k := s.measures[0]; k.Op == kpi.Quantile {
		out.Denominator.SetInt64(int64(len(k.values)))
		out.Null = len(k.values) == 0
		return out
	}
	out.Null = out.Mixed || s.measures[0].Op.Extreme() && len(s.measures[0].best) == 0 || s.measures[2] != nil && out.Denominator.Sign() == 0
	return out
}

// holds says that something of a currency is in the sample.
func (s *Sample) holds(currency string) {
	s.Mixed = s.Mixed || currency != "" && s.Currency != "" && currency != s.Currency
	s.Currency = max(s.Currency, currency)
}

func label(r *row, field string) string {
	if text, ok := r.texts[field]; ok {
		return text
	}
	return kpi.None
}

func newMeasured(m *kpi.Measure) *measured {
	if m == nil {
		return nil
	}
	return &measured{Measure: m, sums: map[string]*big.Int{}, changes: map[change]*big.Int{}, best: map[string]*big.Int{}, users: map[string]int{}}
}

// add counts an event that passes the measure's filter and entered at the
// crossing.
func (m *measured) add(r *row, crossing int) {
	if m.Op == kpi.Distinct {
		if first, ok := m.users[r.user]; r.user != "" && (!ok || crossing < first) {
			m.users[r.user] = crossing
		}
		return
	}
	n := big.NewInt(1)
	if m.Op == kpi.Carrying && r.taken(m.Measure) == nil {
		return
	}
	if m.Op.OfField() {
		if n = r.taken(m.Measure); n == nil {
			return
		}
		if m.Number == nil && kpi.Integer(m.Field) {
			n = new(big.Int).Quo(n, big.NewInt(kpi.Scale))
		}
	}
	c := change{crossing, r.second, ""}
	if m.Money {
		c.currency = label(r, "currency")
	}
	if m.Op == kpi.Quantile {
		m.values, m.seconds, m.brought = append(m.values, n), append(m.seconds, r.second), append(m.brought, crossing)
		return
	}
	if m.Op.Extreme() {
		order := 1
		if m.Op == kpi.Smallest {
			order = -1
		}
		if best := m.best[c.currency]; best == nil || n.Cmp(best) == order {
			m.best[c.currency] = n
		}
		m.brought = append(m.brought, crossing)
		return
	}
	if m.changes[c] == nil {
		m.changes[c] = new(big.Int)
	}
	if m.sums[c.currency] == nil {
		m.sums[c.currency] = new(big.Int)
	}
	m.changes[c].Add(m.changes[c], n)
	m.sums[c.currency].Add(m.sums[c.currency], n)
}

// takeBack takes a fact off that was counted.
func (m *measured) takeBack(r *row, crossing int) {
	counted := newMeasured(m.Measure)
	counted.add(r, crossing)
	for c, n := range counted.changes {
		if m.changes[c] == nil {
			m.changes[c] = new(big.Int)
		}
		m.changes[c].Sub(m.changes[c], n)
	}
	for currency, n := range counted.sums {
		if m.sums[currency] == nil {
			m.sums[currency] = new(big.Int)
		}
		m.sums[currency].Sub(m.sums[currency], n)
	}
}

// value is all that was added.
func (m *measured) value() *big.Int {
	sum := new(big.Int)
	if m == nil {
		return sum
	}
	for _, n := range m.sums {
		sum.Add(sum, n)
	}
	for _, n := range m.best {
		sum.Add(sum, n)
	}
	if len(m.values) > 0 {
		sum.Set(m.ranked())
	}
	return sum.Add(sum, big.NewInt(int64(len(m.users)-len(m.twins))))
}

// ranked is the value at the quantile's rank: the first in their order that has
// its share of all values up to it.
func (m *measured) ranked() *big.Int {
	sorted := slices.SortedFunc(slices.Values(m.values), (*big.Int).Cmp)
	share := big.NewRat(int64(m.Share), 100*kpi.ShareScale)
	i := 0
	for big.NewRat(int64(i+1), int64(len(sorted))).Cmp(share) < 0 {
		i++
	}
	return sorted[i]
}

// crossings are those at which something changed.
func (m *measured) crossings() []int {
	out := slices.Clone(m.brought)
	for c, n := range m.changes {
		if n.Sign() != 0 {
			out = append(out, c.crossing)
		}
	}
	counts := map[int]int{}
	for _, first := range m.users {
		counts[first]++
	}
	for _, twin := range m.twins {
		counts[twin]--
	}
	for crossing, n := range counts {
		if n != 0 {
			out = append(out, crossing)
		}
	}
	return out
}
