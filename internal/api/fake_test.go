package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/sample"
)

var shanghai = func() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}()

var (
	five    = kpi.Window{Length: 5 * time.Minute}
	hour    = kpi.Window{Length: time.Hour}
	channel = kpi.Set{"channel"}
)

// ratio, money, daily and top are a KPI of each kind.
var (
	ratio = &kpi.KPI{
		Name: "share_a", ID: "share_a@1", Unit: kpi.UnitPercent, Title: kpi.Text{EN: "Share", ZH: "比例"}, Group: kpi.Text{EN: "Shares", ZH: "比例类"}, Place: 7, Targets: &kpi.Targets{Good: new(0.25)},
		Denominator: &kpi.Measure{}, By: []kpi.Set{{}, channel, {"channel", "device"}}, Windows: []kpi.Window{five, hour, kpi.Day},
	}
	money = &kpi.KPI{
		Name: "money_b", ID: "money_b@1", Unit: kpi.UnitMoney, Numerator: kpi.Measure{Op: kpi.Sum, Money: true},
		By: []kpi.Set{{}}, Windows: []kpi.Window{hour},
	}
	daily = &kpi.KPI{Name: "daily_c", ID: "daily_c@1", Unit: kpi.UnitCount, By: []kpi.Set{{}}, Windows: []kpi.Window{kpi.Day}}
	top   = &kpi.KPI{Name: "top_d", ID: "top_d@1", Unit: kpi.UnitCount, By: []kpi.Set{{"content_id"}}, Windows: []kpi.Window{hour}, Top: 20}
)

// now is the fake's watermark.
var now = time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)

// fake is an engine, a stream and an alert list of a few lines.
type fake struct {
	mu       sync.Mutex
	kpis     []*kpi.KPI // others than the usual ones
	facts    []*kpi.Operator
	query    Query
	ranged   RangeQuery
	answer   *sample.Answer
	windows  int64 // of ranges that were read, each of which has the answer's series
	series   *RangeAnswer
	err      error // of the engine
	notReady error
	warnings []string
	paused   error
	ledger   Ledger
	oldest   time.Time // of what is kept
	changed  chan struct{}

	lines   []string
	closed  int64
	full    error         // of the stream
	entered chan struct{} // told when Append is called, which then
	appends chan struct{} // waits for this
	alerts  AlertView
	views   int // of the alerts, that were asked for
	asked   history.Query
	told    []delivery.ReceiverStatus
	trial   chan struct{} // tests of receivers wait for it, if it is there
	trying  chan struct{} // told when one begins
}

func newFake() *fake {
	f := &fake{changed: make(chan struct{}), oldest: now.AddDate(-1, 0, 0)}
	f.ledger = Ledger{Watermark: now, Begins: now.Add(-time.Hour), Position: 7, Backlog: 2, Lanes: map[string]stream.Ledger{}}
	f.ledger.Total.Verdicts[stream.Counted] = 3
	f.ledger.Total.Add(stream.Quarantined, stream.ReasonBadTime)
	f.ledger.Lanes["0"] = f.ledger.Total
	return f
}

func (f *fake) Catalogue() *kpi.Catalogue {
	if f.kpis != nil {
		return &kpi.Catalogue{KPIs: f.kpis, Operators: f.facts, Location: shanghai}
	}
	return &kpi.Catalogue{KPIs: []*kpi.KPI{daily, money, ratio, top}, Location: shanghai}
}

func (f *fake) Query(_ context.Context, q Query) (*sample.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.query = q
	if f.err != nil {
		return nil, f.err
	}
	if f.answer != nil {
		a := *f.answer
		return &a, nil
	}
	return &sample.Answer{KPI: q.KPI, Window: q.Window, By: q.By, Start: now.Add(-q.Window.Length), End: now, AsOf: now}, nil
}

func (f *fake) Range(_ context.Context, q RangeQuery) (*RangeAnswer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ranged = q
	if f.answer != nil {
		for end := q.From; end.Before(now); end = end.Add(q.Step) {
			f.windows++
			if err := q.Grow(f.windows*int64(len(f.answer.Samples)), f.windows); err != nil {
				return nil, err
			}
		}
	}
	if f.series != nil {
		return f.series, f.err
	}
	return &RangeAnswer{KPI: q.KPI, Window: q.Window, By: q.By}, f.err
}

func (f *fake) Kept(kpi.Window) (oldest, newest time.Time) { return f.oldest, now }

func (f *fake) Ready() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.notReady
}

func (f *fake) Paused() error { return f.paused }

func (f *fake) Warnings() []string { return f.warnings }

func (f *fake) Ledger() Ledger {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ledger
}

func (f *fake) Changes() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// change lets the engine see one more event.
func (f *fake) change() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ledger.Position++
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fake) Append(_ context.Context, text []byte) (uint64, error) {
	if f.appends != nil {
		f.entered <- struct{}{}
		<-f.appends
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.full != nil {
		return 0, f.full
	}
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			f.lines = append(f.lines, string(line))
		}
	}
	return uint64(len(f.lines)), nil
}

