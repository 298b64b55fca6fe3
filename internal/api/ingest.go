package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

const (
	// maxResults bounds the rows of an answer that does not ask for all.
	maxResults = 1000
	// maxEvents bounds the events of a body: more would be shorter than an event
	// can be.
	maxEvents = MaxBody / 48
	// maxAhead is how far the future a close may state complete: events
	// beyond it are not counted either.
	maxAhead = 10 * time.Minute
)

// ingest takes events into the stream. It judges them only to tell the sender:
// every framed line is published, so that the ledger follows from the stream.
type ingest struct {
	engine   Engine
	to       Ingester
	checkers sync.Pool
	key      stream.HashKey
	bodies   *budget

	mu     sync.Mutex
	recent recent
}

func newIngest(d Deps) *ingest {
	return &ingest{
		engine:   d.Engine,
		to:       d.Ingest,
		checkers: sync.Pool{New: func() any { return d.NewChecker() }},
		key:      d.HashKey,
		bodies:   &budget{max: d.MaxInFlight},
	}
}

// A verdict is what the sender is told of one event.
type verdict struct {
	index  int
	status string
	id     string
	reason stream.Reason
	err    error
	key    stream.Key
}

// The words of a verdict.
const (
	accepted    = "accepted"
	duplicate   = "duplicate"
	quarantined = "quarantined"
)

func (in *ingest) events(c *http.ResponseController, r *http.Request) (answer, error) {
	if err := takes(r, "verbose"); err != nil {
		return answer{}, err
	}
	asked := cmp.Or(r.URL.Query().Get("verbose"), "0")
	verbose, err := strconv.ParseBool(asked)
	if err != nil {
		return answer{}, BadData("verbose %q is neither 1 nor 0: give one of them", asked)
	}
	body, release, err := readBody(c, r, in.bodies)
	if err != nil {
		return answer{}, err
	}
	defer release()
	// Framing takes far more room than the body: first it is counted.
	if n := count(body); n > maxEvents {
		return answer{}, crowded(n)
	}
	lines, err := stream.Lines(body)
	if err != nil {
		return answer{}, BadData("%v", err)
	}
	if len(lines) > maxEvents {
		return answer{}, crowded(len(lines))
	}
	verdicts := in.check(lines, verbose)
	if len(lines) > 0 {
		if _, err := in.to.Append(r.Context(), lines); err != nil {
			return answer{}, unpublished(err)
		}
	}
	in.remember(verdicts)
	a := ingestJSON{verdicts: verdicts, verbose: verbose}
	status := http.StatusOK
	if a.count(quarantined) > 0 {
		status = http.StatusMultiStatus
	}
	return answer{data: a, status: status}, nil
}

func crowded(n int) error {
	return TooLarge("body has %d lines, more than %d: send the events in several requests", n, maxEvents)
}

// count is the number of events in a body that may have more than maxEvents:
// of elements if it begins with an array, and of lines. A body that is not
// well-formed may count as fewer.
func count(body []byte) (n int) {
	if len(body) < 2*maxEvents {
		return 0
	}
	body = bytes.TrimLeft(body, "\ufeff \t\r\n")
	if bytes.HasPrefix(body, []byte("[")) {
		n, body = elements(body)
	}
	for line := range bytes.Lines(body) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

// elements counts those of the array at the head of a text.
func elements(text []byte) (n int, rest []byte) {
	n = 1
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return n, text[i+1:]
			}
		case c == ',' && depth == 1:
			n++
		}
	}
	return n, nil
}

// unpublished says that nothing was acknowledged: the sender keeps the events
// and sends them again.
func unpublished(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return Unavailable("the stream did not acknowledge the events: send them again (%v)", err)
}

// check judges the lines. Of errors it keeps those that are shown.
func (in *ingest) check(lines [][]byte, verbose bool) []verdict {
	checker := in.checkers.Get().(Checker)
	defer in.checkers.Put(checker)
	verdicts := make([]verdict, len(lines))
	bad := 0
	for i, line := range lines {
		v := verdict{index: i, status: accepted}
		v.id, v.reason, v.err = checker.Check(line)
		if v.reason != stream.ReasonNone {
			v.status = quarantined
			if bad++; bad > maxResults && !verbose {
				v.err = nil
			}
		} else {
			v.key = in.key.Event(0, line)
		}
		verdicts[i] = v
	}
	return verdicts
}

// remember marks the events that were taken before. An event is known by its
// text: the hint never calls a new event a duplicate. Only what the stream has
// acknowledged is remembered.
func (in *ingest) remember(verdicts []verdict) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i := range verdicts {
		if v := &verdicts[i]; v.status == accepted && in.recent.see(v.key) {
			v.status = duplicate
		}
	}
}

// ingestJSON is the data of POST /v1/events.
type ingestJSON struct {
	verdicts []verdict
	verbose  bool
}

func (a ingestJSON) count(status string) (n int) {
	for i := range a.verdicts {
		if a.verdicts[i].status == status {
			n++
		}
	}
	return n
}

func (a ingestJSON) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"accepted":`...), int64(a.count(accepted)), 10)
	b = strconv.AppendInt(append(b, `,"duplicate":`...), int64(a.count(duplicate)), 10)
	b = strconv.AppendInt(append(b, `,"quarantined":`...), int64(a.count(quarantined)), 10)
	b = append(b, `,"results":[`...)
	rows := 0
	for i := range a.verdicts {
		v := &a.verdicts[i]
		if !a.verbose && (v.status == accepted || rows == maxResults) {
			continue
		}
		if rows > 0 {
			b = append(b, ',')
		}
		b = v.appendJSON(b)
		rows++
	}
	return append(b, "]}"...)
}

func (v *verdict) appendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"index":`...), int64(v.index), 10)
	b = appendString(append(b, `,"status":`...), v.status)
	b = appendString(append(b, `,"id":`...), v.id)
	if v.reason != stream.ReasonNone {
		b = appendString(append(b, `,"reason":`...), v.reason.String())
	}
	if v.err != nil {
		b = appendString(append(b, `,"error":`...), v.err.Error())
	}
	return append(b, '}')
}

// close states that every event before a time is in.
func (in *ingest) close(c *http.ResponseController, r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	body, release, err := readBody(c, r, in.bodies)
	if err != nil {
		return answer{}, err
	}
	defer release()
	to, err := in.closeTime(body)
	if err != nil {
		return answer{}, err
	}
	if err := in.to.Close(r.Context(), to.UnixMilli()); err != nil {
		return answer{}, unpublished(err)
	}
	return answer{data: map[string]Time{"to": {to}}}, nil
}

func (in *ingest) closeTime(body []byte) (time.Time, error) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil || len(fields) != 1 || fields["to"] == nil {
		return time.Time{}, BadData(`body is not {"to": TIME}: give the time before which every event is in, as integer epoch milliseconds or RFC 3339`)
	}
	text := string(fields["to"])
	if text[0] == '"' {
		if err := json.Unmarshal(fields["to"], &text); err != nil {
			return time.Time{}, fmt.Errorf("read to: %w", err)
		}
	}
	to, err := parseInstant("to", text, kpi.NewCalendar(in.engine.Catalogue().Location), true)
	if err != nil {
		return time.Time{}, err
	}
	if time.Until(to) > maxAhead {
		return time.Time{}, BadData("to %s is more than 10 minutes ahead: give the time before which every event is in", text)
	}
	return to, nil
}
