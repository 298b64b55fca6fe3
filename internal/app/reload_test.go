package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/config"
)

// Rules that are read anew are at work at once, also while nothing comes in; alerts that
// fire go on, those of rules that are gone resolve, and bad files change nothing.
func TestReload(t *testing.T) {
	const busy, over = `{alert: Busy, expr: 'kpi_plays{by="channel",window="1m"} > 1'}`, `{alert: Over, expr: 'sum(kpi_plays{by="channel",window="1m"}) > 1'}`
	c := alerting(t, busy+", "+over)
	events, sent := NewLog(), make(webhooks, 100)
	r, err := OpenReplica(c, events, ReplicaOptions{Webhooks: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	second := 0
	play := func(n int) {
		t.Helper()
		for range n {
			at := noon.Add(time.Duration(second) * time.Second)
			events.Append(at.UnixMilli(), fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"c","watch_ms":1}`, second, at.UnixMilli()))
			second++
		}
		if err := r.Read(); err != nil {
			t.Fatal(err)
		}
	}
	write := func(rules string) error {
		t.Helper()
		if err := os.WriteFile(c.Rules[0], []byte("groups: [{name: g, rules: ["+rules+"]}]"), 0o600); err != nil {
			t.Fatal(err)
		}
		return r.Reload(t.Context())
	}
	states := func() (out []string) {
		for _, a := range r.Alerts().Alerts {
			out = append(out, fmt.Sprint(a.Rule, " ", a.State, " ", a.FiredAt.Sub(noon)))
		}
		slices.Sort(out)
		return out
	}
	play(40)
	before := states()
	if len(before) != 2 {
		t.Fatalf("before: %q", before)
	}
	if err := write(busy + ", {alert: Under, expr: 'kpi_plays{by=\"channel\",window=\"1m\"} < 1000', for: 1s}"); err != nil {
		t.Fatal(err)
	}
	if got := states(); !slices.Contains(got, before[slices.IndexFunc(before, func(s string) bool { return strings.HasPrefix(s, "Busy") })]) {
		t.Errorf("at once: %q, want what fired to go on: %q", got, before)
	}
	play(20)
	got := states()
	if len(got) != 2 || !strings.HasPrefix(got[0], "Busy firing") || !strings.HasPrefix(got[1], "Under firing") {
		t.Errorf("by other rules: %q", got)
	}
	if err := write("{alert: Busy, expr: 'kpi_playz > 1'}"); err == nil || !strings.Contains(err.Error(), "kpi_playz is no KPI") {
		t.Errorf("bad rules: %v", err)
	}
	if again := states(); !slices.Equal(again, got) {
		t.Errorf("after bad rules: %q, want %q", again, got)
	}
	if n := slices.IndexFunc(r.Alerts().Rules, func(s alerts.RuleStatus) bool { return s.Name == "Over" }); n >= 0 {
		t.Error("the rule that is gone is listed")
	}
}

// Receivers are exchanged with the rules: those that are gone hear nothing more, others hear
// the end of what fires, and a bad file changes neither.
func TestReloadReceivers(t *testing.T) {
	c := alerting(t, `{alert: Busy, expr: 'kpi_plays{by="channel",window="1m"} > 1'}`)
	events, sent := NewLog(), make(webhooks, 100)
	r, err := OpenReplica(c, events, ReplicaOptions{Webhooks: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	for i := range 5 {
		at := noon.Add(time.Duration(i) * time.Second).UnixMilli()
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","channel":"c","watch_ms":1}`, i, at))
	}
	if err := r.Read(); err != nil {
		t.Fatal(err)
	}
	if to := <-sent; to != "ops.example" {
		t.Errorf("sent to %s", to)
	}
	reload := func(receivers, rules string) error {
		t.Helper()
		for name, text := range map[string]string{c.Alertmanager: receivers, c.Rules[0]: "groups: [{name: g, rules: [" + rules + "]}]"} {
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return r.Reload(t.Context())
	}
	if err := reload("route: {receiver: nobody}\nreceivers: []", ""); err == nil || !strings.Contains(err.Error(), `"nobody" is no receiver of this file`) {
		t.Errorf("bad receivers: %v", err)
	}
	if v := r.Alerts(); len(v.Rules) != 1 || len(v.Receivers) != 1 || v.Receivers[0].Name != "ops" {
		t.Errorf("after bad receivers: rules %v, receivers %v", v.Rules, v.Receivers)
	}
	// The rule is gone at the same time: the next close resolves its alert.
	if err := reload("route: {receiver: night}\nreceivers: [{name: night, webhook_configs: [{url: 'http://night.example/'}]}]", ""); err != nil {
		t.Fatal(err)
	}
	if v := r.Alerts(); len(v.Rules) != 0 || len(v.Receivers) != 1 || v.Receivers[0].Name != "night" {
		t.Errorf("rules %v, receivers %v", v.Rules, v.Receivers)
	}
	at := noon.Add(10 * time.Second).UnixMilli()
	events.Append(at, fmt.Appendf(nil, `{"id":"x","time":%d,"type":"play","user_id":"u","channel":"d","watch_ms":1}`, at))
	if err := r.Read(); err != nil {
		t.Fatal(err)
	}
	if to := <-sent; to != "night.example" {
		t.Errorf("the resolve was sent to %s", to)
	}
}

// That files were refused is told until good ones are at work, also to who did not ask for it,
// and the service stays ready.
func TestReloadRefused(t *testing.T) {
	const good, bad = `{alert: Busy, expr: 'kpi_plays{window="1m"} > 1'}`, `{alert: Busy, expr: 'kpi_playz > 1'}`
	c := alerting(t, good)
	r, err := OpenReplica(c, NewLog(), ReplicaOptions{Webhooks: make(webhooks, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	began := r.Alerts().Reload.SucceededAt
	for _, step := range []struct {
		rules, receivers string
		refused          string
	}{
		{"", "", ""},
		{bad, "", "kpi_playz is no KPI"},
		{good, "route: {receiver: nobody}", `"nobody" is no receiver of this file`},
		{bad, "", "kpi_playz is no KPI"},
		{good, "route: {receiver: ops}\nreceivers: [{name: ops}]", ""},
	} {
		for file, text := range map[string]string{c.Rules[0]: "groups: [{name: g, rules: [" + step.rules + "]}]", c.Alertmanager: step.receivers} {
			if step.rules == "" || text == "" {
				continue // as it began
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if step.rules != "" {
			if err := r.Reload(t.Context()); (err != nil) != (step.refused != "") {
				t.Fatalf("reload: %v, want %q", err, step.refused)
			}
		}
		var page strings.Builder
		for _, f := range r.reloads.families() {
			f.write(&page)
		}
		good := fmt.Sprintf("tidewatch_config_last_reload_successful %d\n", map[bool]int{true: 1}[step.refused == ""])
		if !strings.Contains(page.String(), good) {
			t.Errorf("after %q: no %s in %s", step.rules, good, page.String())
		}
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8080/api/v1/alerts", nil))
		var answer struct {
			Data struct{ Reload map[string]any }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		told := answer.Data.Reload
		if text, ok := told["error"].(string); !ok || !strings.Contains(text, step.refused) || (text == "") != (step.refused == "") || (told["failed_at"] == nil) != (step.refused == "") {
			t.Errorf("after %q: told %v", step.rules, told)
		}
		w = httptest.NewRecorder()
		r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1:8080/-/ready", nil))
		if w.Code != 200 {
			t.Errorf("after %q: not ready: %s", step.rules, w.Body)
		}
	}
	if last := r.Alerts().Reload; !last.SucceededAt.After(began.Time) {
		t.Errorf("succeeded at %s, began at %s", last.SucceededAt, began)
	}
}

// What of the configuration takes a restart is in the log, though the rest is at work, or refused.
func TestReloadTakesRestart(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("rules.yml", `groups: [{name: g, rules: [{alert: Busy, expr: 'kpi_plays{window="1m"} > 1'}]}]`)
	const kpis = "kpis: [{name: mine, title: {en: Mine, zh: 我的}, count: {where: 'type == \"play\"'}, windows: [1m]}]"
	write("kpis.yml", kpis)
	write("config.yaml", "kpis: [kpis.yml]\nrules: [rules.yml]\ndata: data\n")
	c, err := config.Load(filepath.Join(dir, "config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := OpenReplica(c, NewLog(), ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	r.configured = func() (*config.Config, error) { return config.Load(filepath.Join(dir, "config.yaml")) }
	var log strings.Builder
	r.log = zerolog.New(&log)
	for _, tt := range []struct {
		config, kpis string
		want         string
		bad          bool
	}{
		{"rules: []\ndata: data\n", kpis, "", false},
		{"rules: [rules.yml]\ndata: data\nlateness: 20m\nlisten: 127.0.0.1:9000\n", kpis, `"keys":["lateness","listen"]`, false},
		{"rules: [config.yaml]\nlateness: 20m\n", kpis, `"keys":["lateness","data"]`, true},
		{"rules: []\ndata: data\n", strings.Replace(kpis, "Mine", "Ours", 1), `"keys":["kpis"]`, false},
		{"rules: []\ndata: data\n", kpis, "", false},
	} {
		log.Reset()
		write("config.yaml", "kpis: [kpis.yml]\n"+tt.config)
		write("kpis.yml", tt.kpis)
		if err := r.Reload(t.Context()); (err != nil) != tt.bad {
			t.Errorf("%s: %v", tt.config, err)
		}
		if got := log.String(); !strings.Contains(got, tt.want) || strings.Contains(got, "takes a restart") != (tt.want != "") {
			t.Errorf("%s: logged %s", tt.config, got)
		}
	}
}

// Why files were refused is in the log, whoever asked for it.
func TestReloadLogged(t *testing.T) {
	c := alerting(t, `{alert: Busy, expr: 'kpi_plays{window="1m"} > 1'}`)
	r, err := OpenReplica(c, NewLog(), ReplicaOptions{Webhooks: make(webhooks, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	var log strings.Builder
	r.log = zerolog.New(&log)
	if err := os.WriteFile(c.Rules[0], []byte("groups: [{name: g, rules: [{alert: Busy, expr: 'kpi_playz > 1'}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("POST", "http://127.0.0.1:8080/-/reload", nil))
	if w.Code != 400 || !strings.Contains(log.String(), "kpi_playz is no KPI") {
		t.Errorf("answered %d, logged %q", w.Code, log.String())
	}
}

// Who reloads waits for an epoch that has what is in, as long as one can come soon.
func TestSettle(t *testing.T) {
	why := errors.New("the disk is full")
	for _, tt := range []struct {
		name    string
		arrange func(s *Service)
		took    time.Duration
		told    bool // that there is none
	}{
		{"is there", func(s *Service) { s.lane.progress.committed.Store(5) }, 0, false},
		{"comes", func(s *Service) {
			go func() {
				<-s.unsettled
				s.lane.progress.committed.Store(5)
			}()
		}, 2 * time.Millisecond, false},
		{"does not come", func(*Service) {}, settling, true},
		{"cannot come", func(s *Service) { s.commitTrouble.Store(&why) }, 0, true},
		{"while all is done again", func(s *Service) { s.lane.quietTo = 6 }, 0, false},
		{"at a stop", func(s *Service) { close(s.stopping) }, 0, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			s := &Service{engine: &engine{lane: &lane{}, log: zerolog.New(&log)}, stopping: make(chan struct{}), unsettled: make(chan struct{}, 1)}
			s.lane.progress.position.Store(5)
			tt.arrange(s)
			began := time.Now()
			s.settle(t.Context())
			if took, told := time.Since(began), log.Len() > 0; took.Truncate(10*time.Millisecond) != tt.took.Truncate(10*time.Millisecond) || told != tt.told {
				t.Errorf("%s: took %s, told %s", tt.name, took, log.String())
			}
		})
	}
}
