package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// flat is a storage of series that have a value every minute.
type flat struct {
	names []string // of the label n
	value float64
	err   error // of reading
}

func (f *flat) Querier(int64, int64) (storage.Querier, error) { return f, nil }
func (f *flat) Close() error                                  { return nil }

func (f *flat) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return f.names, nil, f.err
}

func (f *flat) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return []string{"__name__", "n"}, nil, f.err
}

func (f *flat) Select(ctx context.Context, _ bool, h *storage.SelectHints, _ ...*labels.Matcher) storage.SeriesSet {
	if f.err != nil {
		return storage.ErrSeriesSet(f.err)
	}
	var list []storage.Series
	for _, n := range f.names {
		var samples []chunks.Sample
		for t := (h.Start + 59999) / 60000 * 60000; t <= h.End && h.Func != queryable.SeriesFunc; t += 60000 {
			samples = append(samples, one{t, f.value})
		}
		list = append(list, storage.NewListSeries(labels.FromStrings("__name__", "kpi_share_a", "n", n), samples))
	}
	return &seriesList{list: list}
}

type one struct {
	t int64
	v float64
}

func (o one) T() int64                      { return o.t }
func (o one) ST() int64                     { return 0 }
func (o one) F() float64                    { return o.v }
func (o one) H() *histogram.Histogram       { return nil }
func (o one) FH() *histogram.FloatHistogram { return nil }
func (o one) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (o one) Copy() chunks.Sample           { return o }

type seriesList struct {
	list []storage.Series
	at   int
}

func (l *seriesList) Next() bool                        { l.at++; return l.at <= len(l.list) }
func (l *seriesList) At() storage.Series                { return l.list[l.at-1] }
func (l *seriesList) Err() error                        { return nil }
func (l *seriesList) Warnings() annotations.Annotations { return nil }

