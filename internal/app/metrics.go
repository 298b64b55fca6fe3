package app

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/exposition"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/internal/space"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A family is one metric with its samples, as the text format wants them:
// together, behind their type.
type family struct {
	name, kind, help string
	lines            []string
}

func (f *family) add(labels string, value float64) {
	f.lines = append(f.lines, f.name+labels+" "+strconv.FormatFloat(value, 'g', -1, 64))
}

func (f *family) write(w io.Writer) {
	if len(f.lines) == 0 {
		return
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, exposition.Help(f.help), f.name, f.kind)
	for _, l := range f.lines {
		fmt.Fprintln(w, l)
	}
}

func gauge(name, help string, value float64) *family {
	f := &family{name: name, kind: "gauge", help: help}
	f.add("", value)
	return f
}

// truth is a gauge that is 1 or 0.
func truth(name, help string, yes bool) *family {
	value := 0.0
	if yes {
		value = 1
	}
	return gauge(name, help, value)
}

// WriteKPIs writes the service's own state, then the KPIs of the last closed
// windows, at most metrics.max_series of them; the rest is counted.
func (s *Service) WriteKPIs(w io.Writer) {
	out := bufio.NewWriter(w)
	defer out.Flush()
	var series []*family
	shown, dropped := 0, 0
	if s.lane.progress.ready.Load() {
		series, shown, dropped = s.kpiFamilies()
	}
	for _, f := range append(s.ownFamilies(shown, dropped), series...) {
		f.write(out)
	}
}

func (s *Service) ownFamilies(shown, dropped int) []*family {
	out := []*family{
		truth("tidewatch_ready", "1 when queries are answered, 0 during a recovery or a rebuild.", s.Ready() == nil),
		truth("tidewatch_paused", "1 while no events are taken: the disk is full, or the memory budget is spent.", s.Paused() != nil),
		gauge("tidewatch_warnings", "Warnings of /-/ready.", float64(len(s.Warnings()))),
		gauge("tidewatch_consumer_lag_messages", "Messages in the stream that are not read yet.", float64(s.lane.source.Pending())),
		gauge("tidewatch_series", "KPI series shown here.", float64(shown)),
		gauge("tidewatch_series_dropped", "KPI series beyond metrics.max_series, not shown here.", float64(dropped)),
	}
	out = append(out, s.reloads.families()...)
	if info := s.held.Load(); info != nil {
		out = append(out, gauge("tidewatch_stream_bytes", "What the event stream holds, as of the last look, ten seconds ago at most.", float64(info.Bytes)))
		if info.MaxBytes > 0 {
			out = append(out, gauge("tidewatch_stream_max_bytes", "What the event stream may hold: when it is full, events are refused.", float64(info.MaxBytes)))
		}
	}
	if free, err := space.Left(s.config.Data); err == nil {
		out = append(out, gauge("tidewatch_disk_free_bytes", "What the disk below the data folder has room for.", float64(free)))
	}
	if at := s.committedAt.Load(); at != 0 {
		out = append(out, gauge("tidewatch_checkpoint_age_seconds", "Time since the last checkpoint.", time.Since(time.UnixMilli(at)).Seconds()))
	}
	if !s.lane.progress.ready.Load() { // counters that begin at 0 would seem to leap
		return out
	}
	now := s.look()
	ledger, wm := now.ledger, now.live.Watermark()
	events := &family{name: "tidewatch_ledger_events_total", kind: "counter", help: "Events received, by verdict."}
	for v := stream.Counted; v <= stream.Filtered; v++ {
		events.add(exposition.Labels("verdict", v.String()), float64(ledger.Verdicts[v]))
	}
	quarantined := &family{name: "tidewatch_ledger_quarantined_total", kind: "counter", help: "Events quarantined, by reason."}
	words := ledger.ReasonWords()
	for _, reason := range slices.Sorted(maps.Keys(words)) {
		quarantined.add(exposition.Labels("reason", reason), float64(words[reason]))
	}
	reassigned := &family{name: "tidewatch_identities_reassigned_total", kind: "counter", help: "Anonymous ids that were a user's and became another's."}
	reassigned.add("", float64(s.lane.progress.reassigned.Load()))
	out = append(out, events, quarantined, reassigned, gauge("tidewatch_users", "Users known.", float64(s.lane.users.Load())))
	if wm != stream.NoTime {
		out = append(out, gauge("tidewatch_watermark_seconds", "Event time before which the input is believed complete.", float64(wm)/1000),
			gauge("tidewatch_watermark_ahead_seconds", "By how much the watermark is ahead of the clock; events of now are late when that exceeds lateness.", s.watermarkAhead().Seconds()))
	}
	return out
}

