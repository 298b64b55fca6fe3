package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// MaxBody bounds the body of a request, as sent and unpacked.
const MaxBody = 16 << 20

// pause is how long a body may stand still.
const pause = 10 * time.Second

// What is read of a body behind a refusal, and for how long.
const (
	maxDrained = 64 << 20
	drainTime  = 10 * time.Second
)

// withBody is handle for what reads a body.
func (r *router) withBody(pattern string, h func(c *http.ResponseController, r *http.Request) (answer, error)) {
	r.raw(pattern, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		c := http.NewResponseController(w)
		a, err := h(c, req)
		if err != nil {
			// Over HTTP/1 a body is not read behind an answer unless one says so.
			_ = c.EnableFullDuplex()
			defer drain(c, req)
		}
		r.respond(w, req, a, err)
	}))
}

// drain reads what a refused request still sends: a client that looks for the
// answer only when its body is out would find a broken pipe in its place. One
// that waits to be asked for its body sends none.
func drain(c *http.ResponseController, r *http.Request) {
	if r.Header.Get("Expect") != "" {
		return
	}
	_ = c.Flush()
	_, _ = io.CopyN(io.Discard, &prompt{r.Body, c, time.Now().Add(drainTime)}, maxDrained)
}

// A prompt body ends with an error when no byte comes for a while, or not all
// of them within the server's limit.
type prompt struct {
	io.ReadCloser
	connection *http.ResponseController
	last       time.Time
}

func (p *prompt) Read(b []byte) (int, error) {
	deadline := time.Now().Add(pause)
	if deadline.After(p.last) {
		deadline = p.last
	}
	// Where there is no connection there is nobody to wait for.
	_ = p.connection.SetReadDeadline(deadline)
	n, err := p.ReadCloser.Read(b)
	if errors.Is(err, io.EOF) {
		// The server goes on reading, to see whether the sender has gone.
		_ = p.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

// A budget bounds the bytes of all bodies that are held at a time.
type budget struct {
	max  int64
	used atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.max {
		b.used.Add(-n)
		return false
	}
	return true
}

// readBody reads and unpacks the body of a request. The bytes are counted
// against the budget until release is called.
func readBody(c *http.ResponseController, r *http.Request, all *budget) (body []byte, release func(), err error) {
	if r.ContentLength > MaxBody {
		return nil, nil, tooLarge("body")
	}
	sent := http.MaxBytesReader(nil, &prompt{r.Body, c, time.Now().Add(readTimeout)}, MaxBody)
	unpacked, closer, err := unpack(sent, r.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, nil, err
	}
	defer closer()

	var taken int64
	release = func() { all.used.Add(-taken) }
	// Grows as bytes arrive: what a request announces takes no room from others.
	size, most := int64(64<<10), int64(MaxBody+1)
	if r.ContentLength > 0 && r.Header.Get("Content-Encoding") == "" {
		most = r.ContentLength + 1 // and one to see the end
		size = min(size, most)
	}
	for {
		if len(body) == cap(body) {
			if grow := size - int64(cap(body)); !all.take(grow) {
				release()
				return nil, nil, RateLimited("the bodies of other requests fill %d MiB: send again a little later", all.max>>20)
			}
			taken = size
			body = append(make([]byte, 0, size), body...)
			size = min(2*size, most)
		}
		n, err := unpacked.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > MaxBody:
			release()
			return nil, nil, tooLarge("unpacked body")
		case errors.Is(err, io.EOF):
			return body, release, nil
		case err != nil:
			release()
			return nil, nil, unreadable(err)
		}
	}
}

func tooLarge(what string) *Error {
	return TooLarge("%s exceeds %d MiB: send the events in several requests", what, MaxBody>>20)
}

func unreadable(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge("body")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		slow := BadData("body stood still for %s, or was not in after %s: send it without a pause, or less at a time", pause, readTimeout)
		slow.Status = http.StatusRequestTimeout
		return slow
	}
	return BadData("body cannot be read: %v", err)
}

// unpack undoes a Content-Encoding.
func unpack(body io.Reader, encoding string) (unpacked io.Reader, closer func(), err error) {
	nothing := func() {}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return body, nothing, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, nil, unreadable(fmt.Errorf("unpack gzip: %w", err))
		}
		return z, nothing, nil
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(MaxBody))
		if err != nil {
			return nil, nil, unreadable(fmt.Errorf("unpack zstd: %w", err))
		}
		return z, z.Close, nil
	case "s2":
		return s2.NewReader(body, s2.ReaderMaxBlockSize(4<<20)), nothing, nil
	}
	unknown := BadData("Content-Encoding %q is unknown: use gzip, zstd or s2", encoding)
	unknown.Status = http.StatusUnsupportedMediaType
	return nil, nil, unknown
}
