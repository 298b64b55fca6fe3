//go:build clients

package grafana

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/expression/random"
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
	p := &pair{theirs: shop{url: "http://" + start(t, regexp.MustCompile(`msg="Listening on" address=(\S+)`), prometheus,
		"--config.file="+empty, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address=127.0.0.1:0", "--web.enable-remote-write-receiver")}}
	c := config.Default()
	c.Listen, c.Data, c.Lateness, c.DedupWindow = "127.0.0.1:0", filepath.Join(dir, "data"), time.Second, c.Disorder+time.Second
	c.RemoteWrite = []config.RemoteWrite{{URL: p.theirs.url + "/api/v1/write", Match: []string{`{window="5m",by=~"total|channel|region|device"}`}}}
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
	p.ours.url = service.URL()

	// What is written begins with what is sealed when the writer first looks: with something
	// that was longer ago than is asked about.
	now := time.Now()
	long := now.Add(-5 * time.Hour)
	p.ours.send(t, visits.At(long, []string{"u1"}))
	p.waitFor(t, long.Add(-time.Minute))
	p.ours.send(t, crowd(now))
	p.waitFor(t, now)
	t.Run("systematic", func(t *testing.T) { p.systematic(t, now) })
	t.Run("random", func(t *testing.T) { p.random(t, now) })
}

// crowd are 100 minutes of visits up to a time, some of whose steps are left out.
func crowd(to time.Time) (events []string) {
	r := rand.New(rand.NewPCG(1, 1))
	users := []string{"u1", "u2", "u3", "u4", "u5"}
	for at := to.Add(-100 * time.Minute); at.Before(to); at = at.Add(time.Duration(20+r.IntN(40)) * time.Second) {
		where := strings.NewReplacer("cn-gd", random.Pick(r, "cn-gd", "cn-bj", "cn-sh"), "ios", random.Pick(r, "ios", "android", "web"))
		for _, e := range visits.At(at, users[r.IntN(4):]) {
			if r.IntN(3) > 0 {
				events = append(events, where.Replace(e))
			}
		}
	}
	return append(events, visits.At(to, users)...)
}

// A pair is a service, and the Prometheus that it writes to.
type pair struct{ ours, theirs shop }

// waitFor waits until Prometheus has what stands at a time.
func (p *pair) waitFor(t *testing.T, at time.Time) {
	t.Helper()
	eventually(t, "the samples of "+at.String(), func() (string, bool) {
		got, err := p.theirs.results("/api/v1/query", url.Values{
			"query": {`timestamp(kpi_plays{by="total",window="5m"})`}, "time": unix(at.Add(4 * time.Minute)),
		})
		return fmt.Sprint(got, err), err == nil && len(got) == 1 && got[0].Value.v >= float64(at.Unix())
	})
}

// A result is a series of an answer: of an instant with a value, of a range with values.
type result struct {
	Metric map[string]string
	Value  point
	Values []point
}

type point struct{ at, v float64 }

func (p *point) UnmarshalJSON(text []byte) error {
	_, err := fmt.Sscanf(string(text), `[%g,"%g"]`, &p.at, &p.v)
	return err
}

// counted is the label in which random expressions count values.
const counted = "value"

// results are those of a query in the order of their labels.
func (s *shop) results(path string, query url.Values) ([]result, error) {
	var answer struct{ Data struct{ Result []result } }
	err := s.get(path, query, &answer)
	for _, r := range answer.Data.Result {
		var v float64
		if _, err := fmt.Sscan(r.Metric[counted], &v); err == nil { // its last bits, too, may differ
			r.Metric[counted] = fmt.Sprintf("%.9g", v)
		}
	}
	slices.SortFunc(answer.Data.Result, func(a, b result) int { return cmp.Compare(fmt.Sprint(a.Metric), fmt.Sprint(b.Metric)) })
	return answer.Data.Result, err
}

// Prometheus 2 refuses to compare with one of several only where the comparison holds.
var (
	several   = regexp.MustCompile(`multiple matches for labels: many-to-one`)
	filtering = regexp.MustCompile(`==|!=|<|>`)
)

// ask asks both, and reports whether there was something in what they say.
func (p *pair) ask(t *testing.T, path string, query url.Values) (some bool) {
	t.Helper()
	want, ourErr := p.ours.results("/prometheus/api/v1/"+path, query)
	got, theirErr := p.theirs.results("/api/v1/"+path, query)
	if theirErr == nil && ourErr != nil && several.MatchString(ourErr.Error()) && filtering.MatchString(query.Get("query")) {
		return false
	}
	if (ourErr == nil) != (theirErr == nil) || !slices.EqualFunc(got, want, result.like) {
		t.Errorf("%v\nthe service says %v %v\nPrometheus says %v %v", query, want, ourErr, got, theirErr)
	}
	return ourErr == nil && len(want) > 0
}

// like reports whether two results are the same but for the last bits of their values.
func (r result) like(o result) bool {
	return fmt.Sprint(r.Metric) == fmt.Sprint(o.Metric) && near(r.Value, o.Value) && slices.EqualFunc(r.Values, o.Values, near)
}

func near(a, b point) bool {
	return a.at == b.at && (a.v == b.v || math.IsNaN(a.v) && math.IsNaN(b.v) || math.Abs(a.v-b.v) <= 1e-9*max(math.Abs(a.v), math.Abs(b.v)))
}

// systematic asks for what stands at a time, in every simple way.
func (p *pair) systematic(t *testing.T, at time.Time) {
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
	some := 0
	for _, expression := range expressions {
		if p.ask(t, "query", url.Values{"query": {expression}, "time": unix(at)}) {
			some++
		}
	}
	t.Logf("%d expressions, %d with a value", len(expressions), some)
	if some < len(expressions)/2 {
		t.Errorf("%d of %d expressions have a value", some, len(expressions))
	}
}

// without is what is not asked for at random: which of several equals topk leaves is no more
// told than an order of series is; in Prometheus 2, atan2 leaves a series its name,
// predict_linear forgets of @, and first_over_time is not known.
var without = regexp.MustCompile(`topk|bottomk|atan2|predict_linear.*@|first_over_time|histogram_`)

// random asks for random expressions before a time, half of them at one instant. No
// range begins at a sample: in Prometheus 2 that is in it, in 3, whose language is ours, not.
func (p *pair) random(t *testing.T, before time.Time) {
	const (
		count  = 200
		minute = time.Minute
		half   = time.Second / 2
	)
	seed := uint64(1)
	if text := os.Getenv("SEED"); text != "" {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			t.Fatal(err)
		}
	}
	x := &random.Expressions{
		Rand: rand.New(rand.NewPCG(seed, 0)), Around: before.Add(-10 * minute).Truncate(time.Second), Ahead: 5 * minute,
		Subqueries: []time.Duration{10*minute + half, 37*minute + half},
		Selectors: []random.Selectors{{List: []string{
			`kpi_plays{by="channel",window="5m"}`, `kpi_plays{by="total",window="5m"}`, `kpi_ctr{by="channel",window="5m"}`, `kpi_ctr_numerator{by="region",window="5m"}`,
			`kpi_completion_rate_low{by="device",window="5m"}`, `{__name__=~"kpi_ctr.*",by="total",window="5m"}`, `kpi_active_users{by="channel",window="5m"}`,
		}, Ranges: []time.Duration{30*time.Second + half, 5*minute + half, 20*minute + half}}},
	}
	some := 0
	for i := range count {
		path, expression := "query", x.Next()
		for without.MatchString(expression) {
			expression = x.Next()
		}
		query := url.Values{"query": {expression}}
		end := x.Around.Add(-time.Duration(x.IntN(600)) * time.Second)
		if i%2 == 0 {
			query["time"] = unix(end)
		} else {
			step := random.Pick(x.Rand, 13, 60, 150)
			path = "query_range"
			query["start"], query["end"], query["step"] = unix(end.Add(-time.Duration(step*x.IntN(9))*time.Second)), unix(end), []string{fmt.Sprint(step)}
		}
		if p.ask(t, path, query) {
			some++
		}
	}
	t.Logf("%d random expressions, %d with a value", count, some)
	if some < count*2/3 {
		t.Errorf("%d of %d expressions have a value", some, count)
	}
	if t.Failed() {
		t.Logf("the seed was %d: SEED=%[1]d asks the same", seed)
	}
}
