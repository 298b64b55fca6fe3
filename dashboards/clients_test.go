//go:build clients

package dashboards

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	prometheusFile = "../deploy/prometheus.yml"
	// patience bounds each wait. What is waited for comes within seconds; a
	// loaded machine may need longer.
	patience = 60 * time.Second
)

// A real Prometheus scrapes a fed service; no panel of the dashboard and no
// variable is empty.
func TestOverviewInPrometheus(t *testing.T) {
	prometheus := tool(t, "prometheus")
	service := serve(t)
	feed(t, service)
	p := prometheusAPI{startPrometheus(t, prometheus, service)}

	o := readOverview(t)
	values := []string{"$__rate_interval", "1m"}
	for _, v := range o.Templating.List {
		if v.Type == "query" {
			values = append(values, "$"+v.Name, strings.Join(p.variable(t, v), "|"))
		}
	}
	substitute := strings.NewReplacer(values...)
	for _, panel := range o.Panels {
		for i, target := range panel.Targets {
			t.Run(fmt.Sprintf("%s %c", panel.Title, 'A'+i), func(t *testing.T) {
				expr := substitute.Replace(target.Expr)
				eventually(t, expr, func() (string, bool) {
					var answer struct{ Result []json.RawMessage }
					err := p.get("query", url.Values{"query": {expr}}, &answer)
					return fmt.Sprint(len(answer.Result), " series, ", err), len(answer.Result) > 0
				})
			})
		}
	}
}

