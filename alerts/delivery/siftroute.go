package delivery

import (
	"regexp"
	"time"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/timeinterval"
	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/internal/document"
)

// routeKeys are the keys of a route that have an effect.
var routeKeys = []string{"receiver", "matchers", "match", "match_re", "continue", "routes", "group_by", "group_wait", "group_interval", "repeat_interval", "mute_time_intervals", "active_time_intervals", "labels"}

// inhibitKeys and intervalKeys are those of an inhibition and of a time interval.
var (
	inhibitKeys  = []string{"name", "source_matchers", "source_match", "source_match_re", "target_matchers", "target_match", "target_match_re", "equal"}
	intervalKeys = []string{"name", "time_intervals"}
)

// readTop reads the route that all alerts take.
func (s *sifter) readTop(m document.Mapping) {
	if _, ok := given(m, "receiver"); !ok && m.Mapped() {
		m.Missing("has no receiver", "give the name of one under receivers")
	}
	for _, key := range []string{"matchers", "match", "match_re", "continue", "mute_time_intervals", "active_time_intervals"} {
		if m.Has(key) {
			m.FailKey(key, "stands at the route that all alerts take", "move it to one of its routes")
			m.Remove(key)
		}
	}
	s.readRoute(m)
}

func (s *sifter) readRoute(m document.Mapping) {
	if n, ok := given(m, "receiver"); ok {
		s.receivers = append(s.receivers, n)
	}
	readMatchers(m, "")
	if n, ok := given(m, "continue"); ok {
		n.Bool()
	}
	for _, n := range m.List("group_by") {
		n.Text()
	}
	readTexts(m, "labels")
	readLength(m, "group_wait", 0)
	readLength(m, "group_interval", 1)
	readLength(m, "repeat_interval", 1)
	for _, key := range []string{"mute_time_intervals", "active_time_intervals"} {
		s.timed = append(s.timed, m.List(key)...)
	}
}

// readLength is a length of time that is not below the least, 0 without one.
func readLength(m document.Mapping, key string, least model.Duration) time.Duration {
	n, ok := given(m, key)
	if !ok {
		return 0
	}
	length, err := model.ParseDuration(n.Value())
	if !n.Scalar() || err != nil || length < least {
		rule, remedy := "is no length of time", "give one such as 30s, 5m or 4h"
		if err == nil && n.Scalar() {
			rule = "is no time at all"
		}
		n.Fail(n.Shown(), rule, remedy)
	}
	return time.Duration(length)
}

func readInhibition(m document.Mapping) {
	readMatchers(m, "source_")
	readMatchers(m, "target_")
	for _, side := range []string{"source", "target"} {
		if !m.Has(side+"_matchers") && !m.Has(side+"_match") && !m.Has(side+"_match_re") {
			m.Missing("has no "+side+"_matchers", "say which alerts "+map[string]string{"source": "inhibit others", "target": "are inhibited"}[side])
		}
	}
	for _, n := range m.List("equal") {
		n.Text()
	}
}

// readTexts looks at labels, of which each is a text.
func readTexts(m document.Mapping, key string) {
	n, ok := given(m, key)
	if !ok {
		return
	}
	labels := n.Entries()
	for _, name := range labels.Keys {
		value, _ := labels.Get(name)
		switch {
		case name == "":
			labels.FailKey(name, "is no name of a label", "give it one")
		case !value.Scalar() || value.Null():
			value.Fail(value.Shown(), "is no text", "give the value of the label")
		}
	}
}

func (s *sifter) readInterval(m document.Mapping) {
	for _, n := range m.List("time_intervals") {
		if err := n.Decode(&timeinterval.TimeInterval{}); err != nil {
			n.Fail("", "is no time interval: "+err.Error(), "see Alertmanager's documentation of time_interval")
			m.Remove("time_intervals")
		}
	}
	s.intervals = readName(m, s.intervals, "time interval")
}

// readMatchers reads the three ways to say which alerts are meant, under keys with a
// prefix.
func readMatchers(m document.Mapping, prefix string) {
	for _, n := range m.List(prefix + "matchers") {
		text := n.Text()
		if _, err := compat.Matchers(text, "config"); text != "" && err != nil {
			n.Fail(n.Shown(), "is no matcher", `write one such as severity="page" or team=~"growth|ads"`)
		}
	}
	for _, key := range []string{"match", "match_re"} {
		n, ok := given(m, prefix+key)
		if !ok {
			continue
		}
		labels := n.Entries()
		for _, name := range labels.Keys {
			if !model.LabelNameRE.MatchString(name) {
				labels.FailKey(name, "is no name of a label", "use letters, digits and _, or write it under "+prefix+"matchers")
			}
			value, _ := labels.Get(name)
			if !value.Scalar() {
				value.Fail(value.Shown(), "is no text", "give the value of the label")
				continue
			}
			if _, err := regexp.Compile(value.Value()); key == "match_re" && (err != nil || value.Null()) {
				value.Fail(value.Shown(), "is no regular expression", "see the syntax of RE2")
			}
		}
	}
}
