// Package routing says whom an alert reaches, and with which others: the route
// tree of an Alertmanager file, by Alertmanager's own matching, and when. What the
// file leaves out is at once, each alert alone, and once.
package routing

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/promslog"
)

// Alertmanager's packages read names of labels in UTF-8, as its server does, only once they
// are told.
func init() { compat.InitFromFlags(promslog.NewNopLogger(), featurecontrol.NoopFlags{}) }

// A Tree is a route with all below it.
type Tree struct {
	top     *dispatch.Route
	routes  map[*dispatch.Route]*Route
	byID    map[string]*Route
	muter   *timeinterval.Intervener
	isTimed bool
}

// A Route is a node of a tree, with what it has from those above it.
type Route struct {
	// ID tells the routes of a tree apart, and stays through a restart.
	ID string
	// Key is Alertmanager's: two routes with the same matchers share it.
	Key string
	// Receiver is the name of the receiver.
	Receiver string
	// Wait is how long the first notification of a group waits for others,
	// Interval how long the group is quiet after one.
	Wait, Interval time.Duration
	// Repeat is after how long a notification is sent again while an alert fires, 0 for
	// never.
	Repeat time.Duration
	// Mute and Active are the names of time intervals: in one of Mute, and out of all of
	// Active if there are any, its alerts are not told.
	Mute, Active []string
	// Alone is set where the file asks for no groups: each alert is one.
	Alone bool
	// Labels are those that its notifications carry, as templates.
	Labels map[string]string

	all   bool // group by all labels
	by    map[model.LabelName]struct{}
	muter *timeinterval.Intervener
}

// defaultInterval is Alertmanager's, for groups that the file asks for.
const defaultInterval = 5 * time.Minute

// New reads the tree of a file that Alertmanager's parser has taken.
func New(file *config.Config) *Tree {
	intervals := map[string][]timeinterval.TimeInterval{}
	for _, one := range file.MuteTimeIntervals {
		intervals[one.Name] = one.TimeIntervals
	}
	for _, one := range file.TimeIntervals {
		intervals[one.Name] = one.TimeIntervals
	}
	c := *file.Route
	if c.GroupByStr == nil {
		c.GroupByAll = true
	}
	if c.GroupWait == nil {
		c.GroupWait = new(model.Duration)
	}
	if c.RepeatInterval == nil {
		c.RepeatInterval = new(model.Duration)
	}
	absent := model.Duration(unset)
	if c.GroupInterval == nil {
		c.GroupInterval = &absent
	}
	t := &Tree{top: dispatch.NewRoute(&c, nil), routes: map[*dispatch.Route]*Route{}, byID: map[string]*Route{}, muter: timeinterval.NewIntervener(intervals)}
	t.read(&c, t.top, false)
	return t
}

// unset stands for an interval that no route names.
const unset = -1

// To is the tree of everything to one receiver.
func To(receiver string) *Tree { return New(&config.Config{Route: &config.Route{Receiver: receiver}}) }

// read takes in a route and those below it. Grouped says whether one above it names
// group_by.
func (t *Tree) read(c *config.Route, r *dispatch.Route, grouped bool) {
	grouped = grouped || c.GroupByStr != nil
	o := r.RouteOpts
	out := &Route{ID: r.ID(), Key: r.Key(), Receiver: o.Receiver, Wait: o.GroupWait, Interval: o.GroupInterval, Repeat: o.RepeatInterval, Mute: o.MuteTimeIntervals, Active: o.ActiveTimeIntervals,
		Alone: !grouped, Labels: texts(o.Labels), all: o.GroupByAll, by: o.GroupBy, muter: t.muter}
	if out.Interval == unset {
		if out.Interval = 0; grouped {
			out.Interval = defaultInterval
		}
	}
	t.routes[r], t.byID[out.ID] = out, out
	t.isTimed = t.isTimed || len(out.Mute)+len(out.Active) > 0
	for i, below := range r.Routes {
		t.read(c.Routes[i], below, grouped)
	}
}

// Match are the routes that an alert takes, in their order.
func (t *Tree) Match(labels map[string]string) []*Route {
	var out []*Route
	for _, r := range t.top.Match(labelSet(labels)) {
		out = append(out, t.routes[r])
	}
	return out
}

// Route is the one with an id, nil if there is none.
func (t *Tree) Route(id string) *Route { return t.byID[id] }

// Timed reports whether the time decides what a route tells.
func (t *Tree) Timed() bool { return t.isTimed }

// Receivers are those that a route names, each once, in the order of the file.
func (t *Tree) Receivers() []string {
	var out []string
	t.top.Walk(func(r *dispatch.Route) {
		if name := r.RouteOpts.Receiver; !slices.Contains(out, name) {
			out = append(out, name)
		}
	})
	return out
}

// MutedBy are the names of the time intervals by which the route tells nothing, none if it
// does.
func (r *Route) MutedBy(now time.Time) []string {
	// An error is of a name that is not in the file: the parser refuses those.
	if muted, by, _ := r.muter.Mutes(r.Mute, now); muted {
		return by
	}
	if active, _, _ := r.muter.Mutes(r.Active, now); len(r.Active) > 0 && !active {
		return r.Active
	}
	return nil
}

// Group are the labels that an alert shares with those it is sent with.
func (r *Route) Group(labels map[string]string) map[string]string {
	if r.all {
		return labels
	}
	out := maps.Clone(labels)
	maps.DeleteFunc(out, func(name, _ string) bool {
		_, ok := r.by[model.LabelName(name)]
		return !ok
	})
	return out
}

// GroupKey is Alertmanager's key of a group.
func (r *Route) GroupKey(group map[string]string) string {
	return r.Key + ":" + Text(group)
}

// Text writes labels as Alertmanager does.
func Text(labels map[string]string) string { return labelSet(labels).String() }

// texts are labels as plain texts, nil without any.
func texts(set model.LabelSet) map[string]string {
	if len(set) == 0 {
		return nil
	}
	out := make(map[string]string, len(set))
	for k, v := range set {
		out[string(k)] = string(v)
	}
	return out
}

func labelSet(m map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(m))
	for k, v := range m {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return set
}
