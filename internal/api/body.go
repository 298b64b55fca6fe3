package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/tidewatch/tidewatch/stream"
)

// MaxBody bounds the body of a request, as sent and unpacked.
const MaxBody = 16 << 20

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
			if e, ok := errors.AsType[*Error](err); ok && e.Kind == KindTooLarge {
				r.refusals[limitLargeBody].Inc()
			}
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
	_ = c.SetReadDeadline(time.Now().Add(drainTime)) // without a connection nobody waits
	_, _ = io.CopyN(io.Discard, r.Body, maxDrained)
}

// An arrival is a body on its way. It ends with an error when it is too slow.
type arrival struct {
	io.ReadCloser
	connection *http.ResponseController
	pace       pace
	held       *held
}

func (a *arrival) Read(b []byte) (int, error) {
	// Where there is no connection there is nobody to wait for.
	_ = a.connection.SetReadDeadline(a.pace.deadline())
	if a.held.madeWay() {
		return 0, errSlow
	}
	n, err := a.ReadCloser.Read(b)
	a.pace.moved += int64(n)
	a.held.arrived(n)
	if errors.Is(err, io.EOF) {
		// The server goes on reading, to see whether the sender has gone.
		_ = a.connection.SetReadDeadline(time.Time{})
	}
	return n, err
}

const (
	// The first bytes of a body get so much room, one that is known to be longer
	// gets more at once.
	firstPiece  = 64 << 10
	largerPiece = 256 << 10
	// behind is the room kept behind a body, for whoever judges it.
	behind = 32
)

// pieces are buffers of largerPiece: bodies of batches are of that size.
var pieces = sync.Pool{New: func() any { return new([largerPiece]byte) }}

func buffer(size int64) []byte {
	if size == largerPiece {
		return pieces.Get().(*[largerPiece]byte)[:0]
	}
	return make([]byte, 0, size)
}

// reuse gives a body's buffer to another.
func reuse(body []byte) {
	if cap(body) == largerPiece {
		pieces.Put((*[largerPiece]byte)(body[:largerPiece]))
	}
}

// read reads and unpacks the body of a request. What it takes is held until
// its release.
func (b *bodies) read(c *http.ResponseController, r *http.Request) (body []byte, h *held, err error) {
	if r.ContentLength > MaxBody {
		return nil, nil, tooLarge("body")
	}
	encoding := stream.Encoding(r.Header.Get("Content-Encoding"))
	h = b.hold(func() { _ = c.SetReadDeadline(time.Now()) })
	defer func() {
		if h.complete(); err != nil {
			h.release()
			err = b.unreadable(err, encoding)
		}
	}()
	sent := http.MaxBytesReader(nil, &arrival{r.Body, c, newPace(b.rate), h}, MaxBody)
	unpacked, closer, err := unpack(sent, encoding)
	if err != nil {
		return nil, h, err
	}
	defer closer()

	// Grows as bytes arrive: what a request announces takes no room from others.
	size, most := int64(firstPiece), int64(MaxBody+1+behind)
	if r.ContentLength > 0 && encoding == "" {
		most = r.ContentLength + 1 + behind // and one to see the end
		if size = min(size, most); most > firstPiece {
			size = largerPiece
		}
	}
	for {
		if len(body) == max(cap(body)-behind, 0) {
			if err := h.take(size - int64(cap(body))); err != nil {
				return nil, h, err
			}
			small := body
			body = append(buffer(size), small...)
			reuse(small)
			size = min(2*size, max(most, largerPiece))
		}
		n, err := unpacked.Read(body[len(body) : cap(body)-behind])
		body = body[:len(body)+n]
		switch {
		case len(body) > MaxBody:
			return nil, h, tooLarge("unpacked body")
		case errors.Is(err, io.EOF):
			return body, h, nil
		case err != nil:
			return nil, h, err
		}
	}
}

func tooLarge(what string) *Error {
	return TooLarge("%s exceeds %d MiB: send the events in several requests", what, MaxBody>>20)
}

// unreadable puts what ended the reading of a body in our words.
func (b *bodies) unreadable(err error, encoding string) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge("body")
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, errSlow) {
		b.refusals[limitSlowBody].Inc()
		slow := BadData("body came at less than %d KiB a second for %s, or was the slowest as room for bodies was short: send it faster, or less at a time", b.rate>>10, paceSpan)
		slow.Status = http.StatusRequestTimeout
		return slow
	}
	if encoding == "" {
		return BadData("body cannot be read: %v: send it again", err)
	}
	return BadData("body cannot be read as %s: %v: compress the whole of it, or send it plain without Content-Encoding", encoding, err)
}

// unpack undoes an encoding.
func unpack(body io.Reader, encoding string) (unpacked io.Reader, closer func(), err error) {
	nothing := func() {}
	switch encoding {
	case "":
		return body, nothing, nil
	case "gzip":
		z, err := gzip.NewReader(body)
		if err != nil {
			return nil, nil, err
		}
		return z, nothing, nil
	case "zstd":
		z, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(MaxBody))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	case "s2":
		return s2.NewReader(body, s2.ReaderMaxBlockSize(4<<20)), nothing, nil
	}
	unknown := BadData("Content-Encoding %q is unknown: use gzip, zstd or s2", encoding)
	unknown.Status = http.StatusUnsupportedMediaType
	return nil, nil, unknown
}
