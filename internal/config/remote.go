package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
)

// A RemoteWrite is a store that speaks Prometheus' remote write protocol.
type RemoteWrite struct {
	URL string
	// Name tells stores of one address apart, such as tenants. By default it is the URL.
	Name string
	// Match are selectors of the series that it gets. By default WrittenByDefault.
	Match []string
	// BearerTokenFile has the token to be let in with. By default none is sent.
	BearerTokenFile string
	// BasicAuth is a name and a password to be let in with. By default none is sent.
	BasicAuth BasicAuth
	// Headers are sent with every request, by name.
	Headers map[string]string
	// HeaderFiles have the values of others, which are secret.
	HeaderFiles map[string]string
}

// ID is what no other store has: the name, or else the URL.
func (w RemoteWrite) ID() string { return cmp.Or(w.Name, w.URL) }

// A BasicAuth is a name with the file that has its password.
type BasicAuth struct {
	Username, PasswordFile string
}

// WrittenByDefault selects what a store gets unless it is said: what a scraper would keep,
// but for windows of a minute.
const WrittenByDefault = `{window!="1m",by!~".*(content_id|session_id|order_id).*"}`

func (r *reader) remoteWrites(to *[]RemoteWrite) setter {
	return func(n document.Node) {
		if r.bare(n, "stores") {
			return
		}
		for _, item := range n.Items() {
			if r.bare(item, "stores") {
				*to = append(*to, RemoteWrite{}) // those behind it keep their places
				continue
			}
			w := RemoteWrite{Match: []string{WrittenByDefault}}
			m := r.mapping(item, map[string]setter{
				"url": r.text(&w.URL), "name": r.text(&w.Name), "match": r.texts(&w.Match), "bearer_token_file": r.fileName(&w.BearerTokenFile),
				"basic_auth": r.basicAuth(&w.BasicAuth), "headers": r.headers(&w.Headers, r.text), "header_files": r.headers(&w.HeaderFiles, r.fileName),
			})
			if w.URL == "" && !r.bad[item.Path()+".url"] {
				m.Missing("has no url", "give the address that takes remote write, such as http://127.0.0.1:9090/api/v1/write")
			}
			*to = append(*to, w)
		}
	}
}

func (r *reader) basicAuth(to *BasicAuth) setter {
	return func(n document.Node) {
		if r.alone(n, "give username and password_file") || n.Null() {
			return
		}
		m := r.mapping(n, map[string]setter{"username": r.text(&to.Username), "password_file": r.fileName(&to.PasswordFile)})
		for _, key := range []struct{ name, is string }{{"username", to.Username}, {"password_file", to.PasswordFile}} {
			if key.is == "" && !r.bad[n.Path()+"."+key.name] {
				m.Missing("has no "+key.name, "give username and password_file, a file with the password")
			}
		}
	}
}

// headers are some by name, of which value reads what each is.
func (r *reader) headers(to *map[string]string, value func(*string) setter) setter {
	return func(n document.Node) {
		if r.alone(n, "give names of headers with their values") {
			return
		}
		m := n.Entries()
		*to = map[string]string{}
		for _, name := range m.Keys {
			text := ""
			is, _ := m.Get(name)
			value(&text)(is)
			(*to)[name] = text
		}
	}
}

// alone notes a text in place of keys, without repeating it: it may be a secret.
func (r *reader) alone(n document.Node, remedy string) bool {
	if n.Null() || !n.Scalar() {
		return false
	}
	r.fail(n.Path(), "", "is no mapping", remedy)
	return true
}

func (r *reader) checkRemoteWrites(stores []RemoteWrite) {
	const list = "remote_write"
	for i, w := range stores {
		path := fmt.Sprintf("%s[%d]", list, i)
		valid := r.checkAddress(path+".url", w.URL, "http://127.0.0.1:9090/api/v1/write")
		switch first := slices.IndexFunc(stores, func(other RemoteWrite) bool { return other.ID() == w.ID() }); {
		case first == i:
		case w.Name != "":
			r.fail(path+".name", strconv.Quote(w.Name), fmt.Sprintf("is that of %s[%d]", list, first), "give each a name of its own")
		case valid:
			r.fail(path+".url", "", fmt.Sprintf("is that of %s[%d]", list, first), "keep one, with the selectors of both; give tenants a name each")
		}
		for j, text := range w.Match {
			if _, err := expression.Language.ParseMetricSelector(text); err != nil {
				r.fail(fmt.Sprintf("%s.match[%d]", path, j), strconv.Quote(text), "is no selector: "+err.Error(), "write one such as {by=\"total\",window=\"day\"}")
			}
		}
		r.checkAdmission(path, w)
		r.checkHeaders(path, w)
	}
}

// checkAdmission checks by what a store is to let us in.
func (r *reader) checkAdmission(path string, w RemoteWrite) {
	var ways []string
	if u, err := url.Parse(w.URL); err == nil && u.User != nil {
		ways = append(ways, "url")
	}
	if w.BearerTokenFile != "" {
		_ = r.readableFile(path+".bearer_token_file", w.BearerTokenFile)
		ways = append(ways, "bearer_token_file")
	}
	if w.BasicAuth != (BasicAuth{}) {
		if w.BasicAuth.PasswordFile != "" {
			_ = r.readableFile(path+".basic_auth.password_file", w.BasicAuth.PasswordFile)
		}
		ways = append(ways, "basic_auth")
	}
	if len(ways) > 1 {
		r.fail(path, "", "says by "+strings.Join(ways, " and ")+" who we are", "keep one of them")
	}
}

// ourHeaders are those that are not anybody's to choose.
var ourHeaders = []string{
	"Connection", "Content-Encoding", "Content-Length", "Content-Type", "Host", "Transfer-Encoding", "User-Agent", "X-Prometheus-Remote-Write-Version",
}

func (r *reader) checkHeaders(path string, w RemoteWrite) {
	given := map[string]bool{}
	for _, of := range []struct {
		path string
		list map[string]string
	}{{path + ".headers.", w.Headers}, {path + ".header_files.", w.HeaderFiles}} {
		for _, name := range slices.Sorted(maps.Keys(of.list)) {
			at, as := of.path+name, http.CanonicalHeaderKey(name)
			switch {
			case strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~") != "" || name == "":
				r.fail(at, "", "is no name of a header", "write letters, digits and -")
			case as == "Authorization":
				r.fail(at, "", "is set by other keys", "use bearer_token_file, or basic_auth")
			case slices.Contains(ourHeaders, as):
				r.fail(at, "", "is set by the protocol", "leave it out")
			case given[as]:
				r.fail(at, "", "is given twice", "keep one; upper and lower case are the same")
			}
			given[as] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.Headers)) {
		if at := path + ".headers." + name; !r.bad[at] && !ValidHeader(w.Headers[name]) {
			r.fail(at, "", "is no value of a header", "give one line of text")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.HeaderFiles)) {
		if at := path + ".header_files." + name; !r.bad[at] {
			_ = r.readableFile(at, w.HeaderFiles[name])
		}
	}
}

// ValidHeader reports whether a text can be the value of a header.
func ValidHeader(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
}
