package alerts

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// State is where an alert stands, or a rule.
type State string

// The states. Of an alert that is resolved only the notification is left, of
// an inactive one nothing. The last two are of rules alone.
const (
	Inactive State = "inactive"
	Pending  State = "pending"
	Firing   State = "firing"
	Resolved State = "resolved"
	// WithoutData is of a rule that has nothing to judge.
	WithoutData State = "no_data"
	// Delayed is of a rule that is judged later than it should be.
	Delayed State = "delayed"
)

// A Notification says that an alert fires or is resolved.
type Notification struct {
	// ID is the same for the same decision, however often it is taken: a hash
	// of rule, series, window end and state.
	ID string `json:"id"`
	// Alert is the same for all notifications of one alert.
	Alert  string `json:"alert"`
	Group  string `json:"group"`
	Rule   string `json:"rule"`
	Status State  `json:"status"` // Firing or Resolved
	// Labels are those of the series and of the rule, with alertname.
	Labels map[string]string `json:"labels"`
	// Annotations are the rule's own, and the figures of the decision.
	Annotations map[string]string `json:"annotations"`
	// Subject is what the figures among them are of; nil where that is not known.
	Subject *Subject `json:"subject,omitempty"`
	// ActiveAt is since when the condition held, StartsAt when the alert fired.
	ActiveAt time.Time `json:"active_at"`
	StartsAt time.Time `json:"starts_at"`
	// EndsAt is zero while the alert fires.
	EndsAt time.Time `json:"ends_at"`
	// WindowEnd is the event time of the decision, in Unix milliseconds.
	WindowEnd int64 `json:"window_end"`
	// StandsAt is, of one that is told late, the event time by which the alert still fires, 0
	// where that is when it was decided. SeenAt is that of its figures, 0 where they are of the
	// decision.
	StandsAt int64 `json:"stands_at,omitempty"`
	SeenAt   int64 `json:"seen_at,omitempty"`
	// FinalAt is until when a correction of it may follow, 0 for never.
	FinalAt int64 `json:"final_at,omitempty"`
	// Change is what the KPI was before; nil where that is not known.
	Change *Change `json:"change,omitempty"`
	// Corrected is set where late events have shown that the alert should not have fired.
	Corrected bool `json:"corrected,omitempty"`
	// Link leads to the live page, at the series and the time of the decision.
	Link        string `json:"link"`
	ExternalURL string `json:"external_url"`
	// Fingerprint is the hash of the labels by which receivers know the alert.
	Fingerprint string `json:"fingerprint"`
}

// Identify fills in what follows from the other fields. The series tells the
// alerts of a rule apart.
func (n *Notification) Identify(series string) {
	n.Alert = idOf(n.Group, n.Rule, series)
	n.identify()
}

// idOf is the id of an alert.
func idOf(group, rule, identity string) string { return digest(group, rule, identity) }

// identify fills in what follows from the alert and the decision.
func (n *Notification) identify() {
	n.ID = digest(n.Alert, strconv.FormatInt(n.WindowEnd, 10), string(n.Status))
	if n.Corrected { // once for each time that it fired
		n.ID = digest(n.Alert, strconv.FormatInt(n.StartsAt.UnixMilli(), 10), "corrected")
	}
	n.Fingerprint = n.LabelSet().Fingerprint().String()
	n.Annotations["notification_id"] = n.ID
}

// AsOf is the event time of its figures, in Unix milliseconds.
func (n *Notification) AsOf() int64 { return cmp.Or(n.SeenAt, n.WindowEnd) }

// LabelSet is the labels as Prometheus has them.
func (n *Notification) LabelSet() model.LabelSet { return labelSet(n.Labels) }

// digest is a hash of the parts, each told apart from the next by its length.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func labelSet(m map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(m))
	for k, v := range m {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return set
}

// figures are the annotations that every notification carries. Those that the
// rule names itself stay.
func (a *alert) figures(now int64, link string) map[string]string {
	if a.rule.queried() {
		return a.queryFigures(now, link)
	}
	r, s := a.rule, &a.sample
	ratio := r.kpi.Ratio()
	out := map[string]string{
		"numerator":  digits(s.Numerator),
		"n":          strconv.FormatInt(s.N(r.kpi), 10),
		"comparison": r.selector.op.String(),
		"threshold":  formatFloat(r.selector.threshold),
		"window":     r.selector.window.String(),
		"as_of":      instant(now).UTC().Format(timeFormat),
		"link":       link,
	}
	if v, ok := r.value(s); ok {
		out["value"] = formatFloat(v)
	} else if r.NoData == NoDataAlert {
		out["no_data"] = "true"
	}
	if low, high, ok := r.interval(s); ok {
		out["low"], out["high"] = formatFloat(low), formatFloat(high)
		out["confidence"] = formatFloat(cmp.Or(r.Confidence, usualConfidence))
	}
	r.recoverFigures(out)
	if end := r.compared(); end != "" {
		out["compared"] = end
	}
	if ratio {
		out["denominator"] = digits(s.Denominator)
	}
	if s.Currency != "" {
		out["currency"] = s.Currency
	}
	for name, level := range r.kpi.Targets.All() {
		out["target_"+name] = formatFloat(level)
	}
	return out
}

func digits(n sample.Number) string {
	b, _ := n.MarshalJSON() // it has no error to give
	return string(b)
}

// link is where the live page shows the series as the rule saw it, and the alert, which the
// fragment names.
func (e *Engine) link(a *alert, now int64) string {
	q := e.linked(a, now)
	if q == nil {
		return e.o.ExternalURL + "/"
	}
	return e.o.ExternalURL + "/?" + q.Encode() + "#alert=" + a.id()
}

// linked is the series in the words of the API's query, with the KPI among them; nil for none.
func (e *Engine) linked(a *alert, now int64) url.Values {
	r := a.rule
	if r.queried() {
		return a.queryLinked(now)
	}
	q := url.Values{}
	for i, f := range r.by {
		q.Add("by", f)
		q.Set(f, a.series[i])
	}
	q.Set("kpi", r.kpi.Name)
	q.Set("window", r.selector.window.String())
	q.Set("at", e.moment(r.selector.window, now))
	return q
}

// moment asks the API for the window that a rule saw at an event time. Of a day that goes on
// that is its date: a time means the day before. Of today it is the end of the first step,
// where no other one of the day is over.
func (e *Engine) moment(w kpi.Window, now int64) string {
	day := e.calendar.Day(now - 1)
	if w.IsDay() {
		return e.calendar.Format(day)
	}
	if w == kpi.Today {
		step := w.Step().Milliseconds()
		if kept := now - now%step; kept <= e.calendar.Start(day) {
			now = kept + step
		}
	}
	return instant(now).UTC().Format(timeFormat)
}

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
