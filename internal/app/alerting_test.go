package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/space"
	"github.com/tidewatch/tidewatch/stream"
)

// webhooks are receivers that take all they are sent.
type webhooks chan string

func (w webhooks) RoundTrip(r *http.Request) (*http.Response, error) {
	w <- r.URL.Host
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// alerting is a configuration with rules and a receiver.
func alerting(t *testing.T, rules string) *config.Config {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	c := config.Default()
	c.Data = filepath.Join(dir, "data")
	c.Rules = []string{file("rules.yml", "groups: [{name: g, rules: ["+rules+"]}]")}
	c.Alertmanager = file("receivers.yml", "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: 'http://ops.example/'}]}]")
	return c
}

// A disk that hangs while notifications are written holds up those, and nobody
// who asks.
func TestOutboxHangs(t *testing.T) {
	c := alerting(t, `{alert: Busy, expr: 'kpi_plays{window="1m"} > 1'}`)
	var hangs atomic.Bool
	hanging, mended := make(chan string), make(chan struct{})
	events, sent := NewLog(), make(webhooks, 1)
	r, err := OpenReplica(c, events, ReplicaOptions{Webhooks: sent, Fault: func(op string) error {
		if strings.HasSuffix(op, "outbox") && hangs.CompareAndSwap(true, false) {
			hanging <- op
			<-mended
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Crash(); err != nil {
			t.Error(err)
		}
	}()

	for i := range 3 {
		at := noon.Add(time.Duration(i) * 20 * time.Second).UnixMilli()
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, i, at))
	}
	hangs.Store(true)
	read := make(chan error, 1)
	go func() { read <- r.Read() }()
	if op := <-hanging; op != "write outbox" {
		t.Errorf("hangs at %q", op)
	}
	w := httptest.NewRecorder()
	req := httptest.NewRequest("GET", "/api/v1/alerts", nil)
	req.Host = "localhost"
	r.Handler().ServeHTTP(w, req)
	var told struct {
		Data struct {
			Alerts     []struct{ Rule, State string }
			Receivers  []struct{ Owed int }
			Deliveries []struct{ Outcome string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if d := told.Data; len(d.Alerts) != 1 || d.Alerts[0].State != "firing" || len(d.Receivers) != 1 || d.Receivers[0].Owed != 1 || len(d.Deliveries) != 1 || d.Deliveries[0].Outcome != "queued" {
		t.Errorf("alerts %s", w.Body)
	}
	if firing, pending := r.Counts(); firing != 1 || pending != 0 {
		t.Errorf("%d firing, %d pending", firing, pending)
	}
	for path, want := range map[string]int{"plays?window=1m": 3, "plays?window=1m&at=2026-11-22T04:00:30Z": 2} {
		if code, a := r.get(t, path); code != 200 || len(a.Data.Samples) != 1 || a.Data.Samples[0].N != want {
			t.Errorf("%s: %d %+v, want %d", path, code, a, want)
		}
	}
	select {
	case to := <-sent:
		t.Errorf("%s got what is not durable", to)
	case err := <-read:
		t.Errorf("came back before its write: %v", err)
	default:
	}
	close(mended)
	if err := <-read; err != nil {
		t.Error(err)
	}
	<-sent
}

// Rules of one selector may ask too, by a template and by what they recover on; and who
// looks at the alerts asks at the same time.
func TestSelectorsAsk(t *testing.T) {
	c := alerting(t, `
{alert: Told, expr: 'kpi_plays{window="1m"} > 1', annotations: {all: '{{ query "sum(kpi_plays{window=\"1m\",by=\"channel\"})" | first | value }}'}},
{alert: Recovers, expr: 'kpi_plays{by="channel",window="1m"} > 1', recover: 'sum by (channel) (kpi_plays{by="channel",window="1m"}) < 1'}`)
	events := NewLog()
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	var looks sync.WaitGroup
	done := make(chan struct{})
	looks.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				r.Alerts()
			}
		}
	})
	for i := range 20 {
		at := noon.Add(time.Duration(i) * time.Second)
		events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"c","watch_ms":1}`, i, at.UnixMilli()))
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	looks.Wait()
	status := r.Alerts()
	for _, rule := range status.Rules {
		if rule.State != alerts.Firing || rule.Health != "ok" {
			t.Errorf("%s: %s, %s", rule.Name, rule.State, rule.LastError)
		}
	}
	for _, a := range status.Alerts {
		if got, want := a.Annotations["all"], a.Annotations["value"]; a.Rule == "Told" && (got != want || got == "") {
			t.Errorf("asked %q, want %q", got, want)
		}
	}
}

// told takes the bodies of notifications.
type told chan []byte

func (c told) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c <- body
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// An alert says what its KPI was a day before, and which values the change comes from.
func TestExplained(t *testing.T) {
	sent := make(told, 10)
	events := NewLog()
	r, err := OpenReplica(alerting(t, `{alert: Few, expr: 'kpi_plays{window="1h"} < 25', for: 30m}`), events, ReplicaOptions{Webhooks: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	id := 0
	hour := func(from time.Duration, channels string) {
		t.Helper()
		for i, channel := range channels {
			if id++; channel == '.' {
				continue
			}
			ms := noon.Add(from + time.Duration(i)*time.Minute).UnixMilli()
			events.Append(ms, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"%c","region":"r","watch_ms":1}`, id, ms, channel))
		}
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	for h := range 24 {
		hour(time.Duration(h)*time.Hour, strings.Repeat("aab", 20))
	}
	hour(24*time.Hour, strings.Repeat("..b", 20))
	hour(25*time.Hour, strings.Repeat("..b", 20))
	var body struct {
		Alerts []struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(<-sent, &body); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"value": "20", "before": "60", "before_at": "2026-11-22T05:22:00.000Z", "contributions": "channel=a 100%"} {
		if got := body.Alerts[0].Annotations[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// An amount that falls to nothing is in the currency that it had, and one that comes in another
// currency says which it had.
func TestExplainedAmount(t *testing.T) {
	for then, want := range map[string]string{
		`"type":"play","watch_ms":1`:                       "0 JPY 10000 ",
		`"type":"pay","amount_minor":100,"currency":"CNY"`: "100 CNY 10000 JPY",
		`"type":"pay","amount_minor":100,"currency":"JPY"`: "100 JPY 10000 ",
	} {
		sent := make(told, 100)
		events := NewLog()
		r, err := OpenReplica(alerting(t, `{alert: Low, expr: 'kpi_gmv_paid{by="channel",window="1m"} < 500'}`), events, ReplicaOptions{Webhooks: sent})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Crash() })
		for i := range 8 {
			of := then
			if i < 5 {
				of = `"type":"pay","amount_minor":10000,"currency":"JPY"`
			}
			ms := noon.Add(time.Duration(i) * time.Minute).UnixMilli()
			events.Append(ms, fmt.Appendf(nil, `{"id":%d,"time":%d,"user_id":"u","channel":"a","order_id":"o%d",%s}`, i, ms, i, of))
		}
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
		var body struct {
			Alerts []struct{ Annotations map[string]string }
		}
		if err := json.Unmarshal(<-sent, &body); err != nil {
			t.Fatal(err)
		}
		a := body.Alerts[0].Annotations
		if got := fmt.Sprint(a["value"], " ", a["currency"], " ", a["before"], " ", a["before_currency"]); got != want {
			t.Errorf("%s: says %q, want %q", then, got, want)
		}
	}
}

