package endtoend

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/chats"
)

// A page is the body of a webhook call.
type page struct {
	Version, Status, Receiver string
	GroupLabels               map[string]string
	Alerts                    []struct {
		Status              string
		Labels, Annotations map[string]string
		StartsAt, EndsAt    time.Time
		GeneratorURL        string
		Fingerprint         string
	}
	key string // the Idempotency-Key
}

// A pager receives webhooks; while it is down it answers 503.
type pager struct {
	url string

	mu      sync.Mutex
	down    bool
	refused int
	pages   []page
}

func newPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		p.refused++
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	body, err := io.ReadAll(r.Body)
	got := page{key: r.Header.Get("Idempotency-Key")}
	if err == nil {
		err = json.Unmarshal(body, &got)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.pages = append(p.pages, got)
}

func (p *pager) set(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *pager) received() ([]page, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]page(nil), p.pages...), p.refused
}

// await waits for exactly n pages.
func (p *pager) await(t *testing.T, n int) []page {
	t.Helper()
	var got []page
	eventually(t, fmt.Sprintf("%d pages", n), func() bool { got, _ = p.received(); return len(got) >= n }, func() any { return got })
	if len(got) != n {
		t.Fatalf("%d pages, want %d: %+v", len(got), n, got)
	}
	return got
}

const completionRule = `
groups:
  - name: content
    rules:
      - alert: CompletionLow
        expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.25'
        for: 5s
        min_samples: 20
        labels: {severity: page}
        annotations: {summary: 'completion on {{ $labels.channel }}'}
`

// watching is a service with the rule above and a pager, to be started.
func watching(t *testing.T, config string) (*service, *pager) {
	t.Helper()
	p := newPager(t)
	s := newService(t, config+"rules: [rules.yml]\nalertmanager: am.yml\n")
	s.file(t, "rules.yml", completionRule)
	s.file(t, "am.yml", fmt.Sprintf("route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: %q}]}]\n", p.url))
	return s, p
}

// watch posts n plays at a time, so many of them watched to the end.
func (s *service) watch(t *testing.T, at time.Time, n, complete int) {
	t.Helper()
	var lines []string
	for i := range n {
		watched := 1000
		if i < complete {
			watched = 10_000
		}
		lines = append(lines, event(fmt.Sprint("w", at.UnixMilli(), ".", i), at, "play", "channel", "douyin", "watch_ms", watched, "duration_ms", 10_000))
	}
	s.post(t, lines...)
}

// follow opens the link of a page: people see the live page, whose address says
// what to ask for.
func (s *service) follow(t *testing.T, link string) {
	t.Helper()
	at, err := url.Parse(link)
	if err != nil || !strings.HasPrefix(link, s.url("/?")) {
		t.Fatalf("the link %q is not to the page at %s", link, s.addr)
	}
	res, err := client.Get(link)
	if err != nil {
		t.Fatalf("the link: %v", err)
	}
	res.Body.Close()
	if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		t.Errorf("the link %s answers %d %s", link, res.StatusCode, kind)
	}
	query := at.Query()
	kpi := query.Get("kpi")
	query.Del("kpi")
	var linked answer
	s.get(t, "/api/v1/kpis/"+kpi+"?"+query.Encode(), &linked)
	if x := linked.Samples; len(x) != 1 || x[0].Numerator != 6 || x[0].Denominator != 40 {
		t.Errorf("the link %s means %+v", link, linked)
	}
}

// told waits until the service knows that a page has been received: killed
// before that, it has to repeat it, under the same key.
func (s *service) told(t *testing.T, key string) {
	t.Helper()
	var shown struct {
		Deliveries []struct{ ID, Outcome string }
	}
	eventually(t, "delivery of "+key, func() bool {
		s.get(t, "/api/v1/alerts", &shown)
		for _, d := range shown.Deliveries {
			if d.ID == key && d.Outcome == "delivered" {
				return true
			}
		}
		return false
	}, func() any { return shown })
}

