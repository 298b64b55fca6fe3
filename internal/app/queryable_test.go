package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression/random"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// trade is a replica of some days of a business that sleeps for hours, the watermark
// between two steps of most windows.
func trade(t *testing.T) *Replica {
	t.Helper()
	c := config.Default()
	c.Data, c.Currency = t.TempDir(), "CNY"
	r := rand.New(rand.NewPCG(1, 2))
	begin := noon.Add(-2*24*time.Hour - 5*time.Hour)
	events := NewLog()
	at := begin.UnixMilli()
	for i := 0; at < noon.UnixMilli(); i++ {
		kind := [...]string{"impression", "impression", "click", "play", "pay"}[r.IntN(5)]
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":%q,"user_id":"u%d","channel":%q,"watch_ms":%d,"amount_minor":%d,"order_id":"o%d"}`,
			i, at, kind, r.IntN(60), [...]string{"c0", "c1", "c2", ""}[r.IntN(4)], r.IntN(9000), 1+r.IntN(900), i))
		at += r.Int64N(200_000)
		switch last := at > noon.Add(-4*time.Hour).UnixMilli(); {
		case last && r.IntN(12) == 0: // of which the short windows are asked
			at += r.Int64N(20 * 60_000)
		case !last && r.IntN(300) == 0:
			at = min(at+r.Int64N(3*3600_000), noon.Add(-4*time.Hour).UnixMilli())
		}
	}
	end := noon.Add(7*time.Minute + 31*time.Second)
	events.Append(end.UnixMilli(), fmt.Appendf(nil, `{"id":"end","time":%d,"type":"play","user_id":"u","channel":"c0","watch_ms":1}`, end.UnixMilli()))
	replica, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = replica.Crash() })
	return replica
}

// A tape is what a scraper would have that looks at the KPIs at the end of each window,
// every minute between them, and when it is asked: in the plainest way.
type tape struct {
	t       *testing.T
	replica *Replica
	app     storage.Appender
	alive   map[string]labels.Labels // what has a value, by its labels
}

// record records a window length of a KPI from a time on.
func (p *tape) record(k *kpi.KPI, by kpi.Set, w kpi.Window, from time.Time) {
	p.alive = map[string]labels.Labels{}
	live := p.replica.lane.shown.Load().live
	watermark := time.UnixMilli(live.Watermark())
	step := min(w.Step(), time.Minute)
	if w.IsDay() {
		step = time.Minute
	}
	last, asked := time.Time{}, time.Time{}
	var a *sample.Answer
	for at := from.Truncate(step); !at.After(watermark); at = at.Add(step) {
		if at.Equal(watermark) && !w.IsDay() && at.UnixMilli()%w.Step().Milliseconds() != 0 {
			break // the live window is of then
		}
		if of := at.Truncate(min(max(w.Step(), step), time.Hour)); !of.Equal(asked) { // the same one stands until the next
			var err error
			if asked = of; k.FinalOnly {
				of = of.AddDate(0, 0, -k.Horizon)
			}
			a, err = p.replica.Query(context.Background(), api.Query{KPI: k, By: by, Window: w, At: of})
			if e, ok := errors.AsType[*api.Error](err); ok && e.Kind == api.KindNotFound {
				a = nil // before the first event
			} else if err != nil {
				p.t.Fatal(err)
			}
		}
		if a == nil {
			continue
		}
		calendar := p.replica.Look().Calendar()
		if day := time.UnixMilli(calendar.Start(calendar.Day(at.UnixMilli()))); w == kpi.Today && at.After(day) && at.Before(day.Add(w.Step())) {
			p.put(&sample.Answer{KPI: k}, day.Add(time.Millisecond)) // the day before is not today
			continue
		}
		p.put(a, at)
		last = at
	}
	if !w.IsDay() && last.Before(watermark) {
		a, err := p.replica.Query(context.Background(), api.Query{KPI: k, By: by, Window: w})
		if err != nil {
			p.t.Fatal(err)
		}
		p.put(a, watermark)
	}
}

