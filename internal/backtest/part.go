package backtest

import (
	"slices"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

// Part is what of a catalogue the rules of a file read: the rest costs, and changes nothing
// of what they say. It is all of it where a template asks what it likes.
func Part(f *alerts.RuleFile, c *kpi.Catalogue, recordings []queryable.Recording) (*kpi.Catalogue, error) {
	p := &part{newSight(c, recordings), map[*kpi.KPI]*selection{}}
	for _, g := range f.Groups {
		for _, r := range g.Rules {
			if r.Asks() {
				return c, nil
			}
			exprs, err := asked(r)
			if err != nil {
				return nil, err
			}
			for _, e := range exprs {
				p.take(e)
			}
		}
	}
	out := *c
	out.KPIs = nil
	for _, k := range c.KPIs {
		if of := p.selected[k]; of != nil {
			out.KPIs = append(out.KPIs, of.only())
		}
	}
	return &out, nil
}

// A part is what is selected of a catalogue, by KPI.
type part struct {
	*sight
	selected map[*kpi.KPI]*selection
}

// take takes in what an expression sees.
func (p *part) take(e parser.Expr) {
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		v, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		recorded, series := p.see(v)
		for _, e := range recorded {
			p.take(e)
		}
		for _, one := range series {
			of := p.selected[one.kpi]
			if of == nil {
				of = &selection{kpi: one.kpi}
				p.selected[one.kpi] = of
			}
			of.sets, of.windows = append(of.sets, one.sets...), append(of.windows, one.windows...)
		}
		return nil
	})
}

// only is the KPI without the sets and windows that nothing sees. Business days that are
// open later go with the others.
func (s *selection) only() *kpi.KPI {
	k := *s.kpi
	k.By = slices.DeleteFunc(slices.Clone(k.By), func(by kpi.Set) bool {
		return by.Key() != s.kpi.By[0].Key() && !slices.ContainsFunc(s.sets, func(o kpi.Set) bool { return o.Key() == by.Key() })
	})
	if k.From == nil && k.Horizon == 0 && len(s.windows) > 0 {
		k.Windows = slices.DeleteFunc(slices.Clone(k.Windows), func(w kpi.Window) bool { return !slices.Contains(s.windows, w) })
	}
	return &k
}
