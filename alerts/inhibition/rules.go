// Package inhibition says which alerts make others not worth telling: the inhibit_rules
// of an Alertmanager file, by Alertmanager's own matchers.
package inhibition

import (
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
	// sources are the ids of the alerts that fire and match, by the values of equal.
	sources map[string]map[string]bool
}

// New makes the rules of a file that Alertmanager's parser has taken.
func New(list []common.InhibitRule) *Rules {
	r := &Rules{fires: map[string]model.LabelSet{}}
	for _, one := range list {
		in := &rule{InhibitRule: inhibit.NewInhibitRule(one), sources: map[string]map[string]bool{}}
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
func (r *Rules) Fires(alert string, labels map[string]string) (source bool) {
	r.Over(alert)
	set := labelSet(labels)
	for _, one := range r.rules {
		if !one.SourceMatchers.Matches(set) {
			continue
		}
		key := one.key(set)
		if one.sources[key] == nil {
			one.sources[key] = map[string]bool{}
		}
		one.sources[key][alert], source = true, true
	}
	if source {
		r.fires[alert] = set
	}
	return source
}

// Over notes that an alert fires no more, and reports whether it may have inhibited
// others.
func (r *Rules) Over(alert string) (source bool) {
	set, source := r.fires[alert]
	if !source {
		return false
	}
	delete(r.fires, alert)
	for _, one := range r.rules {
		key := one.key(set)
		if delete(one.sources[key], alert); len(one.sources[key]) == 0 {
			delete(one.sources, key)
		}
	}
	return true
}

// By are the fingerprints of alerts that inhibit one with these labels, at most one for
// each rule; none if it is not inhibited. One that matches both sides of a rule is
// inhibited by those only that match the source alone, so that none inhibits itself.
func (r *Rules) By(labels map[string]string) (by []string) {
	if len(r.fires) == 0 {
		return nil
	}
	set := labelSet(labels)
	for _, one := range r.rules {
		if !one.TargetMatchers.Matches(set) {
			continue
		}
		both := one.SourceMatchers.Matches(set)
		least := ""
		for id := range one.sources[one.key(set)] {
			source := r.fires[id]
			if both && one.TargetMatchers.Matches(source) {
				continue
			}
			if fp := source.Fingerprint().String(); least == "" || fp < least {
				least = fp
			}
		}
		if least != "" && !slices.Contains(by, least) {
			by = append(by, least)
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
