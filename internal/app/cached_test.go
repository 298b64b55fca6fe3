package app

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/stream"
)

// TestCached: what is kept of windows is what they come to, through events that come late,
// contents that displace others, users who turn out to be
// others or are erased, seals, crashes and other definitions.
func TestCached(t *testing.T) {
	const kpis = `
keep: []
kpis:
  - {name: plays, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [10s, 1m, 1h, today, day], budget: %d}
  - {name: viewers, title: {en: a, zh: a}, distinct: {field: user_id}, by: [content_id], windows: [10s, 5m, today, day], budget: %[1]d}
  - {name: top, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [1m, today, day], top: 3}
  - {name: longest, title: {en: a, zh: a}, max: {field: watch_ms}, by: [channel], windows: [10s, 1h, day]}
  - {name: gmv, title: {en: a, zh: a}, unit: money, sum: {field: amount_minor, where: 'type == "pay"'}, by: [channel], windows: [1m, today, day]}
  - {name: rate, title: {en: a, zh: a}, ratio: {numerator: {count: {where: 'type == "pay"'}}, denominator: {count: {where: 'type == "play"'}}}, by: [channel], windows: [1m, day]}
  - {name: curve, title: {en: a, zh: a}, from: mine, horizon: 1, split: [after], count: {where: 'fact == "retention"'}, windows: [day]}
  - {name: back, title: {en: a, zh: a}, from: mine, horizon: 1, final_only: true, ratio: {numerator: {count: {where: 'fact == "retention" and after == "1"'}}, denominator: {count: {where: 'fact == "retention" and after == "0"'}}}, windows: [day]}
operators: [{name: mine, days: {churn_gap: 10}}]
`
	spans := map[time.Duration][]string{
		2 * time.Minute:  {`kpi_plays{by="content_id",window="10s"}`, `kpi_plays{by="content_id",window="10s",content_id="v1"}`, `kpi_viewers{by="content_id",window="10s"}`, `kpi_longest{by="channel",window="10s"}`},
		20 * time.Minute: {`kpi_plays{by="content_id",window="1m",content_id=~"v[0-3]"}`, `kpi_viewers{by="content_id",window="5m"}`, `kpi_top{window="1m"}`, `kpi_gmv{window="1m"}`, `{__name__=~"kpi_rate.*",by="channel",window="1m"}`},
		3 * time.Hour:    {`kpi_plays{by="content_id",window=~"1h|today"}`, `kpi_viewers{by="content_id",window="today"}`, `kpi_top{window="today"}`, `kpi_gmv{window="today",currency="CNY"}`},
		30 * time.Hour:   {`kpi_plays{window="day"}`, `kpi_viewers{window="day"}`, `kpi_top{window="day"}`, `kpi_gmv{window="day"}`, `{__name__=~"kpi_(back.*|curve)",by=~"total|after",window="day"}`},
	}
	lengths := slices.Sorted(maps.Keys(spans))
	c := config.Default()
	c.Data, c.Lateness, c.DedupWindow = t.TempDir(), 10*time.Minute, 11*time.Minute
	c.KPIs = []string{filepath.Join(t.TempDir(), "kpis.yaml")}
	r := rand.New(rand.NewPCG(8, 1))
	events := NewLog()
	var replica *Replica
	var few *queryable.Cache
	start := func() {
		c.Partitions = 1 + r.IntN(3)
		var err error
		if replica != nil {
			err = replica.Crash()
		}
		if err := errors.Join(err, os.WriteFile(c.KPIs[0], fmt.Appendf(nil, kpis, 3+r.IntN(2)), 0o600)); err != nil {
			t.Fatal(err)
		}
		if replica, err = OpenReplica(c, events, ReplicaOptions{}); err != nil {
			t.Fatal(err)
		}
		few = queryable.NewCache(8 << 10)
	}
	start()
	t.Cleanup(func() { _ = replica.Crash() })
	now, some := noon, 0
	for round := range 150 {
		for range 1 + r.IntN(12) {
			switch {
			case r.IntN(60) == 0:
				now = now.Add(time.Duration(r.Int64N(int64(13 * time.Hour))))
			default:
				now = now.Add(time.Duration(r.Int64N(int64(4 * time.Second))))
			}
			at := now
			if r.IntN(4) == 0 {
				at = at.Add(-time.Duration(r.Int64N(int64(c.Lateness))))
			}
			who := fmt.Sprintf(`"user_id":"u%d"`, r.IntN(9))
			switch r.IntN(40) {
			case 0:
				events.Erase(now.UnixMilli(), stream.Erasure{UserID: fmt.Sprint("u", r.IntN(9))})
			case 1, 2:
				events.Append(now.UnixMilli(), fmt.Appendf(nil, `{"id":"i%d","time":%d,"type":"identify",%s,"anonymous_id":"a%d"}`, len(events.Messages()), at.UnixMilli(), who, r.IntN(9)))
			case 3, 4, 5, 6, 7, 8, 9, 10:
				who = fmt.Sprintf(`"anonymous_id":"a%d"`, r.IntN(9))
			}
			events.Append(now.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":%q,%s,"channel":"c%d","content_id":"v%d","watch_ms":%d,"amount_minor":%d,"currency":%q,"order_id":"o%[1]d"}`,
				len(events.Messages()), at.UnixMilli(), [...]string{"play", "play", "pay"}[r.IntN(3)], who, r.IntN(3), r.IntN(3+round/20), r.IntN(9000), 1+r.IntN(900), [...]string{"CNY", "CNY", "CNY", "USD"}[r.IntN(4)]))
		}
		if err := replica.Read(); err != nil {
			t.Fatal(err)
		}
		switch r.IntN(40) {
		case 0:
			start()
		case 1, 2, 3, 4:
			if err := replica.Checkpoint(); err != nil {
				t.Fatal(err)
			}
		}
		for range 6 {
			span := lengths[r.IntN(len(lengths))]
			selector := spans[span][r.IntN(len(spans[span]))]
			to := now.Add(-time.Duration(r.Int64N(int64(time.Minute))))
			from := to.Add(-time.Duration(r.Int64N(int64(span))))
			want := seriesBetween(t, queryable.New(replica, nil), selector, from, to)
			some += len(want)
			for name, cache := range map[string]*queryable.Cache{"the service's": replica.frames, "a small one": few} {
				if got := seriesBetween(t, queryable.New(replica, cache), selector, from, to); !slices.Equal(got, want) {
					t.Fatalf("round %d, %s: %s from %s to %s\n got %q\nwant %q", round, name, selector, from, to, got, want)
				}
			}
		}
	}
	if some < 1000 {
		t.Errorf("%d series are held to each other", some)
	}
}

// seriesBetween are the series that match, with their samples, as texts.
func seriesBetween(t *testing.T, of storage.Queryable, selector string, from, to time.Time) (list []string) {
	t.Helper()
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(selector)
	if err != nil {
		t.Fatal(err)
	}
	q, err := of.Querier(from.UnixMilli(), to.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	set := q.Select(t.Context(), true, &storage.SelectHints{Start: from.UnixMilli(), End: to.UnixMilli()}, matchers...)
	for set.Next() {
		text := []byte(set.At().Labels().String())
		for it := set.At().Iterator(nil); it.Next() == chunkenc.ValFloat; {
			at, v := it.At()
			text = fmt.Appendf(text, " %d:%v:%x", at, v, math.Float64bits(v)) // a stale marker is not any NaN
		}
		list = append(list, string(text))
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return append(list, fmt.Sprint(set.Warnings().AsErrors()))
}
