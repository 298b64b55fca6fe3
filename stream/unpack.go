package stream

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Encoding is what a Content-Encoding says, in whatever letters it is written.
func Encoding(header string) string {
	switch name := strings.ToLower(strings.TrimSpace(header)); name {
	case "identity":
		return ""
	case "x-gzip":
		return "gzip"
	default:
		return name
	}
}

// An unpacker decompresses; its readers are made when first needed.
type unpacker struct {
	in   bytes.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
	s2   *s2.Reader
}

// append appends what a message holds to dst. It stops where there is more than
// the message's frames say.
func (u *unpacker) append(dst []byte, m Raw) ([]byte, Reason) {
	if m.ContentEncoding == "" {
		return append(dst, m.Data...), ReasonNone
	}
	size := m.Size()
	if size > MaxMessage && m.ContentEncoding != "zstd" { // whose sizes are bounds
		return dst, ReasonTooLarge
	}
	u.in.Reset(m.Data)
	defer u.in.Reset(nil)
	size = min(size, MaxMessage)
	switch m.ContentEncoding {
	case "gzip":
		if u.gzip == nil {
			u.gzip = new(gzip.Reader)
		}
		if u.gzip.Reset(&u.in) != nil {
			return dst, ReasonBadEncoding
		}
		return readAll(slices.Grow(dst, size), u.gzip, size)
	case "zstd":
		if u.zstd == nil {
			u.zstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxMessage),
				zstd.WithDecoderLowmem(true))
		}
		if u.zstd.Reset(&u.in) != nil {
			return dst, ReasonBadEncoding
		}
		return readAll(dst, u.zstd, size)
	case "s2":
		if u.s2 == nil {
			u.s2 = s2.NewReader(nil)
		}
		u.s2.Reset(&u.in)
		return readAll(slices.Grow(dst, size), u.s2, size)
	case S2Block:
		return appendBlock(dst, m.Data)
	}
	return dst, ReasonBadEncoding
}

// S2Block is the Content-Encoding of one S2 block, which has no frames and no
// sums: where the stream holds these, it is the fastest to read.
const S2Block = "s2-block"

func appendBlock(dst, block []byte) ([]byte, Reason) {
	n, err := s2.DecodedLen(block)
	if err != nil {
		return dst, ReasonBadEncoding
	}
	dst = slices.Grow(dst, n)
	if _, err := s2.Decode(dst[len(dst):len(dst)+n], block); err != nil {
		return dst, ReasonBadEncoding
	}
	return dst[:len(dst)+n], ReasonNone
}

// readAll appends what r holds, up to size.
func readAll(dst []byte, r io.Reader, size int) ([]byte, Reason) {
	start := len(dst)
	for {
		if len(dst)-start <= size {
			dst = slices.Grow(dst, 1) // and one to see the end
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > MaxMessage:
			return dst, ReasonTooLarge
		case len(dst)-start > size:
			return dst, ReasonBadEncoding
		case err == io.EOF:
			return dst, ReasonNone
		case err != nil:
			return dst, ReasonBadEncoding
		}
	}
}
