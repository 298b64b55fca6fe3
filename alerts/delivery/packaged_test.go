package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// load reads an Alertmanager file in a folder.
func load(t *testing.T, dir, text string) *Receivers {
	t.Helper()
	rs, err := LoadReceivers(dir+"/am.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// told is a notification as a queue has it.
func told(n alerts.Notification) []*entry { return []*entry{{Notification: n, Group: alone(&n)}} }

func mailFile(t *testing.T, s *mailServer, more string) (dir, text string) {
	dir = t.TempDir()
	write(t, dir, "ca.pem", string(s.ca))
	write(t, dir, "password", s.password+"\n")
	write(t, dir, "own.tmpl", `{{ define "own.subject" }}{{ .Status }}: {{ .CommonLabels.alertname }} is {{ .CommonAnnotations.value }}{{ end }}`)
	return dir, fmt.Sprintf(`
global: {smtp_smarthost: '%s', smtp_from: 'tide@example.org', smtp_auth_username: alerts, smtp_auth_password_file: password, smtp_tls_config: {ca_file: ca.pem}}
route: {receiver: oncall}
templates: ['*.tmpl']
receivers:
  - name: oncall
    email_configs:
      - {to: 'on@example.org', headers: {subject: '{{ template "own.subject" . }}'}%s}
`, s.address, more)
}

// From an Alertmanager file to the mail: over TLS, as somebody, by templates.
func TestEmail(t *testing.T) {
	s := mailing(t)
	s.answer = func(n int) string {
		if n == 1 {
			return "451 not yet"
		}
		return ""
	}
	dir, file := mailFile(t, s, ", send_resolved: true")
	d := deliverer(t, load(t, dir, file), newBox(), Options{})
	n := says("Low", alerts.Firing, 1)
	n.Annotations["summary"], n.ExternalURL = "völlig leer", "http://tide.example"
	notifyAll(t, d, n)
	m := <-s.mails // of the second try
	if m.from != "FROM:<tide@example.org>" || m.to != "TO:<on@example.org>" {
		t.Errorf("envelope %+v", m)
	}
	subject, html := readMail(t, m)
	if subject != "firing: Low is 0.1" || !strings.Contains(html, "völlig leer") || !strings.Contains(html, "http://tide.example") {
		t.Errorf("subject %q, body %s", subject, html)
	}
	notifyAll(t, d, says("Low", alerts.Resolved, 2))
	if subject, _ := readMail(t, <-s.mails); subject != "resolved: Low is 0.1" {
		t.Errorf("subject %q", subject)
	}
}

func readMail(t *testing.T, m mail) (subject, html string) {
	t.Helper()
	msg, err := netmail.ReadMessage(strings.NewReader(m.text))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject")); err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(msg.Body, params["boundary"]).NextRawPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(part))
	if err != nil {
		t.Fatal(err)
	}
	return subject, string(text)
}

// How an attempt at a mail ends says what is to be done, and no password.
func TestEmailFailures(t *testing.T) {
	for _, tt := range []struct {
		name, answer, password string
		want                   attempt
		err                    string
	}{
		{name: "later", answer: "451 not yet", err: "send RCPT command: 451 \"not yet\""},
		{name: "nobody", answer: "550 nobody", want: attempt{refused: true}, err: "send RCPT command: 550 \"nobody\""},
		{name: "wrong password", password: "an0ther", want: attempt{refused: true}, err: "*smtp.plainAuth auth: 535 \"no, alerts <secret>\""},
		{name: "silence", answer: "silence", err: "no answer within 50ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mailing(t)
			s.answer = func(int) string { return tt.answer }
			dir, file := mailFile(t, s, "")
			if tt.password != "" {
				write(t, dir, "password", tt.password)
			}
			g := load(t, dir, file).Integrations[0]
			if tt.answer == "silence" {
				g.Timeout = 50 * time.Millisecond
			}
			got := g.post(t.Context(), told(says("Low", alerts.Firing, 1)), time.Now())
			if got.err == nil || got.err.Error() != tt.err {
				t.Errorf("error %v, want %s", got.err, tt.err)
			}
			if got.err = nil; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		s := mailing(t)
		dir, file := mailFile(t, s, "")
		g := load(t, dir, strings.Replace(file, s.address, "127.0.0.1:1", 1)).Integrations[0]
		if got := g.post(t.Context(), told(says("Low", alerts.Firing, 1)), time.Now()); !got.unreachable || got.refused {
			t.Errorf("got %+v", got)
		}
	})
}

// A mail server that takes connections and says nothing is tried a few times, and no more
// until it lets go of one.
func TestMailServerHangs(t *testing.T) {
	s := mailing(t)
	s.answer = func(int) string { return "silence" }
	dir, file := mailFile(t, s, "")
	g := load(t, dir, file).Integrations[0]
	g.Timeout = 10 * time.Millisecond
	for { // a connection may take longer than that, and then none is left
		got := g.post(t.Context(), told(says("Low", alerts.Firing, 1)), time.Now())
		if reason.Unanswered.Is(got.err) {
			break
		}
		if got.err == nil || got.err.Error() != "no answer within 10ms" {
			t.Fatalf("got %+v", got)
		}
	}
	for range mostLeft {
		<-s.tries
	}
}

func TestSlack(t *testing.T) {
	server, requests, bodies := hook(t)
	dir := t.TempDir()
	write(t, dir, "slack.url", server.URL+"/services/T0KEN\n")
	rs := load(t, dir, `
global: {slack_api_url_file: slack.url}
route: {receiver: oncall}
receivers: [{name: oncall, slack_configs: [{channel: '#oncall', send_resolved: true}]}]
`)
	n := says("Low", alerts.Firing, 1)
	if got := rs.Integrations[0].post(t.Context(), told(n), time.Now()); got.err == nil || got.err.Error() != `channel "#oncall": received an error response from Slack:` || !got.refused {
		t.Errorf("an empty answer: %+v", got)
	}
	r, body := <-requests, <-bodies
	var m struct {
		Channel     string
		Attachments []struct{ Title, Color string }
	}
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	if r.URL.Path != "/services/T0KEN" || r.UserAgent() != "tidewatch" || m.Channel != "#oncall" || len(m.Attachments) != 1 || m.Attachments[0].Title != "[FIRING:1] Low " || m.Attachments[0].Color != "danger" {
		t.Errorf("%s by %s: %s", r.URL, r.UserAgent(), body)
	}
}

// Answers of Slack and PagerDuty say what is to be done, and nothing of what they were sent.
func TestPackagedAnswers(t *testing.T) {
	slack := `slack_configs: [{channel: c, api_url: 'ADDRESS/T0KEN'}]`
	pager := `pagerduty_configs: [{routing_key: R0UT1NG, url: 'ADDRESS/v2/enqueue'}]`
	for _, tt := range []struct {
		name, config string
		code         int
		after, body  string
		want         attempt
		err          string
	}{
		{"slack takes it", slack, 200, "", "ok", attempt{}, ""},
		{"slack has no such channel", slack, 404, "", "no_service of T0KEN", attempt{refused: true, whole: true}, `channel "c": unexpected status code 404: no_service of <secret>`},
		{"slack says so in a success", slack, 200, "", "invalid_token", attempt{refused: true}, `channel "c": received an error response from Slack: invalid_token`},
		{"slack has enough", slack, 429, "30", "", attempt{whole: true, limited: true, after: 30 * time.Second}, `channel "c": unexpected status code 429`},
		{"slack is down", slack, 503, "", "", attempt{}, `channel "c": unexpected status code 503`},
		{"slack is elsewhere", slack, 307, "", "http://127.0.0.1:1/", attempt{refused: true}, `channel "c": unexpected status code 307`},
		{"pagerduty takes it", pager, 202, "", `{"status":"success"}`, attempt{}, ""},
		{"pagerduty refuses it", pager, 400, "", `{"message":"Event object is invalid","errors":["R0UT1NG is no key"]}`, attempt{refused: true}, "unexpected status code 400: Event object is invalid: <secret> is no key"},
		{"pagerduty has enough", pager, 429, "60", "", attempt{whole: true, limited: true, after: time.Minute}, "unexpected status code 429"},
		{"pagerduty is down", pager, 500, "", "", attempt{}, "unexpected status code 500"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.after)
				if tt.code == 307 {
					w.Header().Set("Location", tt.body)
				}
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(tt.code)
				fmt.Fprint(w, tt.body)
			}))
			defer server.Close()
			rs := load(t, t.TempDir(), "route: {receiver: oncall}\nreceivers: [{name: oncall, "+strings.ReplaceAll(tt.config, "ADDRESS", server.URL)+"}]")
			got := rs.Integrations[0].post(t.Context(), told(says("Low", alerts.Firing, 1)), time.Now())
			if text := fmt.Sprint(got.err); text != tt.err && (got.err != nil || tt.err != "") && tt.code != 307 {
				t.Errorf("error %s, want %s", text, tt.err)
			}
			if got.err = nil; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// PagerDuty knows the resolve by the key of the alert.
func TestPagerDuty(t *testing.T) {
	server, _, bodies := hook(t)
	dir := t.TempDir()
	write(t, dir, "key", "R0UT1NG\n")
	d := deliverer(t, load(t, dir, `
global: {pagerduty_url: '`+server.URL+`'}
route: {receiver: oncall}
receivers: [{name: oncall, pagerduty_configs: [{routing_key_file: key, details: {n: '{{ .CommonAnnotations.value }}'}}]}]
`), newBox(), Options{})
	type event struct {
		Routing string `json:"routing_key"`
		Dedup   string `json:"dedup_key"`
		Action  string `json:"event_action"`
		Payload struct {
			Summary, Severity string
			Details           map[string]any `json:"custom_details"`
		}
	}
	var was event
	for second, want := range []string{"trigger", "resolve"} {
		notifyAll(t, d, says("Low", []alerts.State{alerts.Firing, alerts.Resolved}[second], int64(second)))
		var e event
		if err := json.Unmarshal(<-bodies, &e); err != nil {
			t.Fatal(err)
		}
		if e.Routing != "R0UT1NG" || e.Action != want || e.Payload.Severity != "error" || e.Payload.Details["n"] != 0.1 || e.Dedup == "" || second > 0 && e.Dedup != was.Dedup {
			t.Errorf("event %+v after %+v", e, was)
		}
		was = e
	}
}

// What every kind of Alertmanager's packages needs at least.
var least = map[string]string{
	"discord":    `{webhook_url: 'http://h.example/d'}`,
	"email":      `{to: a@example.org, from: b@example.org, smarthost: '127.0.0.1:25'}`,
	"incidentio": `{url: 'http://h.example/i', alert_source_token: T0KEN}`,
	"jira":       `{api_url: 'http://h.example/', project: P, issue_type: Bug}`,
	"mattermost": `{webhook_url: 'http://h.example/m', text: x}`,
	"msteams":    `{webhook_url: 'http://h.example/t'}`,
	"msteamsv2":  `{webhook_url: 'http://h.example/t'}`,
	"opsgenie":   `{api_key: T0KEN, api_url: 'http://h.example/'}`,
	"pagerduty":  `{routing_key: T0KEN, url: 'http://h.example/'}`,
	"pushover":   `{token: T0KEN, user_key: U5ER}`,
	"rocketchat": `{api_url: 'http://h.example/', token: T0KEN, token_id: I0ID, channel: c}`,
	"slack":      `{api_url: 'http://h.example/s', channel: c}`,
	"telegram":   `{bot_token: '1:T0KEN', chat_id: 5, api_url: 'http://h.example'}`,
	"victorops":  `{api_key: T0KEN, routing_key: r, api_url: 'http://h.example/'}`,
	"webex":      `{api_url: 'http://h.example/w', room_id: r, http_config: {authorization: {credentials: T0KEN}}}`,
	"wechat":     `{api_secret: T0KEN, corp_id: c, api_url: 'http://h.example/'}`,
}

// Every kind posts to its receiver, and is heard: an answer that asks for a pause is heeded.
func TestEveryPackage(t *testing.T) {
	for _, b := range brought {
		t.Run(b.kind, func(t *testing.T) {
			rs := load(t, t.TempDir(), "route: {receiver: oncall}\nreceivers: [{name: oncall, "+b.key()+": ["+least[b.kind]+"]}]")
			if len(rs.Warnings) > 0 {
				t.Errorf("warnings %v", rs.Warnings)
			}
			g := rs.Integrations[0]
			if g.Name != "oncall/"+b.kind {
				t.Errorf("name %s", g.Name)
			}
			if b.kind == "email" {
				return // it has a test of its own
			}
			if g.client == nil {
				t.Fatal("its client is not known")
			}
			asked := 0
			g.carry(roundTrip(func(r *http.Request) (*http.Response, error) {
				asked++
				return &http.Response{StatusCode: 429, Header: http.Header{"Retry-After": {"60"}}, Body: io.NopCloser(strings.NewReader("slow down")), Request: r}, nil
			}))
			got := g.post(context.Background(), told(says("Low", alerts.Firing, 1)), time.Now())
			if asked == 0 || got.err == nil || !got.limited || got.after != time.Minute || got.refused || got.unreachable {
				t.Errorf("asked %d times: %+v", asked, got)
			}
			g.carry(roundTrip(func(r *http.Request) (*http.Response, error) {
				return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: io.ErrUnexpectedEOF}
			}))
			got = g.post(context.Background(), told(says("Low", alerts.Firing, 1)), time.Now())
			if got.err == nil || !got.unreachable || strings.Contains(got.err.Error(), "T0KEN") || strings.Contains(got.err.Error(), "h.example") {
				t.Errorf("a broken connection: %+v", got)
			}
		})
	}
}

