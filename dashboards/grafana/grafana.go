// Package grafana makes Grafana dashboards of a catalogue, in English and in Chinese: a set
// over Grafana's own Prometheus data source, and one over the data source plugin.
//
// Which KPI stands where is in the files of layout; what it is called, what it means and
// how its numbers are written is in the catalogue. What a catalogue does not keep is left
// out. A query always names the breakdown and the window; days are drawn at their
// beginning; the dashboards have the zone in which the business days are cut. Both sets are
// of the same layouts; what a data source cannot answer is left out of its own.
package grafana

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tidewatch/tidewatch/kpi"
)

// Definitions are what dashboards are made of.
type Definitions struct {
	Catalogue *kpi.Catalogue
	Rules     []Rule
}

// A Rule is an alert with its condition, in PromQL.
type Rule struct{ Alert, Expr string }

// A File is a dashboard as Grafana reads it. Its name is a path with slashes, such as
// en/users.json, or plugin-en/users.json of the set over the plugin.
type File struct {
	Name string
	Data []byte
}

// Make makes all dashboards.
func Make(d Definitions) ([]File, error) {
	plan, err := readPlan()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, set := range sets {
		for _, lang := range languages {
			for _, l := range plan.layouts {
				name := set.folder(lang) + "/" + l.name + ".json"
				made, err := newMaker(d, plan, l, lang, set).dashboard()
				if err != nil {
					return nil, fmt.Errorf("make dashboard %s: %w", name, err)
				}
				data, err := encode(made)
				if err != nil {
					return nil, fmt.Errorf("encode dashboard %s: %w", name, err)
				}
				files = append(files, File{Name: name, Data: data})
			}
		}
	}
	return files, nil
}

func newMaker(d Definitions, p *plan, l *layout, lang language, s set) *maker {
	return &maker{Definitions: d, plan: p, layout: l, lang: lang, set: s, chosen: reference{Type: s.asks(l), UID: "${datasource}"}}
}

func encode(d *dashboard) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return out.Bytes(), err
}
