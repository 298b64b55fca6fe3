package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/stream"
)

const (
	// maxResults bounds the rows of an answer that does not ask for all.
	maxResults = 1000
	// maxEvents bounds the events of a body: more would be shorter than an event
	// can be.
	maxEvents = MaxBody / 48
	// eventBytes is what judging takes for an event.
	eventBytes = 72
)

// ingest takes events into the stream. It judges them only to tell the sender:
// every framed line is published, so that the ledger follows from the stream.
type ingest struct {
	engine   Engine
	to       Ingester
	checkers sync.Pool
	// pseudonymisers is nil where ids stay as they come.
	pseudonymisers *sync.Pool
	key            stream.HashKey
	bodies         *bodies
	recent         recent
}

func newIngest(d Deps) *ingest {
	in := &ingest{
		engine:   d.Engine,
		to:       d.Ingest,
		checkers: sync.Pool{New: func() any { return d.NewChecker() }},
		key:      d.HashKey,
		bodies:   newBodies(d.Limits, d.Metrics),
	}
	if d.NewPseudonymiser != nil {
		in.pseudonymisers = &sync.Pool{New: func() any { return d.NewPseudonymiser() }}
	}
	return in
}

func (in *ingest) events(c *http.ResponseController, r *http.Request) (got answer, err error) {
	if err := takes(r, "verbose"); err != nil {
		return answer{}, err
	}
	verbose, err := verbosity(r.URL.Query())
	if err != nil {
		return answer{}, err
	}
	body, held, err := in.bodies.read(c, r)
	if err != nil {
		return answer{}, err
	}
	checker := in.checkers.Get().(Checker)
	published := true
	done := func() {
		in.checkers.Put(checker)
		if published {
			reuse(body)
		}
		held.release()
	}
	defer func() {
		if got.done == nil {
			done()
		}
	}()
	// Judging takes more room than the body: first its events are counted.
	events := count(body)
	if events > maxEvents {
		return answer{}, crowded(events)
	}
	if err := held.take(int64(len(body) + events*eventBytes)); err != nil {
		return answer{}, err
	}
	judged, err := checker.Judge(body)
	if err != nil {
		return answer{}, BadData("%v", err)
	}
	if len(judged.Lines) > maxEvents {
		return answer{}, crowded(len(judged.Lines))
	}
	text := judged.Text
	if in.pseudonymisers != nil {
		if text, err = in.pseudonymise(&judged, held); err != nil {
			return answer{}, err
		}
	}
	v := &verdicts{Body: judged, checker: checker, verbose: verbose, known: in.keys(&judged)}
	if len(judged.Lines) > 0 {
		if _, err := in.to.Append(r.Context(), text); err != nil {
			published = false // it may be on its way still
			return answer{}, unpublished(err)
		}
	}
	// An event is known by its text: the hint never calls a new event a duplicate.
	// Only what the stream has acknowledged is remembered.
	in.recent.see(v.known)
	v.sum()
	status := http.StatusOK
	if v.quarantined > 0 {
		status = http.StatusMultiStatus
	}
	return answer{data: v, status: status, done: done}, nil
}

// pseudonymGrowth is how many times as long a text can be with pseudonyms.
const pseudonymGrowth = 4

// pseudonymise is the text of a body as it is published: no id of a user leaves this
// room. What the sender is told is about the text as it came.
func (in *ingest) pseudonymise(b *stream.Body, held *held) ([]byte, error) {
	if err := held.take(min(pseudonymGrowth*int64(len(b.Text)), MaxBody)); err != nil {
		return nil, err
	}
	p := in.pseudonymisers.Get().(*stream.Pseudonymiser)
	defer in.pseudonymisers.Put(p)
	text, err := p.Body(b, MaxBody)
	if err != nil {
		return nil, TooLarge("%v", err)
	}
	return text, nil
}

// verbosity says whether all verdicts are asked for.
func verbosity(asked url.Values) (bool, error) {
	text := asked.Get("verbose")
	switch {
	case !asked.Has("verbose"):
		return false, nil
	case text == "":
		return false, empty("verbose")
	}
	verbose, err := strconv.ParseBool(text)
	if err != nil {
		return false, BadData("verbose %q is neither 1 nor 0: give one of them", text)
	}
	return verbose, nil
}

// keys are the hashes of the events, 0 for those that are quarantined.
func (in *ingest) keys(b *stream.Body) []uint64 {
	keys := make([]uint64, len(b.Lines))
	for i := range keys {
		if b.Reasons[i] == stream.ReasonNone {
			keys[i] = in.key.Text(b.Line(i))
		}
	}
	return keys
}

func crowded(n int) error {
	return TooLarge("body has %d lines, more than %d: send the events in several requests", n, maxEvents)
}

// count is at least the number of events in a body, and exact where that could
// be more than maxEvents: of elements if it begins with an array, and of lines.
// A body that is not well-formed may count as fewer.
func count(body []byte) (n int) {
	trimmed := bytes.TrimLeft(body, "\ufeff \t\r\n")
	array := bytes.HasPrefix(trimmed, []byte("["))
	if len(body) < 2*maxEvents {
		if n = bytes.Count(trimmed, []byte("\n")) + 1; array {
			n += bytes.Count(trimmed, []byte(","))
		}
		return n
	}
	if array {
		n, trimmed = elements(trimmed)
	}
	for line := range bytes.Lines(trimmed) {
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

// close states that every event before a time is in.
func (in *ingest) close(c *http.ResponseController, r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	body, held, err := in.bodies.read(c, r)
	if err != nil {
		return answer{}, err
	}
	defer held.release()
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
	to, err := parseInstant("to", text)
	if err != nil {
		return time.Time{}, err
	}
	if time.Until(to) > stream.MaxAhead {
		return time.Time{}, BadData("to %s is more than %.0f minutes ahead: give the time before which every event is in", text, stream.MaxAhead.Minutes())
	}
	return to, nil
}
