package stream

import (
	"bytes"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// An unpacker decompresses; its readers are made when first needed.
type unpacker struct {
	in   bytes.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
	s2   *s2.Reader
}

// append appends what data holds to dst.
func (u *unpacker) append(dst, data []byte, encoding string) ([]byte, Reason) {
	u.in.Reset(data)
	switch encoding {
	case "", "identity":
		return append(dst, data...), ReasonNone
	case "gzip":
		if u.gzip == nil {
			u.gzip = new(gzip.Reader)
		}
		if u.gzip.Reset(&u.in) != nil {
			return dst, ReasonBadEncoding
		}
		return readAll(dst, u.gzip)
	case "zstd":
		if u.zstd == nil {
			u.zstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxMessage),
				zstd.WithDecoderLowmem(true))
		}
		if u.zstd.Reset(&u.in) != nil {
			return dst, ReasonBadEncoding
		}
		return readAll(dst, u.zstd)
	case "s2":
		if u.s2 == nil {
			u.s2 = s2.NewReader(nil)
		}
		u.s2.Reset(&u.in)
		return readAll(dst, u.s2)
	case S2Block:
		return appendBlock(dst, data)
	}
	return dst, ReasonBadEncoding
}

// S2Block is the Content-Encoding of one S2 block, which has no frames and no
// sums: where the stream holds these, it is the fastest to read.
const S2Block = "s2-block"

func appendBlock(dst, block []byte) ([]byte, Reason) {
	n, err := s2.DecodedLen(block)
	switch {
	case err != nil:
		return dst, ReasonBadEncoding
	case n > MaxMessage:
		return dst, ReasonTooLarge
	}
	dst = slices.Grow(dst, n)
	if _, err := s2.Decode(dst[len(dst):len(dst)+n], block); err != nil {
		return dst, ReasonBadEncoding
	}
	return dst[:len(dst)+n], ReasonNone
}

// unknownSize is what a message counts as whose size is only known when it is
// unpacked: batches of a few of them stay in bounds whatever they hold.
const unknownSize = 192 << 10

// Size is about how many bytes the message is when it is unpacked.
func (m Raw) Size() int {
	switch m.ContentEncoding {
	case "", "identity":
		return len(m.Data)
	case S2Block:
		n, err := s2.DecodedLen(m.Data)
		if err != nil || n > MaxMessage {
			return len(m.Data)
		}
		return n
	}
	return max(len(m.Data), unknownSize)
}

// readAll appends what r holds, up to MaxMessage.
func readAll(dst []byte, r io.Reader) ([]byte, Reason) {
	start := len(dst)
	for {
		dst = slices.Grow(dst, 4096)
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > MaxMessage:
			return dst, ReasonTooLarge
		case err == io.EOF:
			return dst, ReasonNone
		case err != nil:
			return dst, ReasonBadEncoding
		}
	}
}
