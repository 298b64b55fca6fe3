package app

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// TestNothingIsEmpty: a day of the demo's shop has something in every KPI of the
// default catalogue and in every breakdown of it. Nobody churns in a day.
func TestNothingIsEmpty(t *testing.T) {
	end := noon.Add(2 * time.Hour)
	shop := generate.New(generate.Options{Seed: 20, Start: end.Add(-26 * time.Hour), End: end, Rate: 0.5, Users: 5_000, Contents: 200, Mild: true})
	c := config.Default()
	c.Data = t.TempDir()
	events := NewLog()
	for {
		lines, n := shop.AppendLines(nil, 500)
		if n == 0 {
			break
		}
		events.Append(end.UnixMilli(), lines)
	}
	events.Tick(end.UnixMilli(), stream.Tick{To: end.UnixMilli()})
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	live := r.look().live
	for _, k := range r.Catalogue().KPIs {
		if k.Name == "at_risk_users" || k.Name == "churned_users" {
			continue
		}
		for _, w := range k.Windows {
			if !w.IsDay() && w.Length < 24*time.Hour {
				continue
			}
			for _, by := range k.By {
				a := live.Ask(merge.Question{KPI: k.Name, By: by, Window: w})
				something := false
				for _, s := range a.Samples {
					something = something || !s.Null && s.Numerator.N.Sign() != 0
				}
				if !something {
					t.Errorf("%s by %s over %s has nothing in %d series", k.Name, by, w, len(a.Samples))
				}
			}
		}
	}
}
