//go:build clients

package dashboards

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

// TestRemoteWrite: what a real Prometheus got by remote write says the same as the service
// at /prometheus.
func TestRemoteWrite(t *testing.T) {
	prometheus := tool(t, "prometheus")
	binary := os.Getenv("TIDEWATCH_BIN")
	dir := t.TempDir()
	empty, config := filepath.Join(dir, "prometheus.yml"), filepath.Join(dir, "tidewatch.yaml")
	if err := os.WriteFile(empty, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := "http://" + start(t, regexp.MustCompile(`msg="Listening on" address=(\S+)`), prometheus,
		"--config.file="+empty, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver")
	text := fmt.Sprintf("lateness: 1s\nremote_write: [{url: '%s/api/v1/write'}]\n", store)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	service := start(t, regexp.MustCompile(`listening on (http://\S+)`),
		binary, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"))
	feed(t, service)
	ours, theirs := prometheusAPI{service + "/prometheus"}, prometheusAPI{store}

	// It begins with what is sealed from now on: what the events did leaves windows later.
	at := time.Now()
	eventually(t, "the samples of then", func() (string, bool) {
		var answer struct {
			Result []struct{ Value []any }
		}
		err := theirs.get("query", url.Values{"query": {`min(timestamp(kpi_plays{by="channel",window="5m"}))`}}, &answer)
		if err != nil || len(answer.Result) == 0 {
			return fmt.Sprint(len(answer.Result), " series, ", err), false
		}
		var seconds float64
		_, err = fmt.Sscan(answer.Result[0].Value[1].(string), &seconds)
		return fmt.Sprint(answer.Result, err), err == nil && seconds >= float64(at.Unix()+5)
	})
	var expressions []string
	selectors := []string{
		`kpi_plays{by="channel",window="5m"}`, `kpi_plays{by="total",window="5m"}`, `kpi_ctr{by="channel",window="5m"}`, `kpi_ctr_numerator{by="region",window="5m"}`,
		`kpi_completion_rate_low{by="device",window="5m"}`, `{__name__=~"kpi_.*",by="total",window="5m"}`, `kpi_active_users{by="channel",window="5m"}`,
	}
	for _, s := range selectors {
		for _, f := range []string{"%s", "sum(%s)", "avg by (channel) (%s)", "max without (window) (%s)", "count(%s)", "topk(2, %s)", "stddev(%s)", "abs(-%s)", "round(%s * 7, 0.5)", "%s > 0.1", "%s == bool 1", "quantile(0.5, %s)", "ceil(%s / 3)", "absent(%s)", "sort_desc(%s)", "clamp_max(%s, 2)"} {
			expressions = append(expressions, fmt.Sprintf(f, s))
		}
		for _, other := range selectors[:4] {
			expressions = append(expressions, fmt.Sprintf("%s or %s", s, other), fmt.Sprintf("%s unless on (channel) %s", s, other), fmt.Sprintf("sum(%s) / sum(%s)", s, other))
		}
	}
	moment := url.Values{"time": {fmt.Sprint(at.Unix() + 4)}}
	some := 0
	for _, expression := range expressions {
		moment.Set("query", expression)
		answer := func(p prometheusAPI) []string {
			var a struct{ Result []json.RawMessage }
			if err := p.get("query", moment, &a); err != nil {
				return []string{"an error"}
			}
			var out []string
			for _, r := range a.Result {
				var s struct {
					Metric map[string]string
					Value  []any
				}
				if err := json.Unmarshal(r, &s); err != nil {
					t.Fatal(err)
				}
				var v float64
				if _, err := fmt.Sscan(s.Value[1].(string), &v); err != nil {
					t.Fatal(err)
				}
				out = append(out, fmt.Sprintf("%v %.9g", s.Metric, v))
			}
			slices.Sort(out)
			return out
		}
		want, got := answer(ours), answer(theirs)
		if !slices.Equal(got, want) {
			t.Errorf("%s\nthe service says %q\nPrometheus says %q", expression, want, got)
		}
		if len(want) > 0 && want[0] != "an error" {
			some++
		}
	}
	t.Logf("%d expressions, %d with a value", len(expressions), some)
	if some < len(expressions)/2 {
		t.Errorf("%d of %d expressions have a value", some, len(expressions))
	}
}
