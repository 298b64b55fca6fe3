package queryable

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/kpi"
)

// blank is a Source of the default catalogue, without an event.
type blank struct {
	View
	catalogue *kpi.Catalogue
}

func (b blank) Catalogue() *kpi.Catalogue { return b.catalogue }
func (b blank) Look() View                { return b }
func (b blank) Watermark() (int64, bool)  { return 0, false }
func (b blank) Calendar() *kpi.Calendar   { return kpi.NewCalendar(time.UTC) }
func (b blank) Kept(kpi.Window) int64     { return 0 }

// TestAmiss: who asks for what no series can be is told, and nobody else.
func TestAmiss(t *testing.T) {
	c, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	q := New(blank{catalogue: c}, nil)
	engine := expression.NewEngine(1000)
	for _, tt := range []struct{ expr, want string }{
		{`kpi_plays{by="channel",channel="nobody",window="5m"}`, ""},
		{`kpi_plays`, ""},
		{`{window="5m"}`, ""},
		{`up{window="2m"}`, ""},
		{`{__name__=~"kpi_pl.*",window=~"5m|2m"}`, ""},
		{`{__name__=~".*_plays|other"}`, ""},
		{`kpi_plays{channel=""}`, ""},
		{`kpi_plays{by="channel",channel="a",channel!="a"}`, ""}, // nothing, as it is said
		{`kpi_ctr_low{by="total"}`, ""},
		{`completion_rate{by="total"}`, "completion_rate is no series: those of KPIs begin with kpi_: write kpi_completion_rate"},
		{`kpi_plasy`, "kpi_plasy is no KPI of the catalogue: did you mean kpi_plays? GET /api/v1/kpis lists those that there are"},
		{`sum(rate(kpi_plasy[5m]))`, "kpi_plasy is no KPI of the catalogue: did you mean kpi_plays? GET /api/v1/kpis lists those that there are"},
		{`kpi_plays_low`, "kpi_plays_low is not there: plays is no ratio: use kpi_plays, kpi_plays_baseline, kpi_plays_band_low, kpi_plays_band_high, kpi_plays_shift"},
		{`kpi_plays{window="2m"}`, `window="2m" is not kept for plays: use one of 1m, 5m, 1h, 24h, day, today`},
		{`kpi_plays{window=~"2m|3m"}`, `window=~"2m|3m" is not kept for plays: use one of 1m, 5m, 1h, 24h, day, today`},
		{`kpi_plays{by="chanel"}`, `by="chanel" is not kept for plays: did you mean channel? Use one of total, `},
		{`kpi_plays{chanel="a"}`, "chanel is no label of kpi_plays: did you mean channel? It has by, "},
		{`kpi_plays{by="total",channel="a"}`, `channel is no label of series by="total": use one of by="channel"`},
		{`kpi_plays_baseline{window="5m"}`, `window="5m" has no kpi_plays_baseline: use window="1h"`},
		{`{__name__=~"kpi_plasy.*"}`, `__name__=~"kpi_plasy.*" matches no KPI of the catalogue: GET /api/v1/kpis lists those that there are`},
		{`{__name__=~"kpi_plays.*",window="2m"}`, `__name__=~"kpi_plays.*" has no series with the other labels: name one KPI to be told why`},
		{`{__name__=~"kpi_plays_b.*"}`, `__name__=~"kpi_plays_b.*" is about what is usual, which is found by its name alone: write one out, such as kpi_plays_baseline`},
		{`tidewatch_watermark_seconds`, "tidewatch_watermark_seconds is of the service itself, and has no history here: it is on /metrics: ask a Prometheus that scrapes it"},
	} {
		query, err := engine.NewInstantQuery(context.Background(), q, nil, tt.expr, time.UnixMilli(0))
		if err != nil {
			t.Fatal(err)
		}
		result := query.Exec(context.Background())
		warnings, _ := result.Warnings.AsStrings("", 0, 0)
		slices.Sort(warnings)
		if got := fmt.Sprint(strings.Join(warnings, "\n")); result.Err != nil || tt.want == "" && got != "" || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: got %s, %v, want %s", tt.expr, got, result.Err, tt.want)
		}
		query.Close()
		querier, err := q.Querier(0, 1)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := expression.Language.ParseMetricSelector(tt.expr); err == nil {
			_, names, err := querier.LabelNames(t.Context(), nil, m...)
			_, values, err2 := querier.LabelValues(t.Context(), "window", nil, m...)
			if told := tt.want != "" && !strings.Contains(tt.want, "by its name alone"); err != nil || err2 != nil || len(names) > 0 != told || len(values) > 0 != told {
				t.Errorf("%s: labels warn of %v, %v, values of %v, %v", tt.expr, names, err, values, err2)
			}
		}
	}
}

// TestNames: what is usual is among the names, however these are asked for.
func TestNames(t *testing.T) {
	c, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	q, err := New(blank{catalogue: c}, nil).Querier(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string]string{
		`{__name__=~".*_plays_.*"}`:                   "kpi_plays_band_high kpi_plays_band_low kpi_plays_baseline kpi_plays_shift",
		`{__name__=~"kpi_plays.*",window="5m"}`:       "kpi_plays",
		`{__name__=~"kpi_plays.*shift",by="channel"}`: "kpi_plays_shift",
		`{__name__=~".*plays_baseline",window="24h"}`: "",
	} {
		m, err := expression.Language.ParseMetricSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		names, warnings, err := q.LabelValues(t.Context(), "__name__", nil, m...)
		if got := strings.Join(names, " "); err != nil || got != want || want != "" && len(warnings) > 0 {
			t.Errorf("%s: got %s, %v, %v, want %s", selector, got, warnings, err, want)
		}
	}
}

// TestByCurrency: the series of amounts, and of what is divided by amounts, have their
// currency as a label that selectors match, unless a field says it.
func TestByCurrency(t *testing.T) {
	c, err := kpi.Load(time.UTC, kpi.File{Name: "kpis.yaml", Data: []byte(`
keep: []
kpis:
  - {name: spent, title: {en: a, zh: a}, sum: {field: amount_minor}, by: [currency], windows: [1h]}
  - {name: per_spend, title: {en: a, zh: a}, ratio: {numerator: {count: {}}, denominator: {sum: {field: amount_minor}}}, unit: number, by: [channel], windows: [1h]}
  - {name: events, title: {en: a, zh: a}, count: {}, windows: [1h]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	for selector, want := range map[string]bool{
		`kpi_spent{by="total",currency="CNY"}`: true, `kpi_spent{by="currency",currency="CNY"}`: true,
		`kpi_per_spend{by="total",currency="CNY"}`: true, `kpi_per_spend_denominator{by="channel",currency="CNY"}`: true,
		`kpi_events{currency="CNY"}`: false,
	} {
		m, err := expression.Language.ParseMetricSelector(selector)
		if err != nil {
			t.Fatal(err)
		}
		if got, why := Matches(c, m); got != want {
			t.Errorf("%s: %t, %v", selector, got, why)
		}
	}
}
