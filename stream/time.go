package stream

import (
	"strings"
	"time"
)

// ParseTime reads a text as the `time` of an event is read: RFC 3339, with T
// and Z in either case. It keeps the offset and the whole fraction; an event
// has milliseconds.
func ParseTime(text string) (time.Time, bool) {
	var c clock
	if _, ok := c.parse([]byte(text)); !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
	return t, err == nil
}

// TimeOf reads the time of a line as Append does, in Unix milliseconds, whatever
// else is wrong with its event. It stands in line[from:to], with the quotes of a
// string.
func (d *Decoder) TimeOf(line []byte) (ms int64, from, to int, ok bool) {
	b := &d.probe
	b.Reset(d.schema)
	b.Payload = append(append(b.Payload, line...), padding...)
	d.p = b.Payload
	clear(d.top.seen)
	i := d.space(0)
	if d.p[i] != '{' || d.object(i+1, &d.top, maxDepth-1) < 0 {
		return 0, 0, 0, false
	}
	ms, reason := d.time(b)
	if reason != ReasonNone {
		return 0, 0, 0, false
	}
	at := &d.top.values[slotTime]
	if from, to = int(at.off), int(at.end); texts.has(at.kind) {
		from, to = from-1, to+1
	}
	return ms, from, to, true
}
