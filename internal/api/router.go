package api

import (
	"cmp"
	"errors"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/exposition"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// A handler answers a request; respond writes the envelope around its answer.
type handler func(r *http.Request) (answer, error)

// An answer is what stands in the envelope of a success.
type answer struct {
	data     any // a writer of its own JSON, or something for encoding/json
	warnings []string
	infos    []string // of Prometheus' language
	as       format   // how data that is a table is written
	in       language // and how its columns are called
	tag      string   // its ETag, "" for none
	status   int      // 200 when zero
	done     func()   // is called once the answer is out, if there is one
}

// A router finds the handler of a request, behind the guard, the metrics and
// the recovery that all of them share.
type router struct {
	mux    *http.ServeMux
	guard  guard
	limits Limits
	set    *metrics.Set
	log    zerolog.Logger

	refusals refusals
	methods  map[string][]string // by path
}

func newRouter(d Deps) *router {
	return &router{
		mux:    http.NewServeMux(),
		guard:  newGuard(d.Listen, d.ExternalURL, d.AnyHost),
		limits: d.Limits,
		set:    d.Metrics,
		log:    d.Log,

		refusals: newRefusals(d.Metrics),
		methods:  make(map[string][]string),
	}
}

// handle routes "METHOD /path" to a handler, and other methods to a 405.
func (r *router) handle(pattern string, h handler) {
	r.raw(pattern, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		a, err := h(req)
		r.respond(w, req, a, err)
	}))
}

// raw is handle for what writes its answer itself.
func (r *router) raw(pattern string, h http.Handler) {
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		r.mux.Handle(pattern, r.measured(pattern, h))
		return
	}
	if r.methods[path] == nil {
		r.mux.Handle(path, r.measured(path, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r.refuseMethod(w, req, r.methods[path])
		})))
	}
	r.methods[path] = append(r.methods[path], method)
	if method == http.MethodGet {
		r.methods[path] = append(r.methods[path], http.MethodHead)
	}
	slices.Sort(r.methods[path])
	r.mux.Handle(pattern, r.measured(path, h))
}

func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, pattern := r.mux.Handler(req)
	if err := cmp.Or(r.guard.check(req, pattern == pages), wellFormed(req)); err != nil {
		r.measured("(refused)", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			r.respond(w, req, answer{}, err)
		})).ServeHTTP(w, req)
		return
	}
	r.mux.ServeHTTP(w, req)
}

// measured counts and times the requests of a path, and answers a panic.
func (r *router) measured(path string, h http.Handler) http.Handler {
	duration := r.set.GetOrCreateSummary("tidewatch_http_request_duration_seconds" + exposition.Labels("path", path))
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		defer func() {
			if cause := recover(); cause != nil {
				if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(cause)
				}
				r.log.Error().Any("panic", cause).Str("path", loggedPath(req)).Bytes("stack", debug.Stack()).Msg("handler panicked")
				if rec.code == 0 {
					r.respond(rec, req, answer{}, &Error{Kind: KindInternal, Msg: "internal error: the service's log has the details"})
				}
			}
			r.set.GetOrCreateCounter("tidewatch_http_requests_total" +
				exposition.Labels("path", path, "method", known(req.Method), "code", strconv.Itoa(rec.status()))).Inc()
			duration.UpdateDuration(start)
		}()
		h.ServeHTTP(rec, req)
	})
}

// known keeps invented methods out of the metrics.
func known(method string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, method) {
		return method
	}
	return "other"
}

// A recorder remembers the status of an answer.
type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	if r.code == 0 {
		r.code = code
	}
	r.ResponseWriter.WriteHeader(code)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.code == 0 {
		r.code = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) status() int {
	if r.code == 0 {
		return http.StatusOK
	}
	return r.code
}

func (r *router) refuseMethod(w http.ResponseWriter, req *http.Request, methods []string) {
	allowed := strings.Join(methods, ", ")
	w.Header().Set("Allow", allowed)
	err := BadData("%s is not for %s: use %s", req.Method, req.URL.Path, allowed)
	err.Status = http.StatusMethodNotAllowed
	r.respond(w, req, answer{}, err)
}

// near is the path that a misspelt one is most like, "" if none is. Names in it
// stay as they are.
func (r *router) near(path string) string {
	asked := strings.Split(strings.TrimRight(path, "/"), "/")
	var known []string
	for pattern := range r.methods {
		parts := strings.Split(pattern, "/")
		for i, part := range parts {
			if strings.HasPrefix(part, "{") && i < len(asked) {
				parts[i] = asked[i]
			}
		}
		known = append(known, strings.Join(parts, "/"))
	}
	slices.Sort(known)
	return spelling.Nearest(strings.Join(asked, "/"), known)
}

// pages is the pattern of what no other route answers.
const pages = "/"

// page answers what no other route does: files of the live page, for reading.
func (r *router) page(find func(path string) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		file := find(req.URL.Path)
		switch {
		case file == nil:
			remedy := "/ is the live page, /api/v1/kpis lists the KPIs, docs/api.md all paths"
			if near := r.near(req.URL.Path); near != "" {
				remedy = "did you mean " + near + "?"
			}
			r.respond(w, req, answer{}, NotFound("%s %s does not exist: %s", req.Method, req.URL.Path, remedy))
		case req.Method != http.MethodGet && req.Method != http.MethodHead:
			r.refuseMethod(w, req, []string{http.MethodGet, http.MethodHead})
		default:
			file.ServeHTTP(w, req)
		}
	})
}
