package oracle

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Sample is a KPI for one window at one set of labels.
type Sample struct {
	Labels []string
	// Numerator and Denominator are whole numbers, in millionths for the sum
	// of a field that takes fractions. Denominator is 0 for a KPI that is no
	// ratio.
	Numerator, Denominator int64
	// Null says that there is no value: 0/0, or money in several currencies.
	Null     bool
	Currency string
	// Revision is 1 for the window as it closed, and one more for every
	// crossing at which late events changed what the KPI reads.
	Revision int
}

// A span of seconds, [start, end).
type span struct{ start, end int64 }

// A View says what of the log is looked at.
type View struct {
	// Before is the second before which events happened (Unix seconds).
	Before int64
	// Waiting lets in what came late and waits for the next crossing.
	Waiting bool
}

// Sliding is the KPI in the window of that length that ends at end (Unix
// seconds).
func (o *Oracle) Sliding(k *kpi.KPI, by kpi.Set, w kpi.Window, end int64, v View) []Sample {
	return o.answer(k, by, span{end - int64(w.Length.Seconds()), end}, v)
}

// Day is the KPI on the business day.
func (o *Oracle) Day(k *kpi.KPI, by kpi.Set, day int32, v View) []Sample {
	if op := k.Numerator.Op; op == kpi.AtRisk || op == kpi.Churned {
		n := o.inactive(&k.Numerator, day, v)
		return []Sample{{Labels: []string{}, Numerator: n, Revision: 1}}
	}
	return o.answer(k, by, span{o.calendar.Start(day) / 1000, o.calendar.Start(day+1) / 1000}, v)
}

// visible are the events of the view that happened in the span.
func (o *Oracle) visible(s span, v View) []*row {
	var out []*row
	for i := range o.rows {
		r := &o.rows[i]
		waits := r.second < o.Head() && o.entered(r) >= len(o.heads)
		if r.second >= s.start && r.second < s.end && r.second < v.Before && (v.Waiting || !waits) {
			out = append(out, r)
		}
	}
	return out
}

func (o *Oracle) answer(k *kpi.KPI, by kpi.Set, s span, v View) []Sample {
	measures := []*kpi.Measure{&k.Numerator}
	if k.Ratio() {
		measures = append(measures, k.Denominator)
	}
	parts := map[string]*part{}
	for _, r := range o.visible(s, v) {
		for i, m := range measures {
			if r.passes(m.Where) {
				partOf(parts, i, m, by, r).add(i, m, r, o.entered(r))
			}
		}
	}

	samples := map[string]*Sample{}
	if len(by) == 0 {
		samples[""] = &Sample{Labels: []string{}, Revision: 1}
	}
	for _, p := range parts {
		if p.value(0) == 0 && p.value(1) == 0 {
			continue
		}
		key := strings.Join(p.labels, "\x00")
		sample := samples[key]
		if sample == nil {
			sample = &Sample{Labels: p.labels, Revision: 1}
			samples[key] = sample
		}
		sample.Numerator += p.value(0)
		sample.Denominator += p.value(1)
		sample.Null = sample.Null || p.currency != "" && sample.Currency != "" && p.currency != sample.Currency
		sample.Currency = max(sample.Currency, p.currency)
		sample.Revision = max(sample.Revision, 1+o.restatements(p, s.end))
	}
	var out []Sample
	for _, sample := range samples {
		sample.Null = sample.Null || k.Ratio() && sample.Denominator == 0
		out = append(out, *sample)
	}
	slices.SortFunc(out, func(a, b Sample) int {
		if k.Top > 0 && a.Numerator != b.Numerator {
			return cmp.Compare(b.Numerator, a.Numerator)
		}
		return slices.Compare(a.Labels, b.Labels)
	})
	if k.Top > 0 {
		out = out[:min(len(out), k.Top)]
	}
	return out
}

// A part is what counts towards one sample and is restated as one: money by
// currency, and distinct users apart from counts and sums. A sample of several
// parts has the revision of the one that was restated most often.
type part struct {
	labels   []string
	currency string

	sums    [2]int64         // of the numerator and of the denominator
	changes map[change]int64 // to the sums

	distinct [2]bool        // whether they are this part's users
	users    map[string]int // with the crossing at which each was first known
}

// A change is what entered at one crossing into one second of a measure.
type change struct {
	crossing, measure int
	second            int64
}

func partOf(parts map[string]*part, measure int, m *kpi.Measure, by kpi.Set, r *row) *part {
	p := &part{labels: []string{}, changes: map[change]int64{}, users: map[string]int{}}
	for _, field := range by {
		p.labels = append(p.labels, label(r, field))
	}
	if m.Money && !slices.Contains(by, "currency") {
		p.currency = label(r, "currency")
	}
	kind := "sums"
	if m.Op == kpi.Distinct {
		kind = [...]string{"users above", "users below"}[measure]
	}
	key := strings.Join(append([]string{kind, p.currency}, p.labels...), "\x00")
	if parts[key] == nil {
		parts[key] = p
	}
	return parts[key]
}

func label(r *row, field string) string {
	if text, ok := r.texts[field]; ok {
		return text
	}
	return kpi.None
}

// add counts an event that passes the measure's filter and entered at the
// crossing.
func (p *part) add(measure int, m *kpi.Measure, r *row, crossing int) {
	if m.Op == kpi.Distinct {
		p.distinct[measure] = true
		if first, ok := p.users[r.user]; r.user != "" && (!ok || crossing < first) {
			p.users[r.user] = crossing
		}
		return
	}
	n := int64(1)
	if m.Op == kpi.Sum {
		n = r.numbers[m.Field]
		if kpi.Integer(m.Field) {
			n /= kpi.Scale
		}
	}
	p.sums[measure] += n
	p.changes[change{crossing, measure, r.second}] += n
}

// value is what the part says of the numerator (0) or the denominator (1).
func (p *part) value(measure int) int64 {
	if p.distinct[measure] {
		return int64(len(p.users))
	}
	return p.sums[measure]
}

// restatements is the number of crossings that changed the part when the
// window that ends at end was closed already.
func (o *Oracle) restatements(p *part, end int64) int {
	crossings := map[int]bool{}
	note := func(crossing int) {
		if crossing < len(o.heads) && o.heads[crossing-1] >= end {
			crossings[crossing] = true
		}
	}
	for c, n := range p.changes {
		if n != 0 {
			note(c.crossing)
		}
	}
	for _, first := range p.users {
		note(first)
	}
	return len(crossings)
}
