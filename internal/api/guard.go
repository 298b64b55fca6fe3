package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A guard refuses what a foreign web page makes a browser send, be it to read
// or to write: a browser is a stranger's way to an address that only its user
// can reach, by a request to another origin, or by a name that was rebound to
// 127.0.0.1.
type guard struct {
	anyHost  bool
	own      string // the host that is listened on
	external string // where people reach the service, as an origin has it
}

func newGuard(listen, externalURL string, anyHost bool) guard {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		host = listen
	}
	g := guard{anyHost: anyHost, own: strings.ToLower(host)}
	if u, err := url.Parse(externalURL); err == nil {
		g.external = strings.ToLower(u.Host)
	}
	return g
}

// check refuses a request; page says that it is for a file of the live page,
// which links of other sites may open.
func (g guard) check(r *http.Request, page bool) error {
	if host := hostname(r.Host); !g.anyHost && !g.knows(host) {
		return forbidden("host %q is not this service: use localhost, 127.0.0.1 or [::1], name it in external_url, or start it with --insecure-listen", r.Host)
	}
	if origin := r.Header.Get("Origin"); origin != "" && !g.ownOrigin(origin, r.Host) {
		return forbidden("origin %q is foreign: only the service's own pages and programs may ask", origin)
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		if link := page && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"; !link {
			return forbidden("a page of another site must not %s %s: ask from a program, or open it in a tab of its own", r.Method, r.URL.Path)
		}
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
	return host == g.own || host == hostname(g.external)
}

// ownOrigin reports whether a page of origin was served at host, or where people
// reach the service: a proxy in between may change the host.
func (g guard) ownOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false
	}
	return strings.EqualFold(u.Host, host) || strings.EqualFold(u.Host, g.external)
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func forbidden(format string, args ...any) *Error { return newError(KindForbidden, format, args) }
