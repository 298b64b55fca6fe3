package kpi

import (
	"fmt"
	"maps"
	"testing"
	"time"
)

func TestTargets(t *testing.T) {
	const share = `ratio: {numerator: {count: {where: 'type == "click"'}}, denominator: {count: {where: 'type == "play"'}}}, `
	const nps = `ratio: {numerator: {count: {where: 'score >= 9'}}, denominator: {count: {where: 'score >= 0'}}}, minus: {count: {where: 'score >= 0 and score <= 6'}}, `
	for _, tt := range []struct {
		kpi     string
		want    map[string]float64
		warning string
	}{
		{kpi: "count: ", want: map[string]float64{}},
		{kpi: "count: , targets: {good: 1e6, bad: -0.5}", want: map[string]float64{"good": 1e6, "bad": -0.5}},
		{kpi: share + "targets: {bad: 0.3}", want: map[string]float64{"bad": 0.3}},
		{kpi: share + "targets: {good: 1, bad: 0}", want: map[string]float64{"good": 1, "bad": 0}},
		{kpi: share + "targets: {good: 30}", want: map[string]float64{"good": 30},
			warning: "x.yaml:1: kpis[0].targets.good: 30 is a level of a share, which lies between 0 and 1: for 30 % write 0.3"},
		{kpi: share + "targets: {bad: -1}", want: map[string]float64{"bad": -1},
			warning: "x.yaml:1: kpis[0].targets.bad: -1 is a level of a share, which lies between 0 and 1: give a number in between"},
		{kpi: share + "minus: {count: {where: 'type == \"refund\"'}}, targets: {good: 33.3, bad: -0.1}", want: map[string]float64{"good": 33.3, "bad": -0.1},
			warning: "x.yaml:1: kpis[0].targets.good: 33.3 is a level of a difference of shares, which lies between -1 and 1: for 33.3 % write 0.333"},
		{kpi: nps + "scale: 100, targets: {good: 30, bad: -300}", want: map[string]float64{"good": 30, "bad": -300},
			warning: "x.yaml:1: kpis[0].targets.bad: -300 is a level of a difference of shares, which lies between -100 and 100: give a number in between"},
		{kpi: "ratio: {numerator: {count: }, denominator: {distinct: {field: user_id}}}, targets: {good: 30}", want: map[string]float64{"good": 30}},
		{kpi: share + "unit: number, targets: {good: 1.5}", want: map[string]float64{"good": 1.5}},
		{kpi: share + "scale: 1000, targets: {good: 30}", want: map[string]float64{"good": 30}},
	} {
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("kpis: [{name: x, windows: [5m], " + tt.kpi + "}]")})
		if err != nil {
			t.Fatal(err)
		}
		if got := maps.Collect(c.KPI("x").Targets.All()); !maps.Equal(got, tt.want) {
			t.Errorf("%s: levels %v, want %v", tt.kpi, got, tt.want)
		}
		want := "[]"
		if tt.warning != "" {
			want = "[" + tt.warning + "]"
		}
		if got := fmt.Sprint(c.Warnings); got != want {
			t.Errorf("%s: warnings %s, want %s", tt.kpi, got, want)
		}
	}
}
