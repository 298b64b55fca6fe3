package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Signal is one that a service sent.
type Signal struct {
	State       string
	UserID      string    `json:"user_id"`
	AnonymousID string    `json:"anonymous_id"`
	Time        time.Time // the end of the day, or when who returned was there
	LastSeen    string    `json:"last_seen"`
	RFM         *Standing
	Holdout     bool
	Watermark   time.Time // at which it became known
}

// user is of whom it tells.
func (s *Signal) user() string {
	if s.UserID == "" {
		return "anonymous " + s.AnonymousID
	}
	return "user " + s.UserID
}

// A told is what a signal is about.
type told struct {
	user, state string
	day         int32
}

// judging is for how many seconds a day is judged once it is sealed.
const judging = 256

// JudgeSignals says what is wrong with all signals that were sent. Whether somebody
// is told of who comes back while a day is being judged is left open, and what is told of
// who turned out to be another.
func (o *Oracle) JudgeSignals(all []Signal) (out []Difference) {
	k := o.overDays()
	if k == nil {
		return nil
	}
	differ := func(what, user, state string, day int32, got, want string) {
		out = append(out, Difference{Segment: "signals", Labels: []string{user, state, date(day)}, Field: what, Got: got, Want: want})
	}
	sent := map[told]*Signal{}
	for i := range all {
		s := &all[i]
		user := s.user()
		at := s.Time.UnixMilli()
		if s.State != "returned" {
			at-- // the day is over
		}
		t := told{user, s.State, o.calendar.day(at)}
		if sent[t] != nil {
			differ("signal", user, s.State, t.day, "sent twice", "once")
		}
		sent[t] = s
		if held := o.heldOut(user); s.Holdout != held {
			differ("holdout", user, s.State, t.day, fmt.Sprint(s.Holdout), fmt.Sprint(held))
		}
	}
	unsealed := o.unsealed()
	rows := o.visible(span{never, o.Head()}, View{Before: o.Head()})
	open := map[string]bool{}
	for _, m := range o.moves {
		open[called(m.from)], open[called(m.to)] = true, true
	}
	rows = slices.DeleteFunc(rows, func(r *row) bool { return open[called(r.user)] })
	maps.DeleteFunc(sent, func(t told, _ *Signal) bool { return open[t.user] })
	for who, p := range o.people(k.From.Days.Where, rows, nil) {
		user := who.user
		var seen []int64 // seconds in which the user was active
		for _, r := range rows {
			if r.who() == who && r.passes(k.From.Days.Where) {
				seen = append(seen, r.second)
			}
		}
		last := p.days[0]
		until := p.days[len(p.days)-1] + p.forgetAfter
		for day := p.days[0]; day <= until && o.calendar.start(day+1)*1000+unsealed < o.Head()*1000; day++ {
			if slices.Contains(p.days, day) {
				last = day
			}
			start, end := o.calendar.start(day), o.calendar.start(day+1)
			if start == end {
				continue // the zone skipped the date
			}
			today, yesterday := p.kinds(day, int32(k.From.Days.Gap)), p.kinds(o.calendar.before(start*1000), int32(k.From.Days.Gap))
			judged := o.judged(end, unsealed)
			again := slices.ContainsFunc(seen, func(second int64) bool { return second >= end && second < judged })
			for _, state := range []string{"at_risk", "churned", "declining"} {
				s := sent[told{user, state, day}]
				entered := slices.Contains(today, state) && !slices.Contains(yesterday, state)
				switch {
				case s != nil && !entered:
					differ("signal", user, state, day, "sent", "none")
				case s == nil && entered && !again && judged <= o.Head():
					differ("signal", user, state, day, "none", "sent")
				case s != nil && s.LastSeen != date(last):
					differ("last_seen", user, state, day, s.LastSeen, date(last))
				}
			}
		}
	}
	o.judgeReturns(sent, k.From.Days.Where, rows, differ)
	o.judgeRanks(sent, rows, differ)
	return out
}

// unsealed is for how many milliseconds slices may still change.
func (o *Oracle) unsealed() int64 { return max(o.timing.Lateness.Milliseconds(), 1000) }

// judged is a head by which a day that ended is judged for sure.
func (o *Oracle) judged(end, unsealed int64) int64 {
	by := end + judging - floorDiv(-unsealed, 1000)
	for _, head := range o.heads {
		if head >= by {
			return head
		}
	}
	return math.MaxInt64
}

// judgeReturns holds those who returned to those of whom it was sent that they went.
func (o *Oracle) judgeReturns(sent map[told]*Signal, where *kpi.Expr, rows []*row, differ func(what, user, state string, day int32, got, want string)) {
	people := o.people(where, rows, nil)
	went := map[string][]int32{}
	back := map[string][]int32{}
	for t := range sent {
		switch t.state {
		case "at_risk", "churned":
			went[t.user] = append(went[t.user], t.day)
		case "returned":
			back[t.user] = append(back[t.user], t.day)
			switch p := personOn(people, t.user, t.day); {
			case p == nil || !slices.Contains(p.days, t.day):
				differ("signal", t.user, t.state, t.day, "sent", "none: the user was not there")
			case p.days[0] == t.day:
				differ("signal", t.user, t.state, t.day, "sent", "none: the user is new")
			}
		}
	}
	for user, days := range back {
		slices.Sort(days)
		before := int32(math.MinInt32)
		for _, day := range days {
			if !slices.ContainsFunc(went[user], func(d int32) bool { return d < day && d >= before }) {
				differ("signal", user, "returned", day, "sent", "none: that the user went was not")
			}
			before = day
		}
	}
	for user, days := range went {
		for _, day := range days {
			p := personOn(people, user, day)
			again := slices.IndexFunc(p.days, func(d int32) bool { return d > day })
			if again >= 0 && o.calendar.start(p.days[again]) < o.judged(o.calendar.start(day+1), o.unsealed()) {
				continue // users are judged in an order of a key, which a crash before the first epoch loses
			}
			if again >= 0 && !slices.ContainsFunc(back[user], func(d int32) bool { return d > day }) {
				differ("signal", user, "returned", p.days[again], "none", "sent")
			}
		}
	}
}

// personOn is who a user was on a day, nil for nobody.
func personOn(people map[spelled]*person, user string, day int32) *person {
	for who, p := range people {
		if who.user == user && p.days[0] <= day && day <= p.days[len(p.days)-1]+p.forgetAfter {
			return p
		}
	}
	return nil
}

// kinds are the facts of a user on a day.
func (p *person) kinds(day, gap int32) (out []string) {
	for _, f := range p.facts(day, gap) {
		out = append(out, f.texts["fact"])
	}
	return out
}
