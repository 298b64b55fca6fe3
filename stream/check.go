package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/kpi"
)

// NewChecker returns a decoder that judges events as one for the schema does,
// and keeps none of its columns.
func NewChecker(schema Schema, key HashKey) *Decoder {
	d := NewDecoder(schema, key)
	d.schema, d.judging = Schema{Currency: schema.Currency}, true
	for i := range d.fields {
		d.fields[i].text, d.fields[i].number = -1, -1
	}
	return d
}

// A Body is the events of a request as they go into the stream.
type Body struct {
	// Text is NDJSON.
	Text []byte
	// Lines are the places of the events in Text. Reasons has one for each of
	// those that would be quarantined, ReasonNone for the others.
	Lines   []Span
	Reasons []Reason
}

// Line is the text of an event.
func (b *Body) Line(i int) []byte { s := b.Lines[i]; return b.Text[s.Off : s.Off+s.Len : s.Off+s.Len] }

// Judge frames a body as a message is framed and decodes its events as Append
// does. It fails if the body is not framed at all. The answer stands in the text
// and in the decoder: it holds until Judge is called again.
func (d *Decoder) Judge(text []byte) (Body, error) {
	b := &d.judged
	b.Reset(d.schema)
	b.Payload = append(text, padding...)
	d.p = b.Payload
	defer func() { d.p, b.Payload = nil, nil }()
	shape, at := d.frame(0, len(text), "")
	switch shape {
	case shapeLines:
		if d.lines(b, at, len(text)) != ReasonNone {
			return Body{}, fmt.Errorf("body has more than %d lines: send the events in several requests", MaxRows)
		}
	case shapeEvents:
		text = d.join(b)
	case shapeBinary:
		return Body{}, errors.New("body is binary: send JSON text, and name its Content-Encoding if it is compressed")
	default:
		if at == len(text) && len(d.spans) == 0 {
			return Body{}, errors.New("body is empty: send one JSON object a line, or a JSON array of objects")
		}
		return Body{}, fmt.Errorf("body is a JSON array that breaks at byte %d, %s: close it, or send one JSON object a line", min(at, len(text)), d.element(at))
	}
	b.truncate(b.Rows)
	if at < len(text) && shape == shapeLines { // a byte order mark is no part of a line
		for i := range b.Line {
			b.Line[i].Off -= uint32(at)
		}
		text = text[at:]
	}
	return Body{text, b.Line, b.Reason}, nil
}

// element says where in an array a byte is at which it breaks. Elements count
// from 0, as in the answer to a body that is whole.
func (d *Decoder) element(at int) string {
	if n := len(d.spans); n > 0 {
		last := d.spans[n-1]
		if bytes.IndexByte(d.p[last.Off+last.Len:at], ',') < 0 {
			return fmt.Sprintf("behind element %d", n-1)
		}
	}
	return fmt.Sprintf("in element %d", len(d.spans))
}

// join decodes the spans of an array, or of one event over several lines, and
// writes them a line each.
func (d *Decoder) join(b *Batch) []byte {
	d.newlines = true
	for _, s := range d.spans {
		d.event(b, int(s.Off), int(s.Off+s.Len))
	}
	d.newlines = false
	var size int
	for _, s := range d.spans {
		size += int(s.Len) + 1
	}
	text := make([]byte, 0, size)
	for i, s := range d.spans {
		if i > 0 {
			text = append(text, '\n')
		}
		start := len(text)
		text = append(text, b.Bytes(s)...)
		// A line break is a blank between JSON's tokens, and stands in no string.
		line := text[start:]
		for j := bytes.IndexByte(line, '\n'); j >= 0; j = bytes.IndexByte(line, '\n') {
			line[j] = ' '
		}
		b.Line[i] = Span{uint32(start), uint32(len(line))}
	}
	return text
}

// Check decodes one line as Append does and says what becomes of it: its id,
// or the reason with an error for whoever sent it.
func (d *Decoder) Check(line []byte) (id string, reason Reason, err error) {
	b := &d.probe
	b.Reset(d.schema)
	b.Payload = append(append(b.Payload, line...), padding...)
	d.p = b.Payload
	if d.lines(b, 0, len(line)); b.Rows != 1 {
		return "", ReasonNotJSON, fmt.Errorf("%d events in a line: give one JSON object a line", b.Rows)
	}
	if reason = b.Reason[0]; reason != ReasonNone {
		err = d.explain(reason, b.Bytes(b.Line[0]))
	}
	return d.id(), reason, err
}

// id is the id of the event last read, as far as it has one. It spoils the
// fault.
func (d *Decoder) id() string {
	id, reason := d.name(&d.probe, &d.top, slotID, ReasonMissingID)
	if reason != ReasonNone {
		return ""
	}
	return string(d.probe.Bytes(id))
}

