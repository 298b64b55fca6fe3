package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A guard refuses what a foreign web page makes a browser send. On a loopback
// address a browser is the only stranger that can reach the service: by a
// request to another origin, or by a name that was rebound to 127.0.0.1.
type guard struct {
	loopback bool
	anyHost  bool
	own      string // the host that is listened on
	external string // the host under which people reach the service
}

func newGuard(listen, externalURL string, anyHost bool) guard {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		host = listen
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	g := guard{loopback: loopback, anyHost: anyHost && !loopback, own: strings.ToLower(host)}
	if u, err := url.Parse(externalURL); err == nil {
		g.external = strings.ToLower(u.Hostname())
	}
	return g
}

func (g guard) check(r *http.Request) error {
	if host := hostname(r.Host); !g.anyHost && !g.knows(host) {
		return forbidden("host %q is not this service: use localhost, 127.0.0.1 or [::1], name it in external_url, or start it with --insecure-listen", r.Host)
	}
	if origin := r.Header.Get("Origin"); g.loopback && origin != "" && !sameOrigin(origin, r.Host) {
		return forbidden("origin %q is foreign: only the service's own pages and programs may ask", origin)
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.Method != http.MethodGet && r.Method != http.MethodHead {
		return forbidden("a page of another site must not %s here: send from a program", r.Method)
	}
	return nil
}

func (g guard) knows(host string) bool {
	switch host {
	case "localhost", "127.0.0.1", "::1":
		return true
	case "":
		return false
	}
	return host == g.own || host == g.external
}

// sameOrigin reports whether a page of origin was served at host.
func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func forbidden(format string, args ...any) *Error { return newError(KindForbidden, format, args) }
