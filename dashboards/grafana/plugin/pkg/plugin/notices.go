package plugin

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// notices are what a reader should know of the numbers of an answer.
type notices struct {
	told  []data.Notice
	kpis  []string // in the order in which they were seen
	about map[string]*account
}

// An account is what is to be said of a KPI.
type account struct {
	incomplete, restated map[time.Time]bool // ends of windows
	asOf                 time.Time          // how far the live window reaches
	maturity             *float64
	revision             int
	bounds               []string
	mixed                int // amounts that are null, for they are of no single currency
}

// warn tells what the service warns of.
func (n *notices) warn(texts ...string) {
	for _, text := range texts {
		n.add(data.NoticeSeverityWarning, text)
	}
}

func (n *notices) add(severity data.NoticeSeverity, text string) {
	if !slices.ContainsFunc(n.told, func(t data.Notice) bool { return t.Text == text }) {
		n.told = append(n.told, data.Notice{Severity: severity, Text: text})
	}
}

// of is the account of a KPI.
func (n *notices) of(kpi string) *account {
	a := n.about[kpi]
	if a == nil {
		a = &account{incomplete: map[time.Time]bool{}, restated: map[time.Time]bool{}}
		if n.about == nil {
			n.about = map[string]*account{}
		}
		n.about[kpi] = a
		n.kpis = append(n.kpis, kpi)
	}
	return a
}

// see looks at a figure that is shown, of the window that ends at a time.
func (n *notices) see(kpi string, end time.Time, f *client.Figure) {
	a := n.of(kpi)
	switch {
	case !f.Complete:
		a.incomplete[end] = true
		if f.Maturity != nil {
			a.maturity = f.Maturity
		}
	case f.Revision > 1:
		a.restated[end] = true
		a.revision = max(a.revision, f.Revision)
	}
	if f.Exactness != "" && f.Exactness != "exact" && !slices.Contains(a.bounds, f.Exactness) {
		a.bounds = append(a.bounds, f.Exactness)
	}
}

// list is all that is to be said, each once: what holds for several KPIs of all of them.
func (n *notices) list() []data.Notice {
	var texts []string
	of := map[string][]string{}
	for _, kpi := range n.kpis {
		for _, text := range n.about[kpi].texts() {
			if of[text] == nil {
				texts = append(texts, text)
			}
			of[text] = append(of[text], kpi)
		}
	}
	for _, text := range texts {
		n.add(data.NoticeSeverityInfo, strings.Join(of[text], ", ")+": "+text)
	}
	return n.told
}

// texts are what is to be said.
func (a *account) texts() (list []string) {
	if len(a.incomplete) > 0 {
		list = append(list, a.open())
	}
	if len(a.restated) > 0 {
		list = append(list, fmt.Sprintf("late events restated %s, the last up to %s; revision %d",
			spelling.Number(len(a.restated), "window", "windows"), rfc3339(newest(a.restated)), a.revision))
	}
	if len(a.bounds) > 0 {
		list = append(list, a.bound())
	}
	if a.mixed > 0 {
		list = append(list, spelling.Number(a.mixed, "amount is", "amounts are")+" null for want of a single currency: break them down by currency where that is kept, or define a KPI whose filter names one currency")
	}
	return list
}

// open says which windows are not complete, and how far they are.
func (a *account) open() string {
	text := fmt.Sprintf("the window to %s is not complete", rfc3339(newest(a.incomplete)))
	if len(a.incomplete) > 1 {
		text = fmt.Sprintf("%d windows, the last up to %s, are not complete", len(a.incomplete), rfc3339(newest(a.incomplete)))
	}
	if !a.asOf.IsZero() {
		text += ", it has what is in up to " + rfc3339(a.asOf)
	}
	if a.maturity != nil && len(a.incomplete) == 1 {
		text += fmt.Sprintf(", %.0f %% of what is expected", *a.maturity*100)
	}
	return text
}

// listedBounds is how many bounds are named.
const listedBounds = 3

func (a *account) bound() string {
	if len(a.bounds) == 1 {
		return "values are " + a.bounds[0]
	}
	slices.Sort(a.bounds)
	text := "values are " + strings.Join(a.bounds[:min(len(a.bounds), listedBounds)], ", ")
	if more := len(a.bounds) - listedBounds; more > 0 {
		text += fmt.Sprintf(" and %d others", more)
	}
	return text
}

func newest(of map[time.Time]bool) (last time.Time) {
	for t := range of {
		if t.After(last) {
			last = t
		}
	}
	return last
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339) }
