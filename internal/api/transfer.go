package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"

	"github.com/klauspost/compress/gzip"

	"github.com/tidewatch/tidewatch/internal/accept"
)

const (
	// compressFrom is the size from which compression pays.
	compressFrom = 1 << 10
	// piece is what is written at a time.
	piece = 32 << 10
)

var compressors = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	return z
}}

// A transfer is an answer on its way to a client, compressed when it is large and
// the client takes gzip. A client that reads too slowly is given up; one that went
// away is no error of ours.
type transfer struct {
	w        http.ResponseWriter
	c        *http.ResponseController
	gzip     bool // is taken
	status   int
	refusals refusals

	begun bool
	z     *gzip.Writer
	pace  pace
	err   error
}

func (r *router) transfer(w http.ResponseWriter, req *http.Request) *transfer {
	return &transfer{w: w, c: http.NewResponseController(w), gzip: accept.Gzip(req.Header.Get("Accept-Encoding")), status: http.StatusOK,
		refusals: r.refusals, pace: newPace(r.limits.BodyRate)}
}

// all sends a whole body.
func (d *transfer) all(body []byte) {
	d.begin(len(body), len(body))
	d.write(body)
	d.end()
}

// begin writes the header for a body of at least so many bytes; size is -1 when
// it is not known.
func (d *transfer) begin(least, size int) {
	d.begun = true
	d.w.Header().Add("Vary", "Accept-Encoding")
	switch {
	case d.gzip && least >= compressFrom:
		d.w.Header().Set("Content-Encoding", "gzip")
		d.z = compressors.Get().(*gzip.Writer)
		d.z.Reset(paced{d})
	case size >= 0:
		d.w.Header().Set("Content-Length", strconv.Itoa(size))
	}
	d.w.WriteHeader(d.status)
}

func (d *transfer) write(b []byte) {
	if d.err != nil {
		return
	}
	if d.z != nil {
		_, d.err = d.z.Write(b)
	} else {
		_, d.err = paced{d}.Write(b)
	}
	if errors.Is(d.err, os.ErrDeadlineExceeded) {
		d.refusals[limitSlowReader].Inc()
	}
}

func (d *transfer) end() {
	if d.z != nil {
		if d.err == nil {
			d.err = d.z.Close()
		}
		compressors.Put(d.z)
		d.z = nil
	}
}

// paced writes to the client in pieces, each by its deadline.
type paced struct{ *transfer }

func (p paced) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		next := b[n:min(len(b), n+piece)]
		// Where there is no connection there is nobody to wait for.
		_ = p.c.SetWriteDeadline(p.pace.deadline())
		var m int
		m, err = p.w.Write(next)
		p.pace.moved += int64(m)
		n += m
	}
	return n, err
}
