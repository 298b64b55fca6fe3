package plugin

import (
	"maps"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// A line is a series as it is drawn: values at times, or one value at none.
type line struct {
	name   string // of the KPI, or of a part of it
	labels data.Labels
	config *data.FieldConfig
	times  []time.Time
	values []*float64
}

// key tells a line apart from all others.
func (l *line) key() string {
	if len(l.labels) == 0 {
		return l.name
	}
	return l.name + "{" + l.labels.String() + "}"
}

func (l *line) field() *data.Field {
	f := data.NewField(l.name, l.labels, l.values)
	f.Config = l.config
	return f
}

// empty reports whether there is no value in it.
func (l *line) empty() bool {
	return !slices.ContainsFunc(l.values, func(v *float64) bool { return v != nil })
}

// A figureAt is one of the figures of a series.
type figureAt struct {
	at time.Time
	*client.Figure
}

// lines are the parts of a series. What is held against another says as what. Amounts
// that change their currency are lines of their own: one has no value where another has.
func (s *shown) lines(labels map[string]string, figures []figureAt, compare string) (list []line) {
	if compare != "" {
		labels = labelled(labels, compareLabel, compare)
	}
	for _, part := range s.parts() {
		for _, currency := range s.currencies(part, figures) {
			own := data.Labels(labels)
			if currency.other {
				own = labelled(own, currencyLabel, currency.code)
			}
			name := s.fieldName(part)
			if compare != "" {
				name += "_" + compare
			}
			l := line{name: name, labels: own, config: s.config(part, currency.code, s.title(part, own, currency.code, compare))}
			for _, f := range figures {
				v := s.pick(f.Figure, part)
				if currency.other && f.Currency != "" && f.Currency != currency.code {
					v = nil
				}
				l.times, l.values = append(l.times, f.at), append(l.values, v)
			}
			if part == s.query.Value || !l.empty() {
				list = append(list, l)
			}
		}
	}
	return list
}

// labelled are labels with another one.
func labelled(labels map[string]string, name, value string) data.Labels {
	out := data.Labels{name: value}
	maps.Copy(out, labels)
	return out
}

// A currencyOf is that of a line; other says that there are lines in others.
type currencyOf struct {
	code  string
	other bool
}

// currencies are those that figures of a series are in, "" for none.
func (s *shown) currencies(part string, figures []figureAt) []currencyOf {
	var codes []string
	if s.amount(part) {
		for _, f := range figures {
			if f.Currency != "" && !slices.Contains(codes, f.Currency) {
				codes = append(codes, f.Currency)
			}
		}
	}
	if len(codes) == 0 {
		return []currencyOf{{}}
	}
	slices.Sort(codes)
	out := make([]currencyOf, len(codes))
	for i, code := range codes {
		out[i] = currencyOf{code, len(codes) > 1}
	}
	return out
}

// lacking warns where what is asked for is not what the KPI has, though it has a value.
func (a *asking) lacking(s *shown, lines []line, figures func(yield func(*client.Figure) bool)) {
	if s.query.Value == partValue || slices.ContainsFunc(lines, func(l line) bool { return l.name == s.fieldName(s.query.Value) && !l.empty() }) {
		return
	}
	for f := range figures {
		if f.Value != nil {
			a.notices.warn(s.Name + " has no " + s.query.Value + ": ask for its value")
			return
		}
	}
}

// wide is a frame with a field for each line, at all their times. Fields are named by the
// lines' keys: by its name alone does Grafana tell them apart when it goes on with a
// stream.
func wide(lines []line, interval time.Duration) *data.Frame {
	seen := map[time.Time]int{}
	times := []time.Time{}
	for _, l := range lines {
		for _, t := range l.times {
			if _, there := seen[t]; !there {
				seen[t] = 0
				times = append(times, t)
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	for i, t := range times {
		seen[t] = i
	}
	f := framed(data.FrameTypeTimeSeriesWide, timeField(times, interval))
	for _, l := range lines {
		values := make([]*float64, len(times))
		for i, t := range l.times {
			values[seen[t]] = l.values[i]
		}
		l.name, l.values = l.key(), values
		f.Fields = append(f.Fields, l.field())
	}
	return f
}

// timeField is that of times in ascending order, so far apart; 0 if that is not known.
func timeField(times []time.Time, interval time.Duration) *data.Field {
	f := data.NewField("time", nil, times)
	if interval > 0 {
		f.Config = &data.FieldConfig{Interval: float64(interval.Milliseconds())}
	}
	return f
}
