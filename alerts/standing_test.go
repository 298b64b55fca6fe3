package alerts

import (
	"fmt"
	"testing"
)

// What is told again is told as it is by then.
func TestStanding(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', annotations: {summary: '{{ $labels.channel }} {{ $value }}', asked: '{{ with query "q" }}{{ . | first | value }}{{ end }}'}`
	view := func(k, n int64) board {
		return board{"ctr/channel/5m": {ratio(k, n, "a"), ratio(k, n, "b")}, "q": {count(7)}}
	}
	e := engine(t, rulesOf(low))
	fired := e.Evaluate(at1(0), view(1, 100))
	if len(fired) != 2 {
		t.Fatalf("told %v", fired)
	}
	expect := func(e *Engine, value, summary string, seen, stands int64) {
		t.Helper()
		got := e.Standing(fired[0])
		want := fmt.Sprint(value, " ", summary, " 7 ", seen, " ", stands, " ", fired[0].ID)
		a := got.Annotations
		if said := fmt.Sprint(a["value"], " ", a["summary"], " ", a["asked"], " ", got.SeenAt, " ", got.StandsAt, " ", a["notification_id"]); said != want {
			t.Errorf("says %s, want %s", said, want)
		}
		if got.ID != fired[0].ID || got.WindowEnd != fired[0].WindowEnd || got.Fingerprint != fired[0].Fingerprint || fired[0].Annotations["value"] != "0.01" {
			t.Errorf("is %+v, was %+v", got, fired[0])
		}
	}
	e.Evaluate(at1(600), view(5, 100))
	expect(e, "0.05", "a 0.05", at1(600), at1(600))
	e.Evaluate(at1(700), view(0, 5)) // too few to judge
	expect(e, "0.05", "a 0.05", at1(600), at1(700))
	expect(restart(t, e, rulesOf(low)), "0.01", "a 0.01", 0, at1(700))
	e.Evaluate(at1(800), view(50, 100))
	expect(e, "0.01", "a 0.01", 0, 0) // it is over
	e.Evaluate(at1(900), view(2, 100))
	expect(e, "0.01", "a 0.01", 0, 0) // that is another time
}

// So is what an expression comes to.
func TestStandingOfExpression(t *testing.T) {
	e := engine(t, fmt.Sprintf(`groups: [{name: g, rules: [{alert: Busy, expr: '%s'}]}]`, busy))
	fired := e.Evaluate(at1(0), seen("a=12", "b=13"))
	e.Evaluate(at1(15), seen("a=20", "b=21"))
	for i, want := range []string{"20", "21"} {
		got := e.Standing(fired[i])
		if fired[i].Labels["channel"] != "ab"[i:i+1] {
			want = map[string]string{"20": "21", "21": "20"}[want]
		}
		if got.Annotations["value"] != want || got.SeenAt != at1(15) {
			t.Errorf("says %+v, want %s", got, want)
		}
	}
}
