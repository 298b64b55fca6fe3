package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/alertmanager"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/internal/openapi"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// described is what the service serves at /openapi.json.
var described = sync.OnceValues(func() (*openapi.Document, error) { return openapi.Parse(description()) })

// described holds an answer to the description of the API. It tells of which operation it
// is.
func (r reply) described(t *testing.T, method, target string) string {
	t.Helper()
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	of, err := d.Check(openapi.Exchange{Method: method, Target: target, Status: r.code, Header: r.header, Body: r.body})
	if err != nil {
		t.Error(err)
	}
	return of
}

// TestRoutesAreDescribed: each route is described, and each description is a route's.
func TestRoutesAreDescribed(t *testing.T) {
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	routes := []string{"GET /api/v1/users/count"} // a user of GET /api/v1/users/{id}
	for path, methods := range New(newFake().deps(t)).(*router).methods {
		for _, m := range methods {
			if m != http.MethodHead { // goes with GET
				routes = append(routes, m+" "+path)
			}
		}
	}
	slices.Sort(routes)
	if diff := cmp.Diff(routes, d.Operations()); diff != "" {
		t.Errorf("routes (-) and operations (+):\n%s", diff)
	}
}

// A crowd is users of whom one is known.
type crowd struct{ known *UserDetails }

func newCrowd() *crowd {
	date, gap, web := "2026-11-20", 2, "web"
	u := User{
		UserID: "ann", State: "at_risk", Since: &date, FirstSeen: date, LastSeen: date, DaysAway: 2, UsualGapDays: &gap, ActiveDays28: 3, Segments: []string{"at_risk"},
		RFM:    &RFM{R: 5, F: 1, M: 4, Segment: "important_development", Payments: &Payments{1, 2, map[string]int64{"CNY": 600}}},
		Fields: []Field{{"channel", &web}, {"device", nil}}, FirstEventTime: Time{now},
	}
	return &crowd{&UserDetails{u, Explained{AtRiskAfter: 3, ChurnedAfter: 14, ActiveDays: []string{date, "2026-11-22"}, Gaps: []int{2}, Identities: []string{"cookie"}, LastTouch: map[string]*Touch{"attribution": {Touch: "click", Time: Time{now}, Fields: []Field{{"campaign_id", nil}}}, "other": nil}}, now}}
}

func (c *crowd) UserFields() []string { return []string{"channel", "device"} }
func (c *crowd) Segments() []string   { return []string{"at_risk", "churned"} }

func (c *crowd) List(context.Context, UserQuery) (*UserList, error) {
	guest := User{AnonymousID: "cookie", State: "active", FirstSeen: "2026-11-20", LastSeen: "2026-11-20", Segments: []string{}, Fields: []Field{{"channel", nil}}}
	return &UserList{Users: []User{c.known.User, guest}, Next: 77, AsOf: now, Nameless: 1}, nil
}

func (c *crowd) Count(context.Context, UserQuery) (*UserCount, error) {
	return &UserCount{41, now, []string{"a day is not over"}}, nil
}

func (c *crowd) Size() int64     { return 1000 }
func (c *crowd) ByChannel() bool { return true }

func (c *crowd) Find(_ context.Context, id string) (*UserDetails, error) {
	if id != c.known.UserID {
		return nil, nil
	}
	return c.known, nil
}

func (c *crowd) Known(_ context.Context, id string) (*Identity, error) {
	if id != c.known.UserID {
		return nil, nil
	}
	return &Identity{UserID: id, Identities: []string{"cookie"}}, nil
}

func (c *crowd) Erase(context.Context, Identity) (*Receipt, error) {
	return &Receipt{8, Gone{Time{now}, Time{now}, Time{now}, Time{now}}}, nil
}

