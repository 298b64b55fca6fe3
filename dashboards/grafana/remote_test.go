//go:build clients

package grafana

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/visits"
)

// TestRemoteWrite: what a real Prometheus got by remote write says the same as the service
// at /prometheus.
func TestRemoteWrite(t *testing.T) {
	prometheus := tool(t, "prometheus")
	dir := t.TempDir()
	empty := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(empty, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs := shop{url: "http://" + start(t, regexp.MustCompile(`msg="Listening on" address=(\S+)`), prometheus,
		"--config.file="+empty, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver")}
	c := config.Default()
	c.Listen, c.Data, c.Lateness, c.DedupWindow = "127.0.0.1:0", filepath.Join(dir, "data"), time.Second, c.Disorder+time.Second
	c.RemoteWrite = []config.RemoteWrite{{URL: theirs.url + "/api/v1/write", Match: []string{config.WrittenByDefault}}}
	service, err := app.New(t.Context(), c, app.Options{Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := service.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	service.Start()
	ours := shop{url: service.URL()}
	ours.send(t, visits.At(time.Now(), []string{"u1", "u2", "u3", "u4", "u5"}))

	// It begins with what is sealed from now on: what the events did leaves windows later.
	at := time.Now()
	type vector struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  []any
			}
		}
	}
	var seconds float64 // at which all of them are there
	eventually(t, "the samples of then", func() (string, bool) {
		var answer vector
		err := theirs.get("/api/v1/query", url.Values{"query": {`min(timestamp(kpi_plays{by="channel",window="5m"}))`}}, &answer)
		if err != nil || len(answer.Data.Result) == 0 {
			return fmt.Sprint(len(answer.Data.Result), " series, ", err), false
		}
		_, err = fmt.Sscan(answer.Data.Result[0].Value[1].(string), &seconds)
		return fmt.Sprint(answer.Data.Result, err), err == nil && seconds >= float64(at.Unix())
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
	moment := url.Values{"time": {fmt.Sprint(seconds)}}
	some := 0
	for _, expression := range expressions {
		moment.Set("query", expression)
		answer := func(s *shop, path string) []string {
			var a vector
			if err := s.get(path, moment, &a); err != nil {
				return []string{"an error"}
			}
			var out []string
			for _, r := range a.Data.Result {
				var v float64
				if _, err := fmt.Sscan(r.Value[1].(string), &v); err != nil {
					t.Fatal(err)
				}
				out = append(out, fmt.Sprintf("%v %.9g", r.Metric, v))
			}
			slices.Sort(out)
			return out
		}
		want, got := answer(&ours, "/prometheus/api/v1/query"), answer(&theirs, "/api/v1/query")
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
