package api

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// Users answers who the users are, as of the last slice that closed.
type Users interface {
	// UserFields are the fields by which users are told apart: those of the event by
	// which one was first seen. Segments are the groups of users; none is known when
	// no KPI is over active days.
	UserFields() []string
	Segments() []string
	List(ctx context.Context, q UserQuery) (*UserList, error)
	// Size is about how many users there are.
	Size() int64
	// ByChannel reports whether it is known with which channels users were active.
	ByChannel() bool
	// Count is how many there are. Match, Limit and From do not matter.
	Count(ctx context.Context, q UserQuery) (*UserCount, error)
	// Find is nil for one who is not known.
	Find(ctx context.Context, id string) (*UserDetails, error)
	// Known is nil for one of whom nothing is kept.
	Known(ctx context.Context, id string) (*Identity, error)
}

// A UserQuery asks for users.
type UserQuery struct {
	Segment string // "" for all
	// Active and Inactive are business days on one of which they were, and were not,
	// active; nil for any.
	Active, Inactive *Days
	// Channel is the one with which they were, or were not, active on these days; nil
	// for any. A list does not know it.
	Channel *string
	// Match holds the values that fields must have.
	Match map[string]string
	Limit int
	// From is where to begin: a Next, or 0.
	From uint64
}

// Days are some business days, both ends among them, since 1970.
type Days struct{ From, To int32 }

// A UserCount is how many users there are.
type UserCount struct {
	Count    int
	AsOf     time.Time
	Warnings []string
}

// A UserList is the users of a segment.
type UserList struct {
	Users []User
	// Next is where to go on, 0 at the end.
	Next uint64
	AsOf time.Time
	// Nameless are users in the segment whose names are lost.
	Nameless int
	Warnings []string
}

// A User is what is known of a user. Dates are business days.
type User struct {
	UserID         string   `json:"user_id,omitempty"`
	AnonymousID    string   `json:"anonymous_id,omitempty"`
	State          string   `json:"state"`
	Since          *string  `json:"since"` // null: longer ago than active days are remembered
	FirstSeen      string   `json:"first_seen"`
	LastSeen       string   `json:"last_seen"`
	DaysAway       int      `json:"days_away"`
	UsualGapDays   *int     `json:"usual_gap_days"` // null below five gaps
	ActiveDays28   int      `json:"active_days_28"`
	Segments       []string `json:"segments"`
	RFM            *RFM     `json:"rfm,omitempty"` // of customers alone
	Fields         []Field  `json:"-"`
	FirstEventTime Time     `json:"first_event"`
}

// RFM is how a customer ranks by payments: tiers from 1 to 5, and one of
// kpi.RFMSegments.
type RFM struct {
	R       int    `json:"r"`
	F       int    `json:"f"`
	M       int    `json:"m"`
	Segment string `json:"segment"`
	*Payments
}

// Payments are what RFM follows from: the orders of the last kpi.RFMDays days, today so
// far among them.
type Payments struct {
	// DaysSincePayment counts business days from the last payment.
	DaysSincePayment int `json:"days_since_payment"`
	PaidOrders       int `json:"paid_orders"`
	// NetPaid is what was paid for them less what was refunded, in minor units, by the
	// currencies that the operator has cuts for.
	NetPaid map[string]int64 `json:"net_paid"`
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
	// Identities are the anonymous ids that are the user's.
	Identities []string `json:"identities,omitempty"`
	// LastTouch is what a conversion would be attributed to, by attribution; nil for
	// nothing.
	LastTouch map[string]*Touch `json:"last_touch"`
}

// A Touch is one of kpi.Touches.
type Touch struct {
	Touch  string  `json:"touch"`
	Time   Time    `json:"time"`
	Fields []Field `json:"-"`
}

