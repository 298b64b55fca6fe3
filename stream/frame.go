package stream

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A shape is how events stand in a text.
type shape uint8

const (
	shapeNone   shape = iota // not at all
	shapeLines               // one a line
	shapeEvents              // in the decoder's spans: an array, or one over several lines
	shapeBinary              // it is no text
)

// blanks are JSON's.
const blanks = " \t\r\n"

const byteOrderMark = "\ufeff"

// maxNesting is what encoding/json takes; an event that is nested deeper than
// it may be is quarantined by itself.
const maxNesting = 10_000

// frame tells how the events stand in the padded text p[i:end], and where they
// start; for an array that is broken, where it breaks.
func (d *Decoder) frame(i, end int, contentType string) (shape, int) {
	d.spans = d.spans[:0]
	text := d.p[i:end]
	if bytes.HasPrefix(text, []byte(byteOrderMark)) {
		i += len(byteOrderMark)
	}
	for i < end && isBlank(d.p[i]) {
		i++
	}
	switch {
	case i == end:
		return shapeNone, i
	case isNDJSON(contentType):
		return shapeLines, i
	case d.p[i] == '[':
		return d.frameArray(i, end)
	case d.p[i] == '{':
		return d.frameObject(i, end), i
	case isBinary(text):
		return shapeBinary, i
	}
	return shapeLines, i
}

func isNDJSON(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	return strings.HasSuffix(kind, "ndjson") || strings.HasSuffix(kind, "jsonl")
}

// isBinary reports whether a text that does not start like JSON is none: not a
// line of it starts like an event.
func isBinary(text []byte) bool {
	return !bytes.Contains(text, []byte("\n{")) && (bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text))
}

// frameObject tells lines from one event that was printed over several.
func (d *Decoder) frameObject(i, end int) shape {
	first, rest, _ := bytes.Cut(d.p[i:end], []byte{'\n'})
	first = bytes.TrimRight(first, " \t\r")
	if first[len(first)-1] == '}' || len(rest) == 0 {
		return shapeLines
	}
	d.newlines = true
	stop := d.nested(i, maxNesting)
	blank := stop >= 0 && d.space(stop) >= end
	d.newlines = false
	if !blank {
		return shapeLines
	}
	d.spans = append(d.spans, Span{uint32(i), uint32(stop - i)})
	return shapeEvents
}

// frameArray finds the elements of an array. One that ends with its line and is
// followed by others is a line that is no event.
func (d *Decoder) frameArray(i, end int) (shape, int) {
	d.newlines = true
	defer func() { d.newlines = false }()
	start := i
	var t token
	if i = d.space(i + 1); d.p[i] == ']' {
		return d.arrayEnd(start, i+1, end)
	}
	for {
		off := i
		if i = d.value(i, &t, maxNesting); i < 0 {
			return shapeNone, off
		}
		d.spans = append(d.spans, Span{uint32(off), uint32(i - off)})
		i = d.space(i)
		switch d.p[i] {
		case ',':
			i = d.space(i + 1)
		case ']':
			return d.arrayEnd(start, i+1, end)
		default:
			return shapeNone, i
		}
	}
}

func (d *Decoder) arrayEnd(start, i, end int) (shape, int) {
	next := d.space(i)
	switch {
	case next >= end:
		return shapeEvents, start
	case bytes.IndexByte(d.p[i:next], '\n') >= 0 && bytes.IndexByte(d.p[start:i], '\n') < 0:
		return shapeLines, start
	}
	return shapeNone, next
}
