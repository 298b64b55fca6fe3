package grafana

import (
	"fmt"
	"strings"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// A panel is Grafana's, with the fields that it takes.
type panel struct {
	ID              int              `json:"id"`
	Type            string           `json:"type"`
	Title           string           `json:"title"`
	Description     string           `json:"description,omitempty"`
	Datasource      *reference       `json:"datasource,omitempty"`
	GridPos         position         `json:"gridPos"`
	TimeFrom        string           `json:"timeFrom,omitempty"`
	FieldConfig     *fieldConfig     `json:"fieldConfig,omitempty"`
	Options         any              `json:"options,omitempty"`
	Targets         []target         `json:"targets,omitempty"`
	Transformations []transformation `json:"transformations,omitempty"`
	// Collapsed and Panels are of a row.
	Collapsed *bool     `json:"collapsed,omitempty"`
	Panels    *[]*panel `json:"panels,omitempty"`

	shown []cut
}

type position struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// A target is a query: in PromQL, or a question.
type target struct {
	RefID      string    `json:"refId"`
	Datasource reference `json:"datasource"`
	*PromQL
	*Question
}

// PromQL is what Grafana's Prometheus data source asks.
type PromQL struct {
	EditorMode string `json:"editorMode"`
	Expr       string `json:"expr"`
	Legend     string `json:"legendFormat"`
	Format     string `json:"format"`
	Instant    bool   `json:"instant"`
	Range      bool   `json:"range"`
	Interval   string `json:"interval,omitempty"` // the shortest step
}

type transformation struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}

type fieldConfig struct {
	Defaults  defaults   `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type defaults struct {
	Color      color           `json:"color"`
	Custom     any             `json:"custom,omitempty"`
	Min        *float64        `json:"min,omitempty"`
	Max        *float64        `json:"max,omitempty"`
	Name       string          `json:"displayName,omitempty"`
	NoValue    string          `json:"noValue"`
	Thresholds look.Thresholds `json:"thresholds"`
	Unit       string          `json:"unit"`
}

type color struct {
	Mode  string `json:"mode"`
	Fixed string `json:"fixedColor,omitempty"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// named sets properties of the field of a name.
func named(name string, p ...property) override { return override{matcher{"byName", name}, p} }

// panels makes what a spec says: nothing where no KPI of it is kept.
func (m *maker) panels(s spec) ([]*panel, error) {
	if s.kind == "rules" {
		return m.rules()
	}
	made := m.overPrometheus
	if m.chosen.Type == native {
		made = m.overPlugin
	}
	p, err := made(s)
	if p == nil || err != nil {
		return nil, err
	}
	if s.title.EN != "" {
		p.Title = m.of(s.title)
		if s.days > 0 {
			p.Title = m.lang.with(p.Title, nil, m.over(s))
		}
	}
	if s.description.EN != "" {
		p.Description = m.of(s.description)
	}
	p.Title = m.priced(p.Title, p.shown)
	p.GridPos.W, p.TimeFrom = s.width, s.since
	if s.height > 0 {
		p.GridPos.H = s.height
	}
	return []*panel{p}, nil
}

// overPrometheus is a panel of the set over Grafana's own data source.
func (m *maker) overPrometheus(s spec) (*panel, error) {
	switch s.kind {
	case "freshness":
		return m.freshness(), nil
	case "figure":
		return m.figure(s), nil
	case "pace":
		return m.pace(s), nil
	case "lines":
		return m.lines(s), nil
	case "days":
		return m.days(s), nil
	case "bars":
		return m.bars(s), nil
	case "table":
		return m.table(s), nil
	case "triangle":
		return m.triangle(s), nil
	case "alerts":
		return m.alerts(), nil
	case "stat":
		return m.stat(s), nil
	case "graph":
		return m.graph(s), nil
	case "users": // no series names them
		return nil, nil
	}
	return nil, fmt.Errorf("%q is no kind of panel", s.kind)
}

// panel begins one of a type that asks the chosen data source.
func (m *maker) panel(kind string, height int) *panel {
	return &panel{
		Type: kind, Datasource: &m.chosen, GridPos: position{W: columns / 2, H: height},
		FieldConfig: &fieldConfig{
			Defaults:  defaults{Color: color{Mode: "thresholds"}, NoValue: m.of(empty), Thresholds: look.Neutral, Unit: look.Plain},
			Overrides: []override{},
		},
	}
}

// ask adds a query, of an instant or of a range.
func (p *panel) ask(expr, legend string, instant bool) {
	p.target(&PromQL{EditorMode: "code", Expr: expr, Legend: legend, Format: "time_series", Instant: instant, Range: !instant}, nil)
}

func (p *panel) target(q *PromQL, a *Question) {
	p.Targets = append(p.Targets, target{RefID: string(rune('A' + len(p.Targets))), Datasource: *p.Datasource, PromQL: q, Question: a})
}

func (p *panel) override(o ...override) {
	p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, o...)
}

// describe says what KPIs are, with what else is to be known.
func (m *maker) describe(cuts []cut, more ...kpi.Text) string {
	var out []string
	for _, c := range cuts {
		text := m.of(c.kpi.Description)
		if len(cuts) > 1 {
			text = "- **" + m.of(c.kpi.Title) + "**: " + text
		}
		out = append(out, text)
	}
	var notes []string
	for _, t := range append(more, m.cautions(cuts)...) {
		notes = append(notes, m.of(t))
	}
	if len(notes) > 0 {
		out = append(out, "", m.lang.sentences(notes...))
	}
	return strings.Join(out, "\n")
}