func TestAlertLifecycle(t *testing.T) {
	t.Parallel()
	s, p := watching(t, "")
	s.addr = "127.0.0.1:0" // links name the port that this becomes
	s.start(t)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.watch(t, begin, 19, 0) // too few to judge
	s.close(t, begin.Add(20*time.Second))
	s.watch(t, begin.Add(20*time.Second), 21, 6) // 6 of 40
	s.close(t, begin.Add(22*time.Second))
	if got, _ := p.received(); len(got) != 0 {
		t.Fatalf("paged before the condition held for 5 s: %+v", got)
	}
	s.close(t, begin.Add(30*time.Second))
	firing := p.await(t, 1)[0]
	if firing.Version != "4" || firing.Status != "firing" || firing.Receiver != "ops" || len(firing.Alerts) != 1 || firing.key == "" {
		t.Fatalf("page %+v", firing)
	}
	a := firing.Alerts[0]
	for k, want := range map[string]string{
		"value": "0.15", "numerator": "6", "denominator": "40", "n": "40", "threshold": "0.25", "window": "1m",
		"summary": "completion on douyin", "notification_id": firing.key,
	} {
		if a.Annotations[k] != want {
			t.Errorf("annotation %s is %q, want %q", k, a.Annotations[k], want)
		}
	}
	for k, want := range map[string]string{"alertname": "CompletionLow", "severity": "page", "channel": "douyin"} {
		if a.Labels[k] != want {
			t.Errorf("label %s is %q, want %q", k, a.Labels[k], want)
		}
	}
	if a.Annotations["freshness"] == "" || a.StartsAt.Before(begin.Add(25*time.Second)) || a.StartsAt.After(begin.Add(31*time.Second)) {
		t.Errorf("alert %+v", a)
	}
	s.follow(t, a.Annotations["link"])
	var shown struct {
		Alerts []struct{ Rule, State string }
	}
	s.get(t, "/api/v1/alerts", &shown)
	if len(shown.Alerts) != 1 || shown.Alerts[0].State != "firing" {
		t.Errorf("the service shows %+v", shown)
	}

	s.watch(t, begin.Add(40*time.Second), 60, 60)
	s.close(t, begin.Add(42*time.Second))
	resolved := p.await(t, 2)[1]
	b := resolved.Alerts[0]
	if resolved.Status != "resolved" || b.Fingerprint != a.Fingerprint || b.EndsAt.Before(b.StartsAt) || !b.StartsAt.Equal(a.StartsAt) || resolved.key == firing.key {
		t.Errorf("resolved %+v\nafter %+v", resolved, firing)
	}
	s.stop(t)
	s.start(t)
	s.close(t, begin.Add(50*time.Second))
	p.await(t, 2)
}

// However the service ends while an alert fires, people are paged once, and
// once more when it resolves.
func TestAlertThroughCrashes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, config string }{
		{"epochs all the time", "checkpoint_interval: 20ms\n"},
		{"no epoch", "checkpoint_interval: 10m\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, p := watching(t, c.config)
			s.start(t)
			begin := time.Now().Add(-time.Hour).Truncate(time.Second)
			s.watch(t, begin, 40, 0)
			s.close(t, begin.Add(2*time.Second)) // pending
			s.kill(t)
			s.start(t)
			s.close(t, begin.Add(10*time.Second))
			first := p.await(t, 1)[0]
			s.told(t, first.key)
			for i := range 3 {
				s.kill(t)
				s.start(t)
				s.close(t, begin.Add(time.Duration(11+i)*time.Second))
			}
			p.await(t, 1)
			s.watch(t, begin.Add(20*time.Second), 100, 100)
			s.kill(t)
			s.start(t)
			s.close(t, begin.Add(22*time.Second))
			last := p.await(t, 2)[1]
			s.told(t, last.key)
			s.kill(t)
			s.start(t)
			s.close(t, begin.Add(30*time.Second))
			got := p.await(t, 2)
			if last.Status != "resolved" || first.Status != "firing" || last.Alerts[0].Fingerprint != first.Alerts[0].Fingerprint || last.key == first.key {
				t.Errorf("pages %+v", got)
			}
			var past struct {
				Alerts []struct {
					FiredAt     time.Time `json:"fired_at"`
					ResolvedAt  time.Time `json:"resolved_at"`
					Annotations struct {
						ID string `json:"notification_id"`
					}
					Told []struct{ Receiver, Status, Outcome string }
				}
			}
			s.get(t, "/api/v1/alerts/history", &past)
			if len(past.Alerts) != 1 || fmt.Sprint(past.Alerts[0].Told) != "[{ops firing delivered} {ops resolved delivered}]" {
				t.Fatalf("history %+v, want one alert that was told", past)
			}
			if a, b := past.Alerts[0], last.Alerts[0]; a.Annotations.ID != first.key || !a.FiredAt.Equal(b.StartsAt) || !a.ResolvedAt.Equal(b.EndsAt) {
				t.Errorf("history %+v, told %+v", a, b)
			}
		})
	}
}

