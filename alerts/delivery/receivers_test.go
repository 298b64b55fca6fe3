package delivery

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/prometheus/prometheus/promql"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

var update = flag.Bool("update", false, "write the messages of testdata anew")

// Every bad file has its exact message beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.bad.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = LoadReceivers(name, data)
			if err == nil {
				t.Fatal("no error")
			}
			wd, _ := os.Getwd()
			got := strings.ReplaceAll(err.Error(), wd+"/", "") + "\n"
			golden := strings.TrimSuffix(file, ".yml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// ctr is a View that has the one ratio, of a hundred.
type ctr int64

func (k ctr) Series(string, kpi.Set, kpi.Window) []sample.Sample {
	return []sample.Sample{{Numerator: sample.Number{N: sample.Of(int64(k)), Scale: 1}, Denominator: sample.Number{N: sample.Of(100), Scale: 1}}}
}

func (k ctr) Sealed(string, kpi.Set, kpi.Window, int64) ([]sample.Sample, bool, error) {
	return nil, false, nil
}

func (k ctr) Query(context.Context, string, int64) (promql.Vector, bool, error) {
	return nil, false, nil
}

// judging is an engine of one rule, that fires on a small ratio.
func judging(t *testing.T) *alerts.Engine {
	t.Helper()
	catalogue, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := alerts.LoadRules("rules.yml", []byte(`groups: [{name: g, rules: [{alert: Low, expr: 'kpi_ctr{window="5m"} < 0.1', annotations: {summary: low, freshness: '2s'}}]}]`), catalogue)
	if err != nil {
		t.Fatal(err)
	}
	e, err := alerts.NewEngine([]*alerts.RuleFile{rules}, catalogue, alerts.EngineOptions{ExternalURL: "http://tide.example"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// hook is a real server that hands on the requests it gets.
func hook(t *testing.T) (*httptest.Server, chan *http.Request, chan []byte) {
	t.Helper()
	requests, bodies := make(chan *http.Request, 10), make(chan []byte, 10)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		requests <- r
		bodies <- body
	}))
	t.Cleanup(s.Close)
	return s, requests, bodies
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// From an Alertmanager file to the bytes on the wire.
func TestWebhook(t *testing.T) {
	server, requests, bodies := hook(t)
	dir := t.TempDir()
	write(t, dir, "url", server.URL+"/hook?key=secret\n")
	write(t, dir, "token", "s3cret")
	file := `
global:
  http_config: {authorization: {credentials_file: token}}
route: {receiver: oncall}
receivers:
  - name: unused
  - name: oncall
    webhook_configs:
      - {<<: {timeout: 5s}, url_file: url}
      - {url: ` + server.URL + `/second, send_resolved: false}
`
	rs, err := LoadReceivers(filepath.Join(dir, "alertmanager.yml"), []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if w := rs.Integrations; len(w) != 2 || w[0].Name != "oncall" || w[1].Name != "oncall[1]" || w[0].Timeout != 5*time.Second || w[1].Timeout != defaultTimeout || !w[0].SendResolved || w[1].SendResolved {
		t.Fatalf("webhooks %+v", w)
	}
	rs.Integrations = rs.Integrations[:1]
	d := deliverer(t, rs, newBox(), Options{})
	e := judging(t)
	ns := e.Evaluate(at1(1), ctr(5))
	notifyAll(t, d, ns...)
	req, body := <-requests, <-bodies
	if req.Method != "POST" || req.RequestURI != "/hook?key=secret" || req.Header.Get("Authorization") != "Bearer s3cret" || req.Header.Get("Content-Type") != "application/json" || req.Header.Get("Idempotency-Key") != ns[0].ID || req.UserAgent() != "tidewatch" {
		t.Errorf("request %s %s %v", req.Method, req.RequestURI, req.Header)
	}
	labels := map[string]any{"alertname": "Low", "by": "total", "window": "5m"}
	annotations := map[string]any{
		"summary": "low", "value": "0.05", "numerator": "5", "denominator": "100", "n": "100", "comparison": "<", "threshold": "0.1", "window": "5m",
		"low": "0.02154367915436797", "high": "0.11175046923191913", "confidence": "0.95",
		"as_of": "2027-01-15T08:00:01.000Z", "freshness": "2s", "link": ns[0].Link, "notification_id": ns[0].ID,
	}
	want := map[string]any{
		"version": "4", "groupKey": `{}:{alertname="Low", by="total", window="5m"}`, "truncatedAlerts": 0.0,
		"receiver": "oncall", "status": "firing", "notification_reason": "first notification", "externalURL": "http://tide.example",
		"groupLabels": labels, "commonLabels": labels, "commonAnnotations": annotations, "routeLabels": map[string]any{},
		"alerts": []any{map[string]any{
			"status": "firing", "labels": labels, "annotations": annotations,
			"startsAt": "2027-01-15T08:00:01Z", "endsAt": "0001-01-01T00:00:00Z",
			"generatorURL": ns[0].Link, "fingerprint": ns[0].Fingerprint,
		}},
	}
	var got map[string]any
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}

	notifyAll(t, d, e.Evaluate(at1(2), ctr(50))...)
	<-requests
	if body := string(<-bodies); !strings.Contains(body, `"status":"resolved"`) || !strings.Contains(body, `"endsAt":"2027-01-15T08:00:02Z"`) {
		t.Errorf("body %s", body)
	}
}

func TestSendTest(t *testing.T) {
	server, _, bodies := hook(t)
	rs, err := LoadReceivers("alertmanager.yml", []byte("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: '"+server.URL+"'}]}, {name: b}]"))
	if err != nil {
		t.Fatal(err)
	}
	if err := rs.SendTest(context.Background(), "", "http://tide.example", time.UTC); err != nil {
		t.Error(err)
	}
	if body := string(<-bodies); !strings.Contains(body, `"alertname":"TidewatchTest"`) || !strings.Contains(body, `"freshness":`) || !regexp.MustCompile(`"startsAt":"[^"]*Z"`).MatchString(body) {
		t.Errorf("body %s", body)
	}
	if err := rs.SendTest(context.Background(), "b", "", time.UTC); err == nil || err.Error() != `receiver "b" has no integration: use one of a` {
		t.Errorf("error %v", err)
	}
	none, err := LoadReceivers("alertmanager.yml", []byte("route: {receiver: a}\nreceivers: [{name: a}]"))
	if err != nil {
		t.Fatal(err)
	}
	if err := none.SendTest(context.Background(), "", "", time.UTC); err == nil || err.Error() != `receiver "a" has no integration: give it one such as webhook_configs, email_configs, slack_configs or feishu_configs` {
		t.Errorf("error %v", err)
	}
	server.Close()
	if err := rs.SendTest(context.Background(), "a", "", time.UTC); err == nil || !strings.Contains(err.Error(), "send to a: ") || !strings.HasSuffix(err.Error(), "refused: start what listens there, or correct the address") {
		t.Errorf("error %v", err)
	}
}

// A redirect is followed only where body and credentials may go.
func TestRedirects(t *testing.T) {
	other, stolen, _ := hook(t)
	var got []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Method+" "+r.URL.Path)
		switch r.URL.Path {
		case "/same":
			http.Redirect(w, r, "/end", http.StatusPermanentRedirect)
		case "/get":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/other":
			http.Redirect(w, r, other.URL, http.StatusPermanentRedirect)
		}
	}))
	defer server.Close()
	for path, want := range map[string]string{"/same": "POST /same,POST /end", "/get": "POST /get", "/other": "POST /other"} {
		got = nil
		rs, err := LoadReceivers("alertmanager.yml", []byte("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: '"+server.URL+path+"'}]}]"))
		if err != nil {
			t.Fatal(err)
		}
		err = rs.SendTest(context.Background(), "", "", time.UTC)
		if (err == nil) != (path == "/same") || strings.Join(got, ",") != want {
			t.Errorf("%s: calls %v, error %v", path, got, err)
		}
	}
	if len(stolen) != 0 {
		t.Error("the body went to another host")
	}
}

