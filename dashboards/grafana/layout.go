package grafana

import (
	"embed"
	"iter"
	"path"
	"strconv"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/kpi"
)

//go:embed layout/*.yaml
var files embed.FS

// A plan is all that the layouts say.
type plan struct {
	layouts []*layout
	filters map[string]filter
}

// A filter is a variable by which a dashboard is narrowed.
type filter struct {
	title kpi.Text
	field string
	// of are KPIs that are asked for the values: the first that is kept.
	of []string
}

// A layout says what stands on a dashboard.
type layout struct {
	name               string
	title, description kpi.Text
	from, refresh      string
	// scraped says that it shows what a Prometheus scrapes, not the KPIs.
	scraped bool
	filters []string
	rows    []row
}

// A row is a heading with the panels below it. The first row has none.
type row struct {
	title  kpi.Text
	panels []spec
}

// A spec says what a panel shows. Each kind reads some of it.
type spec struct {
	kind               string
	title, description kpi.Text
	kpis               []string
	// right are those of them with an axis of their own.
	right         []string
	by, window    string
	width, height int
	top, days     int
	// since is how far back the panel looks, "" as far as the dashboard.
	since string
	// of is the label that tells the bars apart, where there are several.
	of, where              string
	better                 string
	against, band, stacked bool
	segment                string // of users
	queries                []query
	unit                   string
	bad                    limit
}

// A query is an expression as it is written in the layout.
type query struct {
	expr   string
	legend kpi.Text
}

// A limit is where a number becomes bad.
type limit struct {
	level float64
	below bool
	set   bool
}

func readPlan() (*plan, error) {
	p := &plan{filters: map[string]filter{}}
	d, err := open("common")
	if err != nil {
		return nil, err
	}
	m := d.Root().Mapping("dashboards", "filters")
	for name, n := range entries(m, "filters") {
		f := n.Mapping("title", "field", "of")
		p.filters[name] = filter{title: readText(f, "title"), field: f.Text("field"), of: readNames(f, "of")}
	}
	names := readNames(m, "dashboards")
	if err := d.Err(); err != nil {
		return nil, err
	}
	for _, name := range names {
		l, err := readLayout(name)
		if err != nil {
			return nil, err
		}
		p.layouts = append(p.layouts, l)
	}
	return p, nil
}

func open(name string) (*document.Document, error) {
	file := path.Join("layout", name+".yaml")
	data, err := files.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return document.Parse(file, data), nil
}

func readLayout(name string) (*layout, error) {
	d, err := open(name)
	if err != nil {
		return nil, err
	}
	m := d.Root().Mapping("title", "description", "from", "refresh", "scraped", "filters", "rows")
	l := &layout{
		name: name, title: readText(m, "title"), description: readText(m, "description"),
		from: m.Text("from"), refresh: m.Text("refresh"), scraped: readBool(m, "scraped"), filters: readNames(m, "filters"),
	}
	for _, n := range m.List("rows") {
		at := n.Mapping("title", "panels")
		r := row{title: readText(at, "title")}
		for _, p := range at.List("panels") {
			r.panels = append(r.panels, readSpec(p))
		}
		l.rows = append(l.rows, r)
	}
	return l, d.Err()
}

func readSpec(n document.Node) spec {
	m := n.Mapping("kind", "title", "description", "kpi", "kpis", "right", "by", "window", "width", "height", "top", "days", "since",
		"of", "where", "better", "against", "band", "stacked", "queries", "unit", "bad", "segment")
	s := spec{
		kind: m.Text("kind"), title: readText(m, "title"), description: readText(m, "description"), kpis: readNames(m, "kpis"), right: readNames(m, "right"),
		by: m.Text("by"), window: m.Text("window"), since: m.Text("since"), of: m.Text("of"), where: m.Text("where"),
		width: m.Integer("width", 1, columns, columns/2), height: m.Integer("height", 1, 40, 0),
		top: m.Integer("top", 1, 100, 0), days: m.Integer("days", 1, 92, 0),
		better: m.Text("better"), against: readBool(m, "against"), band: readBool(m, "band"), stacked: readBool(m, "stacked"),
		segment: m.Text("segment"), unit: m.Text("unit"), bad: readLimit(m),
	}
	if name := m.Text("kpi"); name != "" {
		s.kpis = append(s.kpis, name)
	}
	for _, q := range m.List("queries") {
		at := q.Mapping("expr", "legend")
		s.queries = append(s.queries, query{at.Text("expr"), readLegend(at)})
	}
	return s
}

func readLimit(m document.Mapping) limit {
	n, ok := m.Get("bad")
	if !ok {
		return limit{}
	}
	at := n.Mapping("above", "below")
	l := limit{below: at.Has("below"), set: true}
	text := at.Text("above") + at.Text("below")
	var err error
	if l.level, err = strconv.ParseFloat(text, 64); err != nil {
		at.Fail(text, "is no number", "give above or below with one")
	}
	return l
}

// entries are those of a key's mapping, whatever their names.
func entries(m document.Mapping, key string) iter.Seq2[string, document.Node] {
	return func(yield func(string, document.Node) bool) {
		n, ok := m.Get(key)
		if !ok {
			return
		}
		all := n.Entries()
		for _, name := range all.Keys {
			if at, _ := all.Get(name); !yield(name, at) {
				return
			}
		}
	}
}

func readText(m document.Mapping, key string) kpi.Text {
	n, ok := m.Get(key)
	if !ok {
		return kpi.Text{}
	}
	at := n.Mapping("en", "zh")
	if !at.Has("en") || !at.Has("zh") {
		at.Missing("has a language only", "give en and zh")
	}
	return kpi.Text{EN: at.Text("en"), ZH: at.Text("zh")}
}

// readLegend reads a text, or one for all languages.
func readLegend(m document.Mapping) kpi.Text {
	if n, ok := m.Get("legend"); ok && n.Scalar() {
		return kpi.Text{EN: n.Text(), ZH: n.Text()}
	}
	return readText(m, "legend")
}

func readNames(m document.Mapping, key string) []string {
	var names []string
	for _, n := range m.List(key) {
		names = append(names, n.Text())
	}
	return names
}

func readBool(m document.Mapping, key string) bool {
	n, ok := m.Get(key)
	if !ok {
		return false
	}
	yes, _ := n.Bool()
	return yes
}
