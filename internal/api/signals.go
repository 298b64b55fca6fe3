package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A Signal tells of a user who entered a state. It is the message of the stream
// SIGNALS. Dates are business days.
type Signal struct {
	ID           string  `json:"id"` // made of definition, user, state and day
	Time         Time    `json:"time"`
	State        string  `json:"state"`
	UserID       string  `json:"user_id,omitempty"`
	AnonymousID  string  `json:"anonymous_id,omitempty"`
	LastSeen     string  `json:"last_seen"` // before it, also of who returned
	FirstSeen    string  `json:"first_seen"`
	DaysAway     int     `json:"days_away"`
	UsualGapDays *int    `json:"usual_gap_days"`
	ActiveDays28 int     `json:"active_days_28"`
	RFM          *RFM    `json:"rfm,omitempty"` // of customers alone
	Definition   string  `json:"definition"`
	Watermark    Time    `json:"watermark"`
	Holdout      bool    `json:"holdout,omitempty"` // no webhook is told of the user
	Fields       []Field `json:"-"`
}

// MarshalJSON writes the fields behind the rest.
func (s *Signal) MarshalJSON() ([]byte, error) {
	type plain Signal
	return withFields((*plain)(s), s.Fields)
}

// Signals gives back the signals that were sent.
type Signals interface {
	Signals(ctx context.Context, q SignalQuery) (*SignalList, error)
}

// A SignalQuery asks for signals, in the order in which they were sent.
type SignalQuery struct {
	State string // "" for all
	// From and To bound their times, zero for no bound: From <= time < To.
	From, To time.Time
	Limit    int
	// After is where to begin: a Next, or 0.
	After uint64
}

// A SignalList is some signals, each as it was sent. Next is where to go on, 0 at
// the end.
type SignalList struct {
	Signals []json.RawMessage
	Next    uint64
}

// signalList answers about signals.
type signalList struct {
	users   *userList
	signals Signals
}

func (l *signalList) list(r *http.Request) (answer, error) {
	if err := l.users.ready(); err != nil {
		return answer{}, err
	}
	q, err := l.query(r)
	if err != nil {
		return answer{}, err
	}
	return l.users.reads.list(r.Context(), int64(q.Limit)*userValues, func() (answer, int64, error) {
		found, err := l.signals.Signals(r.Context(), q)
		if err != nil {
			return answer{}, 0, err
		}
		return answer{data: struct {
			Signals []json.RawMessage `json:"signals"`
			Next    *string           `json:"next"`
		}{append([]json.RawMessage{}, found.Signals...), cursorOf(signalCursor, found.Next)}}, int64(len(found.Signals)) * userValues, nil
	})
}

func (l *signalList) query(r *http.Request) (q SignalQuery, err error) {
	names := []string{"state", "from", "to", "limit", "cursor"}
	if err := takes(r, names...); err != nil {
		return q, err
	}
	s := &selection{values: r.URL.Query(), reserved: names, clock: clockOf(l.users.engine)}
	if q.State, err = s.one("state"); err != nil {
		return q, err
	}
	if q.State != "" && !slices.Contains(kpi.SignalStates, q.State) {
		return q, BadData("state %q does not exist: %s", q.State, spelling.Meant(spelling.Nearest(q.State, kpi.SignalStates), "give one of "+strings.Join(kpi.SignalStates, ", ")))
	}
	if q.From, q.To, err = s.bounds(); err != nil {
		return q, err
	}
	q.Limit, q.After, err = s.part(signalCursor)
	return q, err
}

// bounds reads from and to, zero without them.
func (s *selection) bounds() (from, to time.Time, err error) {
	if from, err = s.instant("from", false); err != nil {
		return from, to, err
	}
	if to, err = s.instant("to", true); err != nil {
		return from, to, err
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, BadData("from %s is not before to %s: exchange them", rfc3339(from), rfc3339(to))
	}
	return from, to, nil
}

// A cursor begins with the list that it is of.
const (
	userCursor   = "u"
	signalCursor = "s"
	alertCursor  = "a"
)

// part reads limit and the cursor of a list.
func (s *selection) part(of string) (limit int, cursor uint64, err error) {
	text, err := s.one("limit")
	if err != nil {
		return 0, 0, err
	}
	if limit = defaultUsers; text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxUsers {
			return 0, 0, BadData("limit %q is no whole number from 1 to %d: give one, and go on with cursor", text, maxUsers)
		}
	}
	if text, err = s.one("cursor"); err != nil || text == "" {
		return limit, 0, err
	}
	number, own := strings.CutPrefix(text, of)
	if cursor, err = strconv.ParseUint(number, 36, 63); err != nil || cursor == 0 || !own {
		return 0, 0, BadData("cursor %q is none of this list: give the next of the answer before, or leave it out", text)
	}
	return limit, cursor, nil
}

// cursorOf is how the place to go on at is written, nil at the end.
func cursorOf(of string, next uint64) *string {
	if next == 0 {
		return nil
	}
	text := of + strconv.FormatUint(next, 36)
	return &text
}
