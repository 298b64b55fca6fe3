package kpi

import (
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// fewKPIs is how many a message lists at most.
const fewKPIs = 20

// NoSeries says why there is no series of a name; nil if there is one.
func (c *Catalogue) NoSeries(name string) *document.Problem {
	k, part := c.Series(name)
	if k == nil {
		return &document.Problem{Value: name, Rule: "is no KPI of the catalogue", Remedy: c.nearest(name)}
	}
	all := append(k.Parts(), k.Usual()...)
	if slices.Contains(all, part) {
		return nil
	}
	rule := "is not there: " + k.Name + " is no ratio"
	switch {
	case part >= BaselinePart:
		rule = "is not there: " + k.Name + " has no windows of " + Seasonal.String()
	case k.Ratio():
		rule = "is not there: " + k.Name + " is no share of counts, and has no interval"
	}
	return &document.Problem{Value: name, Rule: rule, Remedy: "use " + strings.Join(texts(all, k.Series), ", ")}
}

// Unprefixed says that a name is that of a KPI, and not of its series; nil if it is none.
func (c *Catalogue) Unprefixed(name string) *document.Problem {
	if k, _ := c.Series(SeriesPrefix + name); k == nil {
		return nil
	}
	return &document.Problem{Value: name, Rule: "is no series: those of KPIs begin with " + SeriesPrefix, Remedy: "write " + SeriesPrefix + name}
}

// nearest says what a name that is no series may have been meant to be.
func (c *Catalogue) nearest(series string) (remedy string) {
	all := "GET /api/v1/kpis lists those that there are"
	switch n := len(c.KPIs); {
	case n == 0:
		return "keep it, or define it: there is none"
	case n <= fewKPIs:
		all = "use one of " + strings.Join(texts(c.KPIs, func(k *KPI) string { return k.Series(ValuePart) }), ", ")
	}
	var names []string
	for _, k := range c.KPIs {
		for _, part := range k.Parts() {
			names = append(names, k.Name+suffixes[part])
		}
	}
	near := spelling.Nearest(strings.TrimPrefix(series, SeriesPrefix), names)
	if near != "" {
		near = SeriesPrefix + near
	}
	return spelling.Meant(near, all)
}

// unkept says that nothing that is kept of the KPI is what is asked for, shown as in
// window="2m".
func (k *KPI) unkept(shown, asked string, kept []string) *document.Problem {
	return &document.Problem{
		Value: shown, Rule: "is not kept for " + k.Name,
		Remedy: spelling.Meant(spelling.Nearest(asked, kept), "use one of "+strings.Join(kept, ", ")),
	}
}

// UnkeptWindow says that the KPI has no windows of a length, shown as in window="2m".
func (k *KPI) UnkeptWindow(shown, asked string) *document.Problem {
	return k.unkept(shown, asked, texts(k.Windows, Window.String))
}

// UnkeptSet says that the KPI has no dimension set, shown as in by="colour".
func (k *KPI) UnkeptSet(shown, asked string) *document.Problem {
	return k.unkept(shown, asked, texts(k.By, Set.String))
}

func texts[T any](items []T, text func(T) string) []string {
	out := make([]string, len(items))
	for i, item := range items {
		out[i] = text(item)
	}
	return out
}
