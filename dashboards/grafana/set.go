package grafana

import (
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
)

// Types of data sources.
const (
	stock  = "prometheus"
	native = "tidewatch-kpi-datasource"
)

// A set is all dashboards over data sources of a type. Their links stay in it.
type set struct {
	over string
	name string // in uids and folders, "" for the first
	mark kpi.Text
}

var sets = []set{
	{over: stock},
	{over: native, name: "plugin", mark: kpi.Text{EN: " (plugin)", ZH: "(插件)"}},
}

// folder is where the dashboards of a language are.
func (s set) folder(l language) string { return joinedBy("-", s.name, string(l)) }

// uid names what is one of a kind in Grafana, at most 40 letters.
func (s set) uid(l language, names ...string) string {
	return joinedBy("-", slices.Concat([]string{"tidewatch", s.name, string(l)}, names)...)
}

// title tells the set by its mark.
func (s set) title(l language, text string) string { return text + l.of(s.mark) }

func joinedBy(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), between)
}

// asks is the type of the data source that a dashboard asks: the service's own metrics are
// in a Prometheus.
func (s set) asks(l *layout) string {
	if l.scraped {
		return stock
	}
	return s.over
}