// Rules are judged by the goroutine that makes what others wait for.
func TestRulesDoNotWait(t *testing.T) {
	r, err := OpenReplica(alerting(t, `{alert: Many, expr: 'sum(kpi_plays{by="total",window="1m"}) >= 0', annotations: {all: '{{ query "sum(kpi_plays{window=\"1m\",by=\"channel\"})" | len }}'}}`), NewLog(), ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	asked := 0
	r.await = func() { asked++ }
	for i := range 40 {
		at := noon.Add(time.Duration(i) * time.Second)
		r.events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"c","watch_ms":1}`, i, at.UnixMilli()))
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	if asked > 0 {
		t.Errorf("rules waited %d times", asked)
	}
	if firing, _ := r.Counts(); firing != 1 {
		t.Errorf("%d alerts fire, want 1", firing)
	}
}

// An expression is judged by the windows as they stood at the close, also where the
// watermark is beyond it: within its second, or behind a jump of time.
func TestExpressionAtClose(t *testing.T) {
	c := alerting(t, `{alert: Few, expr: 'sum(kpi_plays{by="total",window="1h"}) < 100'}`)
	events, sent := NewLog(), make(webhooks, 100)
	r, err := OpenReplica(c, events, ReplicaOptions{Webhooks: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	play := func(id int, at time.Duration) {
		t.Helper()
		ms := noon.Add(at).UnixMilli()
		events.Append(ms, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"c","watch_ms":1}`, id, ms))
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	fired := func() string {
		var out []string
		for _, a := range r.Alerts().Alerts {
			out = append(out, fmt.Sprint(a.State, " ", a.FiredAt.Sub(noon), " ", *a.Value))
		}
		return strings.Join(out, ", ")
	}
	for i := range 40 {
		play(i, time.Duration(i)*time.Second+400*time.Millisecond)
	}
	if got := fired(); got != "firing 15s 30" {
		t.Errorf("within a second: got %s, want firing 15s 30", got)
	}
	play(40, 50*time.Minute)
	play(41, 50*time.Minute+20*time.Second)
	if got := fired(); got != "firing 15s 41" && got != "firing 15s 40" {
		t.Errorf("behind a jump: got %s, want it to go on", got)
	}
}

