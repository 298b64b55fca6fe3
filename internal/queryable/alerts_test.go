package queryable

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/internal/expression"
)

// second is a time of these tests, in Unix milliseconds: a whole minute and so many seconds.
func second(n int64) int64 { return 1_795_320_000_000 + n*1000 }

// someAlerts are: Low of a, pending at 30 and firing from 90 to 400, pending again at 700 and
// firing since 760; Low of b, pending since 880; Short, for ten seconds at 605. All are known
// until 900.
func someAlerts(name string, from, to int64) (list []Alert, until int64) {
	of := func(name, channel string) map[string]string {
		return map[string]string{"alertname": name, "channel": channel}
	}
	for _, a := range []Alert{
		{of("Low", "a"), second(30), second(90), second(400)},
		{of("Low", "a"), second(700), second(760), 0},
		{of("Low", "b"), second(880), 0, 0},
		{of("Short", ""), second(605), second(605), second(615)},
	} {
		if (name == "" || a.Labels["alertname"] == name) && a.ActiveAt <= to && (a.EndedAt == 0 || a.EndedAt >= from) {
			list = append(list, a)
		}
	}
	return list, second(900)
}

// TestAlerts: queries find alerts in their states at any instant, and over any time.
func TestAlerts(t *testing.T) {
	q := WithAlerts(NewStore(Series{labels.FromStrings("__name__", "kpi_plays", "channel", "a"), []Point{NewPoint(second(0), 7)}}), someAlerts)
	engine := expression.NewEngine(1_000_000)
	for _, c := range []struct {
		expr string
		at   int64
		want string // name or state, and channel, with the value
	}{
		{"ALERTS", 29, ""},
		{"ALERTS", 30, "pending a 1"},
		{"ALERTS", 89, "pending a 1"},
		{"ALERTS", 90, "firing a 1"},
		{"ALERTS", 399, "firing a 1"},
		{"ALERTS", 400, ""},
		{"ALERTS", 699, ""},
		{"ALERTS", 890, "firing a 1, pending b 1"},
		{"ALERTS", 900, "firing a 1, pending b 1"},
		{"ALERTS", 1199, "firing a 1, pending b 1"}, // looked back for
		{"ALERTS", 1200, ""},
		{`ALERTS{alertstate="firing"}`, 890, "firing a 1"},
		{`{alertstate="firing"}`, 890, "firing a 1"},
		{`{__name__=~"ALERTS.*",alertname="Low",channel="b"}`, 890, "pending b 1, since b 880"},
		{`{__name__=~".+"}`, 100, "firing a 1, since a 30, kpi_plays a 7"},
		{`{channel="a"}`, 100, "kpi_plays a 7"},
		{`ALERTS{alertname="Short"}`, 610, "firing 1"},
		{`absent(ALERTS{alertname="Other"})`, 610, "1"},
		{"ALERTS_FOR_STATE", 300, "since a 30"},
		{"ALERTS_FOR_STATE", 800, "since a 700"},
		{"ALERTS offset 10s", 409, "firing a 1"},
		{"count_over_time(ALERTS[15m])", 900, "firing a 10, pending a 4, pending b 2, firing 1"}, // where they begin, at minutes, and in the end
		{"last_over_time(ALERTS[5m])", 650, "firing a 1, firing 1"},
		{"max_over_time(sum(ALERTS)[15m:10s])", 900, "2"},
		{`count_over_time(ALERTS{alertname="Short"}[15m:7s])`, 900, "firing 1"},
	} {
		e, err := expression.Parse(c.expr)
		if err != nil {
			t.Fatal(err)
		}
		for name, ctx := range map[string]context.Context{
			"every sample": context.Background(), "its instants": WithTerms(context.Background(), TermsOf(e, expression.Lookback)),
		} {
			v, _, err := expression.Vector(ctx, engine, q, c.expr, time.UnixMilli(second(c.at)))
			if err != nil {
				t.Fatal(err)
			}
			if got := told(v); got != c.want {
				t.Errorf("%s at %d by %s: got %s, want %s", c.expr, c.at, name, got, c.want)
			}
		}
	}
}