// MarshalJSON writes the fields behind the rest.
func (t *Touch) MarshalJSON() ([]byte, error) {
	type plain Touch
	return withFields((*plain)(t), t.Fields)
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
	eraser Eraser // nil where nothing is written
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

func (l *userList) list(r *http.Request) (answer, error) {
	if err := l.ready(); err != nil {
		return answer{}, err
	}
	q, err := l.query(r)
	if err != nil {
		return answer{}, err
	}
	return l.reads.list(r.Context(), int64(q.Limit)*userValues, func() (answer, int64, error) {
		found, err := l.users.List(r.Context(), q)
		if err != nil {
			return answer{}, 0, err
		}
		a := answer{warnings: append(found.Warnings, l.unknown(&q)...), data: struct {
			Users []User  `json:"users"`
			Next  *string `json:"next"`
			AsOf  Time    `json:"as_of"`
		}{append([]User{}, found.Users...), cursorOf(userCursor, found.Next), Time{found.AsOf}}}
		if found.Nameless > 0 {
			a.warnings = append(a.warnings, strconv.Itoa(found.Nameless)+" users of the segment are not listed: their names are lost. docs/operations.md, Damage, says what is to be done")
		}
		return a, int64(len(found.Users)) * userValues, nil
	})
}

// query reads the parameters.
func (l *userList) query(r *http.Request) (q UserQuery, err error) {
	fields := l.users.UserFields()
	names := []string{"segment", "active", "not_active", "limit", "cursor"}
	if err := takes(r, slices.Concat(names, fields)...); err != nil {
		return q, err
	}
	s := &selection{values: r.URL.Query(), reserved: names}
	if err := l.choose(s, &q); err != nil {
		return q, err
	}
	if q.Segment == "" && q.Active == nil {
		return q, BadData("segment is missing: give one of %s, or days with active=2026-11-01..2026-11-07", strings.Join(l.users.Segments(), ", "))
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
	q.Limit, q.From, err = s.part(userCursor)
	if q.From > math.MaxUint32 {
		return q, BadData("cursor %q is none of this list: give the next of the answer before, or leave it out", s.values.Get("cursor"))
	}
	return q, err
}

// choose reads the segment and the days.
func (l *userList) choose(s *selection, q *UserQuery) (err error) {
	if q.Segment, err = s.one("segment"); err != nil {
		return err
	}
	if known := l.users.Segments(); q.Segment != "" && !slices.Contains(known, q.Segment) {
		if slices.Contains(kpi.RFMSegments, q.Segment) {
			return BadData("segment %q is by RFM, which no KPI of this service is over: keep one that is from an rfm operator, such as rfm", q.Segment)
		}
		return BadData("segment %q does not exist: %s", q.Segment, spelling.Meant(spelling.Nearest(q.Segment, known), "give one of "+strings.Join(known, ", ")))
	}
	c := clockOf(l.engine)
	if q.Active, err = s.days("active", c); err != nil {
		return err
	}
	q.Inactive, err = s.days("not_active", c)
	return err
}

// unknown warns of days of which not all who were active are known yet.
func (l *userList) unknown(q *UserQuery) (warnings []string) {
	c := clockOf(l.engine)
	today := c.today()
	for _, days := range [...]*Days{q.Active, q.Inactive} {
		if days != nil && days.To >= today && warnings == nil {
			warnings = append(warnings, c.zone.Format(today)+" is not over: who comes later is not known")
		}
	}
	return warnings
}

// days reads a day or a range of them, which has begun; nil without it.
func (s *selection) days(name string, c clock) (*Days, error) {
	text, err := s.one(name)
	if text == "" || err != nil {
		return nil, err
	}
	zone := c.zone
	first, last, found := strings.Cut(text, "..")
	if !found {
		last = first
	}
	from, err := zone.ParseDay(first)
	if err == nil {
		var to int32
		if to, err = zone.ParseDay(last); err == nil && from <= to {
			if today := c.today(); from > today {
				return nil, BadData("%s %s has not begun: it is %s", name, text, zone.Format(today))
			}
			return &Days{from, to}, nil
		}
	}
	if err != nil {
		return nil, BadData("%s %q is no day and no range of days: give 2026-11-01, or 2026-11-01..2026-11-07", name, text)
	}
	return nil, BadData("%s %s ends before it begins: exchange the days", name, text)
}

// count answers how many users a segment, or some days, have.
func (l *userList) count(r *http.Request) (answer, error) {
	if err := l.ready(); err != nil {
		return answer{}, err
	}
	names := []string{"segment", "active", "not_active"}
	if err := takes(r, append(names, "channel")...); err != nil {
		return answer{}, err
	}
	var q UserQuery
	s := &selection{values: r.URL.Query(), reserved: names}
	if err := l.choose(s, &q); err != nil {
		return answer{}, err
	}
	if err := l.chooseChannel(s, &q); err != nil {
		return answer{}, err
	}
	return l.reads.list(r.Context(), l.room(&q), func() (answer, int64, error) {
		found, err := l.users.Count(r.Context(), q)
		if err != nil {
			return answer{}, 0, err
		}
		return answer{warnings: append(found.Warnings, l.unknown(&q)...), data: struct {
			Count int  `json:"count"`
			AsOf  Time `json:"as_of"`
		}{found.Count, Time{found.AsOf}}}, 1, nil
	})
}

// room is what a count takes, in values: by days two sets of users, with that of a day and
// what it is read from.
func (l *userList) room(q *UserQuery) int64 {
	if q.Active == nil && q.Inactive == nil {
		return 1
	}
	return 4 * l.users.Size() / 8 / valueBytes
}

// chooseChannel reads with which channel users were active.
func (l *userList) chooseChannel(s *selection, q *UserQuery) error {
	channel, err := s.one("channel")
	switch {
	case err != nil || !s.values.Has("channel"):
		return err
	case q.Active == nil && q.Inactive == nil:
		return BadData("channel is here where users were active on some days: give these with active=2026-11-01..2026-11-07. Who was first seen by it is listed by /api/v1/users?segment=%s&channel=%s", url.QueryEscape(cmp.Or(q.Segment, "at_risk")), url.QueryEscape(channel))
	case !l.users.ByChannel():
		return BadData("no KPI of this service counts active users by channel: keep one that does, such as active_users, by: [channel]")
	}
	q.Channel = &channel
	return nil
}

func (l *userList) one(r *http.Request) (answer, error) {
	if r.PathValue("id") == "count" { // a pattern of its own would be one for other methods, too
		return l.count(r)
	}
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
