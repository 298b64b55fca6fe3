package alerts

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// However many alerts there are, the first are listed, and all counted.
func TestListed(t *testing.T) {
	const n = 3*Listed + 7
	e := engine(t, rulesOf(`alert: Low, expr: 'kpi_ctr{by="channel",window="5m"} < 0.1', for: 5s`))
	var low []sample.Sample
	shut := func(second int64, more int) {
		for range more {
			low = append(low, ratio(0, 100, fmt.Sprintf("%05d", n-len(low))))
		}
		e.Evaluate(at1(second), board{"ctr/channel/5m": low})
	}
	shut(1, 2)
	shut(2, 1)
	shut(7, n-3)
	got := e.Status()
	if len(got.Alerts) != Listed || got.Firing != 3 || got.Pending != n-3 {
		t.Fatalf("%d listed, %d firing, %d pending; want %d, 3, %d", len(got.Alerts), got.Firing, got.Pending, Listed, n-3)
	}
	for i, a := range got.Alerts {
		want, state := fmt.Sprintf("%05d", i-2), Pending // the youngest in the order of their series
		if i < 3 {
			want, state = []string{fmt.Sprintf("%05d", n-1), fmt.Sprintf("%05d", n), fmt.Sprintf("%05d", n-2)}[i], Firing
		}
		if a.Labels["channel"] != want || a.State != state {
			t.Fatalf("alert %d is %s and %s, want %s and %s", i, a.Labels["channel"], a.State, want, state)
		}
	}
}

// An alert is known by the same id and fingerprint wherever it is told of, and is of the same.
func TestToldAndListed(t *testing.T) {
	e := engine(t, rulesOf(ctrLow))
	told := e.Evaluate(at1(0), board{"ctr/total/5m": {ratio(0, 100)}})[0]
	for _, e := range []*Engine{e, restart(t, e, rulesOf(ctrLow)), restart(t, e, rulesOf(`alert: Other, expr: 'kpi_ctr{window="5m"} < 0'`))} {
		got := e.Status().Alerts[0]
		if got.ID != told.Alert || got.Fingerprint != told.Fingerprint || got.Subject == nil || *got.Subject != *told.Subject {
			t.Errorf("listed %+v, told %+v", got, told)
		}
	}
}

// Nobody says in which unit what is computed of several values is.
func TestComputedAlertIsOfNothing(t *testing.T) {
	const share = `kpi_plays{by="channel",window="5m"} / on () group_left () sum(kpi_plays{by="channel",window="5m"}) > 0.1`
	e := engine(t, rulesOf("alert: Share, expr: '"+share+"'"))
	told := e.Evaluate(at1(0), board{share: seen("a=12")[busy]})
	if got := e.Status().Alerts; len(told) != 1 || len(got) != 1 || told[0].Subject != nil || got[0].Subject != nil {
		t.Errorf("told %+v, listed %+v", told, got)
	}
}

// Rules of one name are told apart by their labels.
func TestRuleLabels(t *testing.T) {
	const low = `kpi_ctr{by="channel",window="5m"} < 0.1`
	e := engine(t, rulesOf(strings.Join([]string{
		"alert: Low, expr: '" + low + "', labels: {severity: page, owner: '{{ $labels.channel }}'}",
		"alert: Low, expr: '" + low + "', labels: {severity: warn}",
		"alert: Least, expr: '" + low + "'",
	}, "\n")))
	var got []map[string]string
	for _, r := range e.Status().Rules {
		got = append(got, r.Labels)
	}
	want := []map[string]string{{"severity": "page", "owner": "{{ $labels.channel }}"}, {"severity": "warn"}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
