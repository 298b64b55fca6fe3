package endtoend

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Whoever does not know the commands is helped on.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		code int
		says []string
	}{
		{nil, 2, []string{"Usage: tidewatch <command>", "serve", "demo", "send", "--version"}},
		{[]string{"help"}, 0, []string{"Usage: tidewatch <command>"}},
		{[]string{"help", "send"}, 0, []string{"Usage: tidewatch send <file>", "--shift-to-now"}},
		{[]string{"--version"}, 0, []string{"tidewatch ", " go1."}},
		{[]string{"version"}, 0, []string{"tidewatch ", " go1."}},
		{[]string{"sevre"}, 2, []string{`unexpected argument sevre, did you mean "serve"?`, `Run "tidewatch --help"`}},
		{[]string{"serve", "--lisen=x"}, 2, []string{`unknown flag --lisen, did you mean "--listen"?`, `Run "tidewatch serve --help"`}},
		{[]string{"send"}, 2, []string{`expected "<file> ..."`, `Run "tidewatch send --help"`}},
		{[]string{"send", "--rate=-1", "-"}, 2, []string{"--rate=-1 must be positive", `Run "tidewatch send --help"`}},
	} {
		out, err := exec.Command(binary, tt.args...).CombinedOutput()
		if got := exitCode(err); got != tt.code {
			t.Errorf("tidewatch %v: exit code %d, want %d", tt.args, got, tt.code)
		}
		match(t, string(out), tt.says...)
	}
}

// Dashboards are of what a configuration keeps.
func TestGrafana(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml": "timezone: Europe/Berlin\nkpis: [kpis.yaml]\n", "kpis.yaml": "keep: [plays]\n", "broken.yaml": "kpis: [none.yaml]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	made := filepath.Join(dir, "made")
	out, err := exec.Command(binary, "grafana", "--config", filepath.Join(dir, "config.yaml"), made).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	match(t, string(out), "made: 24 dashboards")
	business, err := os.ReadFile(filepath.Join(made, "zh", "business.json"))
	if err != nil {
		t.Fatal(err)
	}
	match(t, string(business), `"timezone": "Europe/Berlin"`, "kpi_plays{")
	if bytes.Contains(business, []byte("kpi_dau")) {
		t.Error("a KPI is shown that is not kept")
	}
	out, err = exec.Command(binary, "grafana", "--config", filepath.Join(dir, "broken.yaml"), made).CombinedOutput()
	if exitCode(err) != 1 {
		t.Errorf("a broken configuration: exit code %d\n%s", exitCode(err), out)
	}
	match(t, string(out), "none.yaml")
}

// The log says what was started and how it ended.
func TestLog(t *testing.T) {
	t.Parallel()
	s := newService(t, "")
	rules := s.file(t, "rules.yml", `groups: [{name: a, rules: [{alert: A, expr: 'kpi_plays{window="5m"} > 1e9'}]}]`)
	s.config = "rules: [rules.yml]\n"
	s.start(t)
	s.post(t, event("a", time.Now(), "play", "watch_ms", 1))
	s.awaitReceived(t, 1)
	s.stop(t)

	type entry struct {
		Level, Message, Time, Version, Data, Receivers, Reason string
		Rules                                                  []string
		Position                                               uint64
	}
	found := map[string]entry{}
	for line := range strings.Lines(s.text()) {
		var e entry
		if json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		found[e.Message] = e
		if _, err := time.Parse("2006-01-02T15:04:05.000Z07:00", e.Time); err != nil {
			t.Errorf("time %q has no milliseconds", e.Time)
		}
	}
	started := found["starting"]
	if !strings.HasPrefix(started.Version, "tidewatch ") || started.Data != s.data || len(started.Rules) != 1 ||
		filepath.Base(started.Rules[0]) != filepath.Base(rules) || !strings.HasPrefix(started.Receivers, "none: ") {
		t.Errorf("start: %+v", started)
	}
	if got := found["stopping"]; !strings.Contains(got.Reason, "terminated") {
		t.Errorf("stop: %+v", got)
	}
	if got := found["stopped: all that was read is committed"]; got.Level != "info" || got.Position == 0 {
		t.Errorf("end: %+v", got)
	}
}

// What is interrupted says so, and how far it came.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	for _, tt := range []struct {
		args  []string
		input string
		begun func(stdout io.Reader) error
		says  []string // one of these
	}{
		{
			[]string{"send", "--url", s.url(""), "-"}, event("a", time.Now(), "play") + "\n",
			func(io.Reader) error { s.awaitReceived(t, 1); return nil },
			[]string{ // the answer may still be under way
				"tidewatch: interrupt signal received (0 events were sent; sending again counts none of them twice)\n",
				"tidewatch: interrupt signal received (1 events were sent; sending again counts none of them twice)\n",
			},
		},
		{
			[]string{"generate", "--events", "100000000"}, "",
			func(stdout io.Reader) error { _, err := stdout.Read(make([]byte, 1)); return err },
			[]string{"tidewatch: interrupt signal received\n"},
		},
	} {
		cmd := exec.Command(binary, tt.args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(in, tt.input); err != nil {
			t.Fatal(err)
		}
		if err := tt.begun(out); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Fatal(err)
		}
		if got := exitCode(cmd.Wait()); got != 1 || !slices.Contains(tt.says, stderr.String()) {
			t.Errorf("tidewatch %v: exit code %d, want 1; it says %q, want %q", tt.args, got, stderr.String(), tt.says)
		}
	}
}