// explain says what is wrong with the event last read: the value, the rule and
// the remedy.
func (d *Decoder) explain(r Reason, line []byte) error {
	at := d.fault.at
	name, value := d.fields[d.fault.slot].name, ""
	if at.kind != kindNull {
		value = excerpt(d.probe.Payload[at.off:at.end])
		if texts.has(at.kind) {
			value = `"` + value + `"`
		}
	}
	switch r {
	case ReasonTooLarge:
		if d.fault.slot == slotNone {
			return fmt.Errorf("event of %d bytes exceeds %d: send less in it", len(line), MaxEvent)
		}
		return fmt.Errorf("%s %s exceeds %d bytes: shorten it", name, value, MaxText)
	case ReasonNotJSON:
		return notJSON(line)
	case ReasonNotAnObject:
		return fmt.Errorf("event %s is not an object: give a JSON object", excerpt(line))
	case ReasonMissingID:
		return errors.New("id is missing: give each event an id of its own, a string or an integer")
	case ReasonMissingTime:
		return errors.New("time is missing: give integer epoch milliseconds or RFC 3339")
	case ReasonTimeInSeconds:
		return fmt.Errorf("time %s looks like seconds: give integer epoch milliseconds or RFC 3339", value)
	case ReasonBadTime:
		text := strings.Trim(value, `"`)
		if _, err := strconv.ParseInt(text, 10, 64); err == nil && text != value {
			return fmt.Errorf("time %s is a number in quotes: take them off", value)
		}
		if _, err := time.Parse("2006-01-02T15:04:05", text); err == nil {
			return fmt.Errorf("time %s has no zone: end it in Z, or in an offset such as +08:00", value)
		}
		return fmt.Errorf("time %s is no time from 1973 to 2105: give integer epoch milliseconds or RFC 3339, as in 2026-11-22T10:00:00+08:00", value)
	case ReasonMissingType:
		return errors.New(`type is missing: give what happened, as in "play"`)
	case ReasonMissingUser:
		if d.says(slotType, kpi.Identify) {
			return fmt.Errorf("%s is missing: give user_id and the anonymous_id that the user had before", name)
		}
		return errors.New("user_id is missing: give user_id or anonymous_id (only " + strings.Join(kpi.Userless, " and ") + " need none)")
	case ReasonPlaceholderID:
		if d.fault.slot == slotID {
			return fmt.Errorf("id %s stands for none: give each event an id of its own, a string or an integer", value)
		}
		if d.says(slotType, kpi.Identify) {
			return fmt.Errorf("%s %s stands for no user: send no identify for it", name, value)
		}
		return fmt.Errorf("%s %s stands for no user: leave it out, and give the user_id or anonymous_id that the user has", name, value)
	case ReasonWrongType:
		return fmt.Errorf("%s %s has the wrong type: give %s", name, value, d.wants(d.fault.slot))
	case ReasonBadNumber:
		if n, err := strconv.ParseFloat(value, 64); err == nil && n != math.Trunc(n) && d.fields[d.fault.slot].kind == kpi.KindInteger {
			return fmt.Errorf("%s %s is no whole number: round it", name, value)
		}
		return fmt.Errorf("%s %s is out of bounds: give %s of at most 9000000000000", name, value, d.wants(d.fault.slot))
	case ReasonBadCurrency:
		return fmt.Errorf("%s %s is no code of ISO 4217: give one in capitals, such as CNY", name, value)
	case ReasonNoCurrency:
		return fmt.Errorf("%s %s has no currency: give a code of ISO 4217 beside it, such as CNY, or set currency: CNY in the configuration for those without", name, value)
	}
	return errors.New(r.String())
}

// says reports whether the event last read has the text in a slot.
func (d *Decoder) says(slot int, text string) bool {
	at := &d.top.values[slot]
	return d.top.has(slot) && at.kind == kindString && string(d.probe.Payload[at.off:at.end]) == text
}

// wants says what a field takes.
func (d *Decoder) wants(slot int) string {
	switch slot {
	case slotID, slotUser, slotAnonymous:
		return "a string or an integer"
	case slotTime:
		return "integer epoch milliseconds or RFC 3339"
	case slotType:
		return "a string"
	case slotProps:
		return "an object"
	}
	switch d.fields[slot].kind {
	case kpi.KindText:
		return "a string or an integer"
	case kpi.KindCurrency:
		return "a code of ISO 4217"
	case kpi.KindInteger:
		return "a whole number"
	case kpi.KindLabel:
		return "a text or a number"
	case kpi.KindFlag:
		return "true or false"
	default:
		return "a number"
	}
}

func notJSON(line []byte) error {
	var v any
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(line, &v); {
	case errors.As(err, &syntax):
		return fmt.Errorf("event is not JSON at byte %d: %w", syntax.Offset, err)
	case !utf8.Valid(line):
		return errors.New("event is not UTF-8: write it in UTF-8")
	case err == nil:
		return fmt.Errorf("event is nested more than %d deep: flatten it", maxDepth)
	default:
		return fmt.Errorf("event is not JSON: %w", err)
	}
}

// excerpt cuts a value to what a message can show.
func excerpt(b []byte) string {
	const most = 64
	if len(b) > most {
		return string(b[:most]) + "..."
	}
	return string(b)
}