// Templates that are not there, or that no alert can be put into, are warned of.
func TestBadTemplates(t *testing.T) {
	dir := t.TempDir()
	rs := load(t, dir, `
route: {receiver: oncall}
templates: ['own/*.tmpl']
receivers:
  - name: oncall
    slack_configs:
      - api_url: http://h.example/
        title: '{{ template "own.title" . }}'
        text: '{{ .CommonLabels.alertname }}'
`)
	want := []string{
		dir + `/am.yml:3: templates[0]: ` + dir + `/own/*.tmpl is no file: write one, or remove it`,
		dir + `/am.yml:8: receivers[0].slack_configs[0].title: gives an error for an alert: :1:12: executing "" at <{{template "own.title" .}}>: template "own.title" not defined: correct it: such a notification is not sent`,
	}
	var got []string
	for _, w := range rs.Warnings {
		got = append(got, w.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	write(t, dir, "broken.tmpl", `{{ define "a" }}`)
	if _, err := LoadReceivers(dir+"/am.yml", []byte("route: {receiver: a}\ntemplates: ['*.tmpl']\nreceivers: [{name: a}]")); err == nil || !strings.Contains(err.Error(), "am.yml:2: templates: broken.tmpl:1: unexpected EOF") {
		t.Errorf("a broken file: %v", err)
	}
}

// A message of WeChat is cut to what that takes, wherever its words come from, and says so and
// where the rest is. One that fits stays as it is.
func TestWeChatIsCut(t *testing.T) {
	const least = `api_secret: T0KEN, corp_id: c, api_url: 'http://h.example/'`
	for _, tt := range []struct {
		name, keys string
		alerts     int
		begins     string
		ends       string // "" for whole
	}{
		{"ours", ", language: zh", 200, "Tidewatch：200 条告警", "\n…\n（内容过长，已截断；共 200 条）\nhttp://tide.example"},
		{"Alertmanager's", "", 200, "[FIRING:200]", "\n…\n(cut, since it is too long; 200 alerts in all)\nhttp://tide.example"},
		{"the file's", ", message: '{{ range .Alerts }}{{ .Labels.alertname }} 完播率低。{{ end }}', message_type: markdown", 200, "Low0 完播率低。Low1", "…\n(cut, since it is too long; 200 alerts in all)\nhttp://tide.example"},
		{"one", ", message: '{{ range .Alerts }}{{ .Annotations.long }}{{ end }}'", 1, "xxx", "…\n(cut, since it is too long)\nhttp://tide.example/?kpi=ctr"},
		{"short", ", message: '{{ .Alerts | len }} < \"{{ .CommonAnnotations.value }}\"'", 200, `200 < "0.1"`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := load(t, t.TempDir(), "route: {receiver: oncall}\nreceivers: [{name: oncall, wechat_configs: [{"+least+tt.keys+"}]}]").Integrations[0]
			var body struct{ Text, Markdown struct{ Content string } }
			g.carry(roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
						t.Error(err)
					}
				}
				return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(`{"access_token":"t","errcode":0}`)), Request: r}, nil
			}))
			e := &entry{Group: &bundle{Key: "{}"}}
			for i := range tt.alerts {
				n := says(fmt.Sprint("Low", i), alerts.Firing, 1)
				n.Link, n.ExternalURL = "http://tide.example/?kpi=ctr", "http://tide.example"
				if tt.alerts == 1 {
					n.Annotations["long"] = strings.Repeat("x", 3000)
				}
				e.Group.Alerts = append(e.Group.Alerts, n)
			}
			e.head("g")
			if a := g.post(t.Context(), []*entry{e}, time.Now()); a.err != nil {
				t.Fatal(a.err)
			}
			got := body.Text.Content + body.Markdown.Content
			if len(got) > 2048 || tt.ends != "" && len(got) < 1800 || !utf8.ValidString(got) || !strings.HasPrefix(got, tt.begins) || !strings.HasSuffix(got, tt.ends) || tt.ends == "" && got != tt.begins {
				t.Errorf("%d bytes: %s", len(got), got)
			}
		})
	}
}
