package send

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// epochs are the layouts that count from 1970, with their unit.
var epochs = map[string]time.Duration{"epoch_s": time.Second, "epoch_ms": time.Millisecond}

// parseTime reads the value of a map's field `time`.
func (m *Map) parseTime(v any) (time.Time, error) {
	if t, ok := v.(time.Time); ok {
		return t.In(m.Zone), nil
	}
	text := fmt.Sprint(v)
	if unit, ok := epochs[m.Layout]; ok {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(n) > float64(math.MaxInt64/2/unit) {
			return time.Time{}, fmt.Errorf("%q is no time by the layout %s: it wants a number", text, m.Layout)
		}
		whole, fraction := math.Modf(n)
		return time.UnixMilli(0).Add(time.Duration(whole) * unit).Add(time.Duration(fraction * float64(unit))).In(m.Zone), nil
	}
	layout := m.Layout
	if layout == "rfc3339" {
		layout = time.RFC3339Nano
	}
	t, err := time.ParseInLocation(layout, text, m.Zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time by the layout %q: set `time.layout` to how the file writes times", text, m.Layout)
	}
	// The zone's own offset names the instant; the zone of the file is shown.
	return t, nil
}

// timeOf is the event time of an NDJSON line in Unix milliseconds.
func timeOf(line []byte) (int64, bool) {
	from, to, ok := timeSpan(line)
	if !ok {
		return 0, false
	}
	return parseEventTime(line[from:to])
}

func parseEventTime(value []byte) (int64, bool) {
	if value[0] != '"' {
		ms, err := strconv.ParseInt(string(value), 10, 64)
		return ms, err == nil
	}
	t, err := time.Parse(time.RFC3339Nano, string(value[1:len(value)-1]))
	return t.UnixMilli(), err == nil
}

// shift moves the event's time by ms and keeps how it is written, RFC 3339 or
// milliseconds. A line without a readable time is left as it is.
func shift(e Event, ms int64) Event {
	from, to, ok := timeSpan(e.Line)
	if !ok {
		return e
	}
	t, ok := parseEventTime(e.Line[from:to])
	if !ok {
		return e
	}
	line := make([]byte, 0, len(e.Line)+8)
	line = append(line, e.Line[:from]...)
	if e.Line[from] == '"' {
		line = time.UnixMilli(t+ms).UTC().AppendFormat(line, `"2006-01-02T15:04:05.999Z07:00"`)
	} else {
		line = strconv.AppendInt(line, t+ms, 10)
	}
	line = append(line, e.Line[to:]...)
	e.Time, e.Line = t+ms, line
	return e
}

// timeSpan finds the value of the top-level key "time"; of several the last,
// as JSON readers do.
func timeSpan(line []byte) (from, to int, ok bool) {
	depth := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			end := stringEnd(line, i)
			if end < 0 {
				return 0, 0, false
			}
			if depth == 1 && string(line[i:end]) == `"time"` {
				if f, t := valueAfter(line, end); t > f {
					from, to, ok = f, t, true
					end = t
				}
			}
			i = end - 1
		}
	}
	return from, to, ok
}

// valueAfter is the scalar behind the colon at or after i; empty when a colon
// or a scalar is not what comes next.
func valueAfter(line []byte, i int) (from, to int) {
	i = skipSpace(line, i)
	if i == len(line) || line[i] != ':' {
		return 0, 0
	}
	i = skipSpace(line, i+1)
	if i == len(line) {
		return 0, 0
	}
	if line[i] == '"' {
		return i, stringEnd(line, i)
	}
	n := bytes.IndexAny(line[i:], ",}{[] \t\r\n")
	if n < 0 {
		return 0, 0
	}
	return i, i + n
}

func skipSpace(line []byte, i int) int {
	for i < len(line) && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r' || line[i] == '\n') {
		i++
	}
	return i
}

// stringEnd is the index behind the string that begins at i, -1 if it has no end.
func stringEnd(line []byte, i int) int {
	for i++; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}
