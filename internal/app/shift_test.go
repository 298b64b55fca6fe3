package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// A drop by 5 % that stays is no hour's matter, and shows as a shift within days; its
// channel alone shifts.
func TestShift(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	c.KPIs = []string{filepath.Join(t.TempDir(), "kpis.yaml")}
	if err := os.WriteFile(c.KPIs[0], []byte("keep: []\nkpis:\n  - {name: units, sum: {field: units}, by: [channel], windows: [1h]}\nseasons:\n  - {name: rest, days: [2026-07-20]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	events := NewLog()
	dice := rand.New(rand.NewPCG(1, 2))
	begin := time.Date(2026, 5, 18, 0, 30, 0, 0, noon.Location()) // far from seasons; 12 weeks
	dropped, end := begin.AddDate(0, 0, 81), begin.AddDate(0, 0, 84)
	for at := begin; !at.After(end); at = at.Add(time.Hour) {
		for _, channel := range []string{"a", "b"} {
			units := 1000 + dice.NormFloat64()*10
			if channel == "a" && !at.Before(dropped) {
				units *= 0.95
			}
			events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":"%s%d","time":%d,"type":"play","user_id":"u","channel":%q,"units":%d}`, channel, at.Unix(), at.UnixMilli(), channel, int(units)))
		}
	}
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	ask := func(expr string, at time.Time) map[string]float64 {
		t.Helper()
		v, _, err := r.vector(t.Context(), queryable.New(r, queryable.NewCache(1<<20)), expr, at.UnixMilli())
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, s := range v {
			out[s.Metric.Get("channel")] = s.F
		}
		return out
	}
	const series = `kpi_units_shift{by="channel",window="1h"}`
	for _, c := range []struct {
		at   time.Time
		a, b bool // have shifted
	}{
		{dropped, false, false},
		{dropped.Add(60 * time.Hour), true, false},
		{end, true, false},
	} {
		got := ask(series, c.at)
		if len(got) != 2 || got["a"] < -10 != c.a || got["b"] < -10 != c.b || got["a"] > 10 || got["b"] > 10 {
			t.Errorf("at %s: shifted by %v, want a %t, b %t", c.at, got, c.a, c.b)
		}
	}
	if got := ask(series, begin.AddDate(0, 0, 30)); len(got) > 0 {
		t.Errorf("before enough days are known: %v", got)
	}
	rest := time.Date(2026, 7, 20, 4, 0, 0, 0, noon.Location())
	if got := ask(series, rest); len(got) > 0 {
		t.Errorf("in a season: %v", got)
	}
	if got := ask(series, rest.AddDate(0, 0, -1)); len(got) != 2 {
		t.Errorf("before a season: %v", got)
	}
	low := ask(`count_over_time((kpi_units{by="channel",window="1h"} < kpi_units_band_low{by="channel",window="1h"})[3d:1h])`, end)
	if len(low) > 0 {
		t.Errorf("hours below the band: %v", low)
	}
	// A range says what its instants say.
	whole := ask(`last_over_time(`+series+`[1d:1h])`, end)
	if got := ask(series, time.UnixMilli(end.UnixMilli()/3_600_000*3_600_000)); got["a"] != whole["a"] || got["b"] != whole["b"] {
		t.Errorf("a range ends with %v, an instant is %v", whole, got)
	}
}
