package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/history"
)

const (
	blockMagic = "TWB1"
	maxBlock   = 256 << 20 // decompressed
)

// Encoder and decoder keep no state between calls and may be shared.
var (
	zstdEncoder    = newEncoder()
	zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBlock))
)

// newEncoder makes the encoder complete: it makes its own parts at the first
// use, which may be inside a test's bubble of virtual time.
func newEncoder() *zstd.Encoder {
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest)) // the options are right
	e.EncodeAll([]byte{0}, nil)
	return e
}

// encodeBlock is the block sealed: time as delta of delta, values as deltas
// inside a series, column after column, compressed.
func encodeBlock(b *history.Block) ([]byte, error) {
	body, err := encodeBody(b)
	if err != nil {
		return nil, err
	}
	if len(body) > maxBlock {
		return nil, fmt.Errorf("block of %d MiB must be at most %d MiB: split its set", len(body)>>20, maxBlock>>20)
	}
	head := binary.AppendVarint(nil, b.Index)
	head = binary.AppendVarint(head, int64(b.Window.Length))
	head = codec.AppendText(head, b.Set)
	return seal(blockMagic, zstdEncoder.EncodeAll(body, head)), nil
}

// openBlock is a sealed block's id, and its compressed rest.
func openBlock(data []byte) (history.BlockID, []byte, error) {
	body, err := unseal(blockMagic, data)
	if err != nil {
		return history.BlockID{}, nil, err
	}
	in := codec.NewReader(body)
	id := history.BlockID{Index: in.Varint()}
	id.Window.Length = time.Duration(in.Varint())
	id.Set = in.Text()
	if in.Err() != nil {
		return history.BlockID{}, nil, ended(in)
	}
	return id, in.Rest(), nil
}

// unpackBlock is the block of what openBlock answered.
func unpackBlock(id history.BlockID, packed []byte) (*history.Block, error) {
	body, err := zstdDecoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	b, err := decodeBody(body)
	if err != nil {
		return nil, err
	}
	b.BlockID = id
	return b, nil
}

func encodeBody(b *history.Block) ([]byte, error) {
	out := binary.AppendVarint(nil, b.First)
	out = binary.AppendVarint(out, b.Step)
	out = binary.AppendVarint(out, int64(b.Count))
	out = codec.AppendTexts(out, b.Columns)
	out = binary.AppendUvarint(out, uint64(len(b.Series)))
	for _, s := range b.Series {
		out = codec.AppendTexts(out, s.Labels)
		out = binary.AppendUvarint(out, uint64(len(s.Points)))
	}
	for _, s := range b.Series {
		end, delta := b.First-b.Step, b.Step
		for _, p := range s.Points {
			out = binary.AppendVarint(out, p.End-end-delta)
			end, delta = p.End, p.End-end
		}
	}
	for _, s := range b.Series {
		for _, p := range s.Points {
			switch {
			case p.Values == nil:
				out = append(out, 1)
			case len(p.Values) == len(b.Columns):
				out = append(out, 0)
			default:
				return nil, fmt.Errorf("point at %d has %d values: the block has %d columns", p.End, len(p.Values), len(b.Columns))
			}
		}
	}
	for c := range b.Columns {
		for _, s := range b.Series {
			last := int64(0)
			for _, p := range s.Points {
				if p.Values != nil {
					out = binary.AppendVarint(out, p.Values[c]-last)
					last = p.Values[c]
				}
			}
		}
	}
	return out, nil
}

func decodeBody(body []byte) (*history.Block, error) {
	in := codec.NewReader(body)
	b := &history.Block{First: in.Varint(), Step: in.Varint(), Count: int(in.Varint())}
	b.Columns = in.Texts()
	b.Series = make([]history.Series, in.Count(2))
	points := 0
	for i := range b.Series {
		labels, n := in.Texts(), in.Count(2)
		if points += n; points > in.Len()/2 { // of all series together
			in.Fail()
			break
		}
		b.Series[i] = history.Series{Labels: labels, Points: make([]history.Point, n)}
	}
	for _, s := range b.Series {
		end, delta := b.First-b.Step, b.Step
		for i := range s.Points {
			delta += in.Varint()
			end += delta
			s.Points[i].End = end
		}
	}
	nulls, filled := in.Bytes(uint64(points)), points
	for _, null := range nulls {
		filled -= int(null)
		if null > 1 {
			in.Fail()
		}
	}
	if len(b.Columns) > 0 && filled > in.Len()/len(b.Columns) {
		in.Fail()
	}
	if in.Err() != nil {
		return nil, ended(in)
	}
	values := make([]int64, filled*len(b.Columns))
	for _, s := range b.Series {
		for i := range s.Points {
			if nulls[i] == 0 {
				s.Points[i].Values, values = values[:len(b.Columns):len(b.Columns)], values[len(b.Columns):]
			}
		}
		nulls = nulls[len(s.Points):]
	}
	for c := range b.Columns {
		for _, s := range b.Series {
			last := int64(0)
			for _, p := range s.Points {
				if p.Values != nil {
					last += in.Varint()
					p.Values[c] = last
				}
			}
		}
	}
	return b, ended(in)
}