func (f *fake) Close(_ context.Context, to int64) error {
	f.closed = to
	return f.full
}

func (f *fake) Alerts() AlertView {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.views++
	return f.alerts
}

func (f *fake) Rules() []alerts.RuleStatus { return f.alerts.Rules }

func (f *fake) Resend(id, receiver string) ([]delivery.Delivery, error) {
	for _, v := range f.alerts.Deliveries {
		if v.ID == id && (receiver == "" || receiver == v.Receiver) {
			return []delivery.Delivery{v}, f.err
		}
	}
	return nil, delivery.ErrNotOwed
}

func (f *fake) Drop(id, receiver string) ([]delivery.Delivery, error) { return f.Resend(id, receiver) }

func (f *fake) Counts() (firing, pending int) {
	for _, a := range f.alerts.Alerts {
		if a.State == alerts.Firing {
			firing++
		} else {
			pending++
		}
	}
	return firing, pending
}

func (f *fake) AlertHistory(q history.Query) history.Page {
	f.asked = q
	labels := map[string]string{"alertname": "Low"}
	told := []history.Telling{
		{Receiver: "oncall", Status: alerts.Firing, Outcome: "delivered", At: alerts.Time{Time: now}},
		{Receiver: "oncall", Status: history.Corrected, Outcome: "failed", At: alerts.Time{Time: now}, Reasons: []reason.Reason{reason.Gone.Of(reason.Args{"receiver": "oncall"})}},
	}
	e := history.Episode{
		ID: "1-2", Alert: "1", Group: "g", Rule: "Low", State: alerts.Firing, Labels: labels, Subject: &alerts.Subject{KPI: "a", Unit: kpi.UnitCount}, Annotations: labels,
		ActiveAt: alerts.Time{Time: now}, FiredAt: alerts.Time{Time: now},
		Hold: alerts.Hold{SilencedBy: []string{"1"}, InhibitedBy: []string{"2"}, InhibitedByRules: []string{"Down"}, MutedBy: []string{}}, Told: told,
	}
	over := e
	over.State, over.ResolvedAt, over.ResolvedAnnotations, over.Told = alerts.Resolved, alerts.Time{Time: now}, labels, []history.Telling{}
	return history.Page{Episodes: []history.Episode{e, over}, Next: 9}
}

func (f *fake) Receivers() []delivery.ReceiverStatus { return f.told }

func (f *fake) TryReceiver(_ context.Context, name string) ([]delivery.Trial, error) {
	if f.trial != nil {
		f.trying <- struct{}{}
		<-f.trial
	}
	if name != "on/call" {
		return nil, &document.Problem{Path: "receiver", Value: name, Rule: "does not exist", Remedy: "use one of on/call"}
	}
	return []delivery.Trial{{Integration: name, Outcome: delivery.Delivered}, {Integration: name + "[1]", Outcome: delivery.Failed, Reasons: []reason.Reason{reason.Limited.Of(reason.Args{"length": "6s"})}}}, nil
}

func (f *fake) WriteKPIs(w io.Writer) { _, _ = io.WriteString(w, "kpi_share_a{by=\"total\"} 0.5\n") }

// deps is a whole service around the fake.
func (f *fake) deps(t *testing.T) Deps {
	key := stream.HashKey{1, 2}
	return Deps{
		Engine: f, Ingest: f, Alerts: f, KPIs: f, Alertmanager: http.NotFoundHandler(),
		NewChecker: func() Checker { return stream.NewChecker(stream.Schema{Text: []string{"channel"}}, key) },
		HashKey:    key,
		Page:       pageOf(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") }),
		Metrics:    metrics.NewSet(),
		Log:        zerolog.New(zerolog.NewTestWriter(t)),
		Listen:     "127.0.0.1:8080",
	}
}

// pageOf is a page of one file.
func pageOf(h http.HandlerFunc) func(path string) http.Handler {
	return func(path string) http.Handler {
		if path == "/" {
			return h
		}
		return nil
	}
}

// A reply is what a request got.
type reply struct {
	code   int
	header http.Header
	body   []byte
}

// ask sends a request to the handler; header is name, value, name, value...
func ask(h http.Handler, method, target, body string, header ...string) reply {
	r := httptest.NewRequest(method, target, bytes.NewReader([]byte(body)))
	r.Host = "127.0.0.1:8080"
	for i := 0; i < len(header); i += 2 {
		if r.Header.Set(header[i], header[i+1]); header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return reply{w.Code, w.Header(), w.Body.Bytes()}
}

// envelope is the shape of every answer.
type envelope struct {
	Status    string          `json:"status"`
	Data      json.RawMessage `json:"data"`
	Warnings  []string        `json:"warnings"`
	ErrorType string          `json:"errorType"`
	Error     string          `json:"error"`
}

func (r reply) envelope(t *testing.T) envelope {
	t.Helper()
	var e envelope
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatalf("answer %q is no envelope: %v", r.body, err)
	}
	return e
}
