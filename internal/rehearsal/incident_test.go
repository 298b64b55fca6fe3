package rehearsal

import (
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
)

// A fate is what becomes of an event.
type fate struct {
	lost   bool
	broken bool          // no JSON
	copies int           // beside the first
	late   time.Duration // by how much longer it takes
}

var lost = fate{lost: true}

// An incident is something that goes wrong.
type incident struct {
	name string
	from time.Time
	long time.Duration
	// on has other events happen: it changes them, or what becomes of them.
	on func(v visit) fate
	// found are the rules that may find it, also are those that may say something too.
	found []finder
	also  []string
	// shows is when it shows, where that is later than it happens.
	shows time.Time
}

// A finder is a rule, and what one of its alerts has in its labels.
type finder struct {
	rule string
	with map[string]string
}

func by(rule string, labels ...string) finder {
	f := finder{rule, map[string]string{}}
	for i := 0; i < len(labels); i += 2 {
		f.with[labels[i]] = labels[i+1]
	}
	return f
}

// has reports whether the incident is at work at an event.
func (i *incident) has(v visit) bool {
	since := v.Time - i.from.UnixMilli()
	return since >= 0 && since < i.long.Milliseconds()
}

// begins is when there is something to be found.
func (i *incident) begins() time.Time {
	if i.shows.IsZero() {
		return i.from
	}
	return i.shows
}

// drops has a share of the plays of a channel, or of all, be left in the middle.
func drops(channel string, share float64) func(visit) fate {
	return func(v visit) fate {
		if (v.Type == generate.Play || v.Type == generate.PlayEnd) && (channel == "" || v.Channel() == channel) && v.WatchMS >= v.DurationMS && among(mixed(v.own), share) {
			v.WatchMS = v.DurationMS / 2
		}
		return fate{}
	}
}

// loses has events of some types not arrive, a share of those that are chosen.
func loses(share float64, where func(visit) bool, types ...generate.Type) func(visit) fate {
	return func(v visit) fate {
		for _, t := range types {
			if v.Type == t && where(v) && among(mixed(v.own), share) {
				return lost
			}
		}
		return fate{}
	}
}

func all(visit) bool { return true }

func on(channel string) func(visit) bool {
	return func(v visit) bool { return v.Channel() == channel }
}

// buys are the events of a purchase.
var buys = []generate.Type{generate.Order, generate.Cancel, generate.Pay, generate.Settle, generate.Refund, generate.SurveyCSAT, generate.Complaint}

// unsold has a share of the purchases not happen.
func unsold(share float64, where func(visit) bool) func(visit) fate {
	return func(v visit) fate {
		for _, t := range buys {
			if v.Type == t && where(v) && among(mixed(v.random+3), share) {
				return lost
			}
		}
		return fate{}
	}
}

// storm has comments come in place of likes, and be negative.
func storm(v visit) fate {
	if v.Type == generate.Like {
		v.Type, v.Sentiment = generate.Comment, generate.Negative
	}
	return fate{}
}

// silent has a channel send nothing.
func silent(channel string) func(visit) fate {
	return func(v visit) fate { return fate{lost: v.Channel() == channel} }
}

func at(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", text, shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

const hour = time.Hour

// explains reports whether an alert may be of the incident: until echo after it.
func (i *incident) explains(n notification) bool {
	const echo = 30 * time.Hour // days and their windows
	if n.StartsAt.Before(i.begins()) || n.StartsAt.After(i.begins().Add(i.long).Add(echo)) {
		return false
	}
	return slices.Contains(i.also, n.Rule) || i.finds(n)
}

// finds reports whether an alert is one that is to find the incident.
func (i *incident) finds(n notification) bool {
	return slices.ContainsFunc(i.found, func(f finder) bool {
		if f.rule != n.Rule {
			return false
		}
		for name, value := range f.with {
			if n.Labels[name] != value {
				return false
			}
		}
		return true
	})
}
