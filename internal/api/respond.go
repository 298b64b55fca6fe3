package api

import (
	"context"
	"errors"
	"net/http"
)

// respond writes the envelope of an answer or an error, and gives back what the
// answer held.
func (r *router) respond(w http.ResponseWriter, req *http.Request, a answer, err error) {
	if a.done != nil {
		defer a.done()
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if a.as == asCSV {
		w.Header().Add("Vary", "Accept-Language")
	}
	if a.tag != "" && err == nil {
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", a.tag)
		w.Header().Add("Vary", "Accept")
		if holdsTag(req, a.tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	e := newEncoder(r.transfer(w, req))
	defer e.free()
	if data, ok := a.data.(table); ok && a.as != asJSON && err == nil {
		e.table(w.Header(), data, a)
		e.finish()
		return
	}
	if err == nil {
		if err = e.success(a); err == nil {
			e.finish()
			return
		}
	}
	told := r.told(req, err)
	if (told.Kind == KindRateLimited || told.Kind == KindUnavailable) && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	e.to.status = told.status()
	e.b = appendFailure(e.b[:0], told)
	e.finish()
}

// told is what the asker gets to know of an error. What was not meant for them
// goes to the log.
func (r *router) told(req *http.Request, err error) *Error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return Unavailable("%s was cut off: %v", req.URL.Path, err)
	}
	r.log.Error().Err(err).Str("path", loggedPath(req)).Msg("answer request")
	return &Error{Kind: KindInternal, Msg: "internal error: the service's log has the details"}
}

// loggedPath is the path of a request without the id of a user.
func loggedPath(req *http.Request) string {
	if id := req.PathValue("id"); id != "" {
		return req.Pattern
	}
	return req.URL.Path
}

func appendFailure(b []byte, e *Error) []byte {
	b = append(b, `{"status":"error","errorType":`...)
	b = appendString(b, string(e.Kind))
	b = append(b, `,"error":`...)
	b = appendString(b, e.Msg)
	return append(b, "}\n"...)
}

// send writes a body that is at hand.
func (r *router) send(w http.ResponseWriter, req *http.Request, status int, body []byte) {
	d := r.transfer(w, req)
	d.status = status
	d.all(body)
}
