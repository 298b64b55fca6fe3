package dashboards

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

var built = fstest.MapFS{
	".gitkeep":          {},
	"index.html":        {Data: []byte("<!doctype html><title>Tidewatch</title>")},
	"favicon.svg":       {Data: []byte("<svg/>")},
	"assets/app-1a2.js": {Data: []byte(strings.Repeat("console.log('tide');\n", 100))},
}

func get(t *testing.T, find func(string) http.Handler, method, path string, headers ...string) *http.Response {
	t.Helper()
	file := find(path)
	if file == nil {
		t.Fatalf("%s is not there", path)
	}
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	file.ServeHTTP(w, r)
	return w.Result()
}

func TestPageServes(t *testing.T) {
	const immutable = "public, max-age=31536000, immutable"
	for _, test := range []struct {
		method, path string
		kind, cache  string
	}{
		{"GET", "/", "text/html; charset=utf-8", "no-cache"},
		{"HEAD", "/", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/index.html", "text/html; charset=utf-8", "no-cache"},
		{"GET", "/favicon.svg", "image/svg+xml", "no-cache"},
		{"GET", "/assets/app-1a2.js", "text/javascript; charset=utf-8", immutable},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			got := get(t, newPage(built).find, test.method, test.path)
			if got.StatusCode != 200 {
				t.Errorf("status = %d, want 200", got.StatusCode)
			}
			if kind := got.Header.Get("Content-Type"); kind != test.kind {
				t.Errorf("Content-Type = %q, want %q", kind, test.kind)
			}
			if cache := got.Header.Get("Cache-Control"); cache != test.cache {
				t.Errorf("Cache-Control = %q, want %q", cache, test.cache)
			}
		})
	}
}

func TestPageHasNothingElse(t *testing.T) {
	for _, path := range []string{"/assets/", "/.gitkeep", "/../page.go", "/nope", ""} {
		if newPage(built).find(path) != nil {
			t.Errorf("%q is served", path)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	got := get(t, newPage(built).find, "GET", "/").Header
	for name, want := range map[string]string{
		"Content-Security-Policy": policy,
		"X-Content-Type-Options":  "nosniff",
		"Referrer-Policy":         "no-referrer",
	} {
		if got.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestPageIsNotSentTwice(t *testing.T) {
	p := newPage(built).find
	first := get(t, p, "GET", "/", "Accept-Encoding", "gzip")
	again := get(t, p, "GET", "/", "Accept-Encoding", "gzip", "If-None-Match", first.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("status = %d, want %d", again.StatusCode, http.StatusNotModified)
	}
}

func TestPageGzip(t *testing.T) {
	const script = "/assets/app-1a2.js"
	for _, test := range []struct {
		path, accept string
		want         bool
	}{
		{script, "gzip, deflate, br", true},
		{script, "br, GZIP;q=0.5", true},
		{script, "gzip;q=0", false},
		{script, "gzip;q=0.0, br", false},
		{script, "br", false},
		{script, "", false},
		{"/favicon.svg", "gzip", false}, // too small to gain
	} {
		t.Run(test.path+" "+test.accept, func(t *testing.T) {
			got := get(t, newPage(built).find, "GET", test.path, "Accept-Encoding", test.accept)
			if packed := got.Header.Get("Content-Encoding") == "gzip"; packed != test.want {
				t.Fatalf("gzip = %v, want %v", packed, test.want)
			}
			var body io.Reader = got.Body
			if test.want {
				unpacked, err := gzip.NewReader(got.Body)
				if err != nil {
					t.Fatal(err)
				}
				body = unpacked
			}
			data, err := io.ReadAll(body)
			if err != nil {
				t.Fatal(err)
			}
			if want := string(built[strings.TrimPrefix(test.path, "/")].Data); string(data) != want {
				t.Errorf("body = %.40q, want %.40q", data, want)
			}
		})
	}
}

func TestPageNotBuilt(t *testing.T) {
	got := get(t, newPage(fstest.MapFS{".gitkeep": {}}).find, "GET", "/")
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got.StatusCode != 200 || !strings.Contains(string(body), "make build") {
		t.Errorf("status %d, body %q: want a page that says how to build it", got.StatusCode, body)
	}
}

// The embedded folder must serve a page, built or not.
func TestPageEmbedded(t *testing.T) {
	if got := get(t, Page(), "GET", "/"); got.StatusCode != 200 {
		t.Errorf("status = %d, want 200", got.StatusCode)
	}
}
