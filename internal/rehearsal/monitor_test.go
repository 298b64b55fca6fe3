package rehearsal

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A monitor is the Prometheus of others: it looks at the ledger of the service once a
// minute, and judges the rules about Tidewatch itself (deploy/rules.yml). It implements
// alerts.View.
type monitor struct {
	rules  *alerts.Engine
	promql *promql.Engine
	series *queryable.Store
}

func newMonitor(t *testing.T) *monitor {
	data, err := os.ReadFile("../../deploy/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	file, err := alerts.LoadRules("rules.yml", data, nil)
	if err != nil {
		t.Fatal(err)
	}
	file.Queried(time.Minute)
	m := &monitor{promql: expression.NewEngine(alerts.MaxSamples), series: queryable.NewStore()}
	if m.rules, err = alerts.NewEngine([]*alerts.RuleFile{file}, &kpi.Catalogue{Location: time.UTC}, alerts.EngineOptions{}); err != nil {
		t.Fatal(err)
	}
	return m
}

// kept is how many minutes are.
const kept = 120

func (m *monitor) look(now time.Time, l api.Ledger) {
	note := func(v float64, text ...string) {
		s := m.series.Series(labels.FromStrings(text...))
		s.Add(queryable.NewPoint(now.UnixMilli(), v))
		if len(s.Points) > 2*kept {
			s.Points = append([]queryable.Point{}, s.Points[kept:]...)
		}
	}
	note(1, "__name__", "up", "job", "tidewatch")
	note(1, "__name__", "tidewatch_ready")
	note(float64(l.Watermark.Unix()), "__name__", "tidewatch_watermark_seconds")
	for v, n := range l.Total.Verdicts {
		note(float64(n), "__name__", "tidewatch_ledger_events_total", "verdict", stream.Verdict(v).String())
	}
}

func (m *monitor) judge(now time.Time) []notification {
	return m.rules.Evaluate(now.UnixMilli(), m)
}

// Series implements alerts.View: no rule reads any.
func (m *monitor) Series(string, kpi.Set, kpi.Window) []sample.Sample { return nil }

// Sealed implements alerts.View: no verdict is judged again.
func (m *monitor) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

// Query implements alerts.View.
func (m *monitor) Query(ctx context.Context, expr string, at int64) (_ promql.Vector, mixed bool, err error) {
	out, _, err := expression.Vector(ctx, m.promql, m.series, expr, time.UnixMilli(at))
	return out, false, err
}