// A receiver that is down gets what it missed, once, also from another process.
func TestReceiverDown(t *testing.T) {
	t.Parallel()
	s, p := watching(t, "")
	s.start(t)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	p.set(true)
	s.watch(t, begin, 40, 0)
	s.close(t, begin.Add(2*time.Second))
	s.close(t, begin.Add(10*time.Second))
	var shown struct {
		Deliveries []struct{ ID, Status, Outcome, Error string }
	}
	retrying := func() string {
		eventually(t, "a delivery that is retried", func() bool {
			s.get(t, "/api/v1/alerts", &shown)
			return len(shown.Deliveries) == 1 && shown.Deliveries[0].Outcome == "retrying"
		}, func() any { return shown })
		match(t, shown.Deliveries[0].Error, "503")
		return shown.Deliveries[0].ID
	}
	id := retrying()
	s.kill(t)
	s.start(t)
	if again := retrying(); again != id {
		t.Errorf("notification %s after the crash, %s before", again, id)
	}
	p.set(false)
	if got := p.await(t, 1)[0]; got.key != id || got.Status != "firing" {
		t.Errorf("page %+v, want %s firing", got, id)
	}

	// While it is down the alert resolves: only that is told.
	p.set(true)
	_, before := p.received()
	s.watch(t, begin.Add(20*time.Second), 200, 200)
	s.close(t, begin.Add(22*time.Second))
	eventually(t, "another attempt", func() bool { _, n := p.received(); return n > before }, func() any { return before })
	p.set(false)
	if got := p.await(t, 2)[1]; got.Status != "resolved" {
		t.Errorf("page %+v, want it resolved", got)
	}
}

// A silence outlives the process however it ends; what it held back is told when it is
// over, what was not silenced at once.
func TestSilenceThroughCrashes(t *testing.T) {
	t.Parallel()
	s, p := watching(t, "checkpoint_interval: 20ms\n")
	s.start(t)
	now := time.Now()
	silence := fmt.Sprintf(`{"matchers":[{"name":"channel","value":"dou.*","isRegex":true}],"startsAt":%q,"endsAt":%q,"createdBy":"ann","comment":"works"}`,
		now.Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339))
	const path = "/alertmanager/api/v2/silence"
	var made struct{ SilenceID string }
	s.manage(t, "POST", path+"s", silence, &made)
	s.kill(t)
	s.start(t)
	begin := time.Now().Add(-20 * time.Second).Truncate(time.Second) // rules are judged as of about now
	s.watch(t, begin, 40, 0)
	s.close(t, begin.Add(2*time.Second))
	s.close(t, begin.Add(10*time.Second))
	var shown struct {
		Alerts []struct {
			State      string
			SilencedBy []string `json:"silenced_by"`
		}
	}
	held := func() {
		t.Helper()
		eventually(t, "an alert that is silenced", func() bool {
			s.get(t, "/api/v1/alerts", &shown)
			return len(shown.Alerts) == 1 && shown.Alerts[0].State == "firing" && fmt.Sprint(shown.Alerts[0].SilencedBy) == "["+made.SilenceID+"]"
		}, func() any { return shown })
		if got, _ := p.received(); len(got) != 0 {
			t.Errorf("told %+v", got)
		}
	}
	held()
	s.kill(t)
	s.start(t)
	held()
	s.manage(t, "DELETE", path+"/"+made.SilenceID, "", nil)
	if got := p.await(t, 1)[0]; got.Status != "firing" {
		t.Errorf("told %+v", got)
	}
	var listed []struct{ Status struct{ State string } }
	s.kill(t)
	s.start(t)
	s.manage(t, "GET", path+"s", "", &listed)
	if len(listed) != 1 || listed[0].Status.State != "expired" {
		t.Errorf("silences %+v", listed)
	}
}

// manage speaks Alertmanager's API, once the service answers.
func (s *service) manage(t *testing.T, method, path, body string, into any) {
	t.Helper()
	var r *reply
	eventually(t, method+" "+path, func() bool {
		req, err := http.NewRequest(method, s.url(path), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		r, err = send(req)
		return err == nil && r.code == http.StatusOK
	}, func() any { return r })
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v: %s", err, r.body)
	}
}

