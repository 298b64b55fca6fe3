package grafana

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/visits"
)

// patience bounds each wait for what comes within seconds.
const patience = 60 * time.Second

// A shop is a service with a story of 40 days.
type shop struct {
	url  string
	zone *time.Location
	now  time.Time
}

// opened is one that was started and was told the story.
func opened(t *testing.T) *shop {
	t.Helper()
	s := &shop{now: time.Now()}
	s.zone = visits.Zone(s.now)
	c := s.config(t)
	service, err := app.New(t.Context(), c, app.Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	service.Start()
	s.url = service.URL()
	s.tell(t)
	return s
}

// config has somebody to tell of everything, so that there are metrics of it.
func (s *shop) config(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": "timezone: " + s.zone.String() + `
listen: 127.0.0.1:0
kpis: [kpis.yaml]
alertmanager: receivers.yml
signals: {webhooks: [{url: "http://127.0.0.1:1/hook"}]}
`,
		"kpis.yaml": aimed(t),
		"receivers.yml": `
route: {receiver: nobody}
receivers: [{name: nobody, webhook_configs: [{url: "http://127.0.0.1:1/hook"}]}]
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c.Data = filepath.Join(dir, "data")
	return c
}

// aimed is the default catalogue with targets for every KPI.
func aimed(t *testing.T) string {
	t.Helper()
	defaults, err := os.ReadFile("../../kpi/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^  - name: .*$`).ReplaceAllString(string(defaults), "$0\n    targets: {good: 0.3, bad: 0.1}")
}

// tell sends the story, the oldest first, and waits until it is counted.
func (s *shop) tell(t *testing.T) {
	t.Helper()
	events := visits.Story(s.now)
	s.send(t, events)
	eventually(t, "the ledger", func() (string, bool) {
		var ledger struct {
			Data struct{ Total map[string]int }
		}
		err := s.get("/api/v1/ledger", nil, &ledger)
		total := ledger.Data.Total
		return fmt.Sprint(total, err), total["counted"]+total["filtered"]+total["quarantined"] == len(events)
	})
}

func (s *shop) send(t *testing.T, events []string) {
	t.Helper()
	answer, err := http.Post(s.url+"/v1/events", "application/x-ndjson", strings.NewReader(strings.Join(events, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		body, err := io.ReadAll(answer.Body)
		t.Fatalf("send events: %d %s %v", answer.StatusCode, body, err)
	}
}

func (s *shop) get(path string, query url.Values, into any) error {
	answer, err := http.Get(s.url + path + "?" + query.Encode())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil || answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%d %.300s: %w", answer.StatusCode, data, err)
	}
	return nil
}

// A service that has data shows it on every panel, and has values for every filter.
func TestNoPanelIsEmpty(t *testing.T) {
	t.Parallel()
	s := opened(t)
	for name, d := range made(t, Definitions{shipped(t).Catalogue, shipped(t).Rules}) {
		if !strings.HasPrefix(name, "en/") || strings.HasSuffix(name, "service.json") {
			continue // the queries of the languages are the same
		}
		chosen := s.choose(t, d)
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				q.Expr = chosen.Replace(q.Expr)
				s.ask(t, d.UID+", "+p.Title, q)
			}
		}
		for _, a := range d.Annotations.List {
			if a.Target != nil {
				var answer struct{ Status string }
				if err := s.get("/prometheus/api/v1/query_range", s.over(a.Target.Expr, false), &answer); err != nil || answer.Status != "success" {
					t.Errorf("%s: annotation %q: %v", name, a.Name, err)
				}
			}
		}
	}
}

// choose asks for the values of each variable and chooses all, or the first of those of
// which there can be one.
func (s *shop) choose(t *testing.T, d *dashboard) *strings.Replacer {
	t.Helper()
	var pairs []string
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		question := strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")")
		at := strings.LastIndex(question, ", ")
		var answer struct{ Data []string }
		eventually(t, v.Definition, func() (string, bool) {
			err := s.get("/prometheus/api/v1/label/"+question[at+2:]+"/values", url.Values{"match[]": {question[:at]}}, &answer)
			return fmt.Sprint(answer.Data, err), slices.ContainsFunc(answer.Data, func(v string) bool { return v != "(none)" })
		})
		value := answer.Data[0]
		if v.Multi {
			value = strings.Join(answer.Data, "|")
		}
		pairs = append(pairs, "$"+v.Name, value)
	}
	return strings.NewReplacer(pairs...)
}

