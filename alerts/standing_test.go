package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/windows/sample"
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

// What only recover keeps says what its left side comes to, of one of several conditions too, and
// where that is not known what it was when it fired.
func TestStandingByRecover(t *testing.T) {
	const left = `kpi_plays{by="channel",window="5m"}`
	for expr, want := range map[string]string{
		left + " < 10":                             "40 at 40 15",
		left + " < 10 and " + left + " < 90":       "40 at 40 15",
		"(" + left + " < 10) unless on () other":   "40 at 40 15",
		left + " * 1 < 10 or on (channel) other":   "5 at 5 0",
		left + " < on (channel) other and " + left: "5 at 5 0",
	} {
		e := engine(t, `groups: [{name: g, interval: 15s, rules: [{alert: Low, expr: '`+expr+`', recover: '`+left+` * 1 > 90', annotations: {summary: 'at {{ $value }}'}}]}]`)
		view := func(n int64, low bool) board {
			all := []sample.Sample{count(n, "by", "channel", "channel", "a", "window", "5m")}
			b := board{expr: {}, left: all, left + " * 1 > 90": {}, "plays/channel/5m": {count(n, "a")}}
			if low {
				b[expr] = all
			}
			return b
		}
		fired := e.Evaluate(at1(0), view(5, true))
		if told := e.Evaluate(at1(15), view(40, false)); len(fired) != 1 || len(told) != 0 {
			t.Fatalf("%s: told %v, then %v", expr, fired, told)
		}
		n := e.Standing(fired[0])
		asOf := cmp.Or(n.SeenAt, fired[0].WindowEnd)
		if got := fmt.Sprintf("%s %s %d", n.Annotations["value"], n.Annotations["summary"], (asOf-at1(0))/1000); got != want || n.StandsAt != at1(15) ||
			n.Annotations["as_of"] != instant(asOf).Format(timeFormat) {
			t.Errorf("%s: stands as %s, %s, want %s", expr, got, n.Annotations["as_of"], want)
		}
		a := e.Status().Alerts[0]
		listed := a.Annotations["summary"] + " " + a.Annotations["as_of"]
		if known := n.SeenAt != 0; known != (a.Value != nil) || known && listed != "at 40 "+instant(at1(15)).Format(timeFormat) || !known && listed != "at 5 " {
			t.Errorf("%s: listed with %v, %s", expr, a.Value, listed)
		}
	}
}

// After a restart, and a reload, alerts stand by the live windows as of the last evaluation before
// they are judged, but where their rules would say otherwise.
func TestStandingBeforeJudgement(t *testing.T) {
	const low, gone = `alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1'`, `alert: None, expr: 'kpi_plays{by="channel",window="5m"} < 1'`
	queried := "groups: [{name: q, rules: [{alert: Busy, expr: '" + busy + "'}]}]"
	view := func(k, n, plays int64, results ...string) board {
		b := seen(results...)
		b["ctr/channel/5m"] = []sample.Sample{ratio(k, n, "a")}
		if b["plays/channel/5m"] = []sample.Sample{}; plays > 0 {
			b["plays/channel/5m"] = []sample.Sample{count(plays, "a")}
		}
		return b
	}
	files := []string{rulesOf(low + "\n" + gone), queried}
	e := engine(t, files...)
	e.Evaluate(at1(0), view(50, 100, 5))
	fired := e.Evaluate(at1(15), view(1, 100, 0, "a=12"))
	if len(fired) != 3 {
		t.Fatalf("told %v", fired)
	}
	expect := func(e *Engine, seenAt int64, want string) {
		t.Helper()
		var got []string
		for _, n := range fired {
			if n = e.Standing(n); n.SeenAt != seenAt {
				t.Errorf("%s is of %d, want %d", n.Rule, n.SeenAt, seenAt)
			}
			got = append(got, n.Rule+" "+n.Annotations["value"])
		}
		slices.Sort(got)
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("stand as %s, want %s", got, want)
		}
	}
	later := view(5, 100, 0, "a=20")
	e.Evaluate(at1(30), later)
	next := restart(t, e, files...)
	expect(next, 0, "Busy 12, Low 0.01, None 0")
	next.Resume(later)
	next.Recall()
	expect(next, at1(30), "Busy 20, Low 0.05, None 0")
	e.Evaluate(at1(45), view(0, 3, 0, "a=21")) // too few to judge Low
	next = restart(t, e, files...)
	next.Succeed(e)
	next.Resume(view(0, 3, 0, "a=21"))
	next.Recall()
	if n := next.Standing(fired[0]); n.Rule != "Low" || n.Annotations["value"] != "0.05" || n.SeenAt != at1(30) {
		t.Errorf("stands as %+v, when it last could be judged", n)
	}
	edited := restart(t, e, rulesOf(strings.Replace(low, "0.1", "0.02", 1)+"\n"+gone), queried)
	edited.Resume(later)
	edited.Recall()
	if got := edited.Standing(fired[0]); got.SeenAt != 0 {
		t.Errorf("an edited rule says %+v", got)
	}
}

// An alert whose rule is gone is over with its newest figures, which say of when they are, and
// not with what had changed when it fired.
func TestRuleGoneFigures(t *testing.T) {
	const low = `alert: Low, expr: 'kpi_ctr{window="5m"} < 0.1', annotations: {summary: 'at {{ $value }}'}`
	board := func(k int64) board { return board{"ctr/total/5m": {ratio(k, 100)}} }
	for _, reload := range []bool{false, true} {
		e := engine(t, rulesOf(low))
		fired := e.Evaluate(at1(0), board(1))
		e.Explain(&fired[0], &Change{Since: instant(at1(-60)), Until: instant(at1(0)), Before: 0.4, Parts: []Contribution{{Field: "channel", Value: "a", Share: 1}}})
		if fired[0].Annotations["before"] == "" || fired[0].Annotations["contributions"] == "" {
			t.Fatalf("fired: %v", fired[0].Annotations)
		}
		e.Evaluate(at1(60), board(5))
		next := restart(t, e, rulesOf(`alert: Other, expr: 'kpi_ctr{window="5m"} < 0.1'`))
		if reload {
			next.Succeed(e)
		}
		n := next.Evaluate(at1(61), board(50))[0]
		value, asOf := "0.01", at1(0)
		if reload {
			value, asOf = "0.05", at1(60)
		}
		a := n.Annotations
		if n.Rule != "Low" || n.Status != Resolved || a["value"] != value || a["summary"] != "at "+value || a["as_of"] != instant(asOf).Format(timeFormat) || n.AsOf() != asOf || n.WindowEnd != at1(61) {
			t.Errorf("by a reload %t: %+v", reload, n)
		}
		if n.Change != nil || a["before"]+a["before_at"]+a["contributions"] != "" {
			t.Errorf("by a reload %t it says what changed: %v", reload, a)
		}
	}
}

// So is one of which nothing decides so.
func TestResolvedAt(t *testing.T) {
	e := engine(t, rulesOf(ctrLow))
	fired := e.Evaluate(at1(0), board{"ctr/total/5m": {ratio(1, 100)}})[0]
	e.Explain(&fired, &Change{Since: instant(at1(-60)), Until: instant(at1(0)), Before: 0.4})
	n := fired.ResolvedAt(at1(60), reason.NoRuleFires)
	if n.AsOf() != at1(0) || n.WindowEnd != at1(60) || n.Change != nil || n.Annotations["before"] != "" || n.Annotations["resolved_because"] != reason.NoRuleFires || fired.Annotations["before"] == "" {
		t.Errorf("resolved %+v", n)
	}
}
