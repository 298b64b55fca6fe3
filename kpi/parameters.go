package kpi

import (
	"fmt"
	"strconv"
)

// Parameters are what the operator's definition says by its keys, with what it has by
// default: written as YAML, they define the same. Lengths and filters are texts.
func (o *Operator) Parameters() map[string]any {
	if o.Days != nil {
		return with(o.Days.Where, map[string]any{"churn_gap": o.Days.Gap})
	}
	return o.Journey.parameters()
}

// with adds which events are looked at, if that is not every one.
func with(where *Expr, parameters map[string]any) map[string]any {
	if where != nil {
		parameters["where"] = where.String()
	}
	return parameters
}

func (s *Sessions) parameters() map[string]any {
	return with(s.Where, map[string]any{"gap": FormatLength(s.Gap), "end": s.End.String()})
}

func (o *Orders) parameters() map[string]any { return with(o.Where, map[string]any{}) }

func (p *Plays) parameters() map[string]any {
	return with(p.Where, map[string]any{"gap": FormatLength(p.Gap)})
}

func (o *RFM) parameters() map[string]any {
	monetary := map[string]RFMCuts{}
	for _, c := range o.Monetary {
		monetary[c.Code] = c.Cuts
	}
	out := map[string]any{"recency": o.Recency, "frequency": o.Frequency, "monetary": monetary}
	if o.Quintiles {
		out["quintiles"] = daily
	}
	if o.Hysteresis > 0 {
		out["hysteresis"] = fmt.Sprintf("%d%%", o.Hysteresis)
	}
	return with(o.Where, out)
}

func (a *Attribution) parameters() map[string]any {
	out := map[string]any{"conversion": a.Conversion.String(), "click": a.Click.parameters(), "view": "none", "count": "every"}
	if a.View != nil {
		out["view"] = a.View.parameters()
	}
	if a.Once {
		out["count"] = "once"
	}
	return with(a.Where, out)
}

func (t *Touch) parameters() map[string]any {
	return with(t.Where, map[string]any{"within": FormatLength(t.Within)})
}

func (f *Funnel) parameters() map[string]any {
	var steps []map[string]any
	for i, step := range f.Steps {
		named := map[string]any{}
		if step.Name != strconv.Itoa(i+1) { // which is that of one without
			named["name"] = step.Name
		}
		steps = append(steps, with(step.Where, named))
	}
	out := map[string]any{"steps": steps, "window": FormatLength(f.Window), "mode": funnelModes[f.Mode]}
	if f.Hold != "" {
		out["hold"] = f.Hold
	}
	return with(f.Where, out)
}

func (r *Retention) parameters() map[string]any {
	by := byDay
	if r.Rolling {
		by = byRolling
	}
	return with(r.Where, map[string]any{"start": r.Start.String(), "return": r.Return.String(), "first": r.First, "by": by, "after": r.After})
}
