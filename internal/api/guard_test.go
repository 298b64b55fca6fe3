package api

import (
	"context"
	"testing"
)

func TestGuard(t *testing.T) {
	const local = "127.0.0.1:8080"
	for _, c := range []struct {
		name, listen  string
		anyHost       bool
		method, host  string
		header, value string
		refused       string
	}{
		{name: "localhost", listen: local, host: "localhost:9"},
		{name: "upper case", listen: local, host: "LOCALHOST"},
		{name: "IPv6", listen: local, host: "[::1]:8080"},
		{name: "IPv6 without port", listen: local, host: "[::1]"},
		{name: "listen host", listen: "127.0.0.2:80", host: "127.0.0.2"},
		{name: "external host", listen: local, host: "Tide.example:443"},
		{name: "its own page", listen: local, method: "POST", host: "tide.example", header: "Origin", value: "https://tide.example"},
		{name: "rebound name", listen: local, host: "evil.example:8080",
			refused: `host "evil.example:8080" is not this service: use localhost, 127.0.0.1 or [::1], name it in external_url, or start it with --insecure-listen`},
		{name: "looks alike", listen: local, host: "localhost.evil.example",
			refused: `host "localhost.evil.example" is not this service: use localhost, 127.0.0.1 or [::1], name it in external_url, or start it with --insecure-listen`},
		{name: "no host", listen: local, host: "",
			refused: `host "" is not this service: use localhost, 127.0.0.1 or [::1], name it in external_url, or start it with --insecure-listen`},
		{name: "any host", listen: "0.0.0.0:8080", anyHost: true, host: "tide.example"},
		{name: "public without any host", listen: "10.0.0.1:8080", host: "10.0.0.1:8080"},
		{name: "public, other name", listen: "10.0.0.1:8080", host: "shop.example",
			refused: `host "shop.example" is not this service: use localhost, 127.0.0.1 or [::1], name it in external_url, or start it with --insecure-listen`},

		{name: "own origin", listen: local, host: "localhost:8080", header: "Origin", value: "http://localhost:8080"},
		{name: "other port", listen: local, host: "localhost:8080", header: "Origin", value: "http://localhost:3000",
			refused: `origin "http://localhost:3000" is foreign: only the service's own pages and programs may ask`},
		{name: "null origin", listen: local, host: "localhost:8080", header: "Origin", value: "null",
			refused: `origin "null" is foreign: only the service's own pages and programs may ask`},
		{name: "foreign origin on a public address", listen: "0.0.0.0:1", anyHost: true, host: "a", header: "Origin", value: "http://b",
			refused: `origin "http://b" is foreign: only the service's own pages and programs may ask`},
		{name: "its own page behind a proxy", listen: local, method: "POST", host: "127.0.0.1:8080", header: "Origin", value: "https://tide.example"},
		{name: "another port of the external host", listen: local, host: "127.0.0.1:8080", header: "Origin", value: "https://tide.example:444",
			refused: `origin "https://tide.example:444" is foreign: only the service's own pages and programs may ask`},

		{name: "cross-site POST", listen: local, method: "POST", host: "localhost", header: "Sec-Fetch-Site", value: "cross-site",
			refused: "a page of another site must not POST /-/reload: ask from a program, or open it in a tab of its own"},
		{name: "cross-site POST on a public address", listen: "0.0.0.0:1", anyHost: true, method: "POST", host: "a", header: "Sec-Fetch-Site", value: "cross-site",
			refused: "a page of another site must not POST /-/reload: ask from a program, or open it in a tab of its own"},
		{name: "cross-site GET", listen: local, host: "localhost", header: "Sec-Fetch-Site", value: "cross-site",
			refused: "a page of another site must not GET /-/healthy: ask from a program, or open it in a tab of its own"},
		{name: "GET from another port", listen: local, host: "localhost", header: "Sec-Fetch-Site", value: "same-site",
			refused: "a page of another site must not GET /-/healthy: ask from a program, or open it in a tab of its own"},
		{name: "typed into a browser", listen: local, host: "localhost", header: "Sec-Fetch-Site", value: "none"},
		{name: "own GET", listen: local, host: "localhost", header: "Sec-Fetch-Site", value: "same-origin"},
		{name: "own POST", listen: local, method: "POST", host: "localhost", header: "Sec-Fetch-Site", value: "same-origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			d := f.deps(t)
			d.Listen, d.AnyHost, d.ExternalURL = c.listen, c.anyHost, "https://tide.example/watch"
			d.Reload = func(context.Context) ([]string, error) { return nil, nil }
			target := "/-/healthy"
			if c.method == "POST" {
				target = "/-/reload"
			}
			header := []string{"Host", c.host}
			if c.header != "" {
				header = append(header, c.header, c.value)
			}
			got := ask(New(d), or(c.method, "GET"), target, "", header...)
			if e := got.envelope(t); e.Error != c.refused || (got.code == 403) != (c.refused != "") || c.refused != "" && e.ErrorType != "forbidden" {
				t.Errorf("got %d %q, want %q", got.code, e.Error, c.refused)
			}
		})
	}
}

// TestLinks: a link of another site opens the page, in a tab, and nothing else.
func TestLinks(t *testing.T) {
	h := New(newFake().deps(t))
	for _, c := range []struct {
		target, site, mode, dest string
		code                     int
	}{
		{"/", "cross-site", "navigate", "document", 200},
		{"/", "same-site", "navigate", "document", 200},
		{"/", "cross-site", "navigate", "iframe", 403},
		{"/", "cross-site", "no-cors", "image", 403},
		{"/api/v1/kpis", "cross-site", "navigate", "document", 403},
		{"/metrics", "cross-site", "navigate", "document", 403},
		{"/api/v1/kpis", "none", "navigate", "document", 200},
		{"/api/v1/kpis", "same-origin", "cors", "empty", 200},
		{"/metrics", "", "", "", 200},
	} {
		got := ask(h, "GET", c.target, "", "Sec-Fetch-Site", c.site, "Sec-Fetch-Mode", c.mode, "Sec-Fetch-Dest", c.dest)
		if got.code != c.code {
			t.Errorf("%+v: got %d", c, got.code)
		}
	}
}
