package kpi

import (
	"fmt"
	"testing"
	"time"
)

// What a KPI asks for that nothing has is hardly meant.
func TestNothingHas(t *testing.T) {
	for _, tt := range []struct{ kpi, want string }{
		{`count: {where: 'fact == "paid"'}`, `kpis[0]: fact == "paid" asks events for what facts have: write from: orders`},
		{`count: {where: 'channel == "a" and fact == "session"'}`, `kpis[0]: channel == "a" and fact == "session" asks events for what facts have: write from: sessions`},
		{`count: {where: 'fact in ["sale", "visit"]'}`, `kpis[0]: fact in ["sale", "visit"] asks events for what facts have: say from: which operator the facts are of`},
		{`also: plays, sum: {field: dwell_ms, where: 'type == "play"'}`, `kpis[0]: dwell_ms is no number of plays: a play put together is as one without it: they have watch_ms, duration_ms, position_ms; leave also out to measure events alone`},
		{`also: plays, ratio: {numerator: {count: {where: 'type == "play" and dwell_ms > 0'}}, denominator: {count: {where: 'type == "play"'}}}`, `kpis[0]: dwell_ms is no number of plays: a play put together is as one without it: they have watch_ms, duration_ms, position_ms; leave also out to measure events alone`},
		{`also: plays, sum: {expr: 'min(watch_ms, duration_ms) + position_ms', where: 'type == "play" and duration_ms > 0'}`, ""},
		{`also: plays, ratio: {numerator: {sum: {field: dwell_ms, where: 'type == "session_end"'}}, denominator: {count: {where: 'type == "play"'}}}, unit: number`, ""},
	} {
		c, err := Load(time.UTC, File{Name: "x.yaml", Data: []byte("kpis: [{name: x, windows: [1h], " + tt.kpi + "}]")})
		if err != nil {
			t.Fatal(err)
		}
		want := "[]"
		if tt.want != "" {
			want = "[x.yaml:1: " + tt.want + "]"
		}
		if got := fmt.Sprint(c.Warnings); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.kpi, got, want)
		}
	}
}
