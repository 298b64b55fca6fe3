// Package dashboards is what people look at: the live page, built from web/ and
// embedded, and the Grafana dashboards in grafana/.
package dashboards

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/accept"
)

// dist holds the built page. On a fresh clone it holds .gitkeep alone, so that
// the service builds before npm ever ran.
//
//go:embed all:dist
var dist embed.FS

// Page finds the files of the live page, which is at "/", by their paths; nil for
// any other. Everything it needs is in the binary; the page itself talks to
// nothing but the service that it came from.
func Page() func(path string) http.Handler {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // dist is embedded: only a wrong name gets here
	}
	return newPage(built).find
}

// policy lets the page load from its own service, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// unbuilt is shown in place of the page until it has been built.
const unbuilt = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tidewatch</title>
<h1>Tidewatch is running</h1>
<p>This binary was built without the live page. To build both, with Node and npm installed:
<pre>make build</pre>
<p>(<code>make page</code> builds the page alone.) The HTTP API is there all the same:
<ul>
<li><a href="/api/v1/kpis">/api/v1/kpis</a>
<li><a href="/api/v1/ledger">/api/v1/ledger</a>
<li><a href="/api/v1/alerts">/api/v1/alerts</a>
<li><a href="/metrics">/metrics</a>
</ul>
`

// A page is a set of files that never change while the process lives.
type page map[string]*asset

// An asset is one file, ready to be sent.
type asset struct {
	plain []byte
	gzip  []byte // nil where it would not be smaller
	kind  string
	etag  string
	cache string
}

func newPage(files fs.FS) page {
	p := page{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), ".") {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		p["/"+name] = newAsset(name, data)
		return nil
	})
	if err != nil {
		panic(fmt.Errorf("read embedded page: %w", err))
	}
	index, ok := p["/index.html"]
	if !ok {
		index = newAsset("index.html", []byte(unbuilt))
	}
	p["/"], p["/index.html"] = index, index
	return p
}

func newAsset(name string, data []byte) *asset {
	sum := sha256.Sum256(data)
	a := &asset{
		plain: data,
		kind:  contentType(name),
		etag:  `"` + hex.EncodeToString(sum[:8]) + `"`,
		cache: "no-cache",
	}
	if strings.HasPrefix(name, "assets/") {
		// The build puts a hash of the content into these names.
		a.cache = "public, max-age=31536000, immutable"
	}
	if packed := pack(data); len(packed) < len(data) {
		a.gzip = packed
	}
	return a
}

// contentType does not ask the machine's own table, which may know better or
// worse than the page's browser needs.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".svg":
		return "image/svg+xml"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

func pack(data []byte) []byte {
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is valid
	_, _ = w.Write(data)                                       // into memory
	_ = w.Close()
	return packed.Bytes()
}

func (p page) find(path string) http.Handler {
	if a, ok := p[path]; ok {
		return a
	}
	return nil
}

// ServeHTTP sends the file.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", a.cache)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")

	body, etag := a.plain, a.etag
	if a.gzip != nil {
		h.Set("Vary", "Accept-Encoding")
		if accept.Gzip(r.Header.Get("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			body, etag = a.gzip, strings.TrimSuffix(a.etag, `"`)+`-gzip"`
		}
	}
	h.Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}
