package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// An appender writes its own JSON: answers of many series do.
type appender interface{ appendJSON(b []byte) []byte }

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// respond writes the envelope of an answer or an error.
func (r *router) respond(w http.ResponseWriter, req *http.Request, a answer, err error) {
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	body := (*buffer)[:0]
	status := a.status
	if err == nil {
		if body, err = appendSuccess(body, a); status == 0 {
			status = http.StatusOK
		}
	}
	if err != nil {
		told := r.told(req, err)
		body, status = appendFailure(body[:0], told), told.status()
		if told.Kind == KindRateLimited || told.Kind == KindUnavailable {
			w.Header().Set("Retry-After", "1")
		}
	}
	*buffer = body
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	send(w, req, status, body)
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
	r.log.Error().Err(err).Str("path", req.URL.Path).Msg("answer request")
	return &Error{Kind: KindInternal, Msg: "internal error: the service's log has the details"}
}

func appendSuccess(b []byte, a answer) ([]byte, error) {
	b = append(b, `{"status":"success","data":`...)
	if data, ok := a.data.(appender); ok {
		b = data.appendJSON(b)
	} else {
		text, err := json.Marshal(a.data)
		if err != nil {
			return b, err
		}
		b = append(b, text...)
	}
	b = append(b, `,"warnings":[`...)
	for i, w := range a.warnings {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, w)
	}
	return append(b, "]}\n"...), nil
}

func appendFailure(b []byte, e *Error) []byte {
	b = append(b, `{"status":"error","errorType":`...)
	b = appendString(b, string(e.Kind))
	b = append(b, `,"error":`...)
	b = appendString(b, e.Msg)
	return append(b, "}\n"...)
}

// compressFrom is the size from which compression pays.
const compressFrom = 1 << 10

var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return z
}}

// send writes a body, compressed when it is large and the client takes gzip. A
// client that went away is no error of ours.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if len(body) < compressFrom || !takesGzip(r) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	z := compressors.Get().(*gzip.Writer)
	defer compressors.Put(z)
	z.Reset(w)
	_, _ = z.Write(body)
	_ = z.Close()
}

func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
		weight, err := strconv.ParseFloat(q, 64)
		return !found || err == nil && weight > 0
	}
	return false
}
