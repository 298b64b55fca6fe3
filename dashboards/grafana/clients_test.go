//go:build clients

package grafana

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/visits"
)

const deploy = "../../deploy/"

// A real Prometheus scrapes a service that takes events; no panel of the dashboard about
// it is empty.
func TestServiceInPrometheus(t *testing.T) {
	prometheus := tool(t, "prometheus")
	s := opened(t)
	p := shop{url: startPrometheus(t, prometheus, s.url)}
	for expr, where := range questions(made(t, shipped(t))["en/service.json"]) {
		eventually(t, where+": "+expr, func() (string, bool) {
			s.send(t, visits.At(time.Now(), []string{"u1"}))
			var answer struct {
				Data struct{ Result []json.RawMessage }
			}
			err := p.get("/api/v1/query", url.Values{"query": {expr}}, &answer)
			return fmt.Sprint(len(answer.Data.Result), " series, ", err), len(answer.Data.Result) > 0
		})
	}
}

func TestPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	for _, check := range [][]string{
		{"check", "config", deploy + "prometheus.yml"}, {"check", "config", deploy + "victoriametrics.yml"},
		{"check", "rules", deploy + "rules.yml"}, {"test", "rules", deploy + "rules.test.yml"},
		{"check", "rules", deploy + "business.yml"}, {"test", "rules", deploy + "business.test.yml"},
	} {
		t.Run(strings.Join(check, " "), func(t *testing.T) {
			if out, err := exec.Command(promtool, check...).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	t.Run("check metrics", func(t *testing.T) {
		s := opened(t)
		var metrics []byte
		eventually(t, "/metrics", func() (string, bool) {
			body, err := s.text()
			metrics = body
			return fmt.Sprint(len(body), " bytes, ", err), bytes.Contains(body, []byte(`kpi_ctr{by="channel"`))
		})
		check := exec.Command(promtool, "check", "metrics")
		check.Stdin = bytes.NewReader(metrics)
		out, _ := check.CombinedOutput() // it fails on what is let pass below
		for line := range strings.Lines(string(out)) {
			if !unexplained.MatchString(line) {
				t.Errorf("promtool check metrics: %s", line)
			}
		}
	})
}

// promtool asks the service as it asks a Prometheus.
func TestPromtoolQuery(t *testing.T) {
	promtool := tool(t, "promtool")
	server := opened(t).url + "/prometheus"
	now := time.Now()
	for _, tt := range []struct {
		name string
		args []string
		want string // is in what it says
	}{
		{"instant", []string{"instant", server, `kpi_ctr{by="channel",window="5m"}`}, `kpi_ctr{by="channel", channel=`},
		{"range", []string{"range", "--step=10s", fmt.Sprintf("--start=%d", now.Add(-time.Minute).Unix()), fmt.Sprintf("--end=%d", now.Add(time.Minute).Unix()), server, `sum(kpi_plays{by="total",window="5m"})`}, "{} =>"},
		{"series", []string{"series", `--match=kpi_plays{by="total",window="1m"}`, server}, `{__name__="kpi_plays", by="total", window="1m"}`},
		{"labels", []string{"labels", server, "channel"}, "douyin"},
		{"alerts", []string{"labels", server, "__name__"}, "ALERTS_FOR_STATE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			eventually(t, tt.want, func() (string, bool) {
				out, err := exec.Command(promtool, append([]string{"query"}, tt.args...)...).CombinedOutput()
				return fmt.Sprintf("%v %.500s", err, out), err == nil && bytes.Contains(out, []byte(tt.want))
			})
		})
	}
}

// unexplained is promtool's complaint about metrics that the library writes,
// which knows no help texts: the process's and the runtime's, requests, signals,
// notifications and the time of checkpoints.
var unexplained = regexp.MustCompile(`^(go|process|tidewatch_(http|live|notification|signals|checkpoint_duration))\w* no help text\n$`)

// tool finds a program of Debian's package prometheus.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install Debian's package prometheus", name)
	}
	return path
}

// startPrometheus runs a Prometheus with the shipped configuration, in which
// only the address and the pace are others.
func startPrometheus(t *testing.T, prometheus, service string) string {
	t.Helper()
	shipped, err := os.ReadFile(deploy + "prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	adapted := string(shipped)
	for old, now := range map[string]string{
		"127.0.0.1:8080": strings.TrimPrefix(service, "http://"),
		": 5s":           ": 1s",
	} {
		if !strings.Contains(adapted, old) {
			t.Fatalf("prometheus.yml has no %q to put %q in its place", old, now)
		}
		adapted = strings.ReplaceAll(adapted, old, now)
	}
	rules, err := filepath.Abs(deploy + "rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	adapted = strings.Replace(adapted, "rules.yml", rules, 1)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(adapted), 0o600); err != nil {
		t.Fatal(err)
	}
	return "http://" + start(t, regexp.MustCompile(`msg="Listening on" address=(\S+)`), prometheus,
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address=127.0.0.1:0")
}

// start runs a program until the test ends, and returns what the pattern finds
// in its output. The output is shown when the test fails.
func start(t *testing.T, pattern *regexp.Regexp, program string, args ...string) string {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, args...)
	command.Stdout, command.Stderr = writer, writer
	if err := command.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	_ = writer.Close() // the program has its own copy

	found := make(chan string, 1)
	var said strings.Builder
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(found)
		lines := bufio.NewScanner(reader)
		lines.Buffer(nil, 1<<20)
		for once := true; lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if match := pattern.FindStringSubmatch(lines.Text()); match != nil && once {
				found <- match[1]
				once = false
			}
		}
	})
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		reading.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(program), said.String())
		}
	})
	select {
	case address, ok := <-found:
		if !ok {
			t.Fatalf("%s ended before it was ready", program)
		}
		return address
	case <-time.After(patience):
		t.Fatalf("%s is not ready after %s", program, patience)
	}
	return ""
}
