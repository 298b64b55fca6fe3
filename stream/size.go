package stream

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Size is at most how many bytes the message unpacks to, as its own frames say:
// unpacking stops where they are wrong. More than MaxMessage is as good as any.
func (m Raw) Size() int {
	switch m.ContentEncoding {
	case S2Block:
		if n, err := s2.DecodedLen(m.Data); err == nil {
			return n
		}
	case "s2":
		return sizeOfChunks(m.Data)
	case "zstd":
		return sizeOfFrames(m.Data)
	case "gzip":
		return sizeOfMembers(m.Data)
	}
	return len(m.Data)
}

// sizeOfChunks adds up the chunks of an S2 stream (also of Snappy's framing).
func sizeOfChunks(data []byte) (size int) {
	const head, sum = 4, 4
	for len(data) >= head && size <= MaxMessage {
		kind, n := data[0], int(data[1])|int(data[2])<<8|int(data[3])<<16
		data = data[head:]
		if n > len(data) {
			break
		}
		chunk := data[:n]
		data = data[n:]
		switch {
		case kind == 0 && n > sum: // compressed
			n, err := s2.DecodedLen(chunk[sum:])
			if err != nil {
				return size
			}
			size += n
		case kind == 1 && n > sum:
			size += n - sum
		}
	}
	return size
}

// sizeOfFrames adds up the frames of zstd: what their heads announce, or the most
// that their blocks can hold.
func sizeOfFrames(data []byte) (size int) {
	const largestBlock = 128 << 10
	for len(data) > 0 && size <= MaxMessage {
		var h zstd.Header
		rest, err := h.DecodeAndStrip(data)
		if err != nil {
			return size
		}
		if h.Skippable {
			if uint64(h.SkippableSize) > uint64(len(rest)) {
				return size
			}
			data = rest[h.SkippableSize:]
			continue
		}
		blocks := 0
		for last := false; !last; {
			if len(rest) < 3 {
				return size + blocks
			}
			head := int(rest[0]) | int(rest[1])<<8 | int(rest[2])<<16
			last = head&1 != 0
			stored, held := head>>3, largestBlock
			switch head >> 1 & 3 {
			case 0: // as it is
				held = stored
			case 1: // one byte, so many times
				stored, held = 1, stored
			}
			blocks += held
			if rest = rest[3:]; stored > len(rest) {
				return size + blocks
			}
			rest = rest[stored:]
		}
		if h.HasFCS && h.FrameContentSize < uint64(blocks) {
			blocks = int(h.FrameContentSize)
		}
		size += blocks
		if h.HasCheckSum {
			rest = rest[min(4, len(rest)):]
		}
		data = rest
	}
	return size
}

// sizeOfMembers is what the end of a gzip member says. If the data may have
// several, they are unpacked to nowhere.
func sizeOfMembers(data []byte) int {
	// No text is packed tighter.
	const head, least, ratio = "\x1f\x8b\x08", 18, 1032
	if len(data) < least || !bytes.HasPrefix(data, []byte(head)) {
		return len(data)
	}
	if !bytes.Contains(data[1:], []byte(head)) {
		return min(int(binary.LittleEndian.Uint32(data[len(data)-4:])), ratio*len(data))
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return len(data)
	}
	n, _ := io.CopyN(io.Discard, z, MaxMessage+1)
	return int(n)
}