// What a receiver refuses is tried again when somebody asks for it.
func TestResend(t *testing.T) {
	to := &troubled{t: t, with: missing}
	events, attempts := NewLog(), make(chan delivery.Delivery, 100)
	r, err := OpenReplica(alerting(t, `{alert: Busy, expr: 'kpi_plays{window="1m"} > 1'}`), events, ReplicaOptions{Webhooks: to, Attempted: func(d delivery.Delivery) { attempts <- d }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Second).UnixMilli()
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, i, at))
	}
	events.Tick(noon.Add(10*time.Second).UnixMilli(), stream.Tick{To: noon.Add(10 * time.Second).UnixMilli()})
	if err := r.Read(); err != nil {
		t.Fatal(err)
	}
	refused := <-attempts
	to.becomes(up)
	ask := func(path string) *httptest.ResponseRecorder {
		w, req := httptest.NewRecorder(), httptest.NewRequest("POST", "/api/v1/deliveries/"+path, nil)
		req.Host = "localhost"
		r.Handler().ServeHTTP(w, req)
		return w
	}
	if w := ask(refused.ID + "/resend?receiver=ops"); w.Code != http.StatusAccepted || !strings.Contains(w.Body.String(), `"id":"`+refused.ID+`"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for d := range attempts {
		if d.Outcome == delivery.Delivered {
			break
		}
	}
	if got := to.saw(); len(got) != 1 || got[0] != (notified{refused.ID, "firing"}) {
		t.Errorf("seen %v", got)
	}
	if w := ask(refused.ID + "/resend"); w.Code != http.StatusNotFound {
		t.Errorf("once it is delivered: %d %s", w.Code, w.Body)
	}
}

// A link about a day opens that day, at whichever moment of it the rule was judged.
func TestLinkOfDay(t *testing.T) {
	c := alerting(t, `{alert: Today, expr: 'kpi_plays{window="today"} > 0'}, {alert: Day, expr: 'kpi_plays{window="day"} > 0'}`)
	events := NewLog()
	midnight := noon.Add(12 * time.Hour) // in Shanghai
	at := func(after time.Duration) int64 { return midnight.Add(after).UnixMilli() }
	events.Append(at(-13*time.Hour), fmt.Appendf(nil, `{"id":"first","time":%d,"type":"click","user_id":"u"}`, at(-13*time.Hour))) // before it nothing is known
	for i, play := range []time.Duration{-12 * time.Hour, -5 * time.Minute, 3 * time.Second} {
		events.Append(at(play), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, i, at(play)))
		for to := play; to < play+10*time.Second; to += time.Second {
			events.Tick(at(play), stream.Tick{To: at(to)})
		}
	}
	events.Tick(at(0), stream.Tick{To: at(time.Minute)})
	var told []alerts.Notification
	r, err := OpenReplica(c, events, ReplicaOptions{Webhooks: make(webhooks, 100), Decided: func(n alerts.Notification) { told = append(told, n) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	days := map[string]bool{}
	for _, later := range []time.Duration{time.Minute, time.Hour, 30 * time.Hour} { // opened then
		events.Tick(at(later), stream.Tick{To: at(later)})
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
		for _, n := range told {
			link, err := url.Parse(n.Link)
			if err != nil {
				t.Fatal(err)
			}
			q := link.Query()
			q.Del("kpi")
			w := httptest.NewRecorder()
			req := httptest.NewRequest("GET", "/api/v1/kpis/plays?"+q.Encode(), nil)
			req.Host = "localhost"
			r.Handler().ServeHTTP(w, req)
			var answer struct{ Data struct{ Start time.Time } }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != http.StatusOK {
				t.Fatalf("%s: %v: %s", n.Link, err, w.Body)
			}
			want := midnight.AddDate(0, 0, -1)
			for want.AddDate(0, 0, 1).UnixMilli() < n.WindowEnd {
				want = want.AddDate(0, 0, 1)
			}
			days[n.Rule+want.String()] = true
			if !answer.Data.Start.Equal(want) {
				t.Errorf("%s %s at %s, opened %s later: it opens %s, want %s: %s", n.Rule, n.Status, time.UnixMilli(n.WindowEnd).UTC(), later, answer.Data.Start, want, n.Link)
			}
		}
	}
	if len(days) != 6 {
		t.Errorf("links of %v", days)
	}
}

// TestMisnamed: who asks what a rule told that there is not hears of that.
func TestMisnamed(t *testing.T) {
	var events Log
	events.Append(time.Now().UnixMilli(), fmt.Appendf(nil, `{"id":1,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, time.Now().UnixMilli()))
	s, err := OpenReplica(alerting(t, `{alert: Never, expr: 'kpi_plays{by="total",window="1m"} < 0'}`), &events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Crash() })
	for rule, want := range map[string]string{"Never": "[]", "never": `["no rule is called \"never\": did you mean Never? GET /api/v1/alerts lists them"]`} {
		w, req := httptest.NewRecorder(), httptest.NewRequest("GET", "/api/v1/alerts/history?rule="+rule, nil)
		req.Host = "localhost"
		s.Handler().ServeHTTP(w, req)
		if !strings.Contains(w.Body.String(), `"warnings":`+want) {
			t.Errorf("%s: %s, want warnings %s", rule, w.Body, want)
		}
	}
}