// put records an answer.
func (p *tape) put(a *sample.Answer, at time.Time) {
	before := p.alive
	p.alive = map[string]labels.Labels{}
	for i := range a.Samples {
		s := &a.Samples[i]
		for _, part := range a.KPI.Parts() {
			v, ok := s.Part(a.KPI, part)
			if !ok {
				continue
			}
			of := map[string]string{"__name__": a.KPI.Series(part), "by": a.By.String(), "window": a.Window.String()}
			for i, field := range a.By {
				of[field] = s.Labels[i]
			}
			if s.Currency != "" {
				of["currency"] = s.Currency
			}
			if a.KPI.FinalOnly {
				of["cohort"] = a.Start.In(p.replica.catalogue.Location).Format(time.DateOnly)
			}
			l := labels.FromMap(of)
			p.append(l, at, v)
			p.alive[l.String()] = l
		}
	}
	for key, l := range before {
		if _, still := p.alive[key]; !still {
			p.append(l, at, math.Float64frombits(value.StaleNaN))
		}
	}
}

func (p *tape) append(l labels.Labels, at time.Time, v float64) {
	if _, err := p.app.Append(0, l, at.UnixMilli(), v); err != nil {
		p.t.Fatal(err)
	}
}

// record is a store of Prometheus with what a tape has of some KPIs.
func record(t *testing.T, r *Replica) storage.Queryable {
	t.Helper()
	o := tsdb.DefaultOptions()
	o.MinBlockDuration, o.MaxBlockDuration, o.RetentionDuration = (7 * 24 * time.Hour).Milliseconds(), (7 * 24 * time.Hour).Milliseconds(), 0
	db, err := tsdb.Open(t.TempDir(), nil, nil, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	whole, hours := noon.AddDate(0, 0, -3), noon.Add(-3*time.Hour)
	for _, c := range []struct {
		kpi     string
		by      []string
		windows []string
		from    time.Time
	}{
		{"plays", nil, []string{"24h", "day", "today"}, whole},
		{"plays", []string{"channel"}, []string{"1h", "24h", "day", "today"}, whole},
		{"plays", []string{"channel"}, []string{"1m", "5m"}, hours},
		{"ctr", []string{"channel"}, []string{"24h", "day"}, whole},
		{"ctr", nil, []string{"5m"}, hours},
		{"gmv_paid", nil, []string{"1h", "day"}, whole},
		{"dau", nil, []string{"day", "today"}, whole},
		{"retention_d1", nil, []string{"day"}, whole},
	} {
		k := r.Catalogue().KPI(c.kpi)
		by, ok := k.SetOf(c.by...)
		if !ok {
			t.Fatalf("%s is not kept by %v", c.kpi, c.by)
		}
		for _, text := range c.windows {
			w, err := kpi.ParseWindow(text)
			if err != nil || !k.Keeps(w) {
				t.Fatalf("%s does not keep %s: %v", c.kpi, text, err)
			}
			app := db.Appender(context.Background())
			p := &tape{t: t, replica: r, app: app}
			p.record(k, by, w, c.from)
			if err := app.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return db
}

// inOrder has series in the order of their labels: what goes by the order of series, as
// topk does among equals, is the same then.
func inOrder(of storage.Queryable) storage.Queryable {
	return storage.QueryableFunc(func(from, to int64) (storage.Querier, error) {
		q, err := of.Querier(from, to)
		return ordered{q}, err
	})
}

type ordered struct{ storage.Querier }

func (o ordered) Select(ctx context.Context, _ bool, h *storage.SelectHints, m ...*labels.Matcher) storage.SeriesSet {
	return o.Querier.Select(ctx, true, h, m...)
}

// TestQueryable holds the KPIs to Prometheus' own store with what a scraper would have
// seen.
func TestQueryable(t *testing.T) {
	r := trade(t)
	store, ours := inOrder(record(t, r)), inOrder(queryable.New(r, queryable.NewCache(64<<10)))
	t.Run("expressions", func(t *testing.T) { expressionsAre(t, store, ours) })
	t.Run("series", func(t *testing.T) { seriesAre(t, store, ours) })
	t.Run("held", func(t *testing.T) { heldIs(t, ours) })
}

// heldIs: a query is asked for the room of what its selectors read, of all of them and not
// of each alone.
func heldIs(t *testing.T, ours storage.Queryable) {
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute})
	held := func(text string) (all int64) {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			t.Fatal(err)
		}
		terms := queryable.TermsOf(expr, 5*time.Minute)
		terms.Grow = func(more int64) error { all += more; return nil }
		query, err := engine.NewInstantQuery(t.Context(), ours, nil, text, noon)
		if err != nil {
			t.Fatal(err)
		}
		defer query.Close()
		if err := query.Exec(queryable.WithTerms(t.Context(), terms)).Err; err != nil {
			t.Fatal(err)
		}
		return all
	}
	const one = `sum_over_time(kpi_plays{by="total",window="1h"}[1h])`
	alone, both := held(one), held(one+" + "+one)
	if alone == 0 || both != 2*alone {
		t.Errorf("got %d, of two %d", alone, both)
	}
	// A subquery reads what it steps through.
	if steps := held(`sum_over_time(kpi_plays{by="total",window="1h"}[3h:1h])`); steps != 3 {
		t.Errorf("three steps read %d samples", steps)
	}
}

