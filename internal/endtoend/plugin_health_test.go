package endtoend

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// The check of the settings says what is wrong, and what to do.
func TestPluginHealth(t *testing.T) {
	t.Parallel()
	s := serving(t, "")
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<html>welcome</html>")
	}))
	t.Cleanup(site.Close)
	locked := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	t.Cleanup(locked.Close)
	// Another API that has the same envelope.
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"status":"success","data":[]}`)
	}))
	t.Cleanup(other.Close)
	foreign := through(t, s, func(r *http.Request) { r.Host = "kpi.example" })

	g := newGrafana(t, "")
	for _, tt := range []struct{ name, url, status, want string }{
		{"no URL", "", "ERROR", "no URL is set: give the address of Tidewatch, such as http://127.0.0.1:8080"},
		{"no address", "localhost", "ERROR", `"localhost" is no address: write it as http://127.0.0.1:8080`},
		{"nobody there", "http://" + freeAddr(t), "ERROR", "Is Tidewatch running, and can Grafana reach it there?"},
		{"a foreign name", foreign, "ERROR", `host "kpi.example" is not this service`},
		{"a web site", site.URL, "ERROR", "200 OK, text/html: that is not Tidewatch's API. Give the address of Tidewatch itself"},
		{"another API", other.URL, "ERROR", "that is not Tidewatch's API"},
		{"a password", locked.URL, "ERROR", "set a token, or basic auth"},
		{"the URL of the stock data source", s.url("/prometheus"), "ERROR", "Leave /prometheus off the URL"},
		{"without events", s.url("/"), "OK", "Tidewatch answers: 98 KPIs, no events yet."},
	} {
		g.set(func(s *backend.DataSourceInstanceSettings) { s.URL = tt.url })
		if status, got := g.health(t); status != tt.status || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s %q, want %s %q", tt.name, status, got, tt.status, tt.want)
		}
		if r := g.ask(t, panel{}, `{"kpis":["plays"],"show":"latest"}`); tt.status == "ERROR" && r.Error == nil {
			t.Errorf("%s: a query has no error", tt.name)
		}
	}
	s.post(t, event("a", time.Now(), "play", "watch_ms", 1))
	s.awaitReceived(t, 1)
	if status, got := g.health(t); status != "OK" || !strings.Contains(got, "complete up to 20") || !strings.HasSuffix(got, "s ago.") {
		t.Errorf("with events: got %s %q", status, got)
	}
}

// While the service recovers, the check says so, and so does a query.
func TestPluginRecovering(t *testing.T) {
	t.Parallel()
	s := serving(t, "timezone: UTC\n")
	begin := time.Now().Add(-2 * time.Hour)
	const posts, size = 4, 50_000
	for i := range posts {
		lines := make([]string, size)
		for j := range lines {
			n := i*size + j
			lines[j] = event(fmt.Sprint(n), begin.Add(time.Duration(n)*30*time.Millisecond), "play", "watch_ms", 1, "user_id", fmt.Sprint("u", n%1000))
		}
		s.post(t, lines...)
	}
	s.awaitReceived(t, posts*size)
	s.stop(t)
	s.config = "timezone: Asia/Shanghai\n" // numbers are rebuilt from the stream
	g := newGrafana(t, s.url(""))
	s.launch(t)
	var seen []string
	eventually(t, "word of the recovery", func() bool {
		status, got := g.health(t)
		seen = append(seen, status+" "+got)
		return strings.Contains(got, "Tidewatch is not ready: ")
	}, func() any { return seen })
	if r := g.ask(t, panel{to: time.Now()}, `{"kpis":["plays"],"show":"latest"}`); r.Error != nil && r.Status != http.StatusServiceUnavailable {
		t.Errorf("a query: got %d %v", r.Status, r.Error)
	}
	eventually(t, "the end of the recovery", func() bool {
		status, _ := g.health(t)
		return status == "OK"
	}, func() any { return s.text() })
	if r := g.ask(t, panel{to: time.Now()}, `{"kpis":["plays"],"show":"latest"}`); r.Error != nil {
		t.Errorf("a query afterwards: %v", r.Error)
	}
}

