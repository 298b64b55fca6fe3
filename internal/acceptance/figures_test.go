//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"
)

func decode[T any](q *query, want expected, key string) T {
	q.t.Helper()
	var v T
	if err := json.Unmarshal(want[key], &v); err != nil {
		q.t.Fatalf("read %q of the expected figures: %v", key, err)
	}
	return v
}

func taobao(q *query, want expected) []figure {
	const at = "2017-11-26T03:00:00Z"
	w := decode[map[string]json.RawMessage](q, want, "taobao at "+at)
	var figures []figure
	for _, window := range []string{"5m", "1h", "2h"} {
		var counts map[string]int64
		q.must(json.Unmarshal(w[window], &counts))
		for name, n := range counts { // the KPIs bear the figures' names
			got := total(q.kpi(name, "window", window, "at", at)).Numerator
			figures = append(figures, figure{name + " " + window, n, got})
		}
	}
	var pairs [][2]int64
	q.must(json.Unmarshal(w["top5_items_by_pv_1h"], &pairs))
	var top []string
	for _, p := range pairs {
		top = append(top, fmt.Sprint(p[0], " ", p[1]))
	}
	var got []string
	for _, s := range q.kpi("top_items", "window", "1h", "at", at, "by", "content_id") {
		got = append(got, fmt.Sprint(s.Labels["content_id"], " ", s.Numerator))
	}
	return append(figures, figure{"top five items by pv 1h", top, got[:min(len(got), 5)]})
}

func douyin(q *query, want expected) []figure {
	w := decode[struct {
		Plays, Finish, Like, Users int64
		Channels                   map[string][2]int64 `json:"plays_and_finish_by_channel"`
		Top                        []dayUsers          `json:"dau_top3"`
	}](q, want, "douyin")

	days := q.days("Asia/Shanghai")
	channels := map[string][2]int64{}
	plays, finish, like := int64(0), int64(0), int64(0)
	dau := map[string]int64{}
	for _, day := range days {
		plays += total(q.kpi("plays", "window", "day", "at", day)).Numerator
		finish += total(q.kpi("completion_rate", "window", "day", "at", day)).Numerator
		like += total(q.kpi("likes", "window", "day", "at", day)).Numerator
		dau[day] = total(q.kpi("dau", "at", day)).Numerator
		for _, s := range q.kpi("plays", "window", "day", "at", day, "by", "channel") {
			c := channels[s.Labels["channel"]]
			c[0] += s.Numerator
			channels[s.Labels["channel"]] = c
		}
		for _, s := range q.kpi("completion_rate", "window", "day", "at", day, "by", "channel") {
			c := channels[s.Labels["channel"]]
			c[1] += s.Numerator
			channels[s.Labels["channel"]] = c
		}
	}
	// Two days tie for the third place, so the days named are held to their
	// numbers, and the others to be no more than the last of them.
	top, named := map[string]int64{}, map[string]int64{}
	most := int64(0) // of the days that are not named
	for _, p := range w.Top {
		top[p.Day], named[p.Day] = p.Users, dau[p.Day]
	}
	for day, n := range dau {
		if _, ok := top[day]; !ok {
			most = max(most, n)
		}
	}
	third := w.Top[len(w.Top)-1].Users
	end := q.last.Truncate(time.Hour).Add(time.Hour).Format(time.RFC3339)
	return []figure{
		{"plays", w.Plays, plays},
		{"finish", w.Finish, finish},
		{"like", w.Like, like},
		{"users", w.Users, total(q.kpi("viewers", "window", "60d", "at", end)).Numerator},
		{"plays and finish by channel", w.Channels, channels},
		{"dau, the top three days", top, named},
		{"dau, no other day has more", third, max(third, most)},
		{"plays, as a range", w.Plays, q.sum("plays", "window", "day", "from", days[0], "to", days[len(days)-1])},
	}
}

// dayUsers is a pair ["2019-10-23", 447].
type dayUsers struct {
	Day   string
	Users int64
}

// UnmarshalJSON reads the pair.
func (d *dayUsers) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[2]any{&d.Day, &d.Users})
}

func openbandit(policy string) func(q *query, want expected) []figure {
	return func(q *query, want expected) []figure {
		const layout = "2006-01-02 15:04:05.000000-07:00"
		w := decode[struct {
			Impressions, Clicks   int64
			First, Last           string
			ClicksByPosition      map[string]int64 `json:"clicks_by_position"`
			ImpressionsByPosition map[string]int64 `json:"impressions_by_position"`
		}](q, want, "openbandit_"+policy)

		var impressions, clicks, ofPolicy int64
		byPosition := [2]map[string]int64{{}, {}}
		for _, day := range q.days("UTC") {
			all := total(q.kpi("ctr", "window", "day", "at", day))
			impressions += all.Denominator
			clicks += all.Numerator
			ofPolicy += total(q.kpi("ctr", "window", "day", "at", day, "variant", policy)).Denominator
			for _, s := range q.kpi("ctr", "window", "day", "at", day, "by", "position") {
				byPosition[0][s.Labels["position"]] += s.Denominator
				byPosition[1][s.Labels["position"]] += s.Numerator
			}
		}
		passed := "the last event's second"
		if q.watermark().Before(q.last.Truncate(time.Second).Add(time.Second)) {
			passed = "not " + passed
		}
		return []figure{
			{"impressions", w.Impressions, impressions},
			{"impressions of the policy", w.Impressions, ofPolicy},
			{"clicks", w.Clicks, clicks},
			{"impressions by position", w.ImpressionsByPosition, byPosition[0]},
			{"clicks by position", w.ClicksByPosition, byPosition[1]},
			{"first", w.First, q.first.UTC().Format(layout)},
			{"last", w.Last, q.last.UTC().Format(layout)},
			{"watermark has passed", "the last event's second", passed},
		}
	}
}

// total is the one sample of a total; zero without one.
func total(samples []sample) sample {
	if len(samples) == 0 {
		return sample{}
	}
	return samples[0]
}

// check holds the ledger to its identity, and to what was sent: every event
// counts once, none is late, bad or lost. What a killed service did not answer
// is sent again, and may be past its time then.
func (l ledger) check(t *testing.T, sent, distinct int64) {
	t.Helper()
	if sum := l.Counted + l.Duplicate + l.Late + l.Quarantined + l.Future + l.Filtered; sum != l.Received {
		t.Errorf("ledger: received %d, but the verdicts add up to %d", l.Received, sum)
	}
	if l.Counted+l.Filtered != distinct || l.Quarantined+l.Future > 0 || l.Late > l.Received-sent {
		t.Errorf("ledger: %+v, want %d events counted or filtered, none quarantined or future, and late at most what was sent again (%d)", l, distinct, l.Received-sent)
	}
}
