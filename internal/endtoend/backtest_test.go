package endtoend

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// An incident is an alert of the history, or of a backtest.
type incident struct {
	Rule       string
	Labels     map[string]string
	FiredAt    time.Time  `json:"fired_at"`
	ResolvedAt *time.Time `json:"resolved_at"`
	Corrected  bool
	Judged     string `json:"-"`
}

// A report is what comes of a backtest.
type report struct {
	Rules []struct {
		Rule      string
		KnownFrom *time.Time `json:"known_from"`
		Because   string     `json:"sealed_because"`
	}
	Alerts        []incident
	Notifications int
}

// backtest runs the command.
func (s *service) backtest(t *testing.T, args ...string) (r report, said string) {
	t.Helper()
	cmd := exec.Command(binary, append([]string{"rules", "backtest", filepath.Join(s.files, "rules.yml"), "--url", s.url(""), "--json"}, args...)...)
	temp := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var answer struct{ Data report }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return answer.Data, stderr.String()
}

const backtestRules = `
groups:
  - name: content
    rules:
      - alert: CompletionLow
        expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.25'
        for: 5s
        min_samples: 20
      - alert: Silent
        expr: 'kpi_plays{by="channel",window="1m"} < 1'
        for: 10s
      - record: low:completion
        expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.25'
      - alert: Asked
        expr: 'low:completion < 0.2'
      - alert: About
        expr: 'count(ALERTS{alertname="CompletionLow",alertstate="firing"}) > 0'
`

// A backtest says what was decided live, by the stream: with what came late, and what was
// taken back. Without the stream it says so.
func TestBacktest(t *testing.T) {
	t.Parallel()
	nats := freeAddr(t)
	s := newService(t, "rules: [rules.yml]\nlateness: 1m\n", "--nats-listen", nats)
	s.file(t, "rules.yml", backtestRules)
	s.start(t)
	begin := time.Now().Add(-time.Hour).Truncate(time.Minute)
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	s.watch(t, at(0), 40, 0)
	s.close(t, at(20)) // fires
	s.watch(t, at(1), 200, 200)
	s.close(t, at(30))  // late ones have it be over
	s.close(t, at(300)) // it is taken back
	s.watch(t, at(310), 40, 2)
	s.close(t, at(330)) // fires, and is right
	s.watch(t, at(331), 100, 100)
	s.close(t, at(345))
	s.watch(t, at(200), 300, 300) // too late to count
	s.close(t, at(600))

	var live struct{ Alerts []incident }
	eventually(t, "the last alert", func() bool {
		s.get(t, "/api/v1/alerts/history", &live)
		return slices.ContainsFunc(live.Alerts, func(a incident) bool { return a.Rule == "Silent" && a.ResolvedAt == nil })
	}, func() any { return live.Alerts })
	corrected := 0
	for _, a := range live.Alerts {
		if a.Corrected {
			corrected++
		}
	}
	if len(live.Alerts) < 5 || corrected == 0 {
		t.Fatalf("live: %+v", live.Alerts)
	}
	byKey := func(list []incident) map[string]incident {
		out := map[string]incident{}
		for _, a := range list {
			out[fmt.Sprint(a.Rule, a.Labels, a.FiredAt)] = a
		}
		return out
	}
	from := []string{"--from", begin.Format(time.RFC3339), "--config", filepath.Join(s.files, "config.yaml")}
	got, said := s.backtest(t, append(from, "--nats-url", "nats://"+nats)...)
	if want := byKey(live.Alerts); !reflect.DeepEqual(byKey(got.Alerts), want) {
		t.Errorf("backtest: %+v\nlive: %+v", byKey(got.Alerts), want)
	}
	for _, r := range got.Rules {
		if r.KnownFrom == nil || !r.KnownFrom.Equal(begin) || r.Because != "" {
			t.Errorf("rule %+v is not judged as known then", r)
		}
	}
	match(t, said, "messages of the stream", "read ")

	got, said = s.backtest(t, from...)
	if reflect.DeepEqual(byKey(got.Alerts), byKey(live.Alerts)) || got.Rules[0].KnownFrom != nil {
		t.Errorf("sealed values say the same: %+v", got)
	}
	match(t, said, "by sealed values alone", "--nats-url")

	for addr, says := range map[string][]string{
		nats:        {"are not those of the default configuration", "--config"},
		freeAddr(t): {"connect to NATS at", "--sealed"},
	} {
		out, err := exec.Command(binary, "rules", "backtest", filepath.Join(s.files, "rules.yml"), "--url", s.url(""), "--from=-2h", "--nats-url", "nats://"+addr).CombinedOutput()
		if exitCode(err) != 1 {
			t.Errorf("%v: it is no error", says)
		}
		match(t, string(out), says...)
	}

	_, js := dial(t, nats)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := js.Stream(ctx, "EVENTS")
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSequence(3))
	}
	if err != nil {
		t.Fatal(err)
	}
	got, _ = s.backtest(t, append(from, "--nats-url", "nats://"+nats)...)
	for _, r := range got.Rules {
		if r.KnownFrom != nil {
			t.Errorf("rule %+v is judged as known then", r)
		}
		match(t, r.Because, "it looks back", "the stream begins at")
	}
}
