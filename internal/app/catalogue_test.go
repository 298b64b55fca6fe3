package app

import (
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// openShop is a service that counted what happened in the demo's shop until an end.
func openShop(t *testing.T, o generate.Options) *Replica {
	t.Helper()
	shop, end := generate.New(o), o.End
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
	return r
}

// TestNothingIsEmpty: a day of the shop has something in every KPI of the default
// catalogue and in every breakdown of it, but for what takes weeks.
func TestNothingIsEmpty(t *testing.T) {
	end := noon.Add(2 * time.Hour)
	r := openShop(t, generate.Options{Seed: 20, Guests: true, Counter: true, Start: end.Add(-26 * time.Hour), End: end, Rate: 0.5, Users: 5_000, Contents: 200, Mild: true})
	live := r.look().live
	for _, k := range r.Catalogue().KPIs {
		if k.From != nil && k.From.Name != "sessions" && !ofCounter(k) {
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

// Seven weeks of it have something in all that days of activity say.
func TestNoFactIsMissing(t *testing.T) {
	end := noon.Add(2 * time.Hour)
	r := openShop(t, generate.Options{Seed: 20, Guests: true, Counter: true, Start: end.Add(-50 * 24 * time.Hour), End: end, Rate: 0.02, Users: 1_500, Contents: 200, Mild: true})
	for _, k := range r.Catalogue().KPIs {
		if k.From == nil || ofCounter(k) {
			continue
		}
		for _, by := range k.By {
			a, err := r.Query(t.Context(), api.Query{KPI: k, By: by, Window: kpi.Day, At: end.AddDate(0, 0, -k.Horizon)})
			if err != nil {
				t.Fatal(err)
			}
			something := false
			for _, s := range a.Samples {
				something = something || !s.Null && (s.Numerator.N.Sign() != 0 || s.Denominator.N.Sign() != 0)
			}
			if !something || !a.Complete {
				t.Errorf("%s by %s has nothing in %d series; complete: %v", k.Name, by, len(a.Samples), a.Complete)
			}
		}
	}
}

// ofCounter reports whether a KPI is of what happens at the shop's counter alone, where few
// come: elsewhere everything matches an order, and who pays has clicked.
func ofCounter(k *kpi.KPI) bool {
	return slices.Contains(k.Split, kpi.EventField) || k.Numerator.Where.FactKind() == "unattributed"
}