// expressionsAre holds random expressions to the store.
func expressionsAre(t *testing.T, store, ours storage.Queryable) {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})
	const (
		minute = time.Minute
		hour   = time.Hour
	)
	x := &random.Expressions{
		Rand: rand.New(rand.NewPCG(7, 0)), Around: noon, Ahead: 10 * minute, Subqueries: []time.Duration{10 * minute, 37 * minute, hour},
		Selectors: []random.Selectors{
			{List: []string{
				`kpi_plays{by="channel",window="1h"}`, `kpi_plays{by="total",window="24h"}`, `kpi_plays{by=~"total|channel",window="day"}`, `kpi_plays{by="channel",window="today",channel=~"c[01]"}`, `kpi_plays{by="channel",window="24h",channel=""}`, `kpi_plays{by="channel",window="day",channel!=""}`,
				`kpi_ctr{by="channel",window="24h"}`, `kpi_ctr_low{by="channel",window="day"}`, `{__name__=~"kpi_ctr_.*",by="channel",window="24h",channel!="c2"}`,
				`kpi_gmv_paid{by="total",window="1h",currency="CNY"}`, `kpi_gmv_paid{by="total",window="day"}`, `kpi_dau{by="total"}`, `kpi_retention_d1_numerator{by="total"}`,
			}, Ranges: []time.Duration{10 * minute, 50 * minute, 3 * hour, 25 * hour}},
			{List: []string{
				`kpi_plays{by="channel",window="1m"}`, `kpi_plays{by="channel",window="5m",channel="c1"}`, `kpi_ctr{by="total",window="5m"}`, `kpi_ctr_denominator{by="total",window="5m"}`,
			}, Ranges: []time.Duration{30 * time.Second, 5 * minute, 20 * minute}},
		},
	}
	const count = 2000
	failures := 0
	some := 0
	for range count {
		text := x.Next()
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		end := noon.Add(8*minute - time.Duration(x.Int64N(int64(70*minute)))).Truncate(random.Pick(x.Rand, time.Millisecond, 5*time.Second, 10*minute))
		step := random.Pick(x.Rand, 0, 13*time.Second, minute, 7*minute)
		begin := end.Add(-step * time.Duration(x.IntN(9)))
		answer := func(q storage.Queryable, terms queryable.Terms) *promql.Result {
			ctx := queryable.WithTerms(t.Context(), terms)
			var query promql.Query
			if step == 0 {
				query, err = engine.NewInstantQuery(ctx, q, nil, text, end)
			} else {
				query, err = engine.NewRangeQuery(ctx, q, nil, text, begin, end, step)
			}
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			return query.Exec(ctx)
		}
		want, got := answer(store, queryable.Terms{}), answer(ours, queryable.TermsOf(expr, 5*minute))
		if want.Err == nil && len(want.String()) > 0 {
			some++
		}
		if !same(want, got) {
			t.Errorf("%s\nfrom %s to %s by %s\nwant %v %v\ngot  %v %v", text, begin.UTC(), end.UTC(), step, want.Err, want, got.Err, got)
			if failures++; failures == 5 {
				t.Fatal("and so on")
			}
		}
	}
	if some < count/3 {
		t.Errorf("%d of %d expressions have a value", some, count)
	}
}

