package backtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

func TestReaches(t *testing.T) {
	c, err := kpi.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := expression.Parse(`avg_over_time(kpi_ctr{by="total",window="1m"}[10m])`)
	if err != nil {
		t.Fatal(err)
	}
	recordings := []queryable.Recording{{Name: "ctr:avg", Expr: recorded}}
	const minute = time.Minute
	for _, tt := range []struct {
		rule string
		want time.Duration
		what string // "for ever: " before it where there is no end
	}{
		{`expr: 'kpi_ctr{by="channel",window="1m"} < 0.1'`, 6*minute + time.Second, "the window 1m of ctr"},
		{`expr: 'kpi_ctr{window="1m"} < 0.1', for: 2m, keep_firing_for: 3m`, 11*minute + time.Second, "the window 1m of ctr"},
		{`expr: 'kpi_ctr{by="total",window="1m"} < kpi_ctr{by="total",window="1h"}'`, 66 * minute, "the window 1h of ctr"},
		{`expr: 'kpi_ctr{by="total",window="1m"} < 0.1', recover: 'kpi_ctr{by="total",window="1h"} > 0.1'`, 66 * minute, "the window 1h of ctr"},
		{`expr: 'min_over_time(kpi_ctr{by="total",window="1m"}[30m] offset 1h) < 0.1'`, 91*minute + time.Second, "the window 1m of ctr"},
		{`expr: 'min_over_time(sum(kpi_ctr{by="total",window="1m"})[2h:1m]) < 0.1'`, 126*minute + time.Second, "the window 1m of ctr"},
		{`expr: 'ctr:avg < 0.1'`, 16*minute + time.Second, "the window 1m of ctr"},
		{`expr: 'kpi_ctr{by="total",window="1m"} @ 1700000000 < 0.1'`, 0, "for ever: the window 1m of ctr"},
		{`expr: 'kpi_mau > 1'`, 0, "for ever: the window day of mau"},
		{`expr: 'kpi_ctr{by="total",window="1h"} < kpi_ctr_band_low{by="total",window="1h"}'`, 63*24*time.Hour + 66*minute, "what is usual of ctr"},
		{`expr: 'vector(1) > 0'`, 0, ""},
	} {
		f, err := alerts.LoadRules("rules", fmt.Appendf(nil, "groups: [{name: g, rules: [{alert: A, %s}]}]", tt.rule), c)
		if err != nil {
			t.Fatalf("%s: %v", tt.rule, err)
		}
		all, err := Reaches(f, c, recordings)
		if err != nil {
			t.Fatal(err)
		}
		got := all[f.Groups[0].Rules[0]]
		if got.Ever {
			got.Span, got.What = 0, "for ever: "+got.What
		}
		if got.Span != tt.want || got.What != tt.what {
			t.Errorf("%s: %s of %q, want %s of %q", tt.rule, got.Span, got.What, tt.want, tt.what)
		}
	}
}

// A rule about alerts is known from when on all others are.
func TestReachOfAlerts(t *testing.T) {
	c, err := kpi.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := expression.Parse(`count(ALERTS{alertstate="firing"})`)
	if err != nil {
		t.Fatal(err)
	}
	f, err := alerts.LoadRules("rules", []byte(`groups: [{name: g, rules: [
		{alert: Long, expr: 'kpi_ctr{by="total",window="1h"} < 0.1'},
		{alert: Short, expr: 'kpi_ctr{by="total",window="1m"} < 0.1'},
		{alert: Asks, expr: 'ALERTS{alertname="Long"} and on() kpi_ctr{by="total",window="1m"} < 0.1'},
		{record: firing, expr: 'count(ALERTS{alertstate="firing"})'},
		{alert: Counts, expr: 'firing > 3'}]}]`), c)
	if err != nil {
		t.Fatal(err)
	}
	all, err := Reaches(f, c, []queryable.Recording{{Name: "firing", Expr: recorded}})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range f.Groups[0].Rules {
		want := 66 * time.Minute
		if r.Alert == "Short" {
			want = 6*time.Minute + time.Second
		}
		if got := all[r]; got.Span != want {
			t.Errorf("%s: %s of %q, want %s", r.Alert, got.Span, got.What, want)
		}
	}
}
