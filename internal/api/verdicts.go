package api

import (
	"fmt"
	"strconv"

	"github.com/tidewatch/tidewatch/stream"
)

// verdicts are the data of POST /v1/events: what becomes of each event. What is
// told of an event is found when it is written, so that the list takes no room.
type verdicts struct {
	stream.Body
	checker Checker
	// known holds 0 for an event that is quarantined or was taken before.
	known   []uint64
	verbose bool

	accepted, duplicate, quarantined int
}

// sum counts the verdicts.
func (v *verdicts) sum() {
	for i, reason := range v.Reasons {
		switch {
		case reason != stream.ReasonNone:
			v.quarantined++
		case v.known[i] == 0:
			v.duplicate++
		default:
			v.accepted++
		}
	}
}

func (v *verdicts) writeJSON(e *encoder) {
	e.b = strconv.AppendInt(append(e.b, `{"accepted":`...), int64(v.accepted), 10)
	e.b = strconv.AppendInt(append(e.b, `,"duplicate":`...), int64(v.duplicate), 10)
	e.b = strconv.AppendInt(append(e.b, `,"quarantined":`...), int64(v.quarantined), 10)
	e.b = append(e.b, `,"results":[`...)
	if rows := v.duplicate + v.quarantined; rows > 0 || v.verbose {
		v.writeRows(e)
	}
	e.b = append(e.b, "]}"...)
}

func (v *verdicts) writeRows(e *encoder) {
	rows := 0
	for i, reason := range v.Reasons {
		status := "accepted"
		switch {
		case reason != stream.ReasonNone:
			status = "quarantined"
		case v.known[i] == 0:
			status = "duplicate"
		case !v.verbose:
			continue
		}
		if rows == maxResults && !v.verbose {
			return
		}
		if rows++; rows > 1 {
			e.b = append(e.b, ',')
		}
		v.writeRow(e, i, status)
		if !e.more() {
			return
		}
	}
}

// errGrown is about an event that fits as it came, and not as it is stored.
var errGrown = fmt.Errorf("event exceeds %d bytes once its ids are pseudonyms: send less in it", stream.MaxEvent)

func (v *verdicts) writeRow(e *encoder, i int, status string) {
	id, reason, err := v.checker.Check(v.Line(i))
	if reason == stream.ReasonNone && v.Reasons[i] != reason {
		reason, err = v.Reasons[i], errGrown
	}
	e.b = strconv.AppendInt(append(e.b, `{"index":`...), int64(i), 10)
	e.b = appendString(append(e.b, `,"status":`...), status)
	e.b = appendString(append(e.b, `,"id":`...), id)
	if reason != stream.ReasonNone {
		e.b = appendString(append(e.b, `,"reason":`...), reason.String())
	}
	if err != nil {
		e.b = appendString(append(e.b, `,"error":`...), err.Error())
	}
	e.b = append(e.b, '}')
}
