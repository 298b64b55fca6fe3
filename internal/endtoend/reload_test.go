package endtoend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Rules are read anew by a signal and by a request, without a restart; bad ones are told
// with their place.
func TestReload(t *testing.T) {
	t.Parallel()
	s := newService(t, "rules: [rules.yml]\n")
	write := func(rules string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.files, "rules.yml"), []byte("groups: [{name: g, rules: ["+rules+"]}]"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{alert: Before, expr: 'kpi_plays{window="5m"} < 1'}`)
	s.start(t)
	s.post(t, event("1", time.Now(), "play", "watch_ms", 1, "user_id", "a"))
	s.awaitReceived(t, 1)
	rules := func() string {
		t.Helper()
		r, err := s.do("GET", "/api/v1/alerts", "")
		if err != nil {
			t.Fatal(err)
		}
		return r.body
	}
	write(`{alert: Asked, expr: 'sum(kpi_plays{window="5m"}) < 1'}`)
	if r, err := s.do("POST", "/-/reload", ""); err != nil || r.code != 200 {
		t.Fatalf("%v %+v", err, r)
	}
	if got := rules(); !strings.Contains(got, `"name":"Asked"`) || strings.Contains(got, `"name":"Before"`) {
		t.Errorf("after the request: %s", got)
	}
	write(`{alert: Bad, expr: 'sum(kpi_playz{window="5m"}) < 1'}`)
	if r, err := s.do("POST", "/-/reload", ""); err != nil || r.code != 400 || !strings.Contains(r.body, "rules.yml:1: groups[0].rules[0].expr: kpi_playz is no KPI of the catalogue") {
		t.Errorf("of bad rules: %v %+v", err, r)
	}
	if got := rules(); !strings.Contains(got, `"name":"Asked"`) {
		t.Errorf("after bad rules: %s", got)
	}
	write(`{alert: Signalled, expr: 'kpi_plays{window="5m"} < 1'}`)
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); !strings.Contains(rules(), `"name":"Signalled"`); {
		if time.Now().After(deadline) {
			t.Fatalf("after the signal: %s", rules())
		}
	}
	write(`{alert: Kept, expr: 'kpi_plays{window="5m"} < 1'}`)
	s.file(t, "more.yml", `groups: [{name: more, rules: [{alert: Added, expr: 'kpi_plays{window="5m"} < 1'}]}]`)
	s.file(t, "am.yml", "route: {receiver: r}\nreceivers: [{name: r, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]")
	for _, c := range []struct{ config, receivers, warnings string }{
		{"rules: [rules.yml, more.yml]\nalertmanager: am.yml\n", `"receivers":[{"name":"r"`, `[]`},
		{"rules: [rules.yml, more.yml]\nlateness: 20m\ncurrency: CNY\n", `"receivers":[]`, `["what has changed of these keys of the configuration takes a restart: lateness, currency"]`},
		{"rules: [rules.yml, more.yml]\n", `"receivers":[]`, `[]`},
	} {
		s.file(t, "config.yaml", c.config)
		if r, err := s.do("POST", "/-/reload", ""); err != nil || r.code != 200 || !strings.Contains(r.body, `"warnings":`+c.warnings) {
			t.Fatalf("%v %+v", err, r)
		}
		if got := rules(); !strings.Contains(got, `"name":"Kept"`) || !strings.Contains(got, `"name":"Added"`) || !strings.Contains(got, c.receivers) {
			t.Errorf("after a reload of %q: %s", c.config, got)
		}
	}
	s.file(t, "config.yaml", "rules: [nowhere.yml]\n")
	if r, err := s.do("POST", "/-/reload", ""); err != nil || r.code != 400 || !strings.Contains(r.body, "nowhere.yml") {
		t.Errorf("of a file that is not there: %v %+v", err, r)
	}
	s.alive(t)
}

// A hang-up during the start waits until the service is up.
func TestHangUpDuringStart(t *testing.T) {
	t.Parallel()
	s := newService(t, "rules: [rules.yml]\n")
	s.file(t, "rules.yml", `groups: [{name: g, rules: [{alert: Few, expr: 'kpi_plays{window="5m"} < 1'}]}]`)
	s.launch(t)
	if !s.says(`"starting"`) {
		t.Fatalf("it does not start:\n%s", s.text())
	}
	if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if !s.says("listening on ") || !s.says("rules and receivers were read anew") {
		t.Errorf("it is not up, or has not reloaded:\n%s", s.text())
	}
}

// Rules that were read anew judge nothing before that, through a crash either.
func TestReloadedBeforeCrash(t *testing.T) {
	t.Parallel()
	s := newService(t, "rules: [rules.yml]\ncheckpoint_interval: 10m\n")
	s.file(t, "rules.yml", "groups: []")
	s.start(t)
	begin := time.Now().Add(-5 * time.Minute)
	for i := range 4 {
		s.post(t, event(fmt.Sprint(i), begin.Add(time.Duration(i)*time.Minute), "play", "watch_ms", 1, "user_id", "a"))
	}
	s.awaitReceived(t, 4)
	s.file(t, "rules.yml", `groups: [{name: g, rules: [{alert: Some, expr: 'kpi_plays{by="total",window="5m"} > 0'}]}]`)
	if r, err := s.do("POST", "/-/reload", ""); err != nil || r.code != 200 {
		t.Fatalf("%v %+v", err, r)
	}
	s.kill(t)
	s.start(t)
	s.post(t, event("last", begin.Add(4*time.Minute), "play", "watch_ms", 1, "user_id", "a"))
	s.awaitReceived(t, 5)
	var alert struct {
		Alerts []struct {
			ActiveAt time.Time `json:"active_at"`
		}
	}
	for deadline := time.Now().Add(patience); len(alert.Alerts) == 0; {
		r, err := s.do("GET", "/api/v1/alerts", "")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(r.data, &alert); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("no alert: %s", r.body)
		}
	}
	if at := alert.Alerts[0].ActiveAt; at.Before(begin.Add(3 * time.Minute)) {
		t.Errorf("active at %s, before the rule was read behind %s", at, begin.Add(3*time.Minute))
	}
}