func (c *crowd) Signals(context.Context, SignalQuery) (*SignalList, error) {
	u := c.known.User
	s := Signal{
		ID: strings.Repeat("0a", 16), Time: Time{now}, State: "returned", UserID: "ann", LastSeen: u.LastSeen, FirstSeen: u.FirstSeen,
		RFM: &RFM{R: 1, F: 1, M: 1, Segment: "general_recall"}, Definition: "days", Watermark: Time{now}, Holdout: true, Fields: u.Fields,
	}
	text, err := json.Marshal(&s)
	return &SignalList{Signals: []json.RawMessage{text}, Next: 5}, err
}

// begun is an engine that has seen events.
func begun(f *fake, _ *Deps) { f.ledger.Watermark = now }

func (c *crowd) Backtest(_ context.Context, b Backtest) (*backtest.Report, []string, error) {
	if len(b.Rules) == 0 {
		return nil, nil, BadData("no rules")
	}
	labels := map[string]string{"alertname": "Low"}
	return &backtest.Report{
		From: alerts.Time{Time: b.From}, To: alerts.Time{Time: b.To}, Step: max(b.Step, time.Second).Seconds(), Notifications: 1,
		Rules:  []backtest.Verdict{{Group: "g", Rule: "Low", Fired: 1, Seconds: 2}},
		Alerts: []backtest.Incident{{Group: "g", Rule: "Low", Labels: labels, Annotations: labels, FiredAt: alerts.Time{Time: now}, Judged: backtest.BySealedValues, Notifications: 1}},
	}, []string{"windows of 5m are kept from then on"}, nil
}

// alarmed is a view with one of everything.
func alarmed() AlertView {
	labels, value := map[string]string{"by": "total"}, 0.25
	subject := &alerts.Subject{KPI: "money_b", Title: kpi.Text{EN: "B", ZH: "乙"}, Unit: kpi.UnitMoney, Currency: "CNY", Across: true}
	rule := &alerts.Rule{File: "rules.yml"}
	return AlertView{
		Status: alerts.Status{
			Files:  []*alerts.RuleFile{{Name: "rules.yml", Groups: []alerts.Group{{Name: "g", Rules: []*alerts.Rule{rule}, Recordings: []alerts.Recording{{Name: "a:b", Expr: "1", Labels: labels}}}}}},
			Alerts: []alerts.Alert{{ID: "a1", Rule: "Low", Group: "g", State: alerts.Firing, Labels: labels, Annotations: labels, Value: &value, Subject: subject, ActiveAt: alerts.Time{Time: now}, Hold: alerts.Hold{SilencedBy: []string{"1"}, InhibitedBy: []string{"2"}, InhibitedByRules: []string{"Down"}, MutedBy: []string{"night"}}}},
			Firing: 1,
			Rules:  []alerts.RuleStatus{{Group: "g", Name: "Low", Expr: "kpi_share_a < 1", For: "2m", Confidence: 0.95, Labels: labels, State: alerts.Firing, Reasons: []reason.Reason{reason.Fires.Of(reason.Args{"count": 1}), reason.Silent.Of(reason.Args{"length": "3m0s"})}, Health: "err", LastError: "x", Of: rule, Interval: time.Second}},
		},
		Progress: delivery.Progress{
			Receivers:  []delivery.Receiver{{Name: "oncall", Owed: 1}},
			Deliveries: []delivery.Delivery{{ID: "1", Receiver: "oncall", Rule: "Low", Status: alerts.Firing, Labels: labels, StartsAt: alerts.Time{Time: now}, At: alerts.Time{Time: now}, Outcome: delivery.Failed, Reasons: []reason.Reason{reason.GivenUp.Of(reason.Args{"days": 7}), reason.Explained.Of(reason.Args{"status": 404, "error": "no such channel"})}}},
		},
	}
}

