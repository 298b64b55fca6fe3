package alerts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// waiting is a View in which rules see the pending alerts of team x by ALERTS, and which counts
// what it is asked by query.
type waiting struct {
	board
	engine *Engine
	asked  *int
}

func (w waiting) Query(ctx context.Context, expr string, at int64) (out promql.Vector, mixed bool, _ error) {
	if !strings.Contains(expr, "ALERTS") {
		*w.asked++
		return w.board.Query(ctx, expr, at)
	}
	for _, a := range w.engine.Known() {
		if a.State == Pending && a.Labels["team"] == "x" {
			out = append(out, promql.Sample{Metric: labels.FromStrings("of", a.Labels["of"]), F: 1})
		}
	}
	return out, false, nil
}

const ofPending = `groups: [{name: g, interval: 10s, rules: [
  {alert: Busy, expr: 'kpi_plays{by="channel",window="5m"} > 9', for: 1h, labels: {team: '{{ query "owner" | first | label "team" }}', of: '{{ $value }}', level: '{{ if gt $value 100.0 }}high{{ else }}low{{ end }}'}},
  {alert: Waits, expr: 'ALERTS{alertstate="pending",team="x"}'},
]}]`

// A pending alert has the labels of when it came to be, through restarts too: nobody who looks
// at it asks anew.
func TestPendingLabels(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		e, asked := engine(t, ofPending), 0
		at := func(plays ...int64) waiting {
			b := board{"owner": {count(7, "team", "x")}}
			for i, n := range plays {
				b["plays/channel/5m"] = append(b["plays/channel/5m"], count(n, fmt.Sprint("c", i)))
			}
			return waiting{b, e, &asked}
		}
		var told []string
		for i, v := range []waiting{at(12), at(12), at(200), at(200, 12)} {
			v.engine = e
			before, was := fmt.Sprint(e.Known()), asked
			if restarts && i > 0 {
				e = restart(t, e, ofPending)
				v.engine = e
				e.Resume(v)
			}
			if after := fmt.Sprint(e.Known()); after != before {
				t.Errorf("restarts %t: rules knew of %s, and know of %s", restarts, before, after)
			}
			for _, n := range e.Evaluate(at1(int64(10*i)), v) {
				told = append(told, fmt.Sprint(n.Status, " ", n.Labels["of"], " ", (n.WindowEnd-start)/1000))
			}
			want := 0
			if i == 0 || i == 3 { // an alert comes
				want = 1
			}
			active, _ := e.Active()
			e.Status()
			if asked-was != want {
				t.Errorf("restarts %t, step %d: asked %d times, want %d", restarts, i, asked-was, want)
			}
			shown := e.Status().Alerts
			for _, a := range append(active, e.Known()...) {
				if a.State == Pending && (a.Labels["level"] != "low" || a.Labels["of"] != "12") {
					t.Errorf("restarts %t, step %d: %v", restarts, i, a.Labels)
				}
			}
			for _, a := range shown {
				if a.Rule == "Busy" && fmt.Sprint(a.Labels["level"], a.Labels["team"]) != "lowx" {
					t.Errorf("restarts %t, step %d: shown %v", restarts, i, a.Labels)
				}
			}
		}
		if got := strings.Join(told, ", "); got != "firing 12 10" {
			t.Errorf("restarts %t: told %q", restarts, got)
		}
	}
}

// What one alert that comes asks does not grow with those that are pending.
func TestPendingAsksOnce(t *testing.T) {
	e, asked := engine(t, `groups: [{name: g, rules: [
	  {alert: Busy, expr: 'kpi_plays{by="channel",window="5m"} > 9', for: 1h, labels: {owner: '{{ query $labels.channel | first | value }}'}},
	  {alert: Many, expr: 'count(ALERTS) > 1000'},
	]}]`), 0
	b := board{}
	for i := range 51 {
		channel := fmt.Sprint("c", i)
		b["plays/channel/5m"], b[channel] = append(b["plays/channel/5m"], count(12, channel)), append(b[channel], count(int64(i)))
	}
	all := b["plays/channel/5m"]
	b["plays/channel/5m"] = all[:50]
	e.Evaluate(at1(0), waiting{b, e, &asked})
	if asked != 50 {
		t.Errorf("50 alerts asked %d times", asked)
	}
	b["plays/channel/5m"] = all
	if e.Evaluate(at1(1), waiting{b, e, &asked}); asked != 51 || len(e.Known()) != 51 {
		t.Errorf("one more has it %d; rules know of %d alerts", asked, len(e.Known()))
	}
}

// A label is filled in anew when the alert fires: by that receivers know it. It is not shown as
// firing to them before it is told.
func TestLabelsOfFiring(t *testing.T) {
	e := engine(t, rulesOf(`alert: Busy, expr: 'kpi_plays{by="channel",window="5m"} > 9', for: 10s, labels: {of: '{{ $value }}'}, annotations: {s: '{{ query "owner" | len }}'}`))
	e.Evaluate(at1(0), board{"plays/channel/5m": {count(12, "a")}})
	var list []string
	var shown []int
	ns := e.Evaluate(at1(10), asked{board{"plays/channel/5m": {count(200, "a")}, "owner": nil}, &list, func() {
		shown = append(shown, len(e.Firing()))
	}})
	if !slices.Equal(shown, []int{0}) || len(e.Firing()) != 1 {
		t.Errorf("shown before people were told: %v; firing %v", shown, e.Firing())
	}
	if len(ns) != 1 || ns[0].Labels["of"] != "200" || e.Status().Alerts[0].Labels["of"] != "200" {
		t.Errorf("told %v", ns)
	}
}

// A state in which pending alerts have no labels gets them at the next evaluation.
func TestPendingWithoutLabels(t *testing.T) {
	e, asked := engine(t, ofPending), 0
	v := waiting{board{"owner": {count(7, "team", "x")}, "plays/channel/5m": {count(12, "a")}}, e, &asked}
	e.Evaluate(at1(0), v)
	for a := range e.all() {
		a.labels = nil
	}
	e.saved = nil
	e = restart(t, e, ofPending)
	if v.engine = e; len(e.Known()) > 0 || len(e.Status().Alerts) > 0 {
		t.Errorf("rules know of %v", e.Known())
	}
	if s := e.Status(); s.Pending > 0 {
		t.Errorf("%d alerts are pending, and none is listed", s.Pending)
	}
	e.Evaluate(at1(10), v)
	if list := e.Known(); len(list) != 1 || list[0].Labels["team"] != "x" {
		t.Errorf("rules know of %v", list)
	}
}
