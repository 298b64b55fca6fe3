package endtoend

import (
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
	s.alive(t)
}
