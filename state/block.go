package state

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/roster"
)

const (
	// blockMagic begins a block whose columns are packed one by one, wholeMagic one that
	// is packed whole. Both are read.
	blockMagic = "TWB2"
	wholeMagic = "TWB1"
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

// encodeBlock is the block sealed: time as delta of delta, values as deltas inside a
// series, column after column, each compressed by itself: readers want few of them. Then
// the rosters, if there are any.
func encodeBlock(b *history.Block) ([]byte, error) {
	frame, err := appendFrame(nil, b)
	if err != nil {
		return nil, err
	}
	out := binary.AppendVarint(nil, b.Index)
	out = binary.AppendVarint(out, int64(b.Window.Length))
	out = codec.AppendText(out, b.Set)
	size := len(frame)
	out = appendPacked(out, frame)
	for c := range b.Columns {
		frame = appendColumn(frame[:0], b, c)
		size += len(frame)
		out = appendPacked(out, frame)
	}
	if len(b.Rosters) > 0 {
		frame = appendRosters(frame[:0], b)
		size += len(frame)
		out = appendPacked(out, frame)
	}
	if size > maxBlock {
		return nil, fmt.Errorf("block of %d MiB must be at most %d MiB: split its set", size>>20, maxBlock>>20)
	}
	return seal(blockMagic, out), nil
}

// appendPacked appends a part compressed, behind its length.
func appendPacked(b, part []byte) []byte {
	packed := zstdEncoder.EncodeAll(part, nil)
	return append(binary.AppendUvarint(b, uint64(len(packed))), packed...)
}

// A packedBlock is a block that is not unpacked yet.
type packedBlock struct {
	history.BlockID
	whole bool // is packed so
	body  []byte
}

// openBlock opens a sealed block.
func openBlock(data []byte) (p packedBlock, err error) {
	body, err := unseal(blockMagic, data)
	if err != nil {
		if body, err = unseal(wholeMagic, data); err != nil {
			return p, err
		}
		p.whole = true
	}
	in := codec.NewReader(body)
	p.Index = in.Varint()
	p.Window.Length = time.Duration(in.Varint())
	p.Set = in.Text()
	if in.Err() != nil {
		return p, ended(in)
	}
	p.body = in.Rest()
	return p, nil
}

// unpack is the block with some of its columns; nil for all.
func (p packedBlock) unpack(columns []string) (*history.Block, error) {
	var b *history.Block
	var err error
	if p.whole {
		b, err = p.unpackWhole()
	} else {
		b, err = p.unpackColumns(columns)
	}
	if err != nil {
		return nil, err
	}
	b.BlockID = p.BlockID
	return b, nil
}

func unpacked(packed []byte) ([]byte, error) {
	part, err := zstdDecoder.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return part, nil
}

// unpackWhole unpacks a block of which all is packed together.
func (p packedBlock) unpackWhole() (*history.Block, error) {
	body, err := unpacked(p.body)
	if err != nil {
		return nil, err
	}
	in := codec.NewReader(body)
	b, filled := readFrame(in)
	if len(b.Columns) > 0 && filled > in.Len()/len(b.Columns) {
		in.Fail()
	}
	if in.Err() != nil {
		return nil, ended(in)
	}
	b.hold(filled, len(b.Columns))
	for c := range b.Columns {
		b.readColumn(in, c)
	}
	return b.Block, ended(in)
}

func (p packedBlock) unpackColumns(columns []string) (*history.Block, error) {
	parts := codec.NewReader(p.body)
	frame, err := unpacked(parts.Bytes(parts.Uvarint()))
	if err != nil {
		return nil, err
	}
	in := codec.NewReader(frame)
	b, filled := readFrame(in)
	if err := ended(in); err != nil {
		return nil, err
	}
	names := b.Columns
	if columns != nil {
		b.Columns = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(columns, name) })
	}
	b.hold(filled, len(b.Columns))
	next := 0
	for _, name := range names {
		packed := parts.Bytes(parts.Uvarint())
		if next == len(b.Columns) || name != b.Columns[next] {
			continue
		}
		column, err := unpacked(packed)
		if err != nil {
			return nil, err
		}
		in := codec.NewReader(column)
		b.readColumn(in, next)
		if err := ended(in); err != nil {
			return nil, err
		}
		next++
	}
	if parts.Len() > 0 {
		rosters, err := unpacked(parts.Bytes(parts.Uvarint()))
		if err != nil {
			return nil, err
		}
		if err := b.readRosters(codec.NewReader(rosters)); err != nil {
			return nil, err
		}
	}
	return b.Block, ended(parts)
}

// appendFrame writes what there is of a block but for its values.
func appendFrame(out []byte, b *history.Block) ([]byte, error) {
	out = binary.AppendVarint(out, b.First)
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
	return out, nil
}

// appendColumn writes the values of a column.
func appendColumn(out []byte, b *history.Block, c int) []byte {
	for _, s := range b.Series {
		last := int64(0)
		for _, p := range s.Points {
			if p.Values != nil {
				out = binary.AppendVarint(out, p.Values[c]-last)
				last = p.Values[c]
			}
		}
	}
	return out
}

// appendRosters writes the rosters.
func appendRosters(out []byte, b *history.Block) []byte {
	for i := range b.Rosters {
		users := b.Rosters[i].Users()
		users.Pack()
		out = users.Append(codec.AppendText(out, b.Rosters[i].Label))
	}
	return out
}

// A framed is a block whose values are not read yet.
type framed struct {
	*history.Block
	nulls []byte // by point, in the order of the series: 1 for one without values
}

// readFrame reads what appendFrame wrote. filled is how many points have values.
func readFrame(in *codec.Reader) (b framed, filled int) {
	b.Block = &history.Block{First: in.Varint(), Step: in.Varint(), Count: int(in.Varint())}
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
	b.nulls = in.Bytes(uint64(points))
	filled = points
	for _, null := range b.nulls {
		filled -= int(null)
		if null > 1 {
			in.Fail()
		}
	}
	return b, filled
}

// hold gives the points room for so many columns.
func (b framed) hold(filled, columns int) {
	values := make([]int64, filled*columns)
	for _, s := range b.Series {
		for i := range s.Points {
			if b.nulls[i] == 0 {
				s.Points[i].Values, values = values[:columns:columns], values[columns:]
			}
		}
		b.nulls = b.nulls[len(s.Points):]
	}
}

// readColumn reads what appendColumn wrote.
func (b framed) readColumn(in *codec.Reader, c int) {
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

// readRosters reads what appendRosters wrote.
func (b framed) readRosters(in *codec.Reader) error {
	for in.Len() > 0 {
		label := in.Text()
		users, err := roster.Read(in)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		b.Rosters = append(b.Rosters, history.Roster{Label: label, Shares: []*roster.Set{users}})
	}
	return ended(in)
}
