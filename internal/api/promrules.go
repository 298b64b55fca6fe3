package api

import (
	"cmp"
	"maps"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/alerts"
)

// A promAlert is an alert as Prometheus lists it.
type promAlert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	State       alerts.State      `json:"state"`
	ActiveAt    *time.Time        `json:"activeAt,omitempty"`
	Value       string            `json:"value"`
}

func promAlertOf(a *alerts.Alert) promAlert {
	out := promAlert{Labels: maps.Clone(a.Labels), Annotations: a.Annotations, State: a.State}
	out.Labels[model.AlertNameLabel] = a.Rule
	if !a.ActiveAt.IsZero() {
		at := a.ActiveAt.UTC()
		out.ActiveAt = &at
	}
	if a.Value != nil {
		out.Value = strconv.FormatFloat(*a.Value, 'e', -1, 64)
	}
	return out
}

// alertList answers which alerts are pending and firing.
func (p *prometheus) alertList(form) (answer, error) {
	return p.status(func(s alerts.Status) any {
		list := make([]promAlert, len(s.Alerts))
		for i := range s.Alerts {
			list[i] = promAlertOf(&s.Alerts[i])
		}
		return map[string]any{"alerts": list}
	})
}

// status makes an answer of what the rules say.
func (p *prometheus) status(data func(alerts.Status) any) (answer, error) {
	if err := p.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	return answer{data: data(p.alerts.Alerts().Status)}, nil
}

// A promGroup has rules of one group of a file. Lengths of time are in seconds.
type promGroup struct {
	Name     string  `json:"name"`
	File     string  `json:"file"`
	Interval float64 `json:"interval"`
	Rules    []any   `json:"rules"` // a promRule, or a promRecording
}

type promRule struct {
	Type          string            `json:"type"`
	Name          string            `json:"name"`
	Query         string            `json:"query"`
	Duration      float64           `json:"duration"`
	KeepFiringFor float64           `json:"keepFiringFor"`
	Labels        map[string]string `json:"labels"`
	Annotations   map[string]string `json:"annotations"`
	State         alerts.State      `json:"state"`
	Health        string            `json:"health"`
	LastError     string            `json:"lastError,omitempty"`
	Alerts        []promAlert       `json:"alerts"`
}

type promRecording struct {
	Type   string            `json:"type"`
	Name   string            `json:"name"`
	Query  string            `json:"query"`
	Labels map[string]string `json:"labels"`
	Health string            `json:"health"`
}

// rules answers which rules there are as their files have them, with their alerts: all, or
// those of a type.
func (p *prometheus) rules(f form) (answer, error) {
	return p.status(func(s alerts.Status) any {
		active := map[*alerts.Rule][]promAlert{}
		for i := range s.Alerts {
			a := &s.Alerts[i]
			active[a.Of] = append(active[a.Of], promAlertOf(a))
		}
		known := map[*alerts.Rule]*alerts.RuleStatus{}
		for i := range s.Rules {
			known[s.Rules[i].Of] = &s.Rules[i]
		}
		groups := []promGroup{}
		for _, file := range s.Files {
			for i := range file.Groups {
				if g := promGroupOf(&file.Groups[i], f.Get("type"), known, active); len(g.Rules) > 0 {
					g.File = file.Name
					groups = append(groups, g)
				}
			}
		}
		return map[string]any{"groups": groups}
	})
}

// promGroupOf has the rules of a type, "" for all, of a group.
func promGroupOf(g *alerts.Group, kind string, known map[*alerts.Rule]*alerts.RuleStatus, active map[*alerts.Rule][]promAlert) promGroup {
	out := promGroup{Name: g.Name, Interval: cmp.Or(g.Interval, alerts.QueryInterval).Seconds()}
	recordings := g.Recordings
	for i := range len(g.Rules) + 1 {
		for ; len(recordings) > 0 && recordings[0].Above == i; recordings = recordings[1:] {
			if kind != "alert" {
				out.Rules = append(out.Rules, promRecordingOf(&recordings[0]))
			}
		}
		if i == len(g.Rules) || kind == "record" {
			continue
		}
		r := g.Rules[i]
		out.Interval = known[r].Interval.Seconds()
		out.Rules = append(out.Rules, promRuleOf(known[r], active[r]))
	}
	return out
}

func promRuleOf(r *alerts.RuleStatus, active []promAlert) promRule {
	return promRule{
		Type: "alerting", Name: r.Name, Query: r.Expr, Duration: r.Of.For.Seconds(), KeepFiringFor: r.Of.KeepFiringFor.Seconds(),
		Labels: someTexts(r.Of.Labels), Annotations: someTexts(r.Of.Annotations),
		State: promState(r.State), Health: r.Health, LastError: r.LastError, Alerts: append([]promAlert{}, active...),
	}
}

// promRecordingOf is a recording: it is well, as it is evaluated when it is read.
func promRecordingOf(r *alerts.Recording) promRecording {
	return promRecording{Type: "recording", Name: r.Name, Query: r.Expr, Labels: someTexts(r.Labels), Health: "ok"}
}

// promState is the state that Prometheus has for a rule's.
func promState(s alerts.State) alerts.State {
	if s == alerts.WithoutData || s == alerts.Delayed {
		return alerts.Inactive
	}
	return s
}

// someTexts is an object, also of no texts.
func someTexts(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// promModule is the module of which the language comes.
const promModule = "github.com/prometheus/prometheus"

// build answers which Prometheus it is whose language is spoken: by it clients know what
// they may ask.
func (p *prometheus) build(form) (answer, error) {
	return answer{data: map[string]string{
		"version": promVersion(), "revision": "tidewatch", "branch": "", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
	}}, nil
}

// promVersion is Prometheus' own version: that of its module v0.316.0 is 3.16.0.
func promVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path != promModule {
			continue
		}
		if number, patch, ok := strings.Cut(strings.TrimPrefix(m.Version, "v0."), "."); ok && len(number) > 2 {
			minor, err := strconv.Atoi(number[1:])
			if err == nil {
				return number[:1] + "." + strconv.Itoa(minor) + "." + patch
			}
		}
	}
	return ""
}