// ask asks as Grafana does, until there is an answer.
func (s *shop) ask(t *testing.T, where string, q target) {
	t.Helper()
	path, query := "query", url.Values{"query": {q.Expr}}
	if q.Range {
		path, query = "query_range", s.over(q.Expr, q.Interval == "1d")
	}
	eventually(t, where+": "+q.Expr, func() (string, bool) {
		var answer struct {
			Data     struct{ Result []json.RawMessage }
			Warnings []string
		}
		err := s.get("/prometheus/api/v1/"+path, query, &answer)
		return fmt.Sprint(answer, err), err == nil && len(answer.Data.Result) > 0 && len(answer.Warnings) == 0
	})
}

// over asks for minutes, or for days at their beginning in the zone of the dashboard.
func (s *shop) over(expr string, days bool) url.Values {
	step, back := time.Minute, 6*time.Hour
	if days {
		step, back = 24*time.Hour, 30*24*time.Hour
	}
	_, ahead := s.now.In(s.zone).Zone()
	offset := time.Duration(ahead) * time.Second
	start := s.now.Add(offset - back).Truncate(step).Add(-offset)
	return url.Values{"query": {expr}, "start": unix(start), "end": unix(s.now.Add(time.Hour)), "step": {fmt.Sprint(step.Seconds())}}
}

// A day stands at its beginning: the newest one is the last that is over and of which
// nothing more becomes known.
func TestDaysStandAtTheirBeginning(t *testing.T) {
	t.Parallel()
	s := opened(t)
	y, month, day := s.now.In(s.zone).Date()
	c := shipped(t).Catalogue
	for _, p := range made(t, shipped(t))["en/users.json"].Panels {
		for _, q := range p.Targets {
			if q.Interval != "1d" {
				continue
			}
			expr := values.Replace(q.Expr)
			k, _ := c.Series(nameIn(parse(t, expr)))
			before := 1
			if k.FinalOnly {
				before += k.Horizon
			}
			want := time.Date(y, month, day-before, 0, 0, 0, 0, s.zone).Unix()
			eventually(t, expr, func() (string, bool) {
				points, err := s.points(s.over(expr, true))
				newest := slices.Max(append(slices.Collect(maps.Keys(points)), 0))
				return fmt.Sprintf("newest at %s, %v", time.Unix(newest, 0).In(s.zone), err), newest == want
			})
		}
	}
	// Five days ago u0, u4 and six of those who come for the first time, or again, were
	// there.
	expr := `kpi_dau{by="total",window="day"} offset -1d`
	eventually(t, expr, func() (string, bool) {
		points, err := s.points(s.over(expr, true))
		return fmt.Sprint(points, err), points[time.Date(y, month, day-5, 0, 0, 0, 0, s.zone).Unix()] == "8"
	})
}

// A day so far begins at nothing, not with the whole day before.
func TestDaySoFarBegins(t *testing.T) {
	t.Parallel()
	s := opened(t)
	y, month, day := s.now.In(s.zone).Date()
	midnight := time.Date(y, month, day, 0, 0, 0, 0, s.zone)
	for _, p := range made(t, shipped(t))["en/business.json"].Panels {
		for _, q := range p.Targets {
			if p.Type != "timeseries" || !strings.Contains(q.Expr, `window="today"`) {
				continue
			}
			expr := values.Replace(q.Expr)
			eventually(t, expr, func() (string, bool) {
				points, err := s.points(url.Values{
					"query": {expr}, "start": unix(midnight.Add(-20 * time.Minute)), "end": unix(s.now), "step": {"60"},
				})
				var first []string
				for m := range 10 {
					if v, there := points[midnight.Add(time.Duration(m)*time.Minute).Unix()]; there {
						first = append(first, v)
					}
				}
				_, before := points[midnight.Add(-time.Minute).Unix()]
				return fmt.Sprintf("begins with %v, the day before %t, %v", first, before, err), len(first) == 0 && before
			})
		}
	}
}

