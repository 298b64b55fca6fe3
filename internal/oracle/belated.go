package oracle

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// accepts reports whether an event that comes beyond the lateness counts: it is of a
// type that may, not older than the first event, and some business day takes it.
func (o *Oracle) accepts(e *event) bool {
	return e.time >= o.watermark-o.catalogue.AcceptLate[e.texts["type"]].Milliseconds() && e.time >= o.first &&
		slices.ContainsFunc(o.catalogue.KPIs, func(k *kpi.KPI) bool {
			return takesLate(k) && slices.ContainsFunc(k.Measures(), func(m *kpi.Measure) bool { return (k.From == nil || m.Events) && e.passes(m.Where) })
		})
}

// takesLate reports whether the business days of a KPI have what comes beyond the
// lateness: they belong to it by themselves, not by their seconds.
func takesLate(k *kpi.KPI) bool {
	return k.Keeps(kpi.Day) && (k.From != nil && slices.ContainsFunc(k.Measures(), func(m *kpi.Measure) bool { return m.Events }) || k.From == nil && k.Horizon > 0)
}

// takesLate reports whether any KPI does.
func (o *Oracle) takesLate() bool { return slices.ContainsFunc(o.catalogue.KPIs, takesLate) }

// lateOn are the belated events of a day's KPI that came while the day was open; waiting
// lets in those that wait for the next crossing.
func (o *Oracle) lateOn(k *kpi.KPI, s span, waiting bool) (out []*row) {
	if !takesLate(k) {
		return nil
	}
	final := o.final(k, s, true)
	for i := range o.belated {
		r := &o.belated[i]
		if r.second >= s.start && r.second < s.end && o.heads[r.crossings] < final && (waiting || !o.waits(r)) {
			out = append(out, r)
		}
	}
	return out
}