// through is a proxy before the service, which changes what is asked.
func through(t *testing.T, s *service, change func(r *http.Request)) (address string) {
	t.Helper()
	to, err := url.Parse(s.url(""))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		change(r.Out)
	}})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// What is set goes with every request: the token, the headers, the language.
func TestPluginSettings(t *testing.T) {
	t.Parallel()
	s := observed(t)
	asked := make(chan http.Header, 100)
	address := through(t, s, func(r *http.Request) { asked <- r.Header.Clone() })
	g := newGrafana(t, address)
	latest := panel{from: noon, to: noon.Add(10 * time.Minute)}
	for _, tt := range []struct {
		name   string
		json   string
		secret map[string]string
		header string
		want   string
		title  string
	}{
		{"nothing", `{}`, nil, "Authorization", "", "Views: douyin"},
		{"token", `{"language":"zh"}`, map[string]string{"token": "secret"}, "Authorization", "Bearer secret", "浏览量: douyin"},
		{"header", `{"language":"en","httpHeaderName1":"X-Team"}`, map[string]string{"httpHeaderValue1": "growth"}, "X-Team", "growth", "Views: douyin"},
	} {
		g.set(func(s *backend.DataSourceInstanceSettings) {
			s.JSONData, s.DecryptedSecureJSONData = []byte(tt.json), tt.secret
		})
		r := g.ask(t, latest, `{"kpis":["views"],"by":["channel"],"show":"latest"}`)
		if r.Error != nil {
			t.Fatalf("%s: %v", tt.name, r.Error)
		}
		if got := r.Frames[0].Fields[0].Config.DisplayNameFromDS; got != tt.title {
			t.Errorf("%s: got the title %q, want %q", tt.name, got, tt.title)
		}
		for range len(asked) {
			if got := (<-asked).Get(tt.header); got != tt.want {
				t.Errorf("%s: got %s %q, want %q", tt.name, tt.header, got, tt.want)
			}
		}
	}
}

// What editors ask.
func TestPluginResources(t *testing.T) {
	t.Parallel()
	s := observed(t)
	g := newGrafana(t, s.url(""))
	r, err := s.do("GET", "/api/v1/kpis", "")
	if err != nil {
		t.Fatal(err)
	}
	if code, got := g.get(t, "kpis"); code != http.StatusOK || got != string(r.data) {
		t.Errorf("kpis: got %d %.300s, want what the service says", code, got)
	}
	day := fmt.Sprintf("&from=%d&to=%d", noon.Add(-24*time.Hour).UnixMilli(), noon.Add(time.Hour).UnixMilli())
	yesterday := fmt.Sprintf("&from=%d&to=%d", noon.Add(-24*time.Hour).UnixMilli(), noon.Add(-23*time.Hour).UnixMilli())
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"values?kpi=views&field=channel" + day, 200, `{"values":["douyin","wechat"]}`},
		{"values?kpi=views&field=channel&window=5m" + yesterday, 200, `{"values":["douyin"]}`},
		{"values?kpi=views&field=device&filters=" + url.QueryEscape(`[{"field":"channel","op":"=","values":["douyin"]}]`) + day, 200, `{"values":["(none)","ios","web"]}`},
		{"values?kpi=views&field=device&filters=" + url.QueryEscape(`[{"field":"channel","op":"=~","values":["we.*"]}]`) + "&window=1m" + day, 200, `{"values":["ios","web"]}`},
		{"values?kpi=views&field=region", 400, `views is not kept by region: use fields of total or channel or channel,device`},
		{"values?kpi=viewz&field=channel", 404, `did you mean views?`},
		{"values?kpi=&field=channel", 400, `is no name of a KPI`},
		{"values?kpi=views&field=channel&from=now", 400, `from \"now\" is no time: give epoch milliseconds`},
		{"nothing", 404, `404 page not found`},
	} {
		if code, got := g.get(t, tt.path); code != tt.code || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %d %s, want %d %s", tt.path, code, got, tt.code, tt.want)
		}
	}
}
