package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// BenchmarkInstant asks at an instant for what 10,000 series come to.
func BenchmarkInstant(b *testing.B) {
	c := config.Default()
	c.Data = b.TempDir()
	events := NewLog()
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Crash() })
	at := noon.UnixMilli()
	for i := range 12_000 {
		at += 20
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","watch_ms":5,"user_id":"u%d","content_id":"v%d","creator_id":"k%d","channel":"c","campaign_id":"m"}`, i, at, i%1000, i*7919%12_000, i*7919%12_000))
	}
	events.Append(at+10_000, fmt.Appendf(nil, `{"id":"end","time":%d,"type":"play","user_id":"u","watch_ms":1}`, at+10_000))
	if err := r.Read(); err != nil {
		b.Fatal(err)
	}
	for name, expr := range map[string]string{
		"topk": `topk(10, kpi_like_rate_denominator{by="creator_id",window="1h"})`, "all": `kpi_like_rate_denominator{by="creator_id",window="1h"}`, "sum": `sum(kpi_like_rate_denominator{by="creator_id",window="1h"})`,
	} {
		for _, when := range []struct {
			name string
			at   time.Time
		}{{"live", time.UnixMilli(at + 9_000)}, {"closed", time.UnixMilli(at - 60_000)}} {
			b.Run(name+"/"+when.name, func(b *testing.B) {
				parsed, err := expression.Parse(expr)
				if err != nil {
					b.Fatal(err)
				}
				ctx := queryable.WithTerms(context.Background(), queryable.TermsOf(parsed, expression.Lookback))
				series := queryable.New(r, queryable.NewCache(32<<20))
				for b.Loop() {
					q, err := r.promql.NewInstantQuery(ctx, series, nil, expr, when.at)
					if err != nil {
						b.Fatal(err)
					}
					if res := q.Exec(ctx); res.Err != nil {
						b.Fatal(res.Err)
					} else if v, err := res.Vector(); err != nil || len(v) == 0 {
						b.Fatal(v, err)
					}
					q.Close()
				}
			})
		}
	}
}