// An hour after the last event, when the newest sample is out of reach, the freshness is
// still known.
func TestFreshness(t *testing.T) {
	t.Parallel()
	s := opened(t)
	q := made(t, shipped(t))["en/users.json"].Panels[0].Targets[0]
	for _, later := range []time.Duration{0, time.Hour} {
		query := url.Values{"query": {q.Expr}, "time": unix(s.now.Add(later))}
		eventually(t, q.Expr, func() (string, bool) {
			var answer struct {
				Data struct{ Result []struct{ Value [2]any } }
			}
			err := s.get("/prometheus/api/v1/query", query, &answer)
			if err != nil || len(answer.Data.Result) != 1 {
				return fmt.Sprint(answer, err), false
			}
			age, err := time.ParseDuration(answer.Data.Result[0].Value[1].(string) + "s")
			return fmt.Sprintf("%s later it is %s old, %v", later, age, err), age.Round(10*time.Minute) == later
		})
	}
}

// nameIn is the name of the series in an expression.
func nameIn(e parser.Expr) (name string) {
	for _, m := range parser.ExtractSelectors(e)[0] {
		if m.Name == model.MetricNameLabel {
			name = m.Value
		}
	}
	return name
}

// points are the values of an answer by their times.
func (s *shop) points(query url.Values) (map[int64]string, error) {
	var answer struct {
		Data struct{ Result []struct{ Values [][2]any } }
	}
	err := s.get("/prometheus/api/v1/query_range", query, &answer)
	points := map[int64]string{}
	for _, r := range answer.Data.Result {
		for _, v := range r.Values {
			points[int64(v[0].(float64))] = v[1].(string)
		}
	}
	return points, err
}

func unix(t time.Time) []string { return []string{fmt.Sprint(t.Unix())} }

// Every metric and label of the dashboard about the service, and of the rules beside it,
// is on /metrics of a service at work.
func TestServiceMetrics(t *testing.T) {
	t.Parallel()
	s := opened(t)
	var exprs []string
	for expr := range questions(made(t, shipped(t))["en/service.json"]) {
		exprs = append(exprs, expr)
	}
	data, err := os.ReadFile("../../deploy/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	groups, errs := rulefmt.Parse(data, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			exprs = append(exprs, r.Expr)
		}
	}
	for _, expr := range exprs {
		for _, of := range parser.ExtractSelectors(parse(t, expr)) {
			var name string
			var wanted []string
			for _, m := range of {
				switch m.Name {
				case model.MetricNameLabel:
					name = m.Value
				case "job": // is the scraper's
				default:
					wanted = append(wanted, m.Name)
				}
			}
			if name == "up" {
				continue
			}
			eventually(t, expr, func() (string, bool) {
				labels, err := s.metrics(name)
				lacks := slices.ContainsFunc(wanted, func(l string) bool { return !slices.Contains(labels, l) })
				return fmt.Sprintf("%s has the labels %v, %v", name, labels, err), err == nil && !lacks
			})
		}
	}
}

// text is what the service says on /metrics.
func (s *shop) text() ([]byte, error) {
	answer, err := http.Get(s.url + "/metrics")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// metrics are the labels of a metric on /metrics.
func (s *shop) metrics(name string) ([]string, error) {
	data, err := s.text()
	if err != nil {
		return nil, err
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	f := families[name]
	if f == nil {
		f = families[strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")]
	}
	if f == nil {
		return nil, fmt.Errorf("there is no %s", name)
	}
	var labels []string
	for _, m := range f.Metric {
		for _, l := range m.Label {
			labels = append(labels, l.GetName())
		}
	}
	return labels, nil
}

// eventually asks a service, which tells nobody when it is done, until it says what is
// wanted.
func eventually(t *testing.T, what string, look func() (seen string, ok bool)) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		seen, ok := look()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s, last seen: %.1000s", what, patience, seen)
		}
	}
}
