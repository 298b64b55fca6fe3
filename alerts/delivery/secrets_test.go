package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A receiver may answer with anything that it was sent, in any form: none of it
// is told.
func TestAnswersTellNoSecret(t *testing.T) {
	const path, query = "/hooks/T0KEN-a/T0KEN b/%E5%AF%86%E9%92%A5", "key=T0KEN-c%2Fd&T0KEN-e&short=1"
	forms := map[string]func(r *http.Request) string{
		"path":         func(r *http.Request) string { return r.URL.Path },
		"escaped path": func(r *http.Request) string { return r.URL.EscapedPath() },
		"parts":        func(r *http.Request) string { return strings.Join(strings.Split(r.URL.Path, "/"), " and ") },
		"query":        func(r *http.Request) string { return r.URL.RawQuery },
		"values":       func(r *http.Request) string { return fmt.Sprint(r.URL.Query()) },
		"request line": func(r *http.Request) string { return "POST " + r.RequestURI + " HTTP/1.1" },
		"URL":          func(r *http.Request) string { return "no http://" + r.Host + r.RequestURI + "#T0KEN-f" },
		"another URL":  func(*http.Request) string { return "moved to https://u:T0KEN-u@other.example/T0KEN-g" },
		"JSON": func(r *http.Request) string {
			return `{"url":"` + strings.ReplaceAll("http://"+r.Host+r.RequestURI, "/", `\/`) + `","path":"` + strings.ReplaceAll(r.RequestURI, "/", `\/`) + `"}`
		},
		"HTML":            func(r *http.Request) string { return "<p>" + html.EscapeString(r.RequestURI) + "</p>" },
		"escaped":         func(r *http.Request) string { return url.QueryEscape(r.RequestURI) },
		"upper case":      func(r *http.Request) string { return strings.ToUpper(r.RequestURI) },
		"credentials":     func(r *http.Request) string { return r.Header.Get("Authorization") },
		"password":        func(r *http.Request) string { _, p, _ := r.BasicAuth(); return "is not " + p },
		"headers":         func(r *http.Request) string { return fmt.Sprint(r.Header) },
		"over many lines": func(r *http.Request) string { return strings.Repeat("\n\t"+r.RequestURI, 100) },
		"long":            func(r *http.Request) string { return strings.Repeat("x", 190) + r.RequestURI },
	}
	for _, auth := range []string{
		"basic_auth: {username: T0KEN-h, password_file: password}", "authorization: {credentials_file: password}",
		"http_headers: {X-Api-Key: {values: [T0KEN-i]}}",
	} {
		for name, say := range forms {
			t.Run(auth[:5]+"/"+name, func(t *testing.T) {
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/hop" { // what a redirect leads to is secret too
						http.Redirect(w, r, "/hop?to="+url.QueryEscape(r.RequestURI), http.StatusPermanentRedirect)
						return
					}
					back, err := url.Parse(r.URL.Query().Get("to"))
					if err != nil {
						t.Error(err)
					}
					to := r.Clone(r.Context())
					to.URL, to.RequestURI = back, back.String()
					w.WriteHeader(http.StatusNotFound)
					fmt.Fprint(w, "no hook: "+say(to))
				}))
				defer server.Close()
				dir := t.TempDir()
				write(t, dir, "password", "T0KEN-p")
				address, err := json.Marshal(server.URL + path + "?" + query)
				if err != nil {
					t.Fatal(err)
				}
				rs, err := LoadReceivers(filepath.Join(dir, "am.yml"), []byte("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: "+string(address)+", http_config: {"+auth+"}}]}]"))
				if err != nil {
					t.Fatal(err)
				}
				err = rs.SendTest(context.Background(), "", "", time.UTC)
				if err == nil || !strings.Contains(err.Error(), "answered 404: ") || !strings.Contains(err.Error(), "no hook") && name != "long" {
					t.Fatalf("error %v", err)
				}
				text := err.Error()
				for _, secret := range []string{"T0KEN", "t0ken", "密钥", "%E5%AF%86", url.QueryEscape("密钥")} {
					if strings.Contains(text, secret) || strings.Contains(strings.ToUpper(text), secret) {
						t.Errorf("%s is told: %s", secret, text)
					}
				}
			})
		}
	}
}

