package main

import (
	"os"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestHabits: both contenders keep the activity KPIs of the catalogue and none
// else, the second by more.
func TestHabits(t *testing.T) {
	dir := t.TempDir()
	b := &bench{options: options{present: "tidewatch", catalogue: "../../kpi/catalogue.yaml"}, dir: dir}
	got, err := b.habits()
	if err != nil {
		t.Fatal(err)
	}
	for i, sets := range []int{1, 4} { // the total, and each dimension
		text, err := os.ReadFile(got[i].kpis[0])
		if err != nil {
			t.Fatal(err)
		}
		c, err := kpi.Load(time.UTC, kpi.File{Name: "activity.yaml", Data: text})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.KPIs) != len(activity) {
			t.Errorf("%s keeps %d KPIs, want %d", got[i].name, len(c.KPIs), len(activity))
		}
		for _, k := range c.KPIs {
			if len(k.By) != sets {
				t.Errorf("%s keeps %s by %v, want %d sets", got[i].name, k.Name, k.By, sets)
			}
		}
	}
	if err := b.keep(dir+"/none.yaml", []string{"dau", "playz"}, nil); err == nil {
		t.Error("a KPI that the catalogue does not have is left out in silence")
	}
}

// TestPeople: on a day on which all come each comes once.
func TestPeople(t *testing.T) {
	for _, n := range []int{100, 1000, 4096, 10_007} {
		p, seen := newPeople(n), map[int]bool{}
		for i := range n {
			seen[p.user(i)] = true
		}
		if len(seen) != n {
			t.Errorf("of %d users %d come", n, len(seen))
		}
	}
}
