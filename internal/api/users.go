package api

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
)

// Users answers who the users are, as of the last slice that closed.
type Users interface {
	// UserFields are the fields by which users are told apart: those of the event by
	// which one was first seen. Segments are the groups of users; none is known when
	// no KPI is over active days.
	UserFields() []string
	Segments() []string
	List(ctx context.Context, q UserQuery) (*UserList, error)
	// Find is nil for one who is not known.
	Find(ctx context.Context, id string) (*UserDetails, error)
}

// A UserQuery asks for users.
type UserQuery struct {
	Segment string
	// Match holds the values that fields must have.
	Match map[string]string
	Limit int
	// From is where to begin: a Next, or 0.
	From uint64
}

// A UserList is the users of a segment.
type UserList struct {
	Users []User
	// Next is where to go on, 0 at the end.
	Next uint64
	AsOf time.Time
	// Nameless are users in the segment whose names are lost.
	Nameless int
}

// A User is what is known of a user. Dates are business days.
type User struct {
	UserID         string   `json:"user_id,omitempty"`
	AnonymousID    string   `json:"anonymous_id,omitempty"`
	State          string   `json:"state"`
	Since          string   `json:"since"`
	FirstSeen      string   `json:"first_seen"`
	LastSeen       string   `json:"last_seen"`
	DaysAway       int      `json:"days_away"`
	UsualGapDays   *int     `json:"usual_gap_days"` // null below five gaps
	ActiveDays28   int      `json:"active_days_28"`
	Segments       []string `json:"segments"`
	Fields         []Field  `json:"-"`
	FirstEventTime Time     `json:"first_event"`
}

// A Field is a text of the event by which a user was first seen, nil where it had none.
type Field struct {
	Name  string
	Value *string
}

// MarshalJSON writes the fields behind the rest.
func (u *User) MarshalJSON() ([]byte, error) {
	type plain User
	return withFields((*plain)(u), u.Fields)
}

func withFields(v any, fields []Field) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-1]
	for _, f := range fields {
		b = append(appendString(append(b, ','), f.Name), ':')
		if f.Value == nil {
			b = append(b, "null"...)
		} else {
			b = appendString(b, *f.Value)
		}
	}
	return append(b, '}'), nil
}

// UserDetails explain why a user is in a state.
type UserDetails struct {
	User
	Explained
	AsOf time.Time
}

// Explained is what a state follows from.
type Explained struct {
	// AtRiskAfter and ChurnedAfter are the days away up to which a user is active,
	// and at risk.
	AtRiskAfter  int      `json:"at_risk_after_days"`
	ChurnedAfter int      `json:"churned_after_days"`
	ActiveDays   []string `json:"active_days"` // those remembered, ascending
	Gaps         []int    `json:"gaps"`        // between them, in days
}

// MarshalJSON writes all in one object.
func (d *UserDetails) MarshalJSON() ([]byte, error) {
	type plain User
	return withFields(struct {
		*plain
		Explained
		AsOf Time `json:"as_of"`
	}{(*plain)(&d.User), d.Explained, Time{d.AsOf}}, d.Fields)
}

// Users in one answer, by default and at most.
const (
	defaultUsers = 100
	maxUsers     = 1000
	// userValues is about what a user takes in an answer, in values of KPIs.
	userValues = 3
)

// userList answers about users.
type userList struct {
	engine Engine
	users  Users
	reads  *reads
}

// ready refuses what cannot be answered.
func (l *userList) ready() error {
	if len(l.users.Segments()) == 0 {
		return NotFound("no KPI of this service is over active days, so that it keeps no users: keep one that has from: days, such as at_risk_users")
	}
	if err := l.engine.Ready(); err != nil {
		return Unavailable("%v", err)
	}
	return nil
}

func (l *userList) list(r *http.Request) (got answer, err error) {
	if err := l.ready(); err != nil {
		return answer{}, err
	}
	q, err := l.query(r)
	if err != nil {
		return answer{}, err
	}
	share, err := l.reads.start(r.Context(), int64(q.Limit)*userValues)
	if err != nil {
		return answer{}, err
	}
	defer func() { share.doneUnless(got.done) }()
	found, err := l.users.List(r.Context(), q)
	if err != nil {
		return answer{}, err
	}
	share.holds(int64(len(found.Users)) * userValues)
	data := struct {
		Users []User  `json:"users"`
		Next  *string `json:"next"`
		AsOf  Time    `json:"as_of"`
	}{slices.Concat([]User{}, found.Users), cursorOf(found.Next), Time{found.AsOf}}
	got = answer{data: data, done: share.done}
	if found.Nameless > 0 {
		got.warnings = append(got.warnings, strconv.Itoa(found.Nameless)+" users of the segment are not listed: their names are lost. docs/operations.md, Damage, says what is to be done")
	}
	return got, nil
}

// query reads the parameters.
func (l *userList) query(r *http.Request) (q UserQuery, err error) {
	fields := l.users.UserFields()
	if err := takes(r, slices.Concat([]string{"segment", "limit", "cursor"}, fields)...); err != nil {
		return q, err
	}
	s := &selection{values: r.URL.Query(), reserved: []string{"segment", "limit", "cursor"}}
	if q.Segment, err = s.one("segment"); err != nil {
		return q, err
	}
	if known := l.users.Segments(); !slices.Contains(known, q.Segment) {
		all := "give one of " + strings.Join(known, ", ")
		if q.Segment == "" {
			return q, BadData("segment is missing: %s", all)
		}
		return q, BadData("segment %q does not exist: %s", q.Segment, spelling.Meant(spelling.Nearest(q.Segment, known), all))
	}
	q.Match = map[string]string{}
	for _, field := range fields {
		if !s.values.Has(field) {
			continue
		}
		if q.Match[field], err = s.one(field); err != nil {
			return q, err
		}
	}
	q.Limit, q.From, err = s.part()
	if q.From > math.MaxUint32 {
		return q, BadData("cursor %q is none of a list of users: give the next of the answer before, or leave it out", s.values.Get("cursor"))
	}
	return q, err
}

func (l *userList) one(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := l.ready(); err != nil {
		return answer{}, err
	}
	id := r.PathValue("id")
	u, err := l.users.Find(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	if u == nil {
		return answer{}, NotFound("user %q is not known: no event of theirs that makes a user active is in a window that closed; ids are taken as they are, with case and blanks", id)
	}
	return answer{data: u}, nil
}