// Nor do errors on the way there.
func TestErrorsTellNoSecret(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/token":
			http.Error(w, `{"error": "no client `+r.FormValue("client_secret")+r.Header.Get("Authorization")+`"}`, http.StatusUnauthorized)
		case "/location":
			w.Header().Set("Location", "http://u:T0KEN@h:port/T0KEN")
			w.WriteHeader(http.StatusPermanentRedirect)
		default:
			panic(http.ErrAbortHandler)
		}
	}))
	defer server.Close()
	nobody := httptest.NewServer(nil)
	nobody.Close()
	for _, hook := range []string{
		"url: '" + nobody.URL + "/T0KEN?key=T0KEN'",
		"url: '" + server.URL + "/T0KEN?key=T0KEN'",
		"url: '" + server.URL + "/location?T0KEN'",
		"url: 'http://127.0.0.1:9/T0KEN', http_config: {proxy_url: 'http://u:T0KEN@" + strings.TrimPrefix(nobody.URL, "http://") + "'}",
		"url: 'https://127.0.0.1:9/T0KEN', http_config: {proxy_url: '" + server.URL + "/T0KEN'}",
		"url: 'http://127.0.0.1:9/', http_config: {oauth2: {client_id: a, client_secret: T0KEN, token_url: '" + server.URL + "/token'}}",
		"url: 'http://127.0.0.1:9/', http_config: {oauth2: {client_id: a, client_secret: T0KEN, token_url: 'http://u:T0KEN@h:port/'}}",
		"url: 'http://u:T0KEN@host:port/T0KEN'",
		"url: 'ht tp://T0KEN'",
		"url: 'ftp://h/T0KEN'",
		"url: 'http://h/%zzT0KEN'",
		"url: 'http://h/{{T0KEN'",
		"url: [T0KEN]",
		"url: 'http://h/', http_config: {proxy_url: 'http://u:T0KEN@h:port'}",
		"url: 'http://h/', http_config: {bearer_token: {T0KEN: 1}}",
	} {
		rs, err := LoadReceivers("am.yml", []byte("route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{"+hook+"}]}]"))
		if err == nil {
			err = rs.SendTest(context.Background(), "", "", time.UTC)
		}
		if err == nil || strings.Contains(err.Error(), "T0KEN") {
			t.Errorf("%s: error %v", hook, err)
		}
	}
}

// A payload of the file may hold tokens, in any form. Its names are told.
func TestPayloadsTellNoSecret(t *testing.T) {
	for payload, want := range map[string]string{
		`{routing_key: T0KEN-abc, nested: [{text: '{{ .Status }}'}]}`:    "T0KEN-abc",
		`{nested: [{routing_key: 'Bearer T0KEN-abc'}]}`:                  "T0KEN-abc",
		`{routing_key: 20261129}`:                                        "20261129",
		`{routing_key: 'T0KEN-abc {{ .Status }}'}`:                       "T0KEN-abc",
		`{routing_key: '{{ "T0KEN-abc" }}'}`:                             "T0KEN-abc",
		`'{"routing_key": "T0KEN-abc", "text": {{ .Status | toJson }}}'`: "T0KEN-abc",
		`'{"text": {{ .Status | toJson }}, "routing_key": "T0KEN-abc"}'`: "T0KEN-abc",
		`'routing_key=T0KEN-abc&text={{ .Status }}'`:                     "T0KEN-abc",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "unknown routing_key "+want+" of this service", http.StatusInternalServerError)
		}))
		defer server.Close()
		rs := load(t, t.TempDir(), "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: '"+server.URL+"', payload: "+payload+"}]}]")
		err := rs.SendTest(t.Context(), "", "", time.UTC)
		if got, want := fmt.Sprint(err), "send to a: answered 500: unknown routing_key <secret> of this service"; got != want {
			t.Errorf("%s: %s, want %s", payload, got, want)
		}
	}
}

// What is left of an answer is worth reading.
func TestExcerpts(t *testing.T) {
	for answer, want := range map[string]string{
		"no  such\nchannel":                            "answered 400: no such channel",
		`{"errcode":310000,"errmsg":"sign not match"}`: `answered 400: {"errcode":310000,"errmsg":"sign not match"}`,
		"no route for /services/T0KEN":                 "answered 400: no route for <secret>",
		"the key s3cret is not known":                  "answered 400: the key <secret> is not known",
		"a 404 page":                                   "answered 400: a 404 page",
		"":                                             "answered 400",
		"密" + strings.Repeat("钥", 100):                 "answered 400: 密" + strings.Repeat("钥", 65),
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newReceiver(t, func(call) (int, http.Header) { return 400, nil })
			r.says = answer
			rs := r.receivers()
			rs.Integrations[0].URL = "http://hook.example/services/T0KEN?key=s3cret"
			if err := rs.SendTest(context.Background(), "", "", time.UTC); err == nil || err.Error() != "send to oncall: "+want {
				t.Errorf("%q: error %v, want %s", answer, err, want)
			}
		})
	}
}
