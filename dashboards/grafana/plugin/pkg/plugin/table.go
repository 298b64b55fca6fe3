package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// table has a row for each series, and a column for each KPI.
func (a *asking) table(ctx context.Context) (backend.DataResponse, error) {
	list, err := a.of(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	answers, err := a.joined(ctx, list)
	if err != nil {
		return backend.DataResponse{}, err
	}
	var rows rows
	for i := range answers {
		a.seen(&answers[i])
		rows.join(answers[i].By, answers[i].Samples, a.Top > 0 && i > 0)
	}
	if a.Top == 0 && len(list) > 1 { // a series may be in one of the others alone
		slices.SortStableFunc(rows.list, list[0].compare)
		for i, labels := range rows.list {
			rows.at[keyOf(labels)] = i
		}
	}
	fields := rows.labels(a.lang)
	for i := range answers {
		fields = append(fields, list[i].columns(answers[i].Samples, &rows)...)
	}
	return a.told(data.Frames{framed(data.FrameTypeTable, fields...)}, data.FrameTypeTable), nil
}

// joined asks for the windows of all KPIs. The largest are those of the first: of the
// others what there is of these.
func (a *asking) joined(ctx context.Context, list []*shown) ([]client.Answer, error) {
	if a.Top == 0 || len(a.KPIs) == 1 {
		return a.window(ctx, list, a.selection(a.KPIs...))
	}
	answers, err := a.window(ctx, list[:1], a.selection(a.KPIs[0]))
	if err != nil || len(answers) == 0 {
		return nil, err
	}
	others := a.selection(a.KPIs[1:]...)
	others.Top = 0
	more, err := a.window(ctx, list[1:], others)
	return append(answers, more...), err
}

// rows are those of a table, told apart by their labels.
type rows struct {
	by   []string // labels, in the order of their columns
	list []map[string]string
	at   map[string]int
}

// join adds the rows that samples bring, unless only those that are there are wanted.
func (r *rows) join(by []string, samples []client.Sample, only bool) {
	for _, label := range by {
		if !slices.Contains(r.by, label) {
			r.by = append(r.by, label)
		}
	}
	if r.at == nil {
		r.at = map[string]int{}
	}
	for i := range samples {
		key := keyOf(samples[i].Labels)
		if _, there := r.at[key]; !there && !only {
			r.at[key] = len(r.list)
			r.list = append(r.list, samples[i].Labels)
		}
	}
}

func keyOf(labels map[string]string) string { return data.Labels(labels).String() }

// labels are the columns of the labels.
func (r *rows) labels(lang look.Language) (fields []*data.Field) {
	for _, label := range r.by {
		values := make([]string, len(r.list))
		for i, labels := range r.list {
			values[i] = labels[label]
		}
		f := data.NewField(label, nil, values)
		f.Config = &data.FieldConfig{DisplayNameFromDS: lang.Field(label), Mappings: mapped(lang, label)}
		fields = append(fields, f)
	}
	return fields
}

// mapped shows the values that the service gives to a label by their names. The values
// stay what they are: links and filters go by them.
func mapped(lang look.Language, label string) data.ValueMappings {
	names := data.ValueMapper{}
	for value, name := range look.Given[label] {
		names[value] = data.ValueMappingResult{Text: lang.Of(name)}
	}
	if len(names) == 0 {
		return nil
	}
	return data.ValueMappings{names}
}

// columns are those of a KPI: the parts that are shown, what the value is held against,
// and its changes.
func (s *shown) columns(samples []client.Sample, r *rows) (fields []*data.Field) {
	figures := make([]figureAt, len(samples))
	for i := range samples {
		figures[i].Figure = &samples[i].Figure
	}
	column := func(name string, config *data.FieldConfig, value func(x *client.Sample) *float64) {
		values := make([]*float64, len(r.list))
		for i := range samples {
			if at, there := r.at[keyOf(samples[i].Labels)]; there {
				values[at] = value(&samples[i])
			}
		}
		if bound := strings.HasSuffix(name, "_"+partLow) || strings.HasSuffix(name, "_"+partHigh); bound && (&line{values: values}).empty() {
			return
		}
		f := data.NewField(name, nil, values)
		f.Config = config
		fields = append(fields, f)
	}
	for _, part := range s.parts() {
		currency := s.one(part, figures)
		column(s.fieldName(part), s.config(part, currency, s.title(part, nil, currency, "")),
			func(x *client.Sample) *float64 { return s.pick(&x.Figure, part) })
	}
	if f := s.currencyColumn(samples, figures, r); f != nil {
		fields = append(fields, f)
	}
	for _, c := range kpi.Comparisons {
		if !slices.Contains(s.query.Compare, c.Name) {
			continue
		}
		currency := s.one(s.query.Value, figures)
		column(s.fieldName(s.query.Value)+"_"+c.Name, s.config(s.query.Value, currency, s.title(s.query.Value, nil, currency, c.Name)),
			func(x *client.Sample) *float64 {
				if before := x.Compare[c.Name]; before != nil {
					return s.pick(&before.Figure, s.query.Value)
				}
				return nil
			})
		column(s.Name+"_"+c.Name+changeSuffix, s.changeConfig(nil, s.one(partValue, figures), c.Name),
			func(x *client.Sample) *float64 {
				if before := x.Compare[c.Name]; before != nil {
					return before.Change
				}
				return nil
			})
	}
	return fields
}

// one is the currency that all amounts of a column are in, "" if there is none.
func (s *shown) one(part string, figures []figureAt) string {
	if list := s.currencies(part, figures); len(list) == 1 {
		return list[0].code
	}
	return ""
}

// currencyColumn tells the currencies of amounts where there are several, and no label does.
func (s *shown) currencyColumn(samples []client.Sample, figures []figureAt, r *rows) *data.Field {
	if len(s.currencies(s.query.Value, figures)) < 2 || slices.Contains(r.by, currencyLabel) {
		return nil
	}
	values := make([]string, len(r.list))
	for i := range samples {
		if at, there := r.at[keyOf(samples[i].Labels)]; there {
			values[at] = samples[i].Currency
		}
	}
	return data.NewField(s.Name+"_"+currencyLabel, nil, values)
}
