package grafana

import (
	"fmt"

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

// annotations are Grafana's own, and the times for which alerts fire: those that the plugin
// lists, or their series.
func (m *maker) annotations() []annotation {
	list := []annotation{{
		Name: "Annotations & Alerts", Datasource: reference{"grafana", "-- Grafana --"}, Enable: true, Hide: true,
		IconColor: "rgba(0, 211, 255, 1)", BuiltIn: 1, Type: "dashboard",
	}}
	if m.layout.scraped {
		return list
	}
	a := annotation{
		Name: m.of(alerted), Datasource: m.chosen, Enable: true, IconColor: "orange",
		Target: &target{RefID: "Anno", Datasource: m.chosen},
	}
	if m.chosen.Type == native {
		a.Target.Question = &Question{Kind: "alerts"}
		return append(list, a)
	}
	a.Target.PromQL = &PromQL{
		EditorMode: "code", Expr: fmt.Sprintf(`%s{%s="firing"}`, expression.Alerts, expression.AlertState),
		Format: "time_series", Interval: "60s", Range: true,
	}
	a.Title, a.Tags = "{{alertname}}", "channel,region,device,campaign_id,creator_id"
	return append(list, a)
}
