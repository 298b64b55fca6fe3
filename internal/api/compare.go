package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// readCompare reads compare.
func (s *selection) readCompare() (out []kpi.Comparison, err error) {
	for _, list := range s.values["compare"] {
		for name := range strings.SplitSeq(list, ",") {
			i := slices.IndexFunc(kpi.Comparisons, func(c kpi.Comparison) bool { return c.Name == name })
			if i < 0 {
				return nil, BadData("compare %q is none: use %s", name, strings.Join(comparisonNames(), ", "))
			}
			if !slices.Contains(out, kpi.Comparisons[i]) {
				out = append(out, kpi.Comparisons[i])
			}
		}
	}
	return out, nil
}

func comparisonNames() (names []string) {
	for _, c := range kpi.Comparisons {
		names = append(names, c.Name)
	}
	return names
}

// lacks reports whether an error says that there is nothing to hold against, and the
// warning that it is then.
func lacks(c kpi.Comparison, err error) (warning string, is bool) {
	told, is := errors.AsType[*Error](err)
	if !is || told.Kind != KindNotFound {
		return "", false
	}
	return c.Name + " is not known: " + told.Msg, true
}

// seriesKey tells series of a set apart.
func seriesKey(labels []string) string { return strings.Join(labels, "\xff") }

// A compared is the answer for such a window, nil where there is none, by labels.
type compared struct {
	kpi.Comparison
	answer  *sample.Answer
	samples map[string]*sample.Sample
	// part is the newest window that is kept of one that is not over, and what is held
	// against the answer; nil where the whole is.
	part     *sample.Answer
	partials map[string]*sample.Sample
}

func samplesOf(a *sample.Answer) map[string]*sample.Sample {
	out := make(map[string]*sample.Sample, len(a.Samples))
	for i := range a.Samples {
		out[seriesKey(a.Samples[i].Labels)] = &a.Samples[i]
	}
	return out
}

// compare asks for the windows that an answer is held against.
func (q *queries) compare(ctx context.Context, s *question, a *sample.Answer) (out []compared, warnings []string, err error) {
	for _, c := range s.with {
		one := compared{Comparison: c}
		end, inPart := a.End, !a.Window.IsDay() && a.Start.Before(a.AsOf) && a.AsOf.Before(a.End)
		newest := a.AsOf.Truncate(a.Window.Step())
		switch {
		case inPart && a.Window == kpi.Today: // at midnight nothing of it is kept yet
			end = a.AsOf
		case inPart:
			end = newest
		}
		ask := func(at time.Time) (*sample.Answer, error) {
			return q.engine.Query(ctx, Query{KPI: a.KPI, Window: a.Window, By: a.By, Match: s.match, At: at})
		}
		at := c.Before(end, a.Window, s.clock.zone)
		one.answer, err = ask(at)
		if warning, is := lacks(c, err); is {
			warnings = append(warnings, warning)
			one.answer = nil
		} else if err != nil {
			return nil, nil, err
		} else if a.Window == kpi.Today && !one.answer.End.After(c.Before(a.Start, a.Window, s.clock.zone)) {
			warnings = append(warnings, fmt.Sprintf("today is kept every %s: of the same part of %s there is nothing yet", kpi.FormatLength(kpi.Today.Step()), c.Name))
			one.answer = nil
		}
		if one.answer != nil {
			one.samples = samplesOf(one.answer)
			if inPart {
				at := c.After(one.answer.End, a.Window, s.clock.zone)
				if at.After(newest) { // clocks were put forward
					at = newest
				}
				if one.part, err = ask(at); err != nil {
					return nil, nil, err
				}
				one.partials = samplesOf(one.part)
			}
			if a.Window.IsDay() && !a.Complete && a.AsOf.Before(a.End) && !a.End.Equal(one.answer.End) && a.KPI.Horizon == 0 {
				warnings = append(warnings, "the day is not over, the one of "+c.Name+" is: ask window=today, where it is kept, for the same part of both")
			}
		}
		out = append(out, one)
	}
	return out, warnings, nil
}

// A comparedRange is the answer for such windows, those of the series that are shown.
type comparedRange struct {
	kpi.Comparison
	*RangeAnswer
}

// compareRange asks for the windows that a range is held against.
func (q *queries) compareRange(ctx context.Context, s *question, asked RangeQuery, a *rangeJSON) (out []comparedRange, warnings []string, err error) {
	if len(s.with) == 0 {
		return nil, nil, nil
	}
	shown := map[string]bool{}
	for i := range a.Series {
		shown[seriesKey(a.Series[i].Labels)] = true
	}
	grown, windows := int64(0), int64(0)
	for _, c := range s.with {
		other := asked
		grow, from, wide := asked.Grow, grown, windows
		other.Grow = func(values, n int64) error {
			grown, windows = from+values, wide+n
			return grow(int64(a.values())+grown, n)
		}
		to := asked.To
		if to.IsZero() {
			to = s.clock.newest()
			if asked.Window.IsDay() { // the day that is running, too
				to = time.UnixMilli(s.clock.zone.Start(s.clock.zone.Day(to.UnixMilli()) + 1))
			}
		}
		other.From, other.To = c.Before(asked.From, asked.Window, s.clock.zone), c.Before(to, asked.Window, s.clock.zone)
		found, err := q.engine.Range(ctx, other)
		if warning, is := lacks(c, err); is {
			warnings = append(warnings, warning)
			found = &RangeAnswer{KPI: asked.KPI, Window: asked.Window, By: asked.By}
		} else if err != nil {
			return nil, nil, err
		}
		found.Series = slices.DeleteFunc(slices.Clone(found.Series), func(x sample.Series) bool { return !shown[seriesKey(x.Labels)] })
		out = append(out, comparedRange{c, found})
	}
	return out, warnings, nil
}

// append writes what the sample is held against, and by how much it changed: 0.1 is a
// tenth more, also of what is below 0, null where there is nothing to divide by. Of a window
// that is not over it has the part that changed by that, unless it was not listed then.
func (c *compared) append(b []byte, k *kpi.KPI, s *sample.Sample) []byte {
	b = append(appendString(b, c.Name), ':')
	other := c.samples[seriesKey(s.Labels)]
	if other == nil {
		return append(b, "null"...)
	}
	b = appendValue(append(b, '{'), k, other)
	b = append(b, `,"change":`...)
	listed := true
	if c.part != nil {
		if s = c.partials[seriesKey(s.Labels)]; s == nil {
			s, listed = &sample.Sample{Null: k.Nullable(), Currency: other.Currency}, k.Top == 0
		}
	}
	value, known := s.Part(k, kpi.ValuePart)
	known = known && listed
	sameUnit := s.Currency == other.Currency || s.Currency == "" && value == 0 // nothing is in any currency
	if before, ok := other.Part(k, kpi.ValuePart); ok && known && before != 0 && sameUnit {
		b = appendFloat(b, (value-before)/math.Abs(before))
	} else {
		b = append(b, "null"...)
	}
	b = appendTime(append(b, `,"start":`...), c.answer.Start)
	b = appendTime(append(b, `,"end":`...), c.answer.End)
	if c.part != nil && listed {
		b = appendValue(append(b, `,"part":{`...), k, s)
		b = append(appendTime(append(b, `,"end":`...), c.part.End), '}')
	}
	return append(strconv.AppendBool(append(b, `,"complete":`...), c.answer.Complete), '}')
}
