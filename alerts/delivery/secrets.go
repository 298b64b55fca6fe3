package delivery

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
)

// secrets are what a text must not tell: a receiver may answer with any part of
// what it was sent, and errors name addresses.
type secrets []string

// shortest is how long a part of an address is that stands for itself. Shorter
// ones are words more often than secrets, and are hidden within the whole only.
const shortest = 4

func (s *secrets) add(texts ...string) {
	for _, t := range texts {
		if len(t) >= shortest {
			*s = append(*s, t)
		}
	}
}

// addURL adds all of an address but its scheme and host.
func (s *secrets) addURL(u *url.URL) {
	s.add(u.RequestURI(), u.EscapedPath(), u.RawQuery)
	for _, part := range append(strings.Split(u.EscapedPath(), "/"), strings.Split(u.Path, "/")...) {
		if !slices.Contains(plainParts, part) {
			s.add(part)
		}
	}
	for key, values := range u.Query() {
		s.add(values...)
		if slices.Equal(values, []string{""}) {
			s.add(key)
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.add(u.User.String(), u.User.Username(), password)
	}
}

// addRequest adds what a request carried over the wire.
func (s *secrets) addRequest(r *http.Request) {
	s.addURL(r.URL)
	for name, values := range r.Header {
		if slices.Contains(plainHeaders, name) {
			continue
		}
		for _, v := range values {
			s.add(v)
			s.add(strings.Fields(v)...)
		}
	}
	user, password, _ := r.BasicAuth()
	s.add(user, password)
}

// plainParts are in the path of every robot's address.
var plainParts = []string{"open-apis", "hook", "robot", "send", "cgi-bin", "webhook"}

// plainHeaders are those of our requests that hold nothing to be hidden.
var plainHeaders = []string{"Content-Type", "Idempotency-Key", "Referer", "User-Agent", "Webhook-Id", "Webhook-Timestamp"}

// addConfig adds what a file says about how to reach a receiver.
func (s *secrets) addConfig(c *config.HTTPClientConfig) {
	s.add(string(c.BearerToken))
	if c.BasicAuth != nil {
		s.add(string(c.BasicAuth.Password))
	}
	if c.Authorization != nil {
		s.add(string(c.Authorization.Credentials))
	}
	if c.OAuth2 != nil {
		s.add(string(c.OAuth2.ClientSecret))
	}
	if c.ProxyURL.URL != nil {
		s.addURL(c.ProxyURL.URL)
	}
}

// addPayload adds the texts and numbers of a payload, not its names.
func (s *secrets) addPayload(payload any) {
	switch v := reflect.ValueOf(payload); v.Kind() {
	case reflect.String:
		s.addParts(v.String())
	case reflect.Slice:
		for _, one := range v.Seq2() {
			s.addPayload(one.Interface())
		}
	case reflect.Map:
		for _, one := range v.Seq2() {
			s.addPayload(one.Interface())
		}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		s.add(fmt.Sprint(payload))
	}
}

// parts are what stands between quotes, templates and fields of a form, name what is behind one
// that names what follows.
var (
	parts = regexp.MustCompile("[^\"'`&=\n{}]+")
	name  = regexp.MustCompile(`^["']?\s*[:=]`)
)

// addParts adds those of a text, which may be JSON or a form: of two words, such as Bearer and a
// token, each.
func (s *secrets) addParts(text string) {
	for _, at := range parts.FindAllStringIndex(text, -1) {
		if name.MatchString(text[at[1]:]) {
			continue
		}
		part := strings.Trim(text[at[0]:at[1]], " \t,:;[]()")
		s.add(part)
		if words := strings.Fields(part); len(words) == 2 {
			s.add(words...)
		}
	}
}

const hidden = "<secret>"

// addresses are URLs, in JSON too, and what parsers quote of texts that were
// meant to be one.
var addresses = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*:\\?/\\?/[^\s"'<>]+|\bparse "(?:[^"\\]|\\.)*"|\btemplate: .*`)

// hide takes addresses and the secrets out of a text, however they are escaped.
func (s secrets) hide(text string) string {
	text = addresses.ReplaceAllString(text, hidden)
	var all []string
	for _, t := range s {
		for _, form := range []string{t, url.QueryEscape(t), url.PathEscape(t), html.EscapeString(t), strings.ReplaceAll(t, "/", `\/`)} {
			all = append(all, regexp.QuoteMeta(form))
		}
	}
	if len(all) == 0 {
		return text
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) }) // the whole before its parts
	return regexp.MustCompile(`(?i)`+strings.Join(all, "|")).ReplaceAllLiteralString(text, hidden)
}
