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
	// ContentEncoding is s2, s2-block, zstd, gzip, or empty.
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
		reason = d.settle(b, row)
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

// settle checks the event that was scanned and fills its row in.
func (d *Decoder) settle(b *Batch, row int) Reason {
	id, reason := d.name(b, &d.top, slotID, ReasonMissingID)
	if reason != ReasonNone {
		return reason
	}
	if text := b.Bytes(id); placeholder(text) && text[0] != '0' { // one may be numbered from 0 on
		return d.wrong(slotID, &d.top.values[slotID], ReasonPlaceholderID)
	}
	if b.Time[row], reason = d.time(b); reason != ReasonNone {
		return reason
	}
	typ, reason := d.name(b, &d.top, slotType, ReasonMissingType)
	if reason != ReasonNone {
		return reason
	}
	if at := &d.top.values[slotType]; !texts.has(at.kind) {
		return d.wrong(slotType, at, ReasonWrongType)
	}
	user, missing := d.name(b, &d.top, slotUser, ReasonMissingUser)
	if missing != ReasonNone && missing != ReasonMissingUser {
		return missing
	}
	anonymous, reason := d.name(b, &d.top, slotAnonymous, ReasonMissingUser)
	if reason != ReasonNone && reason != ReasonMissingUser {
		return reason
	}
	if none := d.noUser(b, user, anonymous, missing, reason); none != slotNone {
		if !userless(b.Bytes(typ)) {
			return d.wrong(none, &d.top.values[none], ReasonPlaceholderID)
		}
		missing, reason = ReasonMissingUser, ReasonMissingUser
	}
	switch {
	case d.judging:
		if missing != ReasonNone && reason != ReasonNone && !userless(b.Bytes(typ)) {
			return d.wrong(slotUser, nil, ReasonMissingUser)
		}
	case missing == ReasonNone:
		b.User[row], b.Name[row] = d.key.User(b.Bytes(user)), user
	case reason == ReasonNone:
		b.User[row], b.Name[row] = d.key.Anonymous(b.Bytes(anonymous)), anonymous
		b.Anonymous = append(b.Anonymous, row)
	case !userless(b.Bytes(typ)):
		return d.wrong(slotUser, nil, ReasonMissingUser)
	}
	if string(b.Bytes(typ)) == kpi.Identify {
		if reason = d.identify(b, row, missing, reason, anonymous); reason != ReasonNone {
			return reason
		}
	}
	if !d.judging {
		b.ID[row] = d.key.Event(b.User[row], b.Bytes(id))
	}
	if d.top.has(slotProps) {
		return d.wrong(slotProps, &d.top.values[slotProps], ReasonWrongType)
	}
	reason = d.settleFields(b, row)
	if column := d.fields[slotUser].text; column >= 0 && missing != ReasonNone { // it may be empty
		b.Text[column].Hash[row], b.Text[column].Span[row] = 0, Span{}
	}
	return reason
}

// identify notes that an anonymous id is the user's. Each of both may be missing.
func (d *Decoder) identify(b *Batch, row int, user, unknown Reason, anonymous Span) Reason {
	switch {
	case user != ReasonNone:
		return d.wrong(slotUser, nil, ReasonMissingUser)
	case unknown != ReasonNone:
		return d.wrong(slotAnonymous, nil, ReasonMissingUser)
	case placeholder(b.Bytes(anonymous)):
		return d.wrong(slotAnonymous, &d.top.values[slotAnonymous], ReasonPlaceholderID)
	case !d.judging:
		b.Identities = append(b.Identities, Identity{row, d.key.Anonymous(b.Bytes(anonymous)), anonymous})
	}
	return ReasonNone
}

// ofEvent are the slots that are no fields of the props.
const ofEvent = 1<<slotFields - 1

// noUser is the slot of the id that counts, if that stands for no user.
func (d *Decoder) noUser(b *Batch, user, anonymous Span, missing, unknown Reason) int {
	switch {
	case missing == ReasonNone && placeholder(b.Bytes(user)):
		return slotUser
	case missing != ReasonNone && unknown == ReasonNone && placeholder(b.Bytes(anonymous)):
		return slotAnonymous
	}
	return slotNone
}

// settleFields checks the fields in the order of their slots and writes those
// that the schema asks for.
func (d *Decoder) settleFields(b *Batch, row int) Reason {
	for w, top := range d.top.seen {
		props := d.props.seen[w]
		if w == 0 {
			top &^= 1 << slotNone
			props &^= ofEvent
		}
		for seen := top | props; seen != 0; seen &= seen - 1 {
			bit := bits.TrailingZeros64(seen)
			slot := w<<6 | bit
			at := &d.top.values[slot]
			if top>>bit&1 == 0 {
				at = &d.props.values[slot]
			}
			if reason := d.settleField(b, row, &d.fields[slot], at); reason != ReasonNone {
				return d.wrong(slot, at, reason)
			}
		}
	}
	if d.carries(d.amount) && !d.carries(d.currency) {
		return d.settleCurrency(b, row)
	}
	return ReasonNone
}

