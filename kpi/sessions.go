package kpi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Sessions is an operator that puts a user's events together to sessions. One begins
// with an event and ends with an event that passes End, or Gap after its last event,
// an event at that instant being behind the end. Events of different session_id are
// of different sessions; those without one have none in common with those.
//
// Its facts, one when a session ends, have a field "fact", which is "session", the
// numbers duration_ms (from the first event to the last; dwell_ms of the event that
// ends it, if it has that) and events (how many), and the texts of the first event.
// They belong to the business day on which the session began.
type Sessions struct {
	// Where is what an event is that a session has, nil for every event.
	Where *Expr
	// End is what ends a session.
	End *Expr
	Gap time.Duration
}

// FactSession is the kind of facts of Sessions.
const FactSession = "session"

// Numbers of the facts of Sessions.
const (
	DurationField = "duration_ms"
	EventsField   = "events"
)

var sessionFacts = factKinds{FactSession: {counted: true, numbers: []string{DurationField, EventsField}, later: 1}}

// Follows implements Journey.
func (s *Sessions) Follows() []Followed {
	return []Followed{{narrow(s.Where, s.End), []string{"dwell_ms"}}, {Where: s.Where}}
}

// Key implements Journey.
func (s *Sessions) Key() []string { return []string{"session_id"} }

// FactNames implements Journey.
func (s *Sessions) FactNames() []string { return []string{FactSession} }

// Horizon implements Journey. Sessions may be longer, but are counted with their day as
// long as it is open.
func (s *Sessions) Horizon() int { return maxHorizon }

func (s *Sessions) kinds() factKinds { return sessionFacts }

func (s *Sessions) meaning() string {
	return fmt.Sprintf("sessions(gap %s; end %s; %s)", FormatLength(s.Gap), s.End, s.Where)
}

const defaultSessionGap = 30 * time.Minute

// sessionEnd is what ends a session by default.
var sessionEnd = textIs("type", "session_end")

func readSessions(n document.Node) Journey {
	m := n.Mapping("where", "gap", "end")
	s := &Sessions{Where: readWhere(m), End: sessionEnd, Gap: readLength(m, "gap", minGap, maxGap, defaultSessionGap)}
	defer func() { s.warnEnd(m) }()
	if at, ok := m.Get("end"); ok {
		e, err := ParseExpr(at.Text())
		if err != nil {
			at.FailWith(err)
		} else {
			s.End = e
			misspeltIn(at, e)
		}
	}
	return s
}

// warnEnd warns of sessions that no event ends, since none with that type is theirs.
func (s *Sessions) warnEnd(m document.Mapping) {
	where, ends := s.Where.Texts("type"), s.End.Texts("type")
	if at, ok := m.Get("where"); ok && where != nil && ends != nil && !slices.ContainsFunc(ends, func(t string) bool { return slices.Contains(where, t) }) {
		at.Warn(strings.Join(ends, ", "), "is not among the types that sessions have, so it ends none", "add it to the types in where")
	}
}
