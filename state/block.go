package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A Block holds consecutive kept windows of one set and one length.
type Block struct {
	ID BlockID
	// First is the first window's end, Step the distance to the next, in
	// seconds; Count is the number of windows that the block covers.
	First int64
	Step  int64
	Count int
	// Columns are the identities of the measures.
	Columns []string
	Runs    []Run
}

// A Run is a series inside a block.
type Run struct {
	Labels []string
	// Points are the changes, in order of time: a window without a point has
	// the values of the one before. Nothing is carried into a block.
	Points []Point
}

// A Point is a window with another value than the one before.
type Point struct {
	End      int64 // Unix seconds
	Revision uint32
	// Null ends the series until the next point; it has no values.
	Null bool
	// Values has one value a column.
	Values []int64
}

const (
	blockMagic = "TWB1"
	maxBlock   = 256 << 20 // decompressed
)

// Encoder and decoder keep no state between calls and may be shared.
var (
	zstdEncoder, _ = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxBlock))
)

// Append appends the block's encoding: time as delta of delta, values as
// deltas inside a run, column after column, compressed and sealed.
func (b *Block) Append(out []byte) ([]byte, error) {
	body, err := b.encode()
	if err != nil {
		return nil, err
	}
	if len(body) > maxBlock {
		return nil, fmt.Errorf("block of %d MiB must be at most %d MiB: split its set", len(body)>>20, maxBlock>>20)
	}
	head := binary.AppendVarint(nil, b.ID.Index)
	head = binary.AppendVarint(head, int64(b.ID.Window.Length))
	head = appendString(head, b.ID.Set)
	return append(out, seal(blockMagic, zstdEncoder.EncodeAll(body, head))...), nil
}

// openBlock is an encoded block's id, and its compressed rest.
func openBlock(data []byte) (BlockID, []byte, error) {
	body, err := unseal(blockMagic, data)
	if err != nil {
		return BlockID{}, nil, err
	}
	in := reader{data: body}
	id := BlockID{Index: in.varint()}
	id.Window.Length = time.Duration(in.varint())
	id.Set = in.string()
	if in.broken {
		return BlockID{}, nil, in.end()
	}
	return id, in.data, nil
}

// DecodeBlock reads what Append wrote.
func DecodeBlock(data []byte) (*Block, error) {
	id, rest, err := openBlock(data)
	if err != nil {
		return nil, fmt.Errorf("decode block: %w", err)
	}
	body, err := zstdDecoder.DecodeAll(rest, nil)
	if err != nil {
		return nil, fmt.Errorf("decode block: %w: %w", ErrDamaged, err)
	}
	b, err := decodeBody(body)
	if err != nil {
		return nil, fmt.Errorf("decode block: %w", err)
	}
	b.ID = id
	return b, nil
}

func (b *Block) encode() ([]byte, error) {
	out := binary.AppendVarint(nil, b.First)
	out = binary.AppendVarint(out, b.Step)
	out = binary.AppendVarint(out, int64(b.Count))
	out = binary.AppendUvarint(out, uint64(len(b.Columns)))
	for _, c := range b.Columns {
		out = appendString(out, c)
	}
	out = binary.AppendUvarint(out, uint64(len(b.Runs)))
	for _, r := range b.Runs {
		out = binary.AppendUvarint(out, uint64(len(r.Labels)))
		for _, l := range r.Labels {
			out = appendString(out, l)
		}
		out = binary.AppendUvarint(out, uint64(len(r.Points)))
	}
	for _, r := range b.Runs {
		end, delta := b.First-b.Step, b.Step
		for _, p := range r.Points {
			out = binary.AppendVarint(out, p.End-end-delta)
			end, delta = p.End, p.End-end
		}
	}
	for _, r := range b.Runs {
		for _, p := range r.Points {
			if !p.Null && len(p.Values) != len(b.Columns) || p.Null && len(p.Values) != 0 {
				return nil, fmt.Errorf("point at %d has %d values (null %t): the block has %d columns", p.End, len(p.Values), p.Null, len(b.Columns))
			}
			out = binary.AppendUvarint(out, uint64(p.Revision)<<1|bit(p.Null))
		}
	}
	for c := range b.Columns {
		for _, r := range b.Runs {
			last := int64(0)
			for _, p := range r.Points {
				if !p.Null {
					out = binary.AppendVarint(out, p.Values[c]-last)
					last = p.Values[c]
				}
			}
		}
	}
	return out, nil
}

func decodeBody(body []byte) (*Block, error) {
	in := reader{data: body}
	b := &Block{First: in.varint(), Step: in.varint(), Count: int(in.varint())}
	b.Columns = in.strings()
	b.Runs = make([]Run, in.count(2))
	points := 0
	for i := range b.Runs {
		labels, n := in.strings(), in.count(2)
		if points += n; points > len(in.data)/2 { // of all runs together
			in.fail()
			break
		}
		b.Runs[i] = Run{Labels: labels, Points: make([]Point, n)}
	}
	for _, r := range b.Runs {
		end, delta := b.First-b.Step, b.Step
		for i := range r.Points {
			delta += in.varint()
			end += delta
			r.Points[i].End = end
		}
	}
	filled := 0
	for _, r := range b.Runs {
		for i := range r.Points {
			v := in.uvarint()
			if v>>1 > math.MaxUint32 {
				in.fail()
			}
			r.Points[i].Revision, r.Points[i].Null = uint32(v>>1), v&1 == 1
			filled += 1 - int(v&1)
		}
	}
	if len(b.Columns) > 0 && filled > len(in.data)/len(b.Columns) {
		in.fail()
	}
	if in.broken {
		return nil, in.end()
	}
	values := make([]int64, filled*len(b.Columns))
	for _, r := range b.Runs {
		for i := range r.Points {
			if !r.Points[i].Null {
				r.Points[i].Values, values = values[:len(b.Columns):len(b.Columns)], values[len(b.Columns):]
			}
		}
	}
	for c := range b.Columns {
		for _, r := range b.Runs {
			last := int64(0)
			for i := range r.Points {
				if p := &r.Points[i]; !p.Null {
					last += in.varint()
					p.Values[c] = last
				}
			}
		}
	}
	return b, in.end()
}

func (r *reader) strings() []string {
	out := make([]string, r.count(1))
	for i := range out {
		out[i] = r.string()
	}
	return out
}

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func bit(set bool) uint64 {
	if set {
		return 1
	}
	return 0
}
