package alerts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// asked is a board that notes what it is asked, and may look at the engine meanwhile. What is
// slow has no answer before who asks is tired of it.
type asked struct {
	board
	list *[]string
	look func()
}

func (a asked) Query(ctx context.Context, expr string, at int64) (promql.Vector, bool, error) {
	*a.list = append(*a.list, expr)
	if a.look != nil {
		a.look()
	}
	if expr == "slow" {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	return a.board.Query(ctx, expr, at)
}

// What the templates of one close ask, is asked once, and nobody who asks how things stand
// waits for it, or is shown half of an alert.
func TestQuestions(t *testing.T) {
	e := engine(t, rulesOf(`alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', labels: {team: '{{ query "owner" | first | label "team" }}'}, annotations: {s: '{{ query "owner" | first | value }} {{ query "owner" | len }}'}`))
	var list []string
	shown := -1
	v := asked{board{
		"ctr/channel/5m": {ratio(0, 100, "a"), ratio(0, 100, "b"), ratio(0, 100, "c")},
		"owner":          {count(7, "team", "growth")},
	}, &list, nil}
	v.look = func() {
		firing, pending := e.Counts()
		active, _ := e.Active()
		shown = firing + pending + len(e.Firing()) + len(active)
	}
	ns := e.Evaluate(at1(0), v)
	if !slices.Equal(list, []string{"owner"}) || shown != 0 {
		t.Errorf("asked %q; %d alerts were shown that nobody was told of", list, shown)
	}
	if len(ns) != 3 || len(e.Firing()) != 3 {
		t.Fatalf("told %v, firing %v", ns, e.Firing())
	}
	for _, n := range ns {
		if n.Labels["team"] != "growth" || n.Annotations["s"] != "7 1" {
			t.Errorf("told %v %v", n.Labels, n.Annotations)
		}
	}
}

// Annotations that ask for too long hold up a close for no longer than its patience, and say
// so. Labels are waited for.
func TestPatience(t *testing.T) {
	const wants = `the templates of one close ask for longer than 1s: ask for less, or record it`
	rules := rulesOf(`alert: Slow, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', labels: {team: '{{ query "owner" | first | label "team" }}'}, annotations: {s: '{{ query "slow" | len }}', channel: '{{ $labels.channel }}'}
alert: Quick, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', annotations: {channel: '{{ $labels.channel }}'}`)
	synctest.Test(t, func(t *testing.T) {
		e, err := NewEngine([]*RuleFile{load(t, rules)}, catalogue(t), EngineOptions{Patience: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		v := asked{board{"ctr/channel/5m": {ratio(0, 100, "a"), ratio(0, 100, "b")}, "owner": {count(7, "team", "growth")}}, &list, nil}
		began := time.Now()
		var got []string
		for _, n := range e.Evaluate(at1(0), v) {
			if n.Rule == "Slow" && (n.Labels["team"] != "growth" || !strings.Contains(n.Annotations["s"], wants)) {
				t.Errorf("%v: %s", n.Labels, n.Annotations["s"])
			}
			got = append(got, fmt.Sprint(n.Rule, n.Annotations["channel"]))
		}
		slices.Sort(got)
		if took := time.Since(began); took != time.Second || !slices.Equal(got, []string{"Quicka", "Quickb", "Slowa", "Slowb"}) {
			t.Errorf("took %s, told %q", took, got)
		}
		if r := e.Status().Rules[0]; r.Health != "err" || !strings.Contains(r.LastError, wants) {
			t.Errorf("rule %+v", r)
		}
		v.board["ctr/channel/5m"] = []sample.Sample{ratio(50, 100, "a"), ratio(50, 100, "b")}
		if ns := e.Evaluate(at1(1), v); len(ns) != 4 {
			t.Errorf("told %v", ns)
		}
	})
}
