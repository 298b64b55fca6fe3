package stream

import (
	"bytes"
	"encoding/json"
	"math/bits"
	"slices"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/kpi"
)

// Raw is a message as its broker delivers it.
type Raw struct {
	Sequence uint64
	// Stamp is the broker's time in Unix milliseconds.
	Stamp int64
	// Ahead is by how many milliseconds the broker's clock was ahead then.
	Ahead int64
	Data  []byte
	// ContentType may say application/x-ndjson: every line is an event, be it
	// what it may. Otherwise the data tells its own framing.
	ContentType string
	// ContentEncoding is an Encoding: s2, s2-block, zstd, gzip, or empty.
	ContentEncoding string
	// Tick says that Data is a Tick, Erasure that it is one, unless it holds anything
	// else.
	Tick, Erasure bool
}

// A Decoder turns messages into rows of a batch. It is not safe for concurrent
// use.
type Decoder struct {
	scanner
	key    HashKey
	schema Schema
	fields []field
	keys   directory
	clock  clock
	unpack unpacker

	// top and props hold the values of one event by slot.
	top, props level
	scratch    []byte // for keys with escapes
	spans      []Span // of the elements of an array
	probe      Batch  // of Check
	judged     Batch  // of Judge
	judging    bool   // nobody reads users and ids
	fault      fault

	amount, currency int    // the slots of money
	hash             uint64 // of schema.Currency
}

// A level is an object's values by slot; a bit of seen is set for those that
// are there and not null.
type level struct {
	values []token
	seen   []uint64
	start  int // the slot that stands for the one before the first
}

func (l *level) has(slot int) bool { return l.seen[slot>>6]>>(slot&63)&1 != 0 }

// A fault is what was wrong with the last row that was quarantined.
type fault struct {
	slot int
	at   token
}

// NewDecoder returns a decoder for the columns of a schema, whose names must
// be distinct.
func NewDecoder(schema Schema, key HashKey) *Decoder {
	fields := fieldsOf(schema)
	newLevel := func(start int) level {
		return level{make([]token, len(fields)), make([]uint64, (len(fields)+63)/64), start}
	}
	slot := func(name string) int {
		return slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	}
	return &Decoder{
		key: key, schema: schema, fields: fields, keys: newDirectory(fields),
		top: newLevel(len(fields)), props: newLevel(len(fields) + 1),
		amount: slot(kpi.AmountField), currency: slot(kpi.CurrencyField), hash: key.Text([]byte(schema.Currency)),
	}
}

// Append decodes a message into rows of the batch, which was Reset to the same
// schema.
func (d *Decoder) Append(b *Batch, m Raw) {
	first, start := b.Rows, len(b.Payload)
	msg := Message{Sequence: m.Sequence, Stamp: m.Stamp - m.Ahead, Fingerprint: Fingerprint(m)}
	var reason Reason
	if m.Tick {
		msg.Tick = tick(m.Data)
	}
	if m.Erasure {
		msg.Erasure = d.erasure(m.Data)
	}
	if msg.Tick == nil && msg.Erasure == nil {
		reason = d.message(b, m, start)
	}
	if reason != ReasonNone {
		b.truncate(first)
		b.Payload = append(b.Payload[:start], m.Data...)
		d.row(b, start, len(b.Payload), reason)
	}
	b.truncate(b.Rows)
	msg.Rows = b.Rows - first
	b.Messages = append(b.Messages, msg)
	d.p = nil // the batch's, who may drop it
}

// tick reads a Tick; nil if the data is none, so that events that were marked as
// one by mistake are still accounted for.
func tick(data []byte) *Tick {
	fields := map[string]int64{}
	if len(data) > 0 && (json.Unmarshal(data, &fields) != nil || fields == nil) {
		return nil
	}
	t := &Tick{To: fields["to"]}
	if delete(fields, "to"); len(fields) > 0 {
		return nil
	}
	return t
}

// erasure reads an Erasure; nil if the data is none.
func (d *Decoder) erasure(data []byte) *Erasure {
	e := new(Erasure)
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	if in.Decode(e) != nil || (e.UserID == "") == (e.AnonymousID == "") {
		return nil
	}
	if e.user = d.key.Anonymous([]byte(e.AnonymousID)); e.UserID != "" {
		e.user = d.key.User([]byte(e.UserID))
	}
	return e
}

// message unpacks, frames and decodes. With a reason, the rows and bytes that
// it added are void.
func (d *Decoder) message(b *Batch, m Raw, start int) Reason {
	payload, reason := d.unpack.append(b.Payload, m)
	if reason != ReasonNone {
		b.Payload = payload[:start] // with the room that was made
		return reason
	}
	end := len(payload)
	b.Payload = append(payload, padding...)
	d.p = b.Payload
	shape, at := d.frame(start, end, m.ContentType)
	switch shape {
	case shapeLines:
		return d.lines(b, at, end)
	case shapeEvents:
		if len(d.spans) > MaxRows {
			return ReasonTooLarge
		}
		d.newlines = true
		for _, s := range d.spans {
			d.event(b, int(s.Off), int(s.Off+s.Len))
		}
		d.newlines = false
	case shapeBinary:
		return ReasonBinary
	default:
		return ReasonNotFramed
	}
	return ReasonNone
}