func TestPromtool(t *testing.T) {
	promtool := tool(t, "promtool")
	t.Run("check config", func(t *testing.T) {
		if out, err := exec.Command(promtool, "check", "config", prometheusFile).CombinedOutput(); err != nil {
			t.Errorf("promtool check config: %v\n%s", err, out)
		}
	})
	t.Run("check metrics", func(t *testing.T) {
		service := serve(t)
		feed(t, service)
		var metrics []byte
		eventually(t, service+"/metrics", func() (string, bool) {
			_, body, err := fetch(http.MethodGet, service+"/metrics", "")
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
	service := serve(t)
	feed(t, service)
	server := service + "/prometheus"
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
// which knows no help texts: the process's and the runtime's, requests,
// notifications and the time of checkpoints.
var unexplained = regexp.MustCompile(`^(go|process|tidewatch_(http|live|notification|checkpoint_duration))\w* no help text\n$`)

// tool finds a program of Debian's package prometheus.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install Debian's package prometheus", name)
	}
	return path
}

// serve starts the real binary on an empty directory and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("TIDEWATCH_BIN")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("TIDEWATCH_BIN=%s is no file: run \"make test-clients\", which builds the binary", binary)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "tidewatch.yaml")
	for name, text := range map[string]string{config: "kpis: [kpis.yaml]\n", filepath.Join(dir, "kpis.yaml"): aimed(t)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return start(t, regexp.MustCompile(`listening on (http://\S+)`),
		binary, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
}

// aimed is the default catalogue with targets for every KPI.
func aimed(t *testing.T) string {
	t.Helper()
	defaults, err := os.ReadFile("../kpi/catalogue.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`(?m)^  - name: .*$`).ReplaceAllString(string(defaults), "$0\n    targets: {good: 0.3, bad: 0.1}")
}

// startPrometheus runs a Prometheus with the shipped configuration, in which
// only the address and the pace are others.
func startPrometheus(t *testing.T, prometheus, service string) string {
	t.Helper()
	shipped, err := os.ReadFile(prometheusFile)
	if err != nil {
		t.Fatal(err)
	}
	adapted := string(shipped)
	for old, now := range map[string]string{
		"127.0.0.1:8080": strings.TrimPrefix(service, "http://"),
		": 5s":           ": 1s",
	} {
		if !strings.Contains(adapted, old) {
			t.Fatalf("%s has no %q to put %q in its place", prometheusFile, old, now)
		}
		adapted = strings.ReplaceAll(adapted, old, now)
	}
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

// feed sends a small business day of yesterday, so that a day is over, and then
// the same of this moment.
func feed(t *testing.T, service string) {
	t.Helper()
	counted := 0
	for _, at := range []time.Time{time.Now().Add(-24 * time.Hour), time.Now()} {
		events := visits(at)
		status, body, err := fetch(http.MethodPost, service+"/v1/events", strings.Join(events, "\n"))
		if err != nil || status != http.StatusOK {
			t.Fatalf("send events: %d %v\n%s", status, err, body)
		}
		counted += len(events)
		eventually(t, "the ledger", func() (string, bool) {
			var ledger struct {
				Data struct{ Total map[string]int }
			}
			_, body, err := fetch(http.MethodGet, service+"/api/v1/ledger", "")
			if err == nil {
				err = json.Unmarshal(body, &ledger)
			}
			total := ledger.Data.Total
			return fmt.Sprint(total, err), total["counted"]+total["filtered"] == counted
		})
	}
}

// visits are ten users on two channels, each going from impression to payment and
// what comes after it, just before the given time.
func visits(at time.Time) []string {
	var events []string
	for user := range 10 {
		for step, extra := range []string{
			`"type":"impression"`,
			`"type":"click"`,
			`"type":"play","watch_ms":15000,"duration_ms":15000`,
			`"type":"like"`,
			`"type":"unlike"`,
			`"type":"comment","sentiment":"negative"`,
			`"type":"share"`,
			`"type":"favourite"`,
			`"type":"follow"`,
			`"type":"unfollow"`,
			`"type":"ad_cost","amount_minor":1200,"currency":"CNY"`,
			`"type":"order","order_id":"o%[1]d","amount_minor":4990,"currency":"CNY"`,
			`"type":"pay","order_id":"o%[1]d","amount_minor":4990,"currency":"CNY"`,
			`"type":"settle","order_id":"o%[1]d","amount_minor":4990,"currency":"CNY"`,
			`"type":"complaint"`,
			`"type":"survey_nps","score":9`,
			`"type":"survey_csat","score":4`,
			`"type":"message","direction":"outbound","response_ms":12000`,
		} {
			ms := at.UnixMilli() - 1000 + int64(20*user+step)
			extra = strings.ReplaceAll(extra, "%[1]d", fmt.Sprint(ms))
			events = append(events, fmt.Sprintf(
				`{"id":"%d-%d","time":%d,"user_id":"u%d","channel":"%s","region":"cn-gd","device":"ios","content_id":"v1","creator_id":"k1","campaign_id":"m1",%s}`,
				ms, step, ms, user, []string{"douyin", "wechat"}[user%2], extra))
		}
	}
	return events
}

// prometheusAPI asks a Prometheus.
type prometheusAPI struct{ url string }

func (p prometheusAPI) get(path string, query url.Values, into any) error {
	_, body, err := fetch(http.MethodGet, p.url+"/api/v1/"+path+"?"+query.Encode(), "")
	if err != nil {
		return err
	}
	envelope := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return fmt.Errorf("read answer %.200q: %w", body, err)
	}
	if envelope.Status != "success" {
		return fmt.Errorf("prometheus answers %q", envelope.Error)
	}
	return nil
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// variable asks for the values of a dashboard variable as Grafana does.
func (p prometheusAPI) variable(t *testing.T, v variable) []string {
	t.Helper()
	parts := labelValues.FindStringSubmatch(v.Definition)
	if parts == nil {
		t.Fatalf("variable %s: cannot read %q as label_values(selector, label)", v.Name, v.Definition)
	}
	var values []string
	eventually(t, v.Definition, func() (string, bool) {
		err := p.get("label/"+parts[2]+"/values", url.Values{"match[]": {parts[1]}}, &values)
		return fmt.Sprint(values, err), len(values) > 0
	})
	if v.Name == "window" {
		// The variable's expression is JavaScript's and leaves days out.
		values = slices.DeleteFunc(values, func(value string) bool { return value == "day" || value == "today" })
	}
	return values
}

func fetch(method, address, body string) (int, []byte, error) {
	request, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	return response.StatusCode, data, err
}

// eventually asks other processes, which tell nobody when they are done, until
// they say what is wanted.
func eventually(t *testing.T, what string, look func() (seen string, ok bool)) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		seen, ok := look()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s, last seen: %s", what, patience, seen)
		}
	}
}