// seriesAre holds the series and labels that there are to the store.
func seriesAre(t *testing.T, store, ours storage.Queryable) {
	for _, span := range []struct {
		from, to time.Duration // before noon
		selector string
	}{
		{2 * time.Hour, 0, `kpi_plays{by="channel",window="5m"}`},
		{2 * time.Hour, 0, `kpi_plays{by="channel",window="1m",channel=~"c[12]"}`},
		{44 * time.Hour, 24 * time.Hour, `{__name__=~"kpi_ctr_.*",by="channel",window="24h"}`},
		{50 * time.Hour, -time.Hour, `kpi_plays{by="channel",window=~"day|today|1h"}`},
		{2 * time.Hour, 0, `kpi_plays{by="channel",window="5m",channel=""}`},
		{2 * time.Hour, 0, `kpi_plays{by="channel",window="5m",channel=~"c1|"}`},
		{40 * time.Hour, 0, `kpi_retention_d1{by="total"}`},
		{200 * time.Hour, 150 * time.Hour, `kpi_plays{by="channel",window=~"day|today|1h"}`},
	} {
		m, err := parser.NewParser(parser.Options{}).ParseMetricSelector(span.selector)
		if err != nil {
			t.Fatal(err)
		}
		from, to := noon.Add(-span.from).UnixMilli(), noon.Add(-span.to).UnixMilli()
		querier := func(of storage.Queryable) storage.Querier {
			q, err := of.Querier(from, to)
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		list := func(q storage.Querier, hints *storage.SelectHints, has func(chunkenc.Iterator) bool) (list []string) {
			set := q.Select(t.Context(), true, hints, m...)
			for set.Next() {
				if has(set.At().Iterator(nil)) {
					list = append(list, set.At().Labels().String())
				}
			}
			if set.Err() != nil {
				t.Fatal(set.Err())
			}
			return list
		}
		mine, theirs := querier(ours), querier(store)
		defer mine.Close()
		defer theirs.Close()
		got := list(mine, &storage.SelectHints{Func: queryable.SeriesFunc}, func(chunkenc.Iterator) bool { return true })
		want := list(theirs, &storage.SelectHints{Start: from, End: to}, func(it chunkenc.Iterator) bool {
			for it.Next() != chunkenc.ValNone {
				if _, v := it.At(); !value.IsStaleNaN(v) {
					return true
				}
			}
			return false
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s %s to %s\ngot  %q\nwant %q", span.selector, span.from, span.to, got, want)
		}
		channels, _, err := mine.LabelValues(t.Context(), "channel", nil, m...)
		if err != nil {
			t.Fatal(err)
		}
		some := map[string]bool{}
		for _, text := range want {
			if l, err := parser.NewParser(parser.Options{}).ParseMetric(text); err == nil && l.Get("channel") != "" {
				some[l.Get("channel")] = true
			}
		}
		if want := slices.Sorted(maps.Keys(some)); !slices.Equal(channels, want) {
			t.Errorf("%s: channels %q, want %q", span.selector, channels, want)
		}
	}
}

// same compares results. Sums may differ in the last bits.
func same(a, b *promql.Result) bool {
	if a.Err != nil || b.Err != nil {
		return a.Err != nil && b.Err != nil && cause(a.Err) == cause(b.Err)
	}
	switch v := a.Value.(type) {
	case promql.Vector:
		w, ok := b.Value.(promql.Vector)
		return ok && slices.EqualFunc(byMetric(v), byMetric(w), func(x, y promql.Sample) bool {
			return labels.Equal(x.Metric, y.Metric) && x.T == y.T && near(x.F, y.F)
		})
	case promql.Matrix:
		w, ok := b.Value.(promql.Matrix)
		return ok && slices.EqualFunc(v, w, func(x, y promql.Series) bool {
			return labels.Equal(x.Metric, y.Metric) && slices.EqualFunc(x.Floats, y.Floats, func(p, q promql.FPoint) bool { return p.T == q.T && near(p.F, q.F) })
		})
	}
	return a.String() == b.String()
}

// cause is an error without which of several duplicates was met first: the engine has them in
// no order.
func cause(err error) string {
	text, _, _ := strings.Cut(err.Error(), " for the match group")
	return text
}

func byMetric(v promql.Vector) promql.Vector {
	slices.SortStableFunc(v, func(a, b promql.Sample) int { return labels.Compare(a.Metric, b.Metric) })
	return v
}

func near(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}
