package backtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

var begin = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// reported is a report of alerts of the rules A, B and C: so many minutes after the
// beginning they fire and are over, 0 for not.
func reported(t *testing.T, basis Basis, s alerts.Status, list ...any) *Report {
	t.Helper()
	r := NewReport(begin, begin.Add(time.Hour), time.Minute)
	at := func(v any) time.Time {
		minutes := v.(int)
		return begin.Add(time.Duration(minutes) * time.Minute)
	}
	for ; len(list) > 0; list = list[3:] {
		n := alerts.Notification{Alert: fmt.Sprint(list[0]), Group: "g", Rule: fmt.Sprint(list[0]), Labels: map[string]string{"alertname": fmt.Sprint(list[0])}, StartsAt: at(list[1])}
		states := []alerts.State{alerts.Firing}
		if list[2] != 0 {
			states = append(states, alerts.Resolved)
		}
		for _, n.Status = range states {
			if n.Status == alerts.Resolved {
				n.EndsAt = at(list[2])
			}
			if err := r.Take(n, basis); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.Judge(s)
	return r
}

func TestJoin(t *testing.T) {
	status := func(names ...string) (s alerts.Status) {
		for _, name := range names {
			s.Rules = append(s.Rules, alerts.RuleStatus{Group: "g", Name: name, Of: &alerts.Rule{}})
		}
		return s
	}
	s := status("A", "B", "C")
	for _, tt := range []struct {
		name          string
		sealed, known []any
		want          []string
		notifications int
	}{
		{"nothing", nil, nil, nil, 0},
		{"before and after", []any{"A", 1, 2, "A", 31, 32}, []any{"A", 3, 4, "A", 33, 34}, []string{"A 1-2 by sealed values", "A 33-34 as known then"}, 4},
		{"through it", []any{"A", 25, 35}, []any{"A", 26, 40}, []string{"A 25-40 by sealed values"}, 2},
		{"through it to the end", []any{"A", 25, 35}, []any{"A", 26, 0}, []string{"A 25- by sealed values"}, 1},
		{"by sealed values alone", []any{"A", 25, 35}, nil, []string{"A 25-30 by sealed values"}, 2},
		{"by the stream alone", nil, []any{"A", 25, 35}, []string{"A 30-35 as known then"}, 1},
		{"another is known from the beginning on", []any{"B", 5, 6}, []any{"B", 7, 8}, []string{"B 7-8 as known then"}, 2},
		{"another never is", []any{"C", 5, 45}, []any{"C", 7, 8}, []string{"C 5-45 by sealed values"}, 2},
		{"it is over at that moment", []any{"A", 25, 30}, []any{"A", 26, 30, "A", 31, 0}, []string{"A 25-30 by sealed values", "A 31- as known then"}, 3},
	} {
		sealed, known := reported(t, BySealedValues, s, tt.sealed...), reported(t, AsKnownThen, s, tt.known...)
		known.Rules[0].KnownFrom.Time, known.Rules[1].KnownFrom.Time = begin.Add(30*time.Minute), begin
		if err := sealed.Join(known, s); err != nil {
			t.Fatal(err)
		}
		var got []string
		fired, seconds := 0, 0.0
		for _, a := range sealed.Alerts {
			end, until := "", sealed.To.Time
			if !a.ResolvedAt.IsZero() {
				end, until = fmt.Sprint(a.ResolvedAt.Sub(begin).Minutes()), a.ResolvedAt.Time
			}
			seconds += until.Sub(a.FiredAt.Time).Seconds()
			got = append(got, fmt.Sprintf("%s %g-%s %s", a.Rule, a.FiredAt.Sub(begin).Minutes(), end, a.Judged))
		}
		for _, v := range sealed.Rules {
			fired += v.Fired
			seconds -= v.Seconds
		}
		if !slices.Equal(got, tt.want) || sealed.Notifications != tt.notifications || fired != len(got) || seconds != 0 {
			t.Errorf("%s: %q, %d notifications, want %q, %d; %+v", tt.name, got, sealed.Notifications, tt.want, tt.notifications, sealed.Rules)
		}
	}
	other := status("A", "B")
	if reported(t, BySealedValues, s).Join(reported(t, AsKnownThen, other), other) == nil {
		t.Error("reports of other rules are joined")
	}
}
