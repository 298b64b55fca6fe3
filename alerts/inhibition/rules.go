// Package inhibition says which alerts make others not worth telling: the inhibit_rules
// of an Alertmanager file, by Alertmanager's own matchers.
package inhibition

import (
	"cmp"
	"slices"

	"github.com/prometheus/alertmanager/config/common"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/common/model"
)

// Rules know the alerts that fire and inhibit others. They are not safe for
// concurrent use.
type Rules struct {
	rules []*rule
	// fires are the labels of the sources, by the ids of the alerts.
	fires map[string]model.LabelSet
}

type rule struct {
	*inhibit.InhibitRule
	equal []model.LabelName // in order
	// sources are the alerts that fire and match, by the values of equal; pure are those of
	// them that do not match as targets.
	sources, pure map[string]sources
}

// sources are in order, so that the first is the same whenever there are the same.
type sources []Source

// A Source is an alert that inhibits others.
type Source struct {
	Fingerprint string // of its labels
	Rule        string
	alert       string
}

func (s Source) compare(o Source) int {
	return cmp.Or(cmp.Compare(s.Fingerprint, o.Fingerprint), cmp.Compare(s.alert, o.alert))
}

func sourceOf(alert string, set model.LabelSet) Source {
	return Source{Fingerprint: set.Fingerprint().String(), Rule: string(set[model.AlertNameLabel]), alert: alert}
}

func (s sources) with(one Source) sources {
	at, there := slices.BinarySearchFunc(s, one, Source.compare)
	if there {
		return s
	}
	return slices.Insert(s, at, one)
}

func (s sources) without(one Source) sources {
	at, there := slices.BinarySearchFunc(s, one, Source.compare)
	if !there {
		return s
	}
	return slices.Delete(s, at, at+1)
}

// New makes the rules of a file that Alertmanager's parser has taken.
func New(list []common.InhibitRule) *Rules {
	r := &Rules{fires: map[string]model.LabelSet{}}
	for _, one := range list {
		in := &rule{InhibitRule: inhibit.NewInhibitRule(one), sources: map[string]sources{}, pure: map[string]sources{}}
		for name := range in.Equal {
			in.equal = append(in.equal, name)
		}
		slices.Sort(in.equal)
		r.rules = append(r.rules, in)
	}
	return r
}

// key is the values that source and target have in common. A label that is not there is
// as one that is empty.
func (r *rule) key(labels model.LabelSet) string {
	var key []byte
	for _, name := range r.equal {
		key = append(append(key, labels[name]...), '\xff')
	}
	return string(key)
}

// Fires notes that an alert fires, and reports whether that may inhibit others.
func (r *Rules) Fires(alert string, labels map[string]string) (may bool) {
	r.Over(alert)
	set := labelSet(labels)
	one := sourceOf(alert, set)
	for _, rule := range r.rules {
		if !rule.SourceMatchers.Matches(set) {
			continue
		}
		key := rule.key(set)
		rule.sources[key], may = rule.sources[key].with(one), true
		if !rule.TargetMatchers.Matches(set) {
			rule.pure[key] = rule.pure[key].with(one)
		}
	}
	if may {
		r.fires[alert] = set
	}
	return may
}

// Over notes that an alert fires no more, and reports whether it may have inhibited
// others.
func (r *Rules) Over(alert string) (might bool) {
	set, might := r.fires[alert]
	if !might {
		return false
	}
	delete(r.fires, alert)
	one := sourceOf(alert, set)
	for _, rule := range r.rules {
		key := rule.key(set)
		for _, of := range []map[string]sources{rule.sources, rule.pure} {
			if of[key] = of[key].without(one); len(of[key]) == 0 {
				delete(of, key)
			}
		}
	}
	return true
}

// By are alerts that inhibit one with these labels, at most one for
// each rule; none if it is not inhibited. One that matches both sides of a rule is
// inhibited by those only that match the source alone, so that none inhibits itself.
func (r *Rules) By(labels map[string]string) (by []Source) {
	if len(r.fires) == 0 {
		return nil
	}
	set := labelSet(labels)
	for _, rule := range r.rules {
		if !rule.TargetMatchers.Matches(set) {
			continue
		}
		of := rule.sources
		if rule.SourceMatchers.Matches(set) {
			of = rule.pure
		}
		s := of[rule.key(set)]
		if len(s) > 0 && !slices.ContainsFunc(by, func(o Source) bool { return o.Fingerprint == s[0].Fingerprint }) {
			by = append(by, s[0])
		}
	}
	return by
}

func labelSet(m map[string]string) model.LabelSet {
	set := make(model.LabelSet, len(m))
	for k, v := range m {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	return set
}
