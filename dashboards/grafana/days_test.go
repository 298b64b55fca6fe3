package grafana

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// A day has no value before it is over, though that of the day before stands until then.
func TestDaysThatAreOver(t *testing.T) {
	plan, err := readPlan()
	if err != nil {
		t.Fatal(err)
	}
	m := newMaker(defined(t, config.Default()), plan, plan.layouts[2], "en", sets[0])
	midnight := func(day int) time.Time { return time.Date(2026, time.March, day, 0, 0, 0, 0, time.UTC) }
	const today = 5
	for _, tt := range []struct {
		kpi  string
		wait int // how many days a day waits behind its own
	}{{"dau", 0}, {"retention_d1", 1}} {
		of, kept := m.cut(tt.kpi, "", "day")
		if !kept {
			t.Fatalf("no days of %s", tt.kpi)
		}
		for _, left := range []time.Duration{24 * time.Hour, time.Hour, 4*time.Minute + 7*time.Second, 59 * time.Second, 0} { // of today
			now := midnight(today + 1).Add(-left)
			var list []queryable.Series
			for day := 1; day <= today; day++ {
				series := queryable.Series{Labels: labels.FromStrings("__name__", "kpi_"+tt.kpi, "by", "total", "window", "day", "cohort", "")}
				if tt.wait > 0 {
					series.Labels = labels.FromStrings("__name__", "kpi_"+tt.kpi, "by", "total", "window", "day", "cohort", midnight(day).Format(time.DateOnly))
				}
				for at := midnight(day + 1 + tt.wait); !at.After(now) && at.Before(midnight(day+2+tt.wait)); at = at.Add(time.Minute) {
					series.Points = append(series.Points, queryable.NewPoint(at.UnixMilli(), float64(day)))
				}
				list = append(list, series)
			}
			want := ""
			for day := 1; !midnight(day + 1 + tt.wait).After(now); day++ {
				want += fmt.Sprintf("%d: %d ", day, day)
			}
			query, err := expression.NewEngine(1_000_000).NewRangeQuery(context.Background(), store(list), nil, of.daily(), midnight(1), midnight(today), 24*time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			result, err := query.Exec(context.Background()).Matrix()
			got := ""
			for _, s := range result {
				for _, p := range s.Floats {
					got += fmt.Sprintf("%d: %.0f ", time.UnixMilli(p.T).UTC().Day(), p.F)
				}
			}
			if err != nil || len(result) != 1 || got != want {
				t.Errorf("%s, %s before the end of the day: %s(%v), want %s", tt.kpi, left, got, err, want)
			}
		}
	}
}

// store has the points of series with the same labels as one.
func store(list []queryable.Series) *queryable.Store {
	s := queryable.NewStore()
	for _, one := range list {
		for _, p := range one.Points {
			s.Series(one.Labels).Add(p)
		}
	}
	return s
}
