package merge

import (
	"iter"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
	"github.com/tidewatch/tidewatch/windows/step"
)

// A Live is what the windows show that are not over. It does not change: any
// number of readers may have it.
type Live struct {
	plan      *plan.Plan
	watermark int64 // ms
	head      int64
	closed    int64 // up to which facts are known
	reach     int64 // the head up to which events are known to be in
	day       int32 // the business day that is not over
	steps     uint64
	pending   bool
	parts     []live // by target
}

// Live is what is closed.
func (m *Merger) Live() *Live {
	l := m.live(make([]live, 0, len(m.aggregates)), aggregate.share)
	return &l
}

func (m *Merger) live(parts []live, part func(aggregate) live) Live {
	l := Live{plan: m.plan, watermark: m.watermark, head: m.head, closed: m.head, reach: max(m.head, m.reach), steps: m.steps, parts: parts}
	if m.head != math.MinInt64 {
		l.day = m.calendar.Day(m.head*1000 - 1)
	}
	for _, a := range m.aggregates {
		l.parts = append(l.parts, part(a))
	}
	return l
}

// Preview is what live windows would show if time went on to head, by what the
// partitions answered to Peek. Reach says that all that is in before head is in
// it; otherwise it only looks ahead.
func (m *Merger) Preview(steps []*step.Step, head int64, reach bool) *Live {
	l := m.Live()
	if m.head == math.MinInt64 {
		return l
	}
	l.head = max(head, m.head)
	l.day = m.calendar.Day(l.head*1000 - 1)
	if reach {
		m.reach = max(m.reach, l.head)
		l.reach = m.reach
	}
	for i, as := range m.intake.sort(steps) {
		late, rest := as.until(m.head)
		l.pending = l.pending || len(late) > 0
		l.parts[i].preview(l.head, late, rest)
	}
	return l
}

// Pending reports whether late rows wait for the next crossing: a preview has
// them, windows that are closed do not yet.
func (l *Live) Pending() bool { return l.pending }

// Watermark is the event time in ms before which the input is believed
// complete, stream.NoTime before the first event.
func (l *Live) Watermark() int64 { return l.watermark }

// Head is the second up to which it goes.
func (l *Live) Head() int64 { return l.head }

// Today is the business day that is not over.
func (l *Live) Today() int32 { return l.day }

// version changes whenever the live window of a question may have: equal
// versions mean equal samples, but for the revision of one that becomes complete.
func (l *Live) version(q Question, ss *plan.SetSource) (v uint64) {
	if q.Window.IsDay() { // days change all the time; what comes late, at the same head
		return uint64(l.head) + l.steps
	}
	for _, src := range ss.Sources {
		if src != nil {
			v += l.parts[src.Target].version(q.Window, src)
		}
	}
	return v
}

// Begun reports whether the live window holds anything yet. Where a day begins
// between two steps, that of today stands for the next day before it begins.
func (l *Live) Begun(w kpi.Window) bool {
	return w != kpi.Today || l.head == math.MinInt64 || l.plan.Begin(w, plan.Ceil(l.head, stepOf(w))) < l.head
}

// Ask answers for the window that ends at the next step, or for today; the
// question's moment is not looked at.
func (l *Live) Ask(q Question) *sample.Answer {
	return l.ask(q, plan.Ceil(l.head, stepOf(q.Window)))
}

// ask answers for the sliding window that ends at end, or for today.
func (l *Live) ask(q Question, end int64) *sample.Answer {
	k, ss := l.plan.Find(q.KPI, q.By, q.Window)
	if l.head == math.MinInt64 {
		return noAnswer(l.plan, k, ss, q)
	}
	out := &sample.Answer{KPI: k.KPI, Window: q.Window, By: q.By}
	if q.Window.IsDay() {
		out.Start, out.End = time.UnixMilli(l.plan.Calendar.Start(l.day)), time.UnixMilli(l.plan.Calendar.Start(l.day+1))
	} else {
		out.Start, out.End = time.Unix(l.plan.Begin(q.Window, end), 0), time.Unix(end, 0)
	}
	w := window{q.Window, l.day, end}
	say(out, k.KPI, finalOf(l.plan, k.KPI, w), l.watermark, l.closed, l.reach)
	cs := newColumns(l.plan, ss, q)
	for part, src := range ss.Sources {
		if src != nil {
			l.parts[src.Target].each(cs[part].query(k, w, src, q), cs[part].put)
		}
	}
	out.Samples = collect(k.KPI, ss, cs, q.Match)
	finish(out)
	return out
}

// Values are the texts of a field that any live window or day knows of, some of
// them more than once.
func (l *Live) Values(field string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for target, part := range l.parts {
			i := slices.Index(l.plan.Keyed(target).Set, field)
			if i < 0 {
				continue
			}
			for labels := range part.known() {
				if !yield(labels[i]) {
					return
				}
			}
		}
	}
}

// say says up to when the answer holds. It has what is in up to the second of reach,
// facts up to what is closed, also where they are measured beside events; from that of
// final on nothing changes it but what comes late.
func say(a *sample.Answer, k *kpi.KPI, final, watermark, closed, reach int64) {
	if watermark != noTime {
		a.Watermark = time.UnixMilli(watermark)
	}
	a.Complete = final*1000 <= watermark
	if k.From != nil {
		reach = closed
	}
	a.AsOf = time.Unix(min(final, reach), 0)
}

// finalOf is the second from which on nothing becomes known of a window.
func finalOf(p *plan.Plan, k *kpi.KPI, w window) int64 {
	if !w.IsDay() {
		return w.end
	}
	return p.Calendar.Start(w.day+1+int32(k.Horizon)) / 1000
}

// finish takes from an answer that is not complete the revisions, and values that
// are not shown before.
func finish(a *sample.Answer) {
	if a.Complete {
		return
	}
	for i := range a.Samples {
		a.Samples[i].Revision = 0
		a.Samples[i].Null = a.Samples[i].Null || a.KPI.FinalOnly
	}
}

func stepOf(w kpi.Window) int64 { return int64(w.Step() / time.Second) }