// TestAnswersAreDescribed: every operation answers as it is described, in all the ways in
// which it succeeds, and every kind of refusal is as it is described.
func TestAnswersAreDescribed(t *testing.T) {
	const event, other = `{"id":"1","time":1795320000000,"type":"play","user_id":"u"}`, `{"id":"2"}`
	const share, prom = "/api/v1/kpis/share_a", "/prometheus/api/v1/"
	type change = func(f *fake, d *Deps)
	answers := func(a *sample.Answer) change { return func(f *fake, _ *Deps) { f.answer = a } }
	complete := func(f *fake, _ *Deps) {
		a := shares(true, map[string]int64{"a": 3, "b": -1}, "a", "b")
		a.Samples[0].Limit, a.Samples[0].Bound = sample.AtMost, sample.Number{N: sample.Of(25), Scale: 10}
		f.answer = a
		f.series = &RangeAnswer{KPI: ratio, Window: hour, By: channel, Warnings: []string{"慢"}}
		for _, s := range a.Samples {
			f.series.Series = append(f.series.Series, sample.Series{Labels: s.Labels, Points: []sample.Point{{End: now, Complete: true, Sample: s}, {End: now.Add(time.Hour), Sample: s}}})
		}
	}
	tag := ask(New(changed(t, complete)), "GET", share+"?window=1h&by=channel", "").header.Get("ETag")
	mixed := &sample.Answer{KPI: money, Window: hour, Samples: []sample.Sample{{Null: true, Mixed: true}, {Numerator: sample.Number{N: sample.Of(5), Scale: 1}, Currency: "CNY"}}}
	mature := &kpi.KPI{Name: "late_e", ID: "late_e@5", By: []kpi.Set{{}}, Windows: []kpi.Window{kpi.Day}, Horizon: 3, Maturity: &kpi.Measure{Op: kpi.Count}}
	const am = "/alertmanager/api/v2/"
	manager, known := silent(t, nil)
	seen := map[string]bool{}
	for _, c := range []struct {
		method, target, body string // GET without one
		status               int
		header               []string
		change               change
	}{
		{"POST", "/v1/events?verbose=1", event, 200, nil, nil},
		{"POST", "/v1/events", "[" + event + "," + other + "]", 207, nil, nil},
		{"POST", "/v1/events", "[", 400, nil, nil},
		{"POST", "/v1/events", strings.Repeat("1\n", maxEvents+1), 413, nil, nil},
		{"POST", "/v1/events", event, 415, []string{"Content-Encoding", "br"}, nil},
		{"POST", "/v1/events", event, 429, nil, func(f *fake, _ *Deps) { f.full = RateLimited("full") }},
		{"POST", "/v1/events", event, 503, nil, func(f *fake, _ *Deps) { f.full = errors.New("gone") }},
		{"POST", "/v1/close", `{"to":"2026-01-01T00:00:00Z"}`, 200, nil, nil},
		{"POST", "/v1/close", `{}`, 400, nil, nil},
		{"POST", "/api/v1/rules/backtest?from=-2d", "groups: []", 200, nil, begun},
		{"POST", "/api/v1/rules/backtest?from=2026-11-22&to=now&step=1m", "groups: []", 200, nil, begun},
		{"POST", "/api/v1/rules/backtest", "groups: []", 400, nil, begun},
		{"POST", "/api/v1/rules/backtest?from=-2d&step=100ms", "groups: []", 400, nil, begun},
		{"POST", "/api/v1/rules/backtest?from=-2d", "", 400, nil, begun},
		{"", "/api/v1/kpis", "", 200, nil, nil},
		{"", "/api/v1/kpis", "", 403, []string{"Host", "evil.example"}, nil},
		{"PUT", "/api/v1/kpis", "", 405, nil, nil},
		{"", "/api/v1/operators", "", 200, nil, nil},
		{"", "/api/v1/operators?name=rfm", "", 400, nil, nil},
		{"", "/api/v1/operators", "", 403, []string{"Host", "evil.example"}, nil},
		{"PUT", "/api/v1/operators", "", 405, nil, nil},
		{"", share, "", 200, nil, nil},
		{"", share + "?window=1h&channel=~.*&limit=1&compare=yesterday,previous&at=-1h", "", 200, nil, complete},
		{"", share + "?window=1h&by=channel&order=-value", "", 200, nil, complete},
		{"", share + "?window=1h&by=channel", "", 304, []string{"If-None-Match", tag}, complete},
		{"", share + "?window=1h&by=channel&format=csv", "", 200, nil, complete},
		{"", share + "?window=1h&by=channel&compare=last_week", "", 200, []string{"Accept", "application/x-ndjson"}, complete},
		{"", share + ",money_b?window=1h", "", 200, nil, nil},
		{"", "/api/v1/kpis/money_b", "", 200, nil, answers(mixed)},
		{"", "/api/v1/kpis/late_e", "", 200, nil, func(f *fake, _ *Deps) {
			f.kpis = []*kpi.KPI{mature}
			f.answer = &sample.Answer{KPI: mature, Window: kpi.Day, Samples: []sample.Sample{{}}}
		}},
		{"", "/api/v1/kpis/none", "", 404, nil, nil},
		{"", share, "", 500, nil, func(f *fake, _ *Deps) { f.err = errors.New("secret") }},
		{"", share, "", 503, nil, func(f *fake, _ *Deps) { f.notReady = errors.New("recovering") }},
		{"", share + "/range?from=today", "", 200, nil, nil},
		{"", share + "/range?window=1h&by=channel&from=-2h&to=now&step=1m&compare=previous&limit=1", "", 200, nil, complete},
		{"", share + "/range?window=1h&by=channel&from=2026-11-22T00:00:00Z&format=csv", "", 200, nil, complete},
		{"", share + "/range?window=1h&by=channel&from=1795312800000&format=ndjson", "", 200, nil, complete},
		{"", share + ",money_b/range?window=1h&from=2026-11-22", "", 200, nil, nil},
		{"", share + "/range?window=1h&by=channel&from=-1h", "", 304, []string{"If-None-Match", "*"}, func(f *fake, d *Deps) {
			complete(f, d)
			f.series.Series = f.series.Series[:1]
			f.series.Series[0].Points = f.series.Series[0].Points[:1]
		}},
		{"", share + "/range?window=1h&by=channel&from=-2h", "", 422, nil, func(f *fake, d *Deps) { complete(f, d); d.Limits.Reads = 1 << 10 }},
		{"", "/api/v1/users?segment=at_risk&channel=web&limit=2&cursor=u2a", "", 200, nil, nil},
		{"", "/api/v1/users?active=2026-11-01..2026-11-07&not_active=2026-11-08", "", 200, nil, nil},
		{"", "/api/v1/users/count?segment=churned", "", 200, nil, nil},
		{"", "/api/v1/users/count?active=2026-11-01..2026-11-07&channel=web", "", 200, nil, nil},
		{"", "/api/v1/users/count?active=2026-11-01&not_active=2090-01-01", "", 400, nil, nil},
		{"", "/api/v1/users/ann", "", 200, nil, nil},
		{"", "/api/v1/users/a%2Fb", "", 404, nil, nil},
		{"DELETE", "/api/v1/users/ann", "", 202, nil, nil},
		{"", "/api/v1/signals?state=returned&from=2026-11-01&to=today&cursor=s1", "", 200, nil, nil},
		{"", "/api/v1/alerts", "", 200, nil, nil},
		{"", "/api/v1/alerts/history?from=-7d&to=now&rule=Low&limit=2&cursor=a9", "", 200, nil, nil},
		{"", "/api/v1/alerts/history?cursor=s9", "", 400, nil, nil},
		{"", "/api/v1/receivers", "", 200, nil, func(f *fake, _ *Deps) {
			f.told = []delivery.ReceiverStatus{{Name: "on/call", Default: true, Routed: true, Integrations: []delivery.IntegrationStatus{{Name: "on/call", Owed: 1, LastSuccess: alerts.Time{Time: now}, LastError: "answered 404"}}}}
		}},
		{"POST", "/api/v1/receivers/on%2Fcall/test", "", 200, nil, nil},
		{"POST", "/api/v1/receivers/nobody/test", "", 404, nil, nil},
		{"POST", "/api/v1/receivers/on%2Fcall/test", "", 403, []string{"Origin", "http://evil.example"}, nil},
		{"POST", "/api/v1/deliveries/1/resend?receiver=oncall", "", 202, nil, nil},
		{"POST", "/api/v1/deliveries/2b/resend", "", 404, nil, nil},
		{"POST", "/api/v1/deliveries/1/resend", "", 400, nil, func(f *fake, _ *Deps) { f.err = delivery.ErrOutOfDate }},
		{"POST", "/api/v1/deliveries/1/resend", "", 400, nil, func(f *fake, _ *Deps) { f.err = delivery.ErrGone }},
		{"DELETE", "/api/v1/deliveries/1?receiver=oncall", "", 200, nil, nil},
		{"DELETE", "/api/v1/deliveries/2b", "", 404, nil, nil},
		{"DELETE", "/api/v1/deliveries/1?to=oncall", "", 400, nil, nil},
		{"", "/api/v1/ledger", "", 200, nil, nil},
		{"", prom + "query?query=kpi_share_a&time=1795318800", "", 200, nil, nil},
		{"", prom + "query?query=kpi_share_a[2m]&time=2026-11-22T04:00:00Z&limit=1", "", 200, nil, nil},
		{"", prom + "query?query=rate(kpi_share_a[5m])/0&time=1795318800.5&timeout=5&lookback_delta=1m", "", 200, nil, nil},
		{"", prom + "query?query=time()", "", 200, nil, nil},
		{"", prom + `query?query="x"`, "", 200, nil, nil},
		{"", prom + "query?query=sum(", "", 400, nil, nil},
		{"", prom + "query?query=kpi_share_a%2Bon()kpi_share_a&time=1795318800", "", 422, nil, nil},
		{"", prom + "query?query=kpi_share_a&time=1795318800", "", 503, nil, func(_ *fake, d *Deps) { d.Series = &flat{names: []string{"a"}, err: context.DeadlineExceeded} }},
		{"POST", prom + "query", "query=1e300*10&time=0", 200, nil, nil},
		{"", prom + "query_range?query=kpi_share_a&start=1795318800&end=1795318860&step=1m", "", 200, nil, nil},
		{"POST", prom + "query_range", "query=kpi_share_a&start=1795318800&end=1795318860&step=15", 200, nil, nil},
		{"", prom + "series?match[]=kpi_share_a&match[]=kpi_x&limit=3", "", 200, nil, nil},
		{"POST", prom + "series", "match[]=kpi_share_a", 200, nil, nil},
		{"", prom + "labels?start=0&end=1", "", 200, nil, nil},
		{"POST", prom + "labels", "limit=1", 200, nil, nil},
		{"", prom + "label/n/values?match[]=kpi_share_a", "", 200, nil, nil},
		{"", prom + "metadata?metric=kpi_share_a_low", "", 200, nil, nil},
		{"", prom + "metadata?limit=0", "", 200, nil, nil},
		{"", prom + "rules?type=alert", "", 200, nil, nil},
		{"", prom + "alerts", "", 200, nil, nil},
		{"", prom + "format_query?query=sum(a)by(b)", "", 200, nil, nil},
		{"POST", prom + "format_query", "query=a", 200, nil, nil},
		{"", prom + "query_exemplars", "", 200, nil, nil},
		{"POST", prom + "query_exemplars", "query=a", 200, nil, nil},
		{"", prom + "status/buildinfo", "", 200, nil, nil},
		{"", am + "alerts?filter=by%3D%22total%22&receiver=on.*&silenced=false", "", 200, nil, nil},
		{"", am + "alerts?filter=%3D", "", 400, nil, nil},
		{"", am + "alerts", "", 503, nil, func(f *fake, _ *Deps) { f.notReady = errors.New("recovering") }},
		{"POST", am + "alerts", "[]", 405, nil, nil},
		{"", am + "alerts/groups?muted=false", "", 200, nil, nil},
		{"", am + "receivers", "", 200, nil, nil},
		{"", am + "status", "", 200, nil, nil},
		{"", am + "silences?expired=false", "", 200, nil, nil},
		{"POST", am + "silences", silence, 200, []string{"Content-Type", "application/json"}, nil},
		{"POST", am + "silences", "{}", 422, []string{"Content-Type", "application/json"}, nil},
		{"POST", am + "silences", "{", 400, []string{"Content-Type", "application/json"}, nil},
		{"POST", am + "silences", strings.Replace(silence, `"matchers":[`, `"matchers":[null,`, 1), 400, []string{"Content-Type", "application/json"}, nil},
		{"POST", am + "silences", silence, 500, []string{"Content-Type", "application/json"}, func(_ *fake, d *Deps) { d.Alertmanager, _ = silent(t, errors.New("no space left")) }},
		{"", am + "silence/" + known, "", 200, nil, func(_ *fake, d *Deps) { d.Alertmanager = manager }},
		{"DELETE", am + "silence/" + known, "", 200, nil, func(_ *fake, d *Deps) { d.Alertmanager = manager }},
		{"", am + "silence/00000000-0000-4000-8000-000000000000", "", 404, nil, nil},
		{"DELETE", am + "silence/00000000-0000-4000-8000-000000000000", "", 404, nil, nil},
		{"", "/-/healthy", "", 200, nil, nil},
		{"", "/-/ready", "", 200, nil, func(f *fake, _ *Deps) { f.warnings = []string{"lost"} }},
		{"POST", "/-/reload", "", 200, nil, func(_ *fake, d *Deps) { d.Reload = func(context.Context) ([]string, error) { return nil, nil } }},
		{"POST", "/-/reload", "", 501, nil, nil},
		{"", "/metrics", "", 200, nil, nil},
		{"", "/openapi.json", "", 200, nil, nil},
		{"", "/openapi.json?pretty=1", "", 400, nil, nil},
	} {
		t.Run(strings.TrimSpace(fmt.Sprint(c.method, " ", c.target, " ", c.status)), func(t *testing.T) {
			method := or(c.method, "GET")
			got := ask(New(changed(t, c.change)), method, c.target, c.body, c.header...)
			if got.code != c.status {
				t.Fatalf("got %d %s, want %d", got.code, got.body, c.status)
			}
			seen[fmt.Sprint(got.described(t, method, c.target), " ", got.code)] = true
		})
	}
	for _, target := range []string{"/api/v1/live", share + "/live?window=1h&by=channel"} {
		t.Run(target, func(t *testing.T) {
			got := streamed(t, complete, target)
			if n := strings.Count(string(got.body), "\n\n"); n < 2 {
				t.Fatalf("got %d events: %s", n-1, got.body)
			}
			seen[fmt.Sprint(got.described(t, "GET", target), " ", got.code)] = true
		})
	}
	t.Run("slow body", func(t *testing.T) {
		r := httptest.NewRequest("POST", "/v1/close", late{})
		r.Host = "localhost"
		w := httptest.NewRecorder()
		New(changed(t, nil)).ServeHTTP(w, r)
		got := reply{w.Code, w.Header(), w.Body.Bytes()}
		seen[fmt.Sprint(got.described(t, "POST", "/v1/close"), " ", got.code)] = true
	})
	checkSeen(t, seen)
}

