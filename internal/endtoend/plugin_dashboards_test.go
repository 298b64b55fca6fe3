package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/internal/visits"
)

// A board is a dashboard over the data source, as far as it asks.
type board struct {
	Title  string
	Panels []struct {
		Title   string
		Targets []json.RawMessage
	}
	Annotations struct {
		List []struct {
			Name   string
			Target json.RawMessage
		}
	}
	Templating struct {
		List []struct {
			Name  string
			Type  string
			Query json.RawMessage
		}
	}
}

// shopped is a service with the story of a shop that ends now, and an alert that fires.
func shopped(t *testing.T) *service {
	t.Helper()
	now := time.Now()
	s := newService(t, "timezone: "+visits.Zone(now).String()+"\nrules: [rules.yml]\n")
	s.file(t, "rules.yml", `groups:
  - name: plays
    rules:
      - {alert: SomePlays, expr: 'kpi_plays{by="total",window="24h"} > 0', annotations: {summary: Plays}}
`)
	s.start(t)
	events := visits.Story(now)
	s.post(t, events...)
	s.awaitReceived(t, int64(len(events)))
	return s
}

// What the dashboards over the data source ask, at All and in one currency, has an answer
// with values, and so has every variable.
func TestPluginDashboards(t *testing.T) {
	t.Parallel()
	s := shopped(t)
	g := newGrafana(t, s.url(""))
	files, err := filepath.Glob("../../dashboards/grafana/plugin-en/*.json")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d dashboards over the data source: %v", len(files), err)
	}
	for _, file := range files {
		if filepath.Base(file) == "service.json" {
			continue // over a Prometheus
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b board
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, v := range b.Templating.List {
			if v.Type == "query" {
				g.choosable(t, b.Title+", "+v.Name, v.Query)
			}
		}
		for _, a := range b.Annotations.List {
			if a.Target != nil {
				g.filled(t, b.Title+", "+a.Name, a.Target)
			}
		}
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				g.filled(t, b.Title+", "+p.Title, q)
			}
		}
	}
}

// choosable waits until a variable has values.
func (g *grafana) choosable(t *testing.T, where string, query json.RawMessage) {
	t.Helper()
	var v struct{ KPI, Window, Field string }
	if err := json.Unmarshal(query, &v); err != nil {
		t.Fatal(err)
	}
	var body string
	eventually(t, where, func() bool {
		_, body = g.get(t, fmt.Sprintf("values?kpi=%s&window=%s&field=%s", v.KPI, v.Window, v.Field))
		var got struct{ Values []string }
		return json.Unmarshal([]byte(body), &got) == nil && len(got.Values) > 0
	}, func() any { return body })
}

// filled waits until a query has a value.
func (g *grafana) filled(t *testing.T, where string, query json.RawMessage) {
	t.Helper()
	var q map[string]any
	if err := json.Unmarshal(query, &q); err != nil {
		t.Fatal(err)
	}
	kept := []any{}
	list, _ := q["filters"].([]any)
	for _, f := range list {
		f := f.(map[string]any)
		switch value := f["values"].([]any)[0].(string); {
		case value == "$currency":
			f["values"] = []string{"CNY"}
		case strings.HasPrefix(value, "$"): // the editor leaves All out
			continue
		}
		kept = append(kept, f)
	}
	q["filters"] = kept
	asked, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	p := panel{from: now.Add(-35 * 24 * time.Hour), to: now, interval: time.Hour, points: 1000}
	var r backend.DataResponse
	eventually(t, where+": "+string(asked), func() bool {
		r = g.ask(t, p, string(asked))
		return r.Error == nil && len(r.Frames) > 0 && hasValue(r.Frames)
	}, func() any { return drawn(r) })
}

// hasValue reports whether there is something beside times and labels.
func hasValue(frames data.Frames) bool {
	for _, f := range frames {
		for _, x := range f.Fields {
			if x.Type().Time() || f.Meta.Type == data.FrameTypeTable && x.Name != "title" && x.Name != "user_id" && !x.Type().Numeric() {
				continue
			}
			for i := range x.Len() {
				if _, ok := x.ConcreteAt(i); ok {
					return true
				}
			}
		}
	}
	return false
}
