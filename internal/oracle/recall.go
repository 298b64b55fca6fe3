package oracle

import (
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/kpi"
)

// A heard is a signal of who went that was sent.
type heard struct {
	told
	who    spelled
	held   bool
	origin *event // by which the user was first seen, as known then
	// crossing is the one with which it was sent, at the second by which it counts.
	crossing int
	at       int64
}

// Hear takes in all signals that were sent: of who is back while a day is being judged only
// the service knows. Others than these it cannot know, of a service that was started with
// another timing, say: then it does not know of any.
func (o *Oracle) Hear(all []Signal) {
	before := o.heard
	o.heard = map[told]*heard{}
	k := o.overDays()
	if k == nil {
		return
	}
	people := map[int]map[spelled]*person{} // by crossing
	for i := range all {
		s := &all[i]
		if s.State == "returned" {
			continue
		}
		t := told{s.user(), s.State, o.calendar.day(s.Time.UnixMilli() - 1)}
		crossing, is := slices.BinarySearch(o.heads, floorDiv(s.Watermark.UnixMilli(), 1000))
		if !is {
			o.heard = nil
			return
		}
		if h := before[t]; h != nil && h.crossing == crossing {
			o.heard[t] = h
			continue
		}
		if people[crossing] == nil {
			people[crossing] = o.people(k.From.Days.Where, o.closedBy(crossing), o.moved(math.MaxInt64, crossing))
		}
		h := &heard{told: t, held: s.Holdout, crossing: crossing, at: min(o.heads[crossing], o.calendar.start(t.day+2)) - 1}
		for who, p := range people[crossing] {
			if called(who.user) == t.user && !p.erased && p.days[0] <= t.day && !who.before(h.who) {
				h.who, h.origin = who, p.origin
			}
		}
		o.heard[t] = h
	}
}

// closedBy are the rows that are closed by a crossing.
func (o *Oracle) closedBy(crossing int) (out []*row) {
	for i := range o.rows {
		if r := &o.rows[i]; o.entered(r) <= crossing {
			out = append(out, r)
		}
	}
	return out
}

// hears reports whether it is known which signals were sent, where the KPI is of these.
func (o *Oracle) hears(k *kpi.KPI) bool {
	return o.heard != nil || !slices.ContainsFunc(k.Measures(), func(m *kpi.Measure) bool {
		return k.From != nil && k.From.Days != nil && (m.Where.FactKind() == "signal" || m.Where.FactKind() == "recall")
	})
}

// sentOn are the signals about a day that count before a second, of crossings up to one.
func (o *Oracle) sentOn(day int32, before int64, crossing int) (out []*heard) {
	for _, h := range o.heard {
		if h.day == day && h.at < before && h.crossing <= crossing {
			out = append(out, h)
		}
	}
	return out
}

// judgedLater are the crossings with which signals were sent that count before nothing more
// becomes known of their day, although nothing does then: with a lateness of days.
func (o *Oracle) judgedLater(k *kpi.KPI, t telling) (out []int) {
	if k.From == nil || k.From.Days == nil {
		return nil
	}
	for _, h := range o.sentOn(t.date, t.final, math.MaxInt) {
		if o.heads[h.crossing-1] >= t.final && !slices.Contains(out, h.crossing) {
			out = append(out, h.crossing)
		}
	}
	return out
}

// A following is a signal with the day on which the user is back, before it if never.
type following struct {
	*heard
	back int32
}

// attach gives people their signals. Who turns out to be another is back by the days of
// both, unless back before that is known: then by what comes late of the days before.
func (o *Oracle) attach(people map[spelled]*person, sent []*heard, where *kpi.Expr, rows []*row, moves []move) {
	until := map[int]map[spelled]*person{} // by move: before it
	for _, h := range sent {
		who, f, over, since := h.who, following{h, never32}, false, 0
		for i, m := range moves {
			from, to := spelled{m.from, m.fromSpell}, spelled{m.to, m.toSpell}
			if m.crossing <= h.crossing || who != from && who != to {
				continue
			}
			if until[i] == nil {
				until[i] = o.people(where, o.closedBy(m.crossing), moves[:i])
			}
			if p := until[i][who]; p != nil && !over {
				f.back = p.backAfter(h.day)
				over, since = f.back > h.day, m.crossing
			}
			if m.to == "" {
				over = true
			} else {
				who = to
			}
		}
		if p := people[who]; p != nil {
			if !over {
				f.back = p.backAfter(h.day)
			}
			for _, r := range rows {
				if day := o.calendar.day(r.time); f.back > h.day && over && r.who() == who && o.entered(r) > since && r.passes(where) && day > h.day {
					f.back = min(f.back, day)
				}
			}
			p.sent = append(p.sent, f)
		}
	}
}

// never32 is the day of what never happens.
const never32 = math.MinInt32

// backAfter is the first active day behind one.
func (p *person) backAfter(day int32) int32 {
	if i := slices.IndexFunc(p.days, func(d int32) bool { return d > day }); i >= 0 {
		return p.days[i]
	}
	return never32
}

// signalled are the facts of the user's signals about a day.
func (p *person) signalled(day int32) (out []fact) {
	for _, s := range p.sent {
		if s.day != day {
			continue
		}
		say := func(pairs ...string) {
			texts := maps.Clone(s.origin.texts)
			for _, own := range kpi.FactFields {
				delete(texts, own)
			}
			texts["state"], texts["holdout"] = s.state, map[bool]string{false: "no", true: "yes"}[s.held]
			for i := 0; i < len(pairs); i += 2 {
				texts[pairs[i]] = pairs[i+1]
			}
			out = append(out, fact{event: &event{texts: texts}, weight: 1})
		}
		say("fact", "signal")
		for _, of := range []int32{7, 14, 30} {
			if s.back > day && s.back-day <= of {
				say("fact", "recall", "of", fmt.Sprint(of))
			}
		}
	}
	return out
}

// heldOut reports whether a user is in the share that webhooks are not told of, in
// millionths of all hashes.
func (o *Oracle) heldOut(user string) bool {
	_, id, _ := strings.Cut(user, " ") // behind whether it is an anonymous one
	place := new(big.Int).SetUint64(xxh3.HashString("holdout\x00" + id))
	share := new(big.Int).Lsh(big.NewInt(int64(o.catalogue.Holdout)), 64)
	return place.Mul(place, big.NewInt(1e6)).Cmp(share) < 0
}