// A receiver of all notifications without a webhook is hardly meant.
func TestWarnings(t *testing.T) {
	const hook = "webhook_configs: [{url: 'http://127.0.0.1:9/'}]"
	for receivers, want := range map[string]string{
		"{name: a, " + hook + "}":            "",
		"{name: a}":                          `am.yml:1: route.receiver: "a" has no integration, so nobody is told of alerts: give it one such as webhook_configs, email_configs, slack_configs or feishu_configs`,
		"{name: a, webhook_configs: []}":     `am.yml:1: route.receiver: "a" has no integration, so nobody is told of alerts: give it one such as webhook_configs, email_configs, slack_configs or feishu_configs`,
		"{name: a}, {name: b, " + hook + "}": `am.yml:1: route.receiver: "a" has no integration, so nobody is told of alerts: give it one such as webhook_configs, email_configs, slack_configs or feishu_configs, or route to b`,
	} {
		rs, err := LoadReceivers("am.yml", []byte("route: {receiver: a}\nreceivers: ["+receivers+"]\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range rs.Warnings {
			got += w.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", receivers, got, want)
		}
	}
}

func TestRetryAfterIsBounded(t *testing.T) {
	resp := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"86400"}}}
	if got := judge(resp, "").after; got != maxRetryAfter {
		t.Errorf("got %s, want %s", got, maxRetryAfter)
	}
}