// lines decodes NDJSON; blank lines are none.
func (d *Decoder) lines(b *Batch, i, end int) Reason {
	for first := b.Rows; ; {
		for i < end && isBlank(d.p[i]) {
			i++
		}
		switch {
		case i >= end:
			return ReasonNone
		case b.Rows-first == MaxRows:
			return ReasonTooLarge
		}
		i = d.event(b, i, -1) + 1
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// event decodes the event at off into a row and returns its end: the end given
// or, without one, that of the line.
func (d *Decoder) event(b *Batch, off, end int) int {
	clear(d.top.seen)
	clear(d.props.seen)
	d.wide = false
	reason := ReasonNone
	var i int
	if d.p[off] == '{' {
		i = d.object(off+1, &d.top, maxDepth-1)
	} else {
		var other token
		i = d.value(off, &other, maxDepth)
		reason = ReasonNotAnObject
	}
	stop := i
	if i >= 0 {
		i = d.space(i)
	}
	switch {
	case end >= 0:
		stop = end
	case i >= 0 && d.p[i] == '\n':
		end = i
	default:
		i = -1
		end = off + bytes.IndexByte(d.p[off:], '\n')
		stop = off + len(bytes.TrimRight(d.p[off:end], " \t\r"))
	}
	switch {
	case stop-off > MaxEvent:
		reason = ReasonTooLarge
	case i < 0, d.wide && !utf8.Valid(d.p[off:stop]):
		reason = ReasonNotJSON
	}
	d.row(b, off, stop, reason)
	d.p = b.Payload // unescaped text may have moved it
	return end
}

// row appends the row of an event that was scanned, or of what is no event.
func (d *Decoder) row(b *Batch, off, end int, reason Reason) {
	row := b.Rows
	if row == len(b.Time) {
		b.extend(1 + (len(b.Payload)-off)/256)
	}
	b.Rows++
	b.Line[row] = Span{uint32(off), uint32(end - off)}
	if reason == ReasonNone {
		reason = d.validate(b, row)
	} else {
		d.fault = fault{}
	}
	if reason != ReasonNone {
		b.quarantine(row, reason)
	}
}

// object reads the members of an event or of its props from behind the brace;
// depth says how many more levels may open in them.
func (d *Decoder) object(i int, l *level, depth int) int {
	p := d.p
	if i = d.space(i); p[i] == '}' {
		return i + 1
	}
	slot := l.start
	for {
		if p[i] != '"' {
			return -1
		}
		// Most events have the keys of the one before, in its order.
		i++
		next := &d.keys.next[slot]
		if guess := &d.keys.entries[*next]; guess.is(load(p, i), load(p, i+8)) {
			slot = int(guess.slot)
			i += int(guess.len) + 1
		} else {
			if slot, i = d.slot(i); i < 0 {
				return -1
			}
			*next = d.keys.at[slot]
		}
		if p[i] != ':' {
			if i = d.space(i); p[i] != ':' {
				return -1
			}
		}
		if i++; p[i] <= ' ' {
			i = d.space(i)
		}
		t := &l.values[slot]
		switch {
		case p[i] == '"':
			i = d.text(i+1, t)
		case slot == slotProps && l == &d.top:
			i = d.propsAt(i, t)
		default:
			i = d.value(i, t, depth)
		}
		if i < 0 {
			return -1
		}
		if bit := uint64(1) << (slot & 63); t.kind != kindNull {
			l.seen[slot>>6] |= bit
		} else {
			l.seen[slot>>6] &^= bit
		}
		if p[i] <= ' ' {
			i = d.space(i)
		}
		switch p[i] {
		case ',':
			if i++; p[i] <= ' ' {
				i = d.space(i)
			}
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

// propsAt reads the props. An object leaves a null behind, so that what is seen
// in the slot of the props is wrong.
func (d *Decoder) propsAt(i int, t *token) int {
	clear(d.props.seen)
	if d.p[i] != '{' {
		return d.value(i, t, maxDepth-1)
	}
	t.kind = kindNull
	return d.object(i+1, &d.props, maxDepth-2)
}

// slot reads a key from behind its opening quote.
func (d *Decoder) slot(i int) (slot, next int) {
	p := d.p
	lo, hi := load(p, i), uint64(0)
	if m := special(lo); m != 0 {
		at := bits.TrailingZeros64(m)
		if n := at >> 3; p[i+n] == '"' {
			return d.keys.find(lo<<(63-at)>>(63-at), 0), i + n + 1
		}
	} else {
		hi = load(p, i+8)
		if m := special(hi); m != 0 {
			at := bits.TrailingZeros64(m)
			if n := 8 + at>>3; p[i+n] == '"' {
				return d.keys.find(lo, hi<<(63-at)>>(63-at)), i + n + 1
			}
		}
	}
	var key token
	if next = d.text(i, &key); next < 0 {
		return 0, -1
	}
	name := p[key.off:key.end]
	if key.kind == kindEscaped {
		d.scratch = unescape(d.scratch[:0], name)
		name = d.scratch
	}
	return d.keys.names[string(name)], next
}
