package grafana

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// Rows over the last full days are of these, at any time of the day in any zone.
func TestFullDays(t *testing.T) {
	plan, err := readPlan()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Pacific/Auckland"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		c := config.Default()
		c.Timezone, c.Location = name, zone
		m := newMaker(defined(t, c), plan, plan.layouts[2], "en", sets[0])
		of, kept := m.cut("plays", "channel", "day")
		if !kept {
			t.Fatal("no days of plays")
		}
		for _, month := range []time.Month{time.January, time.August} {
			midnight := func(day int) int64 { return time.Date(2026, month, day, 0, 0, 0, 0, zone).UnixMilli() }
			of.matchers = nil
			series := queryable.Series{Labels: labels.FromStrings("__name__", "kpi_plays", "by", "channel", "window", "day", "channel", "c")}
			for day := 1; day < 12; day++ { // it stands until the next one is over
				for at := midnight(day + 1); at < midnight(day+2); at += time.Minute.Milliseconds() {
					series.Points = append(series.Points, queryable.NewPoint(at, math.Exp2(float64(day))))
				}
			}
			want := math.Exp2(12) - math.Exp2(5) // the 5th to the 11th
			for _, clock := range []time.Duration{0, time.Minute, 4*time.Hour + 35*time.Minute, 12 * time.Hour, 24*time.Hour - time.Minute} {
				at := time.UnixMilli(midnight(12)).Add(clock)
				if at.In(zone).IsDST() && clock < time.Hour {
					continue
				}
				query, err := expression.NewEngine(1_000_000).NewInstantQuery(context.Background(), queryable.NewStore(series), nil, m.cell(of, spec{by: "channel", days: 7}), at)
				if err != nil {
					t.Fatal(err)
				}
				result, err := query.Exec(context.Background()).Vector()
				if err != nil || len(result) != 1 || result[0].F != want {
					t.Errorf("%s: at %s %v (%v), want %.0f", name, at.In(zone), result, err, want)
				}
			}
		}
	}
}
