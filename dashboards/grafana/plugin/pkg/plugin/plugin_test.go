package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// of shows a KPI of a unit over a window as a query wants it.
func of(t *testing.T, unit kpi.Unit, window string, q Query) *shown {
	t.Helper()
	if q.Value == "" {
		q.Value = partValue
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	w, err := kpi.ParseWindow(window)
	if err != nil {
		t.Fatal(err)
	}
	d := &client.Definition{Name: "x", Title: kpi.Text{EN: "X", ZH: "某"}, Unit: unit, Ratio: unit == kpi.UnitPercent}
	return &shown{Definition: d, query: &q, window: w, days: kpi.NewCalendar(zone), lang: look.English}
}

// values writes numbers, - for none.
func values(list []*float64) string {
	var out []string
	for _, v := range list {
		if v == nil {
			out = append(out, "-")
			continue
		}
		out = append(out, fmt.Sprintf("%g", *v))
	}
	return strings.Join(out, " ")
}

// An amount that changes its currency is a line for each; where it has none it is in all.
func TestLinesOfCurrencies(t *testing.T) {
	at := time.Unix(0, 0)
	amount := func(v float64, currency string) figureAt {
		return figureAt{at, &client.Figure{Value: new(v), Numerator: new(v), N: v, Currency: currency}}
	}
	none := figureAt{at, &client.Figure{}}
	for _, tt := range []struct {
		name    string
		query   Query
		figures []figureAt
		want    []string
	}{
		{"none", Query{}, []figureAt{amount(0, "")}, []string{`x "X": 0`}},
		{"one", Query{}, []figureAt{amount(150, "CNY"), amount(0, ""), none}, []string{`x "X: CNY": 1.5 0 -`}},
		{"minor units", Query{Minor: true}, []figureAt{amount(150, "CNY")}, []string{`x "X: CNY": 150`}},
		{"of other decimals", Query{}, []figureAt{amount(150, "JPY")}, []string{`x "X: JPY": 150`}},
		{"of three", Query{}, []figureAt{amount(1500, "KWD")}, []string{`x "X: KWD": 1.5`}},
		{"two", Query{}, []figureAt{amount(150, "JPY"), amount(150, "CNY"), amount(0, "")}, []string{
			`x{currency=CNY} "X: CNY": - 1.5 0`, `x{currency=JPY} "X: JPY": 150 - 0`,
		}},
		{"what an amount rests on", Query{Value: partN}, []figureAt{amount(150, "CNY"), amount(150, "JPY")}, []string{`x_n "X, n": 150 150`}},
	} {
		var got []string
		for _, l := range of(t, kpi.UnitMoney, "5m", tt.query).lines(nil, tt.figures, "") {
			got = append(got, fmt.Sprintf("%s %q: %s", l.key(), l.config.DisplayNameFromDS, values(l.values)))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestTitle(t *testing.T) {
	s := of(t, kpi.UnitMoney, "5m", Query{})
	labels := map[string]string{"state": "dormant", "channel": "douyin", "compare": "yesterday"}
	if got, want := s.title(partLow, labels, "CNY", "yesterday"), "X, lower bound: douyin, Dormant, CNY (Yesterday)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.lang = look.Chinese
	if got, want := s.title(partValue, labels, "", "last_week"), "某: douyin, 沉睡 (上周同日)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Steps of a funnel follow each other as the operator has them, whatever their names.
func TestCompare(t *testing.T) {
	s := of(t, kpi.UnitCount, "5m", Query{})
	s.Split, s.Texts = kpi.Set{"step"}, map[string][]string{"step": {"impression", "click", "pay"}}
	var list []map[string]string
	for _, text := range []string{"click/b", "own/a", "pay/a", "click/a", "impression/z"} {
		step, channel, _ := strings.Cut(text, "/")
		list = append(list, map[string]string{"step": step, "channel": channel})
	}
	slices.SortStableFunc(list, s.compare)
	var got []string
	for _, labels := range list {
		got = append(got, labels["step"]+"/"+labels["channel"])
	}
	if want := []string{"impression/z", "click/a", "click/b", "pay/a", "own/a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A business day stands at its beginning, be it of 23, 24 or 25 hours.
func TestAt(t *testing.T) {
	for _, tt := range []struct{ window, end, want string }{
		{"day", "2026-11-20T05:00:00Z", "2026-11-19T05:00:00Z"},
		{"day", "2026-11-02T05:00:00Z", "2026-11-01T04:00:00Z"},
		{"day", "2026-03-09T04:00:00Z", "2026-03-08T05:00:00Z"},
		{"today", "2026-11-20T05:00:00Z", "2026-11-20T05:00:00Z"},
		{"24h", "2026-11-20T05:00:00Z", "2026-11-20T05:00:00Z"},
	} {
		end, err := time.Parse(time.RFC3339, tt.end)
		if err != nil {
			t.Fatal(err)
		}
		if got := rfc3339(of(t, kpi.UnitCount, tt.window, Query{}).at(end)); got != tt.want {
			t.Errorf("the %s that ends %s: got %s, want %s", tt.window, tt.end, got, tt.want)
		}
	}
}

// Points are no closer than the panel has room for, the query asks for, the service
// answers and the window has.
func TestSpan(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		window   string
		long     time.Duration
		interval time.Duration
		points   int64
		want     time.Duration
	}{
		{"5m", time.Hour, time.Second, 1000, 5 * time.Second},
		{"5m", time.Hour, 7 * time.Second, 1000, 10 * time.Second},
		{"5m", time.Hour, 0, 60, time.Minute},
		{"5m", time.Hour, 0, 7, 8*time.Minute + 35*time.Second},
		{"1m", 24 * time.Hour, time.Second, 43200, 8 * time.Second},
		{"24h", time.Hour, time.Minute, 0, 10 * time.Minute},
		{"today", 24 * time.Hour, 15 * time.Minute, 1000, 20 * time.Minute},
	} {
		a := &asking{times: backend.TimeRange{From: now.Add(-tt.long), To: now}, interval: tt.interval, points: tt.points}
		s := of(t, kpi.UnitCount, tt.window, Query{})
		if got := a.span(s); got.Step != tt.want || !got.From.Equal(a.times.From) || !got.To.Equal(now) {
			t.Errorf("%s over %s every %s with %d points: got %+v, want %s", tt.window, tt.long, tt.interval, tt.points, got, tt.want)
		}
	}
	// Days are those that are over where the events are, and that overlap the range.
	for _, tt := range []struct {
		reach time.Time
		want  string
	}{
		{time.Time{}, "2026-11-21T05:00:00Z"},
		{now, "2026-11-20T05:00:00Z"},
		{now.Add(-7 * time.Hour), "2026-11-20T05:00:00Z"},
		{now.Add(-7*time.Hour - time.Second), "2026-11-19T05:00:00Z"},
		{now.Add(48 * time.Hour), "2026-11-21T05:00:00Z"},
	} {
		a := &asking{times: backend.TimeRange{From: now.Add(-time.Hour), To: now}, reach: tt.reach}
		if got := a.span(of(t, kpi.UnitCount, "day", Query{})); rfc3339(got.To) != tt.want || got.Step != 0 {
			t.Errorf("days, with events up to %s: got %+v, want %s", tt.reach, got, tt.want)
		}
	}
}

func TestFilters(t *testing.T) {
	q := Query{Filters: []Filter{
		{"channel", "=", []string{"a", "b"}}, {"region", "=", nil}, {"device", "=", []string{all}}, {"creator_id", "=", []string{""}},
		{"variant", "=~", []string{"x.*"}}, {"campaign_id", "=~", []string{""}}, {"content_id", "=~", []string{all}}, {"", "=", []string{"a"}}, {"step", "", []string{"pay"}},
	}}
	want := []client.Filter{
		{Field: "channel", Values: []string{"a", "b"}}, {Field: "creator_id", Values: []string{""}},
		{Field: "variant", Pattern: "x.*"}, {Field: "step", Values: []string{"pay"}},
	}
	if got := q.filters(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// What is said of numbers is said once.
func TestNotices(t *testing.T) {
	hour := func(n int) time.Time { return time.Date(2026, 11, 20, n, 0, 0, 0, time.UTC) }
	var n notices
	n.warn("warned", "warned")
	for _, name := range []string{"a", "b"} {
		n.see(name, hour(1), &client.Figure{Complete: true, Revision: 1, Exactness: "exact"})
		n.see(name, hour(2), &client.Figure{Complete: true, Revision: 3, Exactness: "within 1 %"})
		n.see(name, hour(3), &client.Figure{Complete: true, Revision: 2, Exactness: "within 1 %"})
	}
	n.see("b", hour(4), &client.Figure{Maturity: new(0.25)})
	for _, bound := range []string{"within 4", "within 1", "unknown", "within 3", "within 2"} {
		n.see("c", hour(1), &client.Figure{Complete: true, Exactness: bound})
	}
	var got []string
	for _, x := range n.list() {
		got = append(got, x.Severity.String()+" "+x.Text)
	}
	want := []string{
		"warning warned",
		"info a, b: late events restated 2 windows, the last up to 2026-11-20T03:00:00Z; revision 3",
		"info a, b: values are within 1 %",
		"info b: the window to 2026-11-20T04:00:00Z is not complete, 25 % of what is expected",
		"info c: values are unknown, within 1, within 2 and 2 others",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The path of a channel holds its query, where there is room.
func TestChannel(t *testing.T) {
	var s streams
	q := Query{Kind: kindKPI, KPIs: []string{"plays"}, Window: "5m", By: []string{"channel"}, Show: showSeries, Value: partValue, Live: true}
	path, opened := s.open("tw", q)
	if got, ok := decode(path); !ok || got.Window != "5m" || got.KPIs[0] != "plays" || got.Show != showSeries || got.Value != partValue {
		t.Errorf("%s is read as %+v", path, got)
	}
	if again, _ := s.open("tw", q); again != path {
		t.Errorf("the same query has the channels %s and %s", path, again)
	}
	if found, ok := s.find(path); !ok || found != opened {
		t.Errorf("%s is not found", path)
	}
	var restarted streams
	if found, ok := restarted.find(path); !ok || found.query.Window != "5m" {
		t.Errorf("%s is not found behind a restart", path)
	}
	q.Filters = []Filter{{"channel", "=", []string{strings.Repeat("x", 200)}}}
	long, _ := s.open("tw", q)
	if _, ok := decode(long); ok || len("ds/tw/"+long) > maxChannel {
		t.Errorf("a long query has the channel %s", long)
	}
	if _, ok := s.find(long); !ok {
		t.Errorf("%s is not found", long)
	}
	for i := range maxStreams {
		q.Window = fmt.Sprint(i)
		s.open("tw", q)
	}
	if _, ok := s.find(long); ok || len(s.opened) != maxStreams || len(s.order) != maxStreams {
		t.Errorf("%d streams are remembered", len(s.opened))
	}
}

// A row has all columns that are known, in one order; their state changes with them.
func TestColumns(t *testing.T) {
	one := func(name string, v float64) line {
		return line{name: "x", labels: data.Labels{"channel": name}, values: []*float64{&v}}
	}
	var c columns
	if c.schema() != nil {
		t.Error("there is a schema before anything is known")
	}
	if f, state := c.row(nil, time.Unix(1, 0)); len(f.Fields) != 1 || f.Rows() != 1 || state == 0 {
		t.Errorf("without series: got %d fields, state %d", len(f.Fields), state)
	}
	c.learn([]line{{name: "x", labels: data.Labels{"channel": "b"}}})
	said := func(f *data.Frame) string {
		var out []string
		for _, x := range f.Fields[1:] {
			v := "-"
			if n, ok := x.ConcreteAt(0); ok {
				v = fmt.Sprint(n)
			}
			out = append(out, x.Name+"="+v)
		}
		return strings.Join(out, " ")
	}
	f, first := c.row([]line{one("a", 1)}, time.Unix(2, 0))
	if got, want := said(f), "x{channel=b}=- x{channel=a}=1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	f, second := c.row([]line{one("a", 2), one("b", 3)}, time.Unix(3, 0))
	if got, want := said(f), "x{channel=b}=3 x{channel=a}=2"; got != want || first != second {
		t.Errorf("got %s in state %d, want %s in state %d", got, second, want, first)
	}
	many := make([]line, maxColumns)
	for i := range many {
		many[i] = one(fmt.Sprint("old", i), 0)
	}
	c.learn(many)
	f, third := c.row([]line{one("c", 4)}, time.Unix(4, 0))
	if got := said(f); got != "x{channel=c}=4" || third == second {
		t.Errorf("what was long ago is not forgotten: %d fields, state %d", len(f.Fields), third)
	}
	if s := c.schema(); len(s.Fields) != 2 || s.Rows() != 0 {
		t.Errorf("the schema has %d fields and %d rows", len(s.Fields), s.Rows())
	}
}

// sent are the messages of a stream.
type sent []string

func (s *sent) Send(p *backend.StreamPacket) error {
	*s = append(*s, string(p.Data))
	return nil
}

// A series has one row for a time, of windows that closed; the day so far has those of the
// live window between them; the latest has these alone.
func TestRows(t *testing.T) {
	second := func(n int) time.Time { return time.Unix(int64(n), 0).UTC() }
	event := func(closed bool, end, watermark int) client.Event {
		return client.Event{Closed: closed, Answer: client.Answer{
			End: second(end), Watermark: second(watermark), Complete: closed,
			Samples: []client.Sample{{Figure: client.Figure{Value: new(float64(end)), Complete: closed}}},
		}}
	}
	events := []client.Event{
		event(false, 605, 603), event(true, 605, 605), event(false, 610, 605), event(false, 610, 608),
		event(true, 610, 611), event(false, 615, 611), event(true, 610, 612),
	}
	for _, tt := range []struct{ window, show, want string }{
		{"5m", showSeries, "605 610"},
		{"today", showSeries, "603 605 608 610 611"},
		{"5m", showLatest, "603 605 608 611"},
	} {
		var to sent
		f := &follower{shown: of(t, kpi.UnitCount, tt.window, Query{Show: tt.show}), to: backend.NewStreamSender(&to)}
		f.stream = &stream{query: *f.shown.query}
		for _, e := range events {
			if err := f.see(e); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for _, message := range to {
			var row struct{ Data struct{ Values [][]float64 } }
			if err := json.Unmarshal([]byte(message), &row); err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(row.Data.Values[0][0]/1000))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s over %s: rows of %q, want %s", tt.show, tt.window, got, tt.want)
		}
	}
}

func TestLargest(t *testing.T) {
	var list []client.Sample
	for _, v := range []*float64{nil, new(float64(1)), new(float64(3)), nil, new(float64(2))} {
		list = append(list, client.Sample{Figure: client.Figure{Value: v}})
	}
	for n, want := range map[int]string{2: "3 2", 4: "3 2 1 -", 9: "3 2 1 - -"} {
		var got []*float64
		for _, s := range largest(slices.Clone(list), n) {
			got = append(got, s.Value)
		}
		if values(got) != want {
			t.Errorf("the largest %d: got %s, want %s", n, values(got), want)
		}
	}
}

// Alerts that are over are those of the history, as far as they touch the time shown.
func TestAlertsOfHistory(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path + "?" + r.URL.RawQuery {
		case "/api/v1/alerts?":
			_, _ = io.WriteString(w, `{"status":"success","data":{"deliveries":[],"alerts":[
				{"rule":"High","group":"g","state":"firing","labels":{"channel":"c"},"annotations":{"description":"too much"},"value":9,"active_at":"1970-01-01T00:03:00Z","fired_at":"1970-01-01T00:04:00Z"}]}}`)
		case "/api/v1/alerts/history?from=120000&limit=1000&to=300001":
			_, _ = io.WriteString(w, `{"status":"success","data":{"next":"a1","alerts":[
				{"rule":"High","group":"g","state":"firing","labels":{"channel":"c"},"annotations":{},"fired_at":"1970-01-01T00:04:00Z","resolved_at":null},
				{"rule":"Low","group":"g","state":"resolved","labels":{"alertname":"Low","by":"channel","window":"5m","channel":"a,b","severity":"page"},"annotations":{"summary":"too little"},"fired_at":"1970-01-01T00:01:40Z","resolved_at":"1970-01-01T00:03:20Z"}]}}`)
		default:
			t.Errorf("asked for %s", r.URL)
		}
	}))
	defer service.Close()
	c, err := client.New(service.URL, "", service.Client(), service.Client())
	if err != nil {
		t.Fatal(err)
	}
	a := &asking{Plugin: &Plugin{client: c}, times: backend.TimeRange{From: time.Unix(120, 0), To: time.Unix(300, 0)}}
	answer, err := a.alerts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	frame := answer.Frames[0]
	var got []string
	for i := range frame.Rows() {
		var row []string
		for _, f := range frame.Fields {
			switch v := f.At(i).(type) {
			case time.Time:
				row = append(row, fmt.Sprint(v.Unix()))
			case *time.Time:
				if v != nil {
					row = append(row, fmt.Sprint(v.Unix()))
				}
			case string:
				row = append(row, v)
			}
		}
		got = append(got, strings.Join(row, "|"))
	}
	want := []string{"100|200|Low|too little|channel=a b,severity=page|resolved|g", "240|High|too much|channel=c|firing|g"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if len(frame.Meta.Notices) != 1 || !strings.Contains(frame.Meta.Notices[0].Text, "choose less time") {
		t.Errorf("noticed %v", frame.Meta.Notices)
	}
}

// Windows that follow each other are one restatement.
func TestRestated(t *testing.T) {
	minute := func(n int) time.Time { return time.Unix(int64(n)*60, 0).UTC() }
	point := func(n, revision int, complete bool) client.Point {
		return client.Point{End: minute(n), Figure: client.Figure{Complete: complete, Revision: revision}}
	}
	r := client.Range{Series: []client.Series{
		{Labels: map[string]string{"channel": "a"}, Points: []client.Point{point(1, 1, true), point(2, 2, true), point(3, 3, true), point(4, 1, true), point(9, 2, false)}},
		{Labels: map[string]string{"channel": "b"}, Points: []client.Point{point(3, 2, true), point(5, 2, true)}},
	}}
	var got []string
	for _, x := range restated(of(t, kpi.UnitCount, "5m", Query{}), r, time.Minute) {
		got = append(got, fmt.Sprintf("%d-%d: %d windows, %d series, revision %d", x.from.Unix()/60, x.to.Unix()/60, x.windows, len(x.series), x.revision))
	}
	want := []string{"2-3: 2 windows, 2 series, revision 3", "5-5: 1 windows, 1 series, revision 2"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
