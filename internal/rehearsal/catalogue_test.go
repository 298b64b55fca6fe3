package rehearsal

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// catalogue is the default one, of which there is no more than the rules read: all else
// costs, and changes nothing of what they say.
func catalogue(t *testing.T) *kpi.Catalogue {
	c := config.Default()
	c.Rules = rules
	d, err := app.LoadDefinitions(c)
	if err != nil {
		t.Fatal(err)
	}
	read := map[*kpi.KPI]bool{}
	wanted := map[string]bool{} // breakdowns and windows, by KPI
	for _, r := range d.Rules.Status().Rules {
		expr, err := expression.Parse(r.Of.Expr)
		if err != nil {
			t.Fatal(err)
		}
		parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
			s, ok := n.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			k, _ := d.Catalogue.Series(s.Name)
			if k == nil {
				t.Fatalf("%s is of no KPI", s.Name)
			}
			read[k] = true
			for _, by := range k.By {
				if matches(s, "by", by.String()) {
					wanted[fmt.Sprint(k.Name, "by", by)] = true
				}
			}
			for _, w := range k.Windows {
				if matches(s, "window", w.String()) {
					wanted[fmt.Sprint(k.Name, "window", w)] = true
				}
			}
			return nil
		})
	}
	var names []string
	for k := range read {
		names = append(names, k.Name)
	}
	slices.Sort(names)
	kept, err := kpi.Load(c.Location, kpi.File{Name: "kept.yaml", Data: []byte("keep: [" + strings.Join(names, ", ") + "]\n")})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kept.KPIs {
		k.By = slices.DeleteFunc(k.By, func(by kpi.Set) bool { return len(by) > 0 && !wanted[fmt.Sprint(k.Name, "by", by)] })
		k.Windows = slices.DeleteFunc(k.Windows, func(w kpi.Window) bool { return !wanted[fmt.Sprint(k.Name, "window", w)] })
	}
	kept.SetCurrency(c.Currency)
	kept.SetAcceptLate(c.AcceptLate)
	kept.Holdout, kept.ForgetAfter = c.Signals.Holdout, c.Users.ForgetAfterDays()
	return kept
}

func matches(s *parser.VectorSelector, label, value string) bool {
	return !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == label && !m.Matches(value) })
}