// carries reports whether the event has the field, at the top or in its props.
func (d *Decoder) carries(slot int) bool { return d.top.has(slot) || d.props.has(slot) }

// settleCurrency gives an amount the schema's currency.
func (d *Decoder) settleCurrency(b *Batch, row int) Reason {
	if d.schema.Currency == "" {
		at := &d.top.values[d.amount]
		if !d.top.has(d.amount) {
			at = &d.props.values[d.amount]
		}
		return d.wrong(d.amount, at, ReasonNoCurrency)
	}
	if column := d.fields[d.currency].text; column >= 0 {
		start := len(b.Payload)
		b.Payload = append(b.Payload, d.schema.Currency...)
		b.Text[column].Hash[row] = d.hash
		b.Text[column].Span[row] = Span{uint32(start), uint32(len(b.Payload) - start)}
	}
	return ReasonNone
}

func (d *Decoder) settleField(b *Batch, row int, f *field, at *token) Reason {
	if !f.takes.has(at.kind) {
		return ReasonWrongType
	}
	if f.bounds.has(at.kind) {
		v, ok := d.number(f, at)
		if !ok {
			return ReasonBadNumber
		}
		if f.number >= 0 {
			b.Number[f.number][row] = v
		}
	}
	if f.measures.has(at.kind) {
		text := d.span(b, at)
		if text.Len > MaxText {
			return ReasonTooLarge
		}
		if f.kind == kpi.KindCurrency && !kpi.IsCurrency(b.Bytes(text)) {
			return ReasonBadCurrency
		}
		if f.text >= 0 && !(f.id && placeholder(b.Bytes(text))) {
			column := &b.Text[f.text]
			column.Hash[row] = d.key.Text(b.Payload[text.Off : text.Off+text.Len])
			column.Span[row] = text
		}
	}
	return ReasonNone
}

// number is a number as its column keeps it.
func (d *Decoder) number(f *field, at *token) (v int64, ok bool) {
	if at.kind == kindInteger {
		if at.val > kpi.MaxNumber || at.val < -kpi.MaxNumber {
			return 0, false
		}
		if f.kind == kpi.KindInteger {
			return at.val, true
		}
		return at.val * kpi.Scale, true
	}
	v, isWhole, ok := decimal(d.p[at.off:at.end])
	if f.kind != kpi.KindInteger {
		return v, ok
	}
	return v / kpi.Scale, ok && isWhole
}

// name reads an id or another short text that must not be empty.
func (d *Decoder) name(b *Batch, l *level, slot int, missing Reason) (Span, Reason) {
	if !l.has(slot) {
		return Span{}, d.wrong(slot, nil, missing)
	}
	at := &l.values[slot]
	if !ids.has(at.kind) {
		return Span{}, d.wrong(slot, at, ReasonWrongType)
	}
	s := d.span(b, at)
	switch {
	case s.Len == 0:
		return s, d.wrong(slot, at, missing)
	case s.Len > MaxText:
		return s, d.wrong(slot, at, ReasonTooLarge)
	}
	return s, ReasonNone
}

// span is where a value's text stands; it is unescaped once.
func (d *Decoder) span(b *Batch, at *token) Span {
	if at.kind == kindEscaped {
		start := len(b.Payload)
		b.Payload = unescape(b.Payload, d.p[at.off:at.end])
		return Span{uint32(start), uint32(len(b.Payload) - start)}
	}
	return Span{at.off, at.end - at.off}
}

// time reads the event's time in Unix milliseconds.
func (d *Decoder) time(b *Batch) (ms int64, _ Reason) {
	at := &d.top.values[slotTime]
	var ok bool
	switch {
	case !d.top.has(slotTime):
		return 0, d.wrong(slotTime, nil, ReasonMissingTime)
	case at.kind == kindInteger:
		if ms, ok = at.val, true; ms < seconds {
			return 0, d.wrong(slotTime, at, ReasonTimeInSeconds)
		}
	case texts.has(at.kind):
		s := d.span(b, at)
		if s.Len == 0 {
			return 0, d.wrong(slotTime, at, ReasonMissingTime)
		}
		ms, ok = d.clock.parse(b.Bytes(s))
	case at.kind != kindDecimal:
		return 0, d.wrong(slotTime, at, ReasonWrongType)
	}
	if !ok || ms < minTime || ms >= endTime {
		return 0, d.wrong(slotTime, at, ReasonBadTime)
	}
	return ms, ReasonNone
}

// wrong keeps what is wrong for Check to explain.
func (d *Decoder) wrong(slot int, at *token, r Reason) Reason {
	d.fault.slot, d.fault.at = slot, token{kind: kindNull}
	if at != nil {
		d.fault.at = *at
	}
	return r
}