// TestRefusalsOfAllAreDescribed: what any route may answer is described of each.
func TestRefusalsOfAllAreDescribed(t *testing.T) {
	d, err := described()
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range d.Operations() {
		method, path, _ := strings.Cut(of, " ")
		path = strings.NewReplacer("{name}", "share_a", "{id}", "00000000-0000-4000-8000-000000000000").Replace(path)
		check := func(target string, status int, header ...string) {
			t.Helper()
			h := New(changed(t, func(_ *fake, d *Deps) {
				d.Alertmanager = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") })
			}))
			got := ask(h, method, target, "", header...)
			if got.code != status {
				t.Errorf("%s is answered with %d, want %d", of, got.code, status)
			}
			got.described(t, method, target)
		}
		check(path+"?a=%zz", 400)
		check(path, 403, "Host", "evil.example")
		if strings.HasPrefix(path, managerPath) {
			check(path, 500)
		}
	}
}

// checkSeen misses the successes that were not seen, and the refusals that were seen of no
// operation.
func checkSeen(t *testing.T, seen map[string]bool) {
	t.Helper()
	var all struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(description(), &all); err != nil {
		t.Fatal(err)
	}
	refusals := map[string]bool{}
	for path, item := range all.Paths {
		for method, text := range item {
			var operation struct{ Responses map[string]json.RawMessage }
			if method == "parameters" {
				continue
			}
			if err := json.Unmarshal(text, &operation); err != nil {
				t.Fatal(err)
			}
			for status := range operation.Responses {
				was := seen[strings.ToUpper(method)+" "+path+" "+status]
				if status >= "4" {
					refusals[status] = refusals[status] || was
				} else if !was {
					t.Errorf("%s %s has no request that is answered with %s", method, path, status)
				}
			}
		}
	}
	for status, was := range refusals {
		if !was {
			t.Errorf("no request is answered with %s", status)
		}
	}
}

