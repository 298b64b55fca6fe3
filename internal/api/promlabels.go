package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
)

// promSpan is how far back it is looked for series where nothing says how far.
const promSpan = 24 * time.Hour

// A search is a question about which series there are.
type search struct {
	ctx      context.Context
	querier  storage.Querier
	matchers [][]*labels.Matcher
	limit    int
}

// search runs ask with the querier of a request for series or labels.
func (p *prometheus) search(f form, ask func(s *search) (data any, warnings []string, err error)) (got answer, err error) {
	if err := p.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	now := time.Now()
	from, to, err := f.span(now.Add(-promSpan), now)
	if err != nil {
		return answer{}, err
	}
	s := &search{}
	if s.matchers, err = f.selectors(); err != nil {
		return answer{}, err
	}
	if s.limit, err = f.limit(); err != nil {
		return answer{}, err
	}
	share, err := p.reads.start(f.Context(), 1)
	if err != nil {
		return answer{}, err
	}
	defer func() { share.doneUnless(got.done) }()
	ctx, cancel := context.WithTimeout(f.Context(), expression.Timeout)
	defer cancel()
	s.ctx = queryable.WithTerms(ctx, queryable.Terms{Grow: p.grow(f.Context(), share)})
	if s.querier, err = p.series.Querier(from.UnixMilli(), to.UnixMilli()); err != nil {
		return answer{}, err
	}
	defer s.querier.Close()
	data, warnings, err := ask(s)
	if err != nil {
		return answer{}, p.failed(err)
	}
	return answer{data: data, warnings: warnings, done: share.done}, nil
}

// seriesList answers which series there are.
func (p *prometheus) seriesList(f form) (answer, error) {
	if len(f.Values["match[]"]) == 0 {
		return answer{}, BadData("match[] is missing: name the series, as in match[]=kpi_plays")
	}
	return p.search(f, func(s *search) (any, []string, error) {
		hints := &storage.SelectHints{Func: queryable.SeriesFunc, Limit: s.limit}
		var sets []storage.SeriesSet
		for _, m := range s.matchers {
			sets = append(sets, s.querier.Select(s.ctx, true, hints, m...))
		}
		merged := storage.NewMergeSeriesSet(sets, s.limit, storage.ChainedSeriesMerge)
		list := promSeries{}
		for (s.limit == 0 || len(list) < s.limit) && merged.Next() {
			list = append(list, merged.At().Labels())
		}
		if err := merged.Err(); err != nil {
			return nil, nil, err
		}
		warnings, _ := merged.Warnings().AsStrings("", 10, 0)
		if s.limit > 0 && len(list) >= s.limit {
			warnings = append(warnings, "results may be truncated due to limit")
		}
		return list, warnings, nil
	})
}

// labelNames answers which labels series have.
func (p *prometheus) labelNames(f form) (answer, error) {
	return p.search(f, func(s *search) (any, []string, error) {
		return s.texts(func(m ...*labels.Matcher) ([]string, []string, error) {
			list, w, err := s.querier.LabelNames(s.ctx, nil, m...)
			warnings, _ := w.AsStrings("", 10, 0)
			return list, warnings, err
		})
	})
}

// labelValues answers which values a label has.
func (p *prometheus) labelValues(f form) (answer, error) {
	name := model.UnescapeName(f.PathValue("name"), model.ValueEncodingEscaping)
	if !model.UTF8Validation.IsValidLabelName(name) {
		return answer{}, BadData("label %q is no name: GET %slabels lists them", name, promPath)
	}
	return p.search(f, func(s *search) (any, []string, error) {
		return s.texts(func(m ...*labels.Matcher) ([]string, []string, error) {
			list, w, err := s.querier.LabelValues(s.ctx, name, &storage.LabelHints{Limit: s.limit}, m...)
			warnings, _ := w.AsStrings("", 10, 0)
			return list, warnings, err
		})
	})
}

// texts brings together what each selector finds.
func (s *search) texts(find func(m ...*labels.Matcher) (list, warnings []string, err error)) (any, []string, error) {
	all := map[string]struct{}{}
	selectors := s.matchers
	if len(selectors) == 0 {
		selectors = [][]*labels.Matcher{nil}
	}
	var warnings []string
	for _, m := range selectors {
		list, w, err := find(m...)
		if err != nil {
			return nil, nil, err
		}
		for _, text := range list {
			all[text] = struct{}{}
		}
		warnings = append(warnings, w...)
	}
	list := slices.AppendSeq(make([]string, 0, len(all)), maps.Keys(all))
	slices.Sort(list)
	if s.limit > 0 && len(list) > s.limit {
		list, warnings = list[:s.limit], append(warnings, "results truncated due to limit")
	}
	return list, warnings, nil
}

// A promMetadata says what a metric is.
type promMetadata struct {
	Type string `json:"type"`
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// metadata answers what the metrics are.
func (p *prometheus) metadata(f form) (answer, error) {
	limit, err := f.limit()
	if err != nil {
		return answer{}, err
	}
	out := map[string][]promMetadata{}
	tell := func(name, help, unit string) {
		if (limit == 0 || len(out) < limit) && name == cmp.Or(f.Get("metric"), name) {
			out[name] = []promMetadata{{"gauge", help, unit}}
		}
	}
	for _, k := range p.engine.Catalogue().KPIs {
		for _, part := range append(k.Parts(), k.Usual()...) {
			tell(k.Series(part), k.Help(part), promUnit(k, part))
		}
	}
	tell(expression.Alerts, "1 for as long as an alert is in its state", "")
	tell(expression.AlertsSince, "Since when the condition of an alert holds, in Unix seconds", "seconds")
	return answer{data: out}, nil
}

// promUnits are the units of values that metrics have names for.
var promUnits = map[kpi.Unit]string{kpi.UnitPercent: "ratio", kpi.UnitSeconds: "seconds"}

func promUnit(k *kpi.KPI, p kpi.Part) string {
	if p == kpi.NumeratorPart || p == kpi.DenominatorPart || p == kpi.ShiftPart {
		return ""
	}
	return promUnits[k.Unit]
}
