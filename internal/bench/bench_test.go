package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

func TestTable(t *testing.T) {
	base, present := contender{name: "base"}, contender{name: "present"}
	table := &table{contenders: []contender{base, present}}
	for _, turn := range []struct{ base, present float64 }{{2.5, 1.2}, {2, 1}, {8, 3}} {
		table.add("stream", base, figures{{"cost", turn.base}})
		table.add("stream", present, figures{{"cost", turn.present}})
	}
	table.add("live", base, figures{{"cores", 0.25}})
	var got strings.Builder
	table.print(&got)
	want := `| row | figure | base: min, median | present: min, median | ratio |
|---|---|---|---|---|
| stream | cost | 2.00, 2.50 | 1.00, 1.20 | **0.50** |
| live | cores | 0.250, 0.250 | - | - |
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", &got, want)
	}
}

func TestChoose(t *testing.T) {
	for _, c := range []struct{ list, want string }{
		{"", "stream http full live sparse"},
		{"all", "stream http full live sparse memory users alerts rules posts dashboards onlookers"},
		{"posts,http", "posts http"},
		{"http,htpp", `error: row "htpp" is not known: give some of stream, http, full, live, sparse, memory, users, alerts, rules, posts, dashboards, onlookers, or all`},
	} {
		chosen, err := choose(c.list)
		got := strings.Join(names(chosen), " ")
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != c.want {
			t.Errorf("%q: got %s, want %s", c.list, got, c.want)
		}
	}
}

// TestContenders: the present build is held to the base's definitions, and
// measured by its own beside that when they differ.
func TestContenders(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("catalogue.yaml", "kpis: [{name: plays}, {name: ctr}]\n")
	larger := write("larger.yaml", "kpis: [{name: plays}, {name: nps}, {name: ctr}, {name: aov}]\n")
	b := &bench{options: options{present: "tidewatch", base: dir, catalogue: larger}, dir: dir}
	got, err := b.contenders()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 3 || len(got[0].kpis) != 1 || len(got[1].kpis) != 2 || len(got[2].kpis) != 0 {
		t.Fatalf("got %+v", got)
	}
	if kept, err := os.ReadFile(got[1].kpis[0]); err != nil || string(kept) != "keep: []\n" {
		t.Errorf("of the own catalogue the present build keeps %q, %v, want none", kept, err)
	}
	b.catalogue = filepath.Join(dir, "catalogue.yaml")
	if got, err = b.contenders(); err != nil || len(got) != 2 {
		t.Errorf("of equal catalogues got %+v, %v", got, err)
	}
}

// TestApart: what facts cost is told against all KPIs of the catalogue that are over events,
// and no others.
func TestApart(t *testing.T) {
	dir := t.TempDir()
	b := &bench{options: options{present: "tidewatch", catalogue: "../../kpi/catalogue.yaml"}, dir: dir}
	got, err := b.apart()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := kpi.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	for _, k := range whole.KPIs {
		if k.From == nil {
			want[k.Name] = true
		}
	}
	text, err := os.ReadFile(got[0].kpis[0])
	if err != nil {
		t.Fatal(err)
	}
	c, err := kpi.Load(time.UTC, kpi.File{Name: "events.yaml", Data: text})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range c.KPIs {
		if !want[k.Name] || k.From != nil || k.Also != nil {
			t.Errorf("%s is kept, from %v, also %v", k.Name, k.From, k.Also)
		}
		delete(want, k.Name)
	}
	if len(want) > 0 || len(got[1].kpis) > 0 {
		t.Errorf("%v are missing; of the whole catalogue is left out what %v says", want, got[1].kpis)
	}
}