// kpiFamilies are the KPIs of the last closed windows: the dimension sets of few
// series before those of many, all totals first, so that a small
// metrics.max_series drops no KPI whole.
func (e *engine) kpiFamilies() (out []*family, shown, dropped int) {
	groups := map[string]*kpiFamilies{}
	for _, k := range e.catalogue.KPIs {
		groups[k.Name] = newKPIFamilies(k, e.plan.Calendar)
	}
	wm := e.look().live.Watermark() // one for all, and one wait
	for _, by := range e.setsBySize(wm) {
		for a := range e.closedWindows(by, wm) {
			g := groups[a.KPI.Name]
			for j := range a.Samples {
				if n := g.series(&a.Samples[j]); shown+n > e.config.Metrics.MaxSeries {
					dropped += n
				} else {
					shown += n
					g.add(a, &a.Samples[j])
				}
			}
		}
	}
	out = append(out, e.targets())
	for _, k := range e.catalogue.KPIs {
		out = append(out, groups[k.Name].families...)
	}
	return out, shown, dropped
}

// setsBySize are the dimension sets that /metrics may show, by the series of one
// KPI each.
func (e *engine) setsBySize(wm int64) []kpi.Set {
	var out []kpi.Set
	size := map[string]int{}
	for _, k := range e.catalogue.KPIs {
		for _, by := range k.By {
			if _, known := size[by.Key()]; known || hidden(by) {
				continue
			}
			out, size[by.Key()] = append(out, by), 0
			for a := range e.closedWindows(by, wm) {
				size[by.Key()] = len(a.Samples)
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b kpi.Set) int {
		return cmp.Or(cmp.Compare(size[a.Key()], size[b.Key()]), strings.Compare(a.Key(), b.Key()))
	})
	return out
}

// closedWindows are the last closed windows by a dimension set, as of a watermark, the
// longest of each KPI first.
func (e *engine) closedWindows(by kpi.Set, wm int64) iter.Seq[*sample.Answer] {
	return func(yield func(*sample.Answer) bool) {
		if wm == stream.NoTime {
			return
		}
		for _, k := range e.catalogue.KPIs {
			set, ok := k.SetOf(by...)
			if !ok || len(set) != len(by) { // with what goes without saying it is another
				continue
			}
			for _, w := range slices.Backward(k.Windows) {
				m := merge.At(e.plan, w, wm)
				if end, ok := e.newestFinal(k, w, wm); ok {
					m = merge.At(e.plan, w, end.UnixMilli())
				} else if k.FinalOnly {
					continue // what it will be is not known
				}
				if _, end := e.span(w, m); !end.After(e.earliest()) {
					continue // nothing is known of it
				}
				a, err := e.lookup(merge.Question{KPI: k.Name, By: set, Window: w, Moment: m}, e.store, nil)
				if _, lost := errors.AsType[*state.LostError](err); lost {
					continue // readiness tells
				}
				if err != nil {
					e.log.Warn().Err(err).Str("kpi", k.Name).Msg("not on /metrics")
					continue
				}
				if !yield(a) {
					return
				}
			}
		}
	}
}

// targets are the levels of KPIs that name some.
func (e *engine) targets() *family {
	out := &family{name: "tidewatch_kpi_target", kind: "gauge", help: "Levels from which on the value of a KPI is called good or bad."}
	for _, k := range e.catalogue.KPIs {
		for name, level := range k.Targets.All() {
			out.add(exposition.Labels("kpi", k.Name, "level", name), level)
		}
	}
	return out
}

// hidden tells the dimensions that never go to a metrics store.
func hidden(by kpi.Set) bool {
	for _, f := range by {
		if f == "content_id" || f == "session_id" || f == "order_id" {
			return true
		}
	}
	return false
}

// kpiFamilies are the series of a KPI, by part.
type kpiFamilies struct {
	kpi      *kpi.KPI
	calendar *kpi.Calendar
	families []*family
}

func newKPIFamilies(k *kpi.KPI, c *kpi.Calendar) *kpiFamilies {
	f := &kpiFamilies{kpi: k, calendar: c}
	for _, p := range k.Parts() {
		f.families = append(f.families, &family{name: k.Series(p), kind: "gauge", help: k.Help(p) + ", last closed window."})
	}
	return f
}

// series is how many lines add makes of a sample.
func (f *kpiFamilies) series(s *sample.Sample) int {
	n := 0
	for _, p := range f.kpi.Parts() {
		if _, ok := s.Part(f.kpi, p); ok {
			n++
		}
	}
	return n
}

func (f *kpiFamilies) add(a *sample.Answer, s *sample.Sample) {
	var pairs []string
	queryable.NewNamer(queryable.Question{KPI: a.KPI, By: a.By, Window: a.Window}, f.calendar).Tell(a, s, func(label, value string) { pairs = append(pairs, label, value) })
	labels := exposition.Labels(pairs...)
	for i, p := range f.kpi.Parts() {
		if v, ok := s.Part(f.kpi, p); ok {
			f.families[i].add(labels, v)
		}
	}
}