// A robot of Feishu is told in Chinese, signed, what is wrong and where to look; while it
// is deaf nothing is lost, a restart included, and of nothing the log tells its secrets.
func TestAlertsInAChat(t *testing.T) {
	t.Parallel()
	chat := chats.Feishu("t0ken-of-the-robot", "SECret-of-the-robot")
	server := httptest.NewServer(chat)
	t.Cleanup(server.Close)
	s := newService(t, "rules: [rules.yml]\nalertmanager: am.yml\ntimezone: Asia/Shanghai\n")
	s.file(t, "rules.yml", completionRule)
	s.file(t, "robot", server.URL+chat.Address())
	s.file(t, "secret", "SECwrong-one")
	s.file(t, "am.yml", "route: {receiver: ops}\nreceivers: [{name: ops, feishu_configs: [{url_file: robot, secret_file: secret, mention: [ou_1]}]}]\n")
	s.addr = "127.0.0.1:0" // links name the port that this becomes
	s.start(t)
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	s.watch(t, begin, 19, 0) // too few to judge
	s.close(t, begin.Add(20*time.Second))
	s.watch(t, begin.Add(20*time.Second), 21, 6) // 6 of 40
	s.close(t, begin.Add(22*time.Second))
	s.close(t, begin.Add(30*time.Second))
	var shown struct {
		Deliveries []struct{ ID, Receiver, Outcome, Error string }
	}
	eventually(t, "a refusal", func() bool {
		s.get(t, "/api/v1/alerts", &shown)
		return len(shown.Deliveries) == 1 && shown.Deliveries[0].Outcome == "retrying"
	}, func() any { return shown })
	if d := shown.Deliveries[0]; d.Receiver != "ops/feishu" || d.Error != "Feishu answered 19021 (sign match fail or timestamp is not within one hour from current time): correct the secret, or this machine's clock" {
		t.Errorf("delivery %+v", d)
	}
	s.kill(t)
	s.file(t, "secret", chat.Secret+"\n")
	s.start(t)
	s.told(t, shown.Deliveries[0].ID)
	got := chat.Shown()
	if len(got) != 1 || got[0].Title != "Tidewatch 告警：CompletionLow" || got[0].Colour != "red" || fmt.Sprint(got[0].Mentioned) != "[ou_1]" {
		t.Fatalf("shown %+v", got)
	}
	for _, part := range []string{"completion on douyin", "**完播率**：15%（95% 置信区间", "n = 40）", "低于 25%，窗口 1 分钟", "已持续", "发送时已过", "channel=douyin"} {
		if !strings.Contains(got[0].Text, part) {
			t.Errorf("no %q in\n%s", part, got[0].Text)
		}
	}
	_, link, _ := strings.Cut(got[0].Text, "[打开看板](")
	link, _, _ = strings.Cut(link, ")")
	s.follow(t, link)

	s.watch(t, begin.Add(40*time.Second), 60, 60)
	s.close(t, begin.Add(42*time.Second))
	eventually(t, "the resolve", func() bool { return len(chat.Shown()) == 2 }, func() any { return chat.Shown() })
	if m := chat.Shown()[1]; m.Title != "Tidewatch 恢复：CompletionLow" || m.Colour != "green" || len(m.Mentioned) != 0 || !strings.Contains(m.Text, "当前完播率") {
		t.Errorf("shown %+v", m)
	}
	s.stop(t)
	for _, log := range append(s.past, s.text()) {
		if strings.Contains(log, "t0ken") || strings.Contains(log, "SEC") {
			t.Errorf("the log tells secrets:\n%s", log)
		}
	}

	out, err := exec.Command(binary, "alert", "send-test", "--alertmanager", filepath.Join(s.files, "am.yml")).CombinedOutput()
	if n := len(chat.Shown()); err != nil || n != 3 || !strings.Contains(chat.Shown()[n-1].Title, "TidewatchTest") {
		t.Errorf("send-test: %v, %d messages\n%s", err, n, out)
	}
	s.file(t, "secret", "SECwrong-one")
	out, err = exec.Command(binary, "alert", "send-test", "--alertmanager", filepath.Join(s.files, "am.yml")).CombinedOutput()
	if exitCode(err) != 1 || strings.Contains(string(out), "SEC") {
		t.Errorf("send-test with a wrong secret: %v", err)
	}
	match(t, string(out), "send to ops/feishu: Feishu answered 19021", "correct the secret")
}
