package endtoend

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"
)

// A fact is an event as the count reads it.
type fact struct {
	ID        string
	At        time.Time `json:"time"`
	Type      string
	User      string `json:"user_id"`
	Anonymous string `json:"anonymous_id"`
	Channel   string
	Direction string
	Content   string `json:"content_id"`
	Watch     int64  `json:"watch_ms"`
	Amount    int64  `json:"amount_minor"`
}

func (f *fact) active() bool {
	return !slices.Contains([]string{"impression", "ad_cost", "settle", "refund", "cancel", "identify"}, f.Type) && f.Direction != "inbound"
}

// played reports whether the event tells of a play: all of it, or its end.
func (f *fact) played() bool { return (f.Type == "play" || f.Type == "play_end") && f.Watch > 0 }

// facts are the distinct events of lines.
func facts(t *testing.T, lines [][]byte) []fact {
	t.Helper()
	type key struct{ user, id string }
	seen := map[key]bool{}
	var out []fact
	for _, l := range lines {
		var f fact
		if err := json.Unmarshal(l, &f); err != nil {
			t.Fatalf("read %s: %v", l, err)
		}
		if f.User == "" && f.Anonymous != "" { // a guest: somebody else, up to an identify
			f.User = "\x00" + f.Anonymous
		}
		if k := (key{f.User, f.ID}); !seen[k] {
			seen[k] = true
			out = append(out, f)
		}
	}
	return out
}

// A pair is a ratio's two parts, or a count and nothing.
type pair struct{ numerator, denominator int64 }

// counts say what a KPI adds up; label is the series of a fact.
var counts = map[string]func(in []fact, label func(*fact) string) map[string]pair{
	"plays": sum(func(f *fact) (p pair) {
		if f.played() {
			p.numerator = 1
		}
		return p
	}),
	"gmv_paid": sum(func(f *fact) (p pair) {
		if f.Type == "pay" {
			p.numerator = f.Amount
		}
		return p
	}),
	"ctr": sum(func(f *fact) (p pair) {
		switch f.Type {
		case "click":
			p.numerator = 1
		case "impression":
			p.denominator = 1
		}
		return p
	}),
	"active_users": distinctUsers,
	"dau":          distinctUsers,
}

func sum(part func(*fact) pair) func([]fact, func(*fact) string) map[string]pair {
	return func(in []fact, label func(*fact) string) map[string]pair {
		out := map[string]pair{}
		for i := range in {
			p, l := part(&in[i]), label(&in[i])
			out[l] = pair{out[l].numerator + p.numerator, out[l].denominator + p.denominator}
		}
		return out
	}
}

func distinctUsers(in []fact, label func(*fact) string) map[string]pair {
	users := map[string]map[string]bool{}
	for i := range in {
		if f := &in[i]; f.active() {
			if users[label(f)] == nil {
				users[label(f)] = map[string]bool{}
			}
			users[label(f)][f.User] = true
		}
	}
	out := map[string]pair{}
	for l, u := range users {
		out[l] = pair{numerator: int64(len(u))}
	}
	return out
}

// within are the facts of [start, end).
func within(all []fact, start, end time.Time) (out []fact) {
	for _, f := range all {
		if !f.At.Before(start) && f.At.Before(end) {
			out = append(out, f)
		}
	}
	return out
}

// agrees compares a KPI, in total and by channel, with the count.
func agrees(t *testing.T, s *service, all []fact, name, window, at string) {
	t.Helper()
	for _, by := range []string{"total", "channel"} {
		label := func(*fact) string { return "" }
		if by == "channel" {
			label = func(f *fact) string { return f.Channel }
		}
		a := s.kpi(t, name, "window", window, "at", at, "by", by)
		got := map[string]pair{}
		for _, x := range a.Samples {
			got[x.Labels["channel"]] = pair{x.Numerator, x.Denominator}
		}
		want := counts[name](within(all, a.Start, a.End), label)
		for _, m := range []map[string]pair{got, want} {
			maps.DeleteFunc(m, func(_ string, p pair) bool { return p == pair{} })
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s by %s in the %s from %s to %s (at %s):\n got %v\nwant %v", name, by, window, a.Start, a.End, at, got, want)
		}
		if !a.Complete {
			t.Errorf("%s by %s, window %s at %s is not complete", name, by, window, at)
		}
	}
}

// agreesTop compares the top contents with the count.
func agreesTop(t *testing.T, s *service, all []fact, window, at string) {
	t.Helper()
	a := s.kpi(t, "top_contents", "window", window, "at", at, "by", "content_id")
	plays := counts["plays"](within(all, a.Start, a.End), func(f *fact) string { return f.Content })
	maps.DeleteFunc(plays, func(_ string, p pair) bool { return p == pair{} })
	order := slices.SortedFunc(maps.Keys(plays), func(x, y string) int {
		return cmp.Or(cmp.Compare(plays[y].numerator, plays[x].numerator), cmp.Compare(x, y))
	})
	var got, want []string
	for _, x := range a.Samples {
		got = append(got, fmt.Sprint(x.Labels["content_id"], " ", x.Numerator))
	}
	for _, c := range order[:min(20, len(order))] {
		want = append(want, fmt.Sprint(c, " ", plays[c].numerator))
	}
	if !slices.Equal(got, want) {
		t.Errorf("top contents in the %s from %s to %s:\n got %v\nwant %v", window, a.Start, a.End, got, want)
	}
}

// agreesAll compares every KPI that is counted here, at several times up to
// end, when everything is closed.
func agreesAll(t *testing.T, s *service, all []fact, ends ...time.Time) {
	t.Helper()
	for _, end := range ends {
		at := end.Format(time.RFC3339)
		for _, window := range []string{"1m", "5m", "1h", "24h"} {
			for _, name := range []string{"plays", "ctr", "gmv_paid", "active_users"} {
				agrees(t, s, all, name, window, at)
			}
		}
		agreesTop(t, s, all, "5m", at)
		agreesTop(t, s, all, "1h", at)
	}
}

// agreesDay compares the KPIs of a business day that is over.
func agreesDay(t *testing.T, s *service, all []fact, day string) {
	t.Helper()
	for _, name := range []string{"plays", "ctr", "gmv_paid", "dau"} {
		agrees(t, s, all, name, "day", day)
	}
	agreesTop(t, s, all, "day", day)
}
