package api

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestBegins: a window of a range begins with its length, or with its day.
func TestBegins(t *testing.T) {
	shanghai := time.FixedZone("", 8*60*60)
	days := kpi.NewCalendar(shanghai)
	noon := time.Date(2026, 11, 29, 12, 0, 0, 0, shanghai)
	midnight := noon.Add(-12 * time.Hour)
	for _, c := range []struct {
		window    kpi.Window
		end, want time.Time
	}{
		{kpi.Window{Length: time.Hour}, noon, noon.Add(-time.Hour)},
		{kpi.Today, noon, midnight},
		{kpi.Today, midnight, midnight.AddDate(0, 0, -1)},
		{kpi.Day, midnight, midnight.AddDate(0, 0, -1)},
	} {
		if got := begins(c.window, c.end, days); !got.Equal(c.want) {
			t.Errorf("%s that ends at %s begins at %s, want %s", c.window, c.end, got, c.want)
		}
	}
}