const silence = `{"matchers":[{"name":"by","value":"t.*","isRegex":true}],"startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z","createdBy":"ann","comment":"works"}`

// A shelf keeps silences, unless it is full.
type shelf struct{ err error }

func (s shelf) Put(map[string][]byte) error   { return s.err }
func (s shelf) Delete(...string) error        { return s.err }
func (shelf) All() (map[string][]byte, error) { return nil, nil }

// silent is Alertmanager's API over an alert that fires and a silence, whose id is known.
func silent(t *testing.T, err error) (h http.Handler, known string) {
	t.Helper()
	receivers, problem := delivery.LoadReceivers("am.yml", []byte("route: {receiver: oncall}\nreceivers: [{name: oncall}]"))
	if problem != nil {
		t.Fatal(problem)
	}
	d, problem := delivery.New(receivers, shelf{err}, delivery.Options{})
	if problem != nil {
		t.Fatal(problem)
	}
	labels := map[string]string{"alertname": "Low", "by": "total"}
	h, problem = alertmanager.New(d, receivers, "http://127.0.0.1:8080", func() []alerts.Notification {
		return []alerts.Notification{{Labels: labels, Annotations: labels, Status: alerts.Firing, StartsAt: now, WindowEnd: now.UnixMilli()}}
	})
	if problem != nil {
		t.Fatal(problem)
	}
	r := httptest.NewRequest("POST", "/api/v2/silences", strings.NewReader(silence))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	var told struct{ SilenceID string }
	if problem := json.Unmarshal(w.Body.Bytes(), &told); problem != nil && err == nil {
		t.Fatalf("%v: %s", problem, w.Body)
	}
	return h, told.SilenceID
}

// changed is a whole service, other than usual.
func changed(t *testing.T, change func(f *fake, d *Deps)) Deps {
	f, c := newFake(), newCrowd()
	f.alerts = alarmed()
	d := f.deps(t)
	d.Alertmanager, _ = silent(t, nil)
	d.Users, d.Eraser, d.Signals, d.Backtester, d.Series = c, c, c, c, &flat{names: []string{"a", "b"}, value: 1.5}
	if change != nil {
		change(f, &d)
	}
	return d
}

// streamed is what a client of a stream is sent at first.
func streamed(t *testing.T, change func(f *fake, d *Deps), target string) (got reply) {
	synctest.Test(t, func(t *testing.T) {
		ctx, leave := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "GET", target, nil)
		r.Host = "localhost"
		w := &wire{ResponseRecorder: httptest.NewRecorder()}
		h, done := New(changed(t, change)), make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(w, r)
		}()
		synctest.Wait()
		leave()
		<-done
		got = reply{http.StatusOK, w.Header(), []byte(w.take())}
	})
	return got
}

// late is a body that does not come in time.
type late struct{}

func (late) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }
