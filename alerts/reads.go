package alerts

import "github.com/tidewatch/tidewatch/kpi"

// A Read is a KPI in live windows that some rule reads.
type Read struct {
	KPI    string
	By     kpi.Set
	Window kpi.Window
}

// Reads are all that a View is asked for.
func (e *Engine) Reads() (out []Read) {
	for _, g := range e.groups {
		for _, r := range g.rules {
			out = append(out, Read{r.kpi.Name, r.by, r.selector.window})
		}
	}
	return out
}
