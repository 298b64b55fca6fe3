package oracle

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// Segments are the groups of users.
var Segments = append([]string{"at_risk", "churned", "declining", "new", "loyal"}, kpi.RFMSegments...)

// UsersPath asks for the users of a segment.
func UsersPath(segment string) string { return "/api/v1/users?limit=1000&segment=" + segment }

// JudgeUsers compares the list of a segment's users, which are fewer than a thousand.
func (o *Oracle) JudgeUsers(segment string, status int, body []byte) []Difference {
	differ := func(field, got, want string) []Difference {
		return []Difference{{Segment: segment, Field: field, Got: got, Want: want}}
	}
	k := o.overDays()
	if k == nil {
		if status != http.StatusNotFound {
			return differ("status", fmt.Sprint(status), "404")
		}
		return nil
	}
	var data struct {
		Users []struct {
			UserID      string `json:"user_id"`
			AnonymousID string `json:"anonymous_id"`
			FirstSeen   string `json:"first_seen"`
			LastSeen    string `json:"last_seen"`
			RFM         *Standing
		}
	}
	if o.ranking() == nil && slices.Contains(kpi.RFMSegments, segment) {
		if status != http.StatusBadRequest {
			return differ("status", fmt.Sprint(status), "400")
		}
		return nil
	}
	if status != http.StatusOK {
		return differ("status", fmt.Sprintf("%d %s", status, body), "200")
	}
	if err := read(body, &data, nil); err != nil {
		return differ("body", err.Error(), "JSON")
	}
	got := []string{}
	for _, u := range data.Users {
		user := "user " + u.UserID
		if u.UserID == "" {
			user = "anonymous " + u.AnonymousID
		}
		got = append(got, user+" "+u.FirstSeen+" "+u.LastSeen+" "+u.RFM.explained())
	}
	want := []string{}
	rows := o.visible(span{never, o.Head()}, View{Before: o.Head()})
	for who, p := range o.people(k.From.Days.Where, rows, o.moved(o.Head(), math.MaxInt)) {
		// What came ahead may be of a day to come.
		p.days = slices.DeleteFunc(p.days, func(d int32) bool { return d > o.Today() })
		if !o.isThere(who, p) {
			continue
		}
		s := o.customer(who.user, o.Today(), rows)
		if s != nil && s.Segment == segment || p.in(segment, o.Today(), int32(k.From.Days.Gap)) {
			want = append(want, fmt.Sprintf("%s %s %s %s", called(who.user), date(p.days[0]), date(p.days[len(p.days)-1]), s.explained()))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return differ("users", strings.Join(got, ", "), strings.Join(want, ", "))
	}
	return nil
}

func date(day int32) string { return time.Unix(int64(day)*86_400, 0).UTC().Format(time.DateOnly) }

// Today is the business day of the last second that is closed.
func (o *Oracle) Today() int32 { return o.calendar.day(o.Head()*1000 - 1) }

// overDays is the KPI whose operator lists of users are of.
func (o *Oracle) overDays() (out *kpi.KPI) {
	for _, k := range o.catalogue.KPIs {
		if k.From == nil || k.From.Days == nil {
			continue
		}
		for _, m := range k.Measures() {
			if kind := m.Where.FactKind(); kind == "at_risk" || kind == "churned" || kind == "churning" {
				return k
			}
		}
		if out == nil || k.From.Days.Gap < out.From.Days.Gap {
			out = k
		}
	}
	return out
}

// in reports whether the user is in a segment on a day.
func (p *person) in(segment string, day, gap int32) bool {
	switch segment {
	case "new":
		return day-p.days[0] < 7
	case "loyal":
		n := 0
		for _, d := range p.days {
			if d > day-28 {
				n++
			}
		}
		return n >= 15
	}
	return slices.ContainsFunc(p.facts(day, gap), func(f fact) bool { return f.texts["fact"] == segment })
}
