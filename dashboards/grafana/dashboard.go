package grafana

import (
	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/kpi"
)

// columns are those that Grafana's grid has.
const columns = 24

// A dashboard is Grafana's, with the fields that it takes.
type dashboard struct {
	UID           string      `json:"uid"`
	Title         string      `json:"title"`
	Description   string      `json:"description"`
	Tags          []string    `json:"tags"`
	SchemaVersion int         `json:"schemaVersion"`
	Version       int         `json:"version"`
	Editable      bool        `json:"editable"`
	GraphTooltip  int         `json:"graphTooltip"` // 1: a shared crosshair
	Refresh       string      `json:"refresh"`
	Time          timeRange   `json:"time"`
	Timepicker    timepicker  `json:"timepicker"`
	Timezone      string      `json:"timezone"`
	WeekStart     string      `json:"weekStart"`
	Annotations   annotations `json:"annotations"`
	Links         []link      `json:"links"`
	Templating    templating  `json:"templating"`
	Panels        []*panel    `json:"panels"`
}

type timeRange struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type timepicker struct {
	Intervals []string `json:"refresh_intervals"`
}

type link struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Tags        []string `json:"tags"`
	URL         string   `json:"url"`
	Icon        string   `json:"icon"`
	Tooltip     string   `json:"tooltip"`
	AsDropdown  bool     `json:"asDropdown"`
	IncludeVars bool     `json:"includeVars"`
	KeepTime    bool     `json:"keepTime"`
	TargetBlank bool     `json:"targetBlank"`
}

// A reference names a data source.
type reference struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// A maker makes one dashboard.
type maker struct {
	Definitions
	plan   *plan
	layout *layout
	lang   language
	set    set
	chosen reference // the data source at the head of the dashboard
}

func (m *maker) of(t kpi.Text) string { return m.lang.of(t) }

// field is what a label is called.
func (m *maker) field(label string) string { return look.Language(m.lang).Field(label) }

func (m *maker) dashboard() (*dashboard, error) {
	l := m.layout
	tag := m.set.uid(m.lang)
	d := &dashboard{
		UID: m.set.uid(m.lang, l.name), Title: m.set.title(m.lang, m.of(l.title)), Description: m.of(l.description), Tags: []string{"tidewatch", tag},
		SchemaVersion: 42, Version: 1, Editable: true, GraphTooltip: 1,
		Refresh: l.refresh, Time: timeRange{l.from, "now"}, Timepicker: timepicker{[]string{"5s", "10s", "30s", "1m", "5m"}},
		Timezone: m.Catalogue.Location.String(), WeekStart: "monday",
		Links: []link{
			{Type: "dashboards", Title: m.set.title(m.lang, m.of(elsewhere)), Tags: []string{tag}, Icon: "external link", AsDropdown: true, IncludeVars: true, KeepTime: true},
			{Type: "link", Title: names[m.lang.other()], Tags: []string{}, URL: "/d/" + m.set.uid(m.lang.other(), l.name), Icon: "external link", IncludeVars: true, KeepTime: true},
		},
		Templating: templating{m.variables()}, Annotations: annotations{m.annotations()},
	}
	p := placer{}
	for _, r := range l.rows {
		var made []*panel
		for _, s := range r.panels {
			panels, err := m.panels(s)
			if err != nil {
				return nil, err
			}
			made = append(made, panels...)
		}
		if len(made) == 0 {
			continue
		}
		if title := m.of(r.title); title != "" {
			p.heading(title)
		}
		for _, one := range made {
			p.place(one)
		}
	}
	d.Panels = p.panels
	return d, nil
}

// A placer puts panels beside each other, and where there is no room below the last one
// as long as the line is, or in the next line.
type placer struct {
	panels []*panel
	x, y   int // where the next one goes
	bottom int // of those in the line
}

func (p *placer) heading(title string) {
	p.place(&panel{Type: "row", Title: title, GridPos: position{W: columns, H: 1}, Collapsed: new(bool), Panels: &[]*panel{}})
}

func (p *placer) place(one *panel) {
	at := &one.GridPos
	if p.x+at.W > columns {
		if last := p.panels[len(p.panels)-1].GridPos; at.W == last.W && last.Y+last.H+at.H <= p.bottom {
			p.x, p.y = last.X, last.Y+last.H
		} else {
			p.x, p.y = 0, p.bottom
		}
	}
	at.X, at.Y = p.x, p.y
	p.x += at.W
	p.bottom = max(p.bottom, at.Y+at.H)
	one.ID = len(p.panels) + 1
	p.panels = append(p.panels, one)
}