func told(v promql.Vector) string {
	var out []string
	for _, s := range v {
		name := s.Metric.Get("alertstate")
		if name == "" {
			name = strings.Replace(s.Metric.Get("__name__"), "ALERTS_FOR_STATE", "since", 1)
		}
		if name == "since" {
			s.F -= float64(second(0)) / 1000
		}
		out = append(out, strings.Join(strings.Fields(fmt.Sprint(name, " ", s.Metric.Get("channel"), " ", s.F)), " "))
	}
	return strings.Join(out, ", ")
}

// TestAlertsRange: a range has a point at each step at which an alert is in the state.
func TestAlertsRange(t *testing.T) {
	q := WithAlerts(NewStore(), someAlerts)
	engine := expression.NewEngine(1_000_000)
	for _, step := range []int64{1, 7, 15, 60, 300} {
		expr := `ALERTS{alertstate="firing",channel="a"}`
		e, err := expression.Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		grown := int64(0)
		terms := TermsOf(e, expression.Lookback)
		terms.Grow = func(n int64) error { grown += n; return nil }
		query, err := engine.NewRangeQuery(WithTerms(context.Background(), terms), q, nil, expr, time.UnixMilli(second(0)), time.UnixMilli(second(900)), time.Duration(step)*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		result := query.Exec(WithTerms(context.Background(), terms))
		m, err := result.Matrix()
		if err != nil || len(m) != 1 {
			t.Fatal(m, err)
		}
		var got, want []int64
		for _, p := range m[0].Floats {
			got = append(got, (p.T-second(0))/1000)
		}
		for at := int64(0); at <= 900; at += step {
			if at >= 90 && at < 400 || at >= 760 {
				want = append(want, at)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("step %d: got %v, want %v", step, got, want)
		}
		if most := int64(len(want)) + 3; grown > most { // with where they end
			t.Errorf("step %d: %d samples are read, more than %d", step, grown, most)
		}
		query.Close()
	}
}

// TestAlertsLabels: names and values are those of alerts that there are, beside those that
// there can be.
func TestAlertsLabels(t *testing.T) {
	q, err := WithAlerts(NewStore(Series{labels.FromStrings("__name__", "kpi_plays", "by", "total"), []Point{NewPoint(second(0), 7)}}), someAlerts).Querier(second(600), second(800))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	selector := func(text string) []*labels.Matcher {
		if text == "" {
			return nil
		}
		m, err := expression.Language.ParseMetricSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct{ of, match, want string }{
		{"names", "", "__name__ alertname alertstate by channel"},
		{"names", "ALERTS_FOR_STATE", "__name__ alertname channel"},
		{"names", "kpi_plays", "__name__ by"},
		{"__name__", "", "ALERTS ALERTS_FOR_STATE kpi_plays"},
		{"__name__", `{channel="a"}`, ""},
		{"__name__", `{alertname="Short"}`, "ALERTS ALERTS_FOR_STATE"},
		{"alertname", "", "Low Short"},
		{"alertname", "ALERTS", "Low Short"},
		{"alertstate", `ALERTS{alertname="Short"}`, "firing"},
		{"alertstate", `ALERTS{alertname="Low"}`, "firing pending"},
		{"channel", "", "a"},
		{"by", "", "total"},
	} {
		var got []string
		if c.of == "names" {
			got, _, err = q.LabelNames(t.Context(), nil, selector(c.match)...)
		} else {
			got, _, err = q.LabelValues(t.Context(), c.of, nil, selector(c.match)...)
		}
		if text := strings.Join(got, " "); err != nil || text != c.want {
			t.Errorf("%s of %s: got %s, %v, want %s", c.of, c.match, text, err, c.want)
		}
	}
}
