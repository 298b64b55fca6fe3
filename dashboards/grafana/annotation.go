package grafana

import (
	"fmt"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/expression"
)

type annotations struct {
	List []annotation `json:"list"`
}

// An annotation shades the times at which its expression has a value above 0.
type annotation struct {
	Name       string    `json:"name"`
	Datasource reference `json:"datasource"`
	Enable     bool      `json:"enable"`
	Hide       bool      `json:"hide"`
	IconColor  string    `json:"iconColor"`
	BuiltIn    int       `json:"builtIn,omitempty"`
	Type       string    `json:"type,omitempty"`
	Target     *target   `json:"target,omitempty"`
	Title      string    `json:"titleFormat,omitempty"`
	Tags       string    `json:"tagKeys,omitempty"` // the labels whose values are shown
}

// annotations are Grafana's own, and alerts: those that the plugin lists, or the times at
// which their conditions hold, for a series of the alerts themselves is not kept.
func (m *maker) annotations() []annotation {
	list := []annotation{{
		Name: "Annotations & Alerts", Datasource: reference{"grafana", "-- Grafana --"}, Enable: true, Hide: true,
		IconColor: "rgba(0, 211, 255, 1)", BuiltIn: 1, Type: "dashboard",
	}}
	switch {
	case m.layout.scraped:
		return list
	case m.chosen.Type == native:
		return append(list, annotation{
			Name: m.of(alerted), Datasource: m.chosen, Enable: true, IconColor: "orange",
			Target: &target{RefID: "Anno", Datasource: m.chosen, Question: &Question{Kind: "alerts"}},
		})
	}
	var hold []string
	for _, r := range m.Rules {
		if e, err := expression.Language.ParseExpr(r.Expr); err != nil || e.Type() != parser.ValueTypeVector {
			continue
		}
		hold = append(hold, fmt.Sprintf(`label_replace((%s) * 0 + 1, "alertname", %q, "", "")`, r.Expr, r.Alert))
	}
	if len(hold) == 0 {
		return list
	}
	return append(list, annotation{
		Name: m.of(conditions), Datasource: m.chosen, Enable: true, IconColor: "orange",
		Target: &target{
			RefID: "Anno", Datasource: m.chosen,
			PromQL: &PromQL{EditorMode: "code", Expr: strings.Join(hold, " or "), Format: "time_series", Interval: "60s", Range: true},
		},
		Title: "{{alertname}}", Tags: "channel,region,device,campaign_id,creator_id",
	})
}