// TestPrometheus: the paths that Prometheus' clients ask for, as they ask for them.
func TestPrometheus(t *testing.T) {
	f := newFake()
	seven := 0.25
	low := &alerts.Rule{File: "a.yml", For: 2 * time.Minute, KeepFiringFor: time.Minute, Labels: map[string]string{"severity": "page"}, Annotations: map[string]string{"summary": "{{ $value }}"}}
	lower, other := &alerts.Rule{File: "a.yml"}, &alerts.Rule{File: "b.yml"}
	f.alerts.Files = []*alerts.RuleFile{
		{Name: "a.yml", Groups: []alerts.Group{
			{Name: "g", Rules: []*alerts.Rule{low, lower}, Recordings: []alerts.Recording{
				{Name: "a:first", Expr: "sum(kpi_share_a)"}, {Name: "a:last", Expr: "1", Labels: map[string]string{"x": "y"}, Above: 2},
			}},
			{Name: "recorded", Recordings: []alerts.Recording{{Name: "a:only", Expr: "2"}}},
		}},
		{Name: "b.yml", Groups: []alerts.Group{{Name: "g", Rules: []*alerts.Rule{other}}}},
	}
	f.alerts.Rules = []alerts.RuleStatus{
		{Group: "g", Name: "Low", Expr: "kpi_share_a < 1", For: "2m", State: alerts.Firing, Health: "ok", Of: low, Interval: time.Minute},
		{Group: "g", Name: "Low", Expr: "kpi_share_a < 0.1", For: "0s", State: alerts.Inactive, Health: "ok", Of: lower, Interval: time.Minute},
		{Group: "g", Name: "Other", Expr: "kpi_share_a > 2", For: "0s", State: alerts.Inactive, Health: "unknown", Of: other, Interval: time.Second},
	}
	f.alerts.Alerts = []alerts.Alert{{Of: low, Rule: "Low", Group: "g", State: alerts.Firing, Labels: map[string]string{"by": "total"}, Annotations: map[string]string{"summary": "s"}, Value: &seven, ActiveAt: alerts.Time{Time: now}}}
	d := f.deps(t)
	series := &flat{names: []string{"a", "b"}, value: 1.5}
	d.Series = series
	h := New(d)
	form := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	for _, tt := range []struct {
		name, path, form string
		code             int
		want             string // is in the answer
	}{
		{"scalar", "query", form("query", "1+1", "time", "4"), 200, `"data":{"resultType":"scalar","result":[4,"2"]}`},
		{"string", "query", form("query", `"x"`, "time", "4.5"), 200, `{"resultType":"string","result":[4.500,"x"]}`},
		{"vector", "query", form("query", "kpi_share_a", "time", "1795318800"), 200, `{"resultType":"vector","result":[{"metric":{"__name__":"kpi_share_a","n":"a"},"value":[1795318800,"1.5"]},{"metric":{"__name__":"kpi_share_a","n":"b"},"value":[1795318800,"1.5"]}]}`},
		{"RFC 3339", "query", form("query", "sum(kpi_share_a)", "time", "2026-11-22T04:00:00.5Z"), 200, `[{"metric":{},"value":[1795320000.500,"3"]}]`},
		{"limit", "query", form("query", "kpi_share_a", "time", "1795318800", "limit", "1"), 200, `"value":[1795318800,"1.5"]}]},"warnings":["results truncated due to limit"]`},
		{"infinite", "query", form("query", "kpi_share_a / 0", "time", "1795318800", "limit", "1"), 200, `"+Inf"`},
		{"large", "query", form("query", "1e300 + 0", "time", "0"), 200, `"1e+300"`},
		{"small", "query", form("query", "0.00001", "time", "0"), 200, `"0.00001"`},
		{"infos", "query", form("query", "rate(kpi_share_a[5m])", "time", "1795318800"), 200, `"infos":["PromQL info: metric might not be a counter`},
		{"matrix", "query", form("query", "kpi_share_a[2m]", "time", "1795318800"), 200, `{"resultType":"matrix","result":[{"metric":{"__name__":"kpi_share_a","n":"a"},"values":[[1795318740,"1.5"],[1795318800,"1.5"]]}`},
		{"no query", "query", "", 400, `"errorType":"bad_data","error":"query cannot be read: unknown position: parse error: no expression found in input"`},
		{"broken", "query", form("query", "sum("), 400, `query cannot be read: 1:5: parse error`},
		{"milliseconds", "query", form("query", "1", "time", "1795318800000"), 400, `time 1795318800000 is outside the years up to 2105: give Unix seconds, not milliseconds`},
		{"no time", "query", form("query", "1", "time", "noon"), 400, `time \"noon\" is no time: give Unix seconds or RFC 3339`},
		{"no length", "query", form("query", "1", "timeout", "-3"), 400, `timeout \"-3\" is no length of time above 0`},
		{"many to many", "query", form("query", "kpi_share_a + on() kpi_share_a", "time", "1795318800"), 422, `"errorType":"execution","error":"found duplicate series`},
		{"range", "query_range", form("query", "kpi_share_a", "start", "1795318800", "end", "1795318860", "step", "1m"), 200, `"values":[[1795318800,"1.5"],[1795318860,"1.5"]]}`},
		{"range of a number", "query_range", form("query", "time()", "start", "0", "end", "2", "step", "1"), 200, `{"resultType":"matrix","result":[{"metric":{},"values":[[0,"0"],[1,"1"],[2,"2"]]}]}`},
		{"no step", "query_range", form("query", "1", "start", "1", "end", "2"), 400, `step is missing or below a millisecond`},
		{"short step", "query_range", form("query", "kpi_share_a", "start", "1", "end", "2", "step", "0.0005"), 400, `step is missing or below a millisecond`},
		{"steps of subqueries", "query", form("query", "sum_over_time(kpi_share_a[290y:1s])"), 422, `steps of subqueries`},
		{"deep", "query", form("query", strings.Repeat("-", 2000)+"a"), 400, `query cannot be read: it is nested 2000 deep, more than 1000: ask in several queries`},
		{"long", "query", form("query", strings.Repeat("(", 200_000)+"1"+strings.Repeat(")", 200_000)), 400, `query cannot be read: it has more than 5000 names, numbers, texts and signs: ask in several queries`},
		{"no start", "query_range", form("query", "1", "end", "2", "step", "1"), 400, `start is missing: give Unix seconds or RFC 3339`},
		{"backwards", "query_range", form("query", "1", "start", "3", "end", "2", "step", "1"), 400, `end is before start: exchange them`},
		{"too many points", "query_range", form("query", "1", "start", "0", "end", "100000", "step", "1"), 422, `100001 points a series are asked for, more than 11000: give a step of 10s or more, or ask for less time`},
		{"exemplars", "query_exemplars", form("query", "kpi_share_a", "start", "1795318800000", "end", "1795318860000"), 200, `"data":[]`},
		{"format", "format_query", form("query", "sum (a)by(b)"), 200, `"data":"sum by (b) (a)"`},
		{"labels", "labels", "", 200, `"data":["__name__","n"]`},
		{"series", "series", form("match[]", "kpi_share_a"), 200, `"data":[{"__name__":"kpi_share_a","n":"a"},{"__name__":"kpi_share_a","n":"b"}]`},
		{"limited series", "series", form("match[]", "kpi_share_a", "limit", "1"), 200, `"data":[{"__name__":"kpi_share_a","n":"a"}],"warnings":["results may be truncated due to limit"]`},
		{"which series", "series", "", 400, `match[] is missing: name the series, as in match[]=kpi_plays`},
		{"any series", "series", form("match[]", `{n=~".*"}`), 400, `match[] \"{n=~\\\".*\\\"}\" matches what has no labels at all: name one with a value`},
		{"values", "label/n/values", "", 200, `"data":["a","b"]`},
		{"some values", "label/n/values", form("match[]", `kpi_share_a{n="a"}`, "limit", "1"), 200, `"data":["a"],"warnings":["results truncated due to limit"]`},
		{"metadata", "metadata", form("metric", "kpi_share_a_low"), 200, `"data":{"kpi_share_a_low":[{"type":"gauge","help":"Share: lower bound of the 95 % interval","unit":"ratio"}]}`},
		{"rules", "rules", "", 200, `{"groups":[{"name":"g","file":"a.yml","interval":60,"rules":[{"type":"recording","name":"a:first","query":"sum(kpi_share_a)","labels":{},"health":"ok"},{"type":"alerting","name":"Low","query":"kpi_share_a \u003c 1","duration":120,"keepFiringFor":60,"labels":{"severity":"page"},"annotations":{"summary":"{{ $value }}"},"state":"firing","health":"ok","alerts":[{"labels":{"alertname":"Low","by":"total"},"annotations":{"summary":"s"},"state":"firing","activeAt":"2026-11-22T02:00:00Z","value":"2.5e-01"}]},` +
			`{"type":"alerting","name":"Low","query":"kpi_share_a \u003c 0.1","duration":0,"keepFiringFor":0,"labels":{},"annotations":{},"state":"inactive","health":"ok","alerts":[]},{"type":"recording","name":"a:last","query":"1","labels":{"x":"y"},"health":"ok"}]},` +
			`{"name":"recorded","file":"a.yml","interval":15,"rules":[{"type":"recording","name":"a:only","query":"2","labels":{},"health":"ok"}]},` +
			`{"name":"g","file":"b.yml","interval":1,"rules":[{"type":"alerting","name":"Other"`},
		{"recording rules", "rules", form("type", "record"), 200, `"rules":[{"type":"recording","name":"a:first","query":"sum(kpi_share_a)","labels":{},"health":"ok"},{"type":"recording","name":"a:last",`},
		{"alerting rules", "rules", form("type", "alert"), 200, `{"groups":[{"name":"g","file":"a.yml","interval":60,"rules":[{"type":"alerting","name":"Low"`},
		{"alerts", "alerts", "", 200, `{"alerts":[{"labels":{"alertname":"Low"`},
		{"build", "status/buildinfo", "", 200, `"version":`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ask(h, "GET", "/prometheus/api/v1/"+tt.path+"?"+tt.form, "")
			if got.code != tt.code || !strings.Contains(string(got.body), tt.want) {
				t.Errorf("got %d %s, want %d with %s", got.code, got.body, tt.code, tt.want)
			}
			got.described(t, "GET", "/prometheus/api/v1/"+tt.path+"?"+tt.form)
			if strings.Contains(tt.path, "/") || tt.path == "metadata" || tt.path == "rules" || tt.path == "alerts" {
				return
			}
			got = ask(h, "POST", "/prometheus/api/v1/"+tt.path, tt.form, "Content-Type", "application/x-www-form-urlencoded")
			if got.code != tt.code || !strings.Contains(string(got.body), tt.want) {
				t.Errorf("POST: got %d %s, want %d with %s", got.code, got.body, tt.code, tt.want)
			}
		})
	}

	t.Run("storage", func(t *testing.T) {
		defer func() { series.err = nil }()
		series.err = BadData("what is wrong")
		if got := ask(h, "GET", "/prometheus/api/v1/query?query=kpi_share_a", ""); got.code != 400 || !strings.Contains(string(got.body), "what is wrong") {
			t.Errorf("got %d %s", got.code, got.body)
		}
		series.err = &queryable.ReadError{Why: errors.New("disk")}
		if got := ask(h, "GET", "/prometheus/api/v1/query?query=kpi_share_a", ""); got.code != 500 || strings.Contains(string(got.body), "disk") {
			t.Errorf("got %d %s", got.code, got.body)
		}
	})
	t.Run("not ready", func(t *testing.T) {
		defer func() { f.notReady = nil }()
		f.notReady = errors.New("rebuilding")
		for _, path := range []string{"query?query=1", "labels", "rules"} {
			if got := ask(h, "GET", "/prometheus/api/v1/"+path, ""); got.code != 503 || !strings.Contains(string(got.body), "rebuilding") {
				t.Errorf("%s: got %d %s", path, got.code, got.body)
			}
		}
	})
}

// TestPrometheusLimits: a query that would hold too much ends with what to do.
func TestPrometheusLimits(t *testing.T) {
	f := newFake()
	d := f.deps(t)
	d.Limits.Reads = 1 << 20 // 32,768 samples
	many := &flat{value: math.Pi}
	for i := range 100 {
		many.names = append(many.names, fmt.Sprint(i))
	}
	d.Series = many
	h := New(d)
	end := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	got := ask(h, "GET", fmt.Sprintf("/prometheus/api/v1/query?query=kpi_share_a[1d]&time=%d", end.Unix()), "")
	if want := "ask for less time, for a longer step, or for fewer series by naming labels"; got.code != 422 || !strings.Contains(string(got.body), want) {
		t.Errorf("got %d %.300s", got.code, got.body)
	}
	if got := ask(h, "GET", fmt.Sprintf("/prometheus/api/v1/query?query=kpi_share_a[5m]&time=%d", end.Unix()), ""); got.code != 200 {
		t.Errorf("got %d %.300s", got.code, got.body)
	}
}