// A rule whose silence is no good news says so: that it is judged late and why, that nothing comes.
func TestSilenceIsExplained(t *testing.T) {
	c := alerting(t, `{alert: Never, expr: 'kpi_plays{window="1m"} < 0'}`)
	s := openService(t, c)
	read := s.clock.read
	s.clock.read = func() (time.Time, time.Duration) { // so that no tick has time go on
		<-s.stopping
		wall, passed := read()
		return wall.Add(24 * time.Hour), passed
	}
	s.Start()
	at, err := s.broker.Append(t.Context(), fmt.Appendf(nil, `{"id":1,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, time.Now().Add(-time.Hour).UnixMilli()))
	if err == nil {
		err = s.WaitFor(t.Context(), at)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for changed := s.Changes(); err == nil && s.look().live.Watermark() == stream.NoTime; changed = s.Changes() {
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err = errors.Join(err, s.Stop(context.WithoutCancel(t.Context()))); err != nil { // then nothing changes
		t.Fatal(err)
	}
	told := func(what string, state alerts.State, text string, codes ...string) {
		t.Helper()
		w, req := httptest.NewRecorder(), httptest.NewRequest("GET", "/api/v1/alerts", nil)
		req.Host = s.Addr().String()
		s.server.Handler.ServeHTTP(w, req)
		var body struct {
			Data struct{ Rules []alerts.RuleStatus }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || len(body.Data.Rules) != 1 {
			t.Fatalf("%s: %v, %s", what, err, w.Body)
		}
		r := body.Data.Rules[0]
		var got []string
		for _, because := range r.Reasons {
			got = append(got, because.Code)
		}
		if r.State != state || !regexp.MustCompile("^"+text+"$").MatchString(r.Reason) || !slices.Equal(got, codes) {
			t.Errorf("%s: %s, %q, %q; want %s, %q, %q", what, r.State, r.Reason, got, state, text, codes)
		}
	}
	const late = `judged up to \S+:\d\d\.\d{3}Z, 1h0m\d+s behind the clock: `
	told("time goes on from old events", alerts.Delayed, late+`the newest event was that old when it came, and time goes on from it`, "events_old")
	s.lane.progress.lastMove.Store(time.Now().Add(-3 * time.Minute).UnixMilli())
	told("time stands still", alerts.Delayed, late+`time does not go on, .* see /-/ready and the log`, "halted")
	s.lane.progress.end.Store(at + 3)
	told("a backlog", alerts.Delayed, late+"3 messages wait in the stream", "backlog")
	for code, why := range map[string]error{
		"memory": reason.Memory.Of(reason.Args{"budget": 64, "used": 70}),
		"disk":   fmt.Errorf("checkpoint: write pages: %w", noRoom),
		"said":   errors.New("signals are not out"),
	} {
		s.stalled.Store(&why)
		told("a pause", alerts.Delayed, late+regexp.QuoteMeta(reason.Text([]reason.Reason{pausedBy(why)})), "paused", code)
	}
	s.timing.Disorder = 2 * time.Hour // so it is not late
	told("in time", alerts.Inactive, "the condition does not hold", "holds_not")
	s.lane.progress.lastEvent.Store(time.Now().Add(-3 * time.Minute).UnixMilli())
	told("without events", alerts.Inactive, `the condition does not hold; no event has been counted for 3m0s`, "holds_not", "silent")
}

var noRoom = &space.Shortage{Dir: "/data", Free: 3 << 20, Needed: 256 << 20, For: errors.New("no room")}

// What has a pause is told with its figures.
func TestPausedBy(t *testing.T) {
	got := pausedBy(fmt.Errorf("checkpoint: %w", noRoom))
	if want := "no room on disk: 3 MiB free at /data, 256 MiB needed: make room"; got.Code != "disk" || got.Text != want {
		t.Errorf("got %s %q, want disk %q", got.Code, got.Text, want)
	}
	s := &Service{engine: &engine{config: &config.Config{MemoryBudget: 1 << 20}}, flight: newFlight()}
	_, why := s.overBudget()
	if got := pausedBy(why); got.Code != "memory" || got.Args["budget"] != uint64(1) {
		t.Errorf("got %+v, want memory_budget of 1 MiB", got)
	}
}
