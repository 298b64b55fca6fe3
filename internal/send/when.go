package send

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/stream"
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
		if err != nil || !(math.Abs(n) <= float64(math.MaxInt64/2/unit)) { // as NaN is not
			return time.Time{}, fmt.Errorf("%q is no time by the layout %s: it wants a number", text, m.Layout)
		}
		whole, fraction := math.Modf(n)
		return time.UnixMilli(0).Add(time.Duration(whole) * unit).Add(time.Duration(fraction * float64(unit))).In(m.Zone), nil
	}
	if m.Layout == "rfc3339" {
		if t, ok := stream.ParseTime(text); ok {
			return t, nil
		}
	} else if t, err := time.ParseInLocation(m.Layout, text, m.Zone); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("%q is no time by the layout %q: set `time.layout` to how the file writes times", text, m.Layout)
}

// shift moves the event's time by ms and keeps how it is written, RFC 3339 or
// milliseconds. A line without a readable time is left as it is.
func shift(times *stream.Decoder, e Event, ms int64) Event {
	t, from, to, ok := times.TimeOf(e.Line)
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

// newTimes reads the times of lines as the service reads those of events.
func newTimes() *stream.Decoder { return stream.NewDecoder(stream.Schema{}, stream.HashKey{}) }
