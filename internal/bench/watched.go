package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// past is how far the history goes back that is looked at.
const past = 32 * 24 * time.Hour

// sparsely is the load of the past, thickly that which comes in while somebody looks.
var (
	sparsely = load{events: int64(past / time.Second), rate: 1}
	thickly  = load{events: 40_000_000, rate: 25_000}
)

// crossed are KPIs with many series: those of 4 channels, 12 regions and 3 devices; of about
// 10,000 contents within an hour of the load that comes while somebody looks, and within five
// minutes of the one that rules are judged over.
const crossed = `kpis:
  - name: crossed
    title: {en: Crossed, zh: 交叉}
    count: {where: 'type == "play"'}
    by: [[channel, region, device], [channel, region]]
    windows: [5m, day]
  - name: hourly
    title: {en: Some contents, zh: 部分内容}
    count: {where: 'type == "play" && device == "web" && region == "cn-gd"'}
    by: [content_id]
    windows: [1h]
  - name: lately
    title: {en: Contents on the web, zh: 网页内容}
    count: {where: 'type == "play" && device == "web"'}
    by: [content_id]
    windows: [5m]
`

// bounded are the questions whose answers have a bound, the instant first.
var bounded = []question{
	{"an instant over 10,000 series", instant(`topk(10, kpi_hourly{by="content_id",window="1h"})`)},
	{"24 h of 96 series by the minute", span(`kpi_crossed{by="channel,region,device",window="5m",device!="web"}`, 24*time.Hour, time.Minute)},
	{"30 days of 48 series", span(`kpi_crossed{by="channel,region",window="day"}`, 30*24*time.Hour, 24*time.Hour)},
	{"a KPI's value", "/api/v1/kpis/ctr?window=5m&by=channel"},
}

func instant(expr string) string {
	return "/prometheus/api/v1/query?time={now}&query=" + url.QueryEscape(expr)
}

// span asks as Grafana does: both ends are multiples of the step.
func span(expr string, back, step time.Duration) string {
	return fmt.Sprintf("/prometheus/api/v1/query_range?start={now-%s/%s}&end={now/%s}&step=%d&query=%s", back, step, step, int(step.Seconds()), url.QueryEscape(expr))
}

// watched has a service with a month of history catch up: how fast while nobody looks, while
// twenty dashboards do, each of which has refreshed once before, and how long answers take
// meanwhile.
func watched(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	own := filepath.Join(dir, "crossed.yaml")
	if err := os.WriteFile(own, []byte(crossed), 0o600); err != nil {
		return nil, err
	}
	settings := map[string]any{"kpis": append(slices.Clip(c.kpis), own), "lateness": "1m"}
	if err := c.begin(ctx, dir, settings); err != nil {
		return nil, err
	}
	now := thickly.scaled(b.scale)
	total, err := b.pastAndNow(ctx, now, dir)
	if err != nil {
		return nil, err
	}
	s, err := c.serve(ctx, dir, settings)
	if err != nil {
		return nil, err
	}
	defer s.kill()
	if _, err := s.reach(ctx, total-now.events*19/20); err != nil {
		return nil, err
	}
	before, err := s.readOn(ctx, now.events/10)
	if err != nil {
		return nil, err
	}
	asked, err := s.watch(ctx, b.dashboards)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, 2*refresh); err != nil { // each of them has begun within one
		return nil, err
	}
	warm, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	left := total - warm.received
	if left < now.events/4 {
		return nil, fmt.Errorf("only %d of %d events are left once the dashboards have refreshed: give a larger -scale", left, now.events)
	}
	meanwhile, err := s.readOn(ctx, left/2)
	if err != nil {
		return nil, err
	}
	took, err := asked.stop()
	if err != nil {
		return nil, err
	}
	after, err := s.readOn(ctx, left/6)
	if err != nil {
		return nil, err
	}
	f.add(fmt.Sprintf("ingest slowed by %d dashboards, %%", onlookers), 100*(1-2*meanwhile.pace()/(before.pace()+after.pace())))
	f.stretch("before", before)
	f.stretch("watched", meanwhile)
	f.stretch("afterwards", after)
	f.times("a panel's query at first", took[firstly])
	f.times("a panel's query", took["panel"])
	if asked, err = s.ask(ctx, 5*time.Millisecond, bounded); err != nil {
		return nil, err
	}
	if _, err := s.reach(ctx, total); err != nil {
		return nil, err
	}
	if took, err = asked.stop(); err != nil {
		return nil, err
	}
	for _, q := range bounded {
		f.times(q.kind, took[q.kind])
	}
	return f, nil
}

// A stretch of the stream was read between two readings.
type stretch struct{ from, to reading }

// readOn has the service read so many more events, from when it next tells how far it is.
func (s *service) readOn(ctx context.Context, events int64) (x stretch, err error) {
	if x.from, err = s.read(ctx); err != nil {
		return x, err
	}
	if x.from, err = s.reach(ctx, x.from.received+1); err != nil {
		return x, err
	}
	x.to, err = s.reach(ctx, x.from.received+events)
	return x, err
}

// pace is how many events a second are read.
func (x stretch) pace() float64 {
	return float64(x.to.received-x.from.received) / x.to.at.Sub(x.from.at).Seconds()
}

// stretch adds how long one was and what it cost.
func (f *figures) stretch(name string, x stretch) {
	f.add(name+", s", x.to.at.Sub(x.from.at).Seconds())
	f.add(name+", cores", cores(x.from, x.to))
	f.add(name+", core-µs an event", perEvent(x.from, x.to))
}

// pastAndNow fills the stream of a trial's folder with the past, and the load behind it if
// it has events, and tells how many there are.
func (b *bench) pastAndNow(ctx context.Context, now load, dir string) (events int64, err error) {
	broker, err := jetstream.Open(ctx, jetstream.Options{Dir: filepath.Join(dataOf(dir), "stream"), MaxBytes: roomy})
	if err != nil {
		return 0, err
	}
	defer broker.Close()
	begins := time.Now().Add(-now.span() - time.Minute).Truncate(time.Second)
	put := func(lines *lines, each int) error {
		for buf := []byte(nil); ; events += int64(bytes.Count(buf, []byte("\n"))) {
			var n int
			if buf, n = lines.next(buf[:0], each); n == 0 {
				return nil
			}
			if _, err := broker.Append(ctx, buf); err != nil {
				return err
			}
		}
	}
	before := sparsely.lines(begins.Add(-past))
	before.end = begins.UnixMilli()
	if err := put(before, 10*message); err != nil || now.events == 0 {
		return events, err
	}
	err = put(now.lines(begins), message)
	return events, err
}
