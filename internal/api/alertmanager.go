package api

import (
	"net/http"
	"strings"
)

// A manager gives Alertmanager's clients the part of its API that there is here.
type manager struct {
	engine  Engine
	handler http.Handler
}

const (
	managerPath = "/alertmanager"
	// maxSilence bounds the body of a silence.
	maxSilence = 64 << 10
)

func newManager(d Deps) *manager {
	return &manager{engine: d.Engine, handler: http.StripPrefix(managerPath, d.Alertmanager)}
}

func (a *manager) routes(r *router) {
	for _, pattern := range []string{
		"GET /alerts", "GET /alerts/groups", "GET /receivers", "GET /status",
		"GET /silences", "POST /silences", "GET /silence/{id}", "DELETE /silence/{id}",
	} {
		method, path, _ := strings.Cut(pattern, " ")
		r.raw(method+" "+managerPath+"/api/v2"+path, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			a.serve(r, w, req)
		}))
	}
}

func (a *manager) serve(r *router, w http.ResponseWriter, req *http.Request) {
	if err := a.engine.Ready(); err != nil {
		r.respond(w, req, answer{}, Unavailable("%v", err))
		return
	}
	req.Body = http.MaxBytesReader(w, req.Body, maxSilence)
	a.handler.ServeHTTP(w, req)
}
