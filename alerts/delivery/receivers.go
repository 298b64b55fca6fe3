package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"
	commonconfig "github.com/prometheus/common/config"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
	"github.com/tidewatch/tidewatch/alerts/routing"
	"github.com/tidewatch/tidewatch/internal/document"
)

// Receivers are those of an Alertmanager file.
type Receivers struct {
	// Default is the receiver of what no other route takes: route.receiver.
	Default string
	// Routes say which receivers an alert reaches. By default all reach the default one.
	Routes *routing.Tree
	// Integrations are those of all receivers, in the order of the file, the webhooks of
	// each before its robots.
	Integrations []*Integration
	// file is what Alertmanager's parser has made of it, texts are its templates.
	file  *amconfig.Config
	texts *template.Template
	// Warnings are what its author hardly meant.
	Warnings []*document.Problem
}

// LoadReceivers reads an Alertmanager file, which may have robots beside what
// Alertmanager knows. A key that would have no effect here is an error: the error names
// all that is wrong. Files that it names are looked up beside it.
// Routes may name the intervals given as their times, unless the file has its own of these
// names.
func LoadReceivers(path string, data []byte, intervals ...Interval) (*Receivers, error) {
	dir, err := filepath.Abs(filepath.Dir(path)) // absolute, so that shared parts can be set twice
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := document.Parse(path, data)
	s := &sifter{dir: dir, beside: intervals}
	if !d.Root().Null() || !d.Faulty() { // else it is no YAML
		s.sift(d.Root())
	}
	err = d.Extend("time_intervals", s.defined)
	var rest []byte
	if err == nil {
		rest, err = d.Bytes()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	config, err := amconfig.Load(string(rest))
	if err != nil {
		if !d.Faulty() { // else it may have stumbled over what has been noted
			p := &document.Problem{Rule: secrets(nil).hide(strings.TrimPrefix(err.Error(), "yaml: ")), Remedy: "see Alertmanager's documentation of its configuration"}
			if strings.HasPrefix(p.Rule, "at most one of ") {
				p.Remedy = "keep one of them"
			}
			d.Add(p)
		}
		return nil, d.Err()
	}
	out := &Receivers{Default: config.Route.Receiver, Routes: routing.New(config), file: config}
	out.collect(config, s, d)
	if err := d.Err(); err != nil {
		return nil, err
	}
	out.warnOfNobody(d)
	out.Warnings = d.Warnings()
	return out, nil
}

// Absent says what it means that keys which Alertmanager has defaults for are not there.
func (r *Receivers) Absent() []string {
	var out []string
	top := r.file.Route
	if top.GroupByStr == nil {
		out = append(out, "without group_by each alert is told by itself")
	}
	if top.GroupWait == nil {
		out = append(out, "without group_wait at once")
	}
	if top.RepeatInterval == nil {
		out = append(out, "without repeat_interval once")
	}
	return out
}

// warnOfNobody notes alerts that nobody is told of.
func (r *Receivers) warnOfNobody(d *document.Document) {
	if len(r.Of(r.Default)) > 0 {
		return
	}
	const path = "route.receiver"
	rule, remedy := "has no integration, so nobody is told of alerts", "give it "+anyConfigs
	if len(r.Told()) > 0 {
		rule += " that no other route takes"
	} else if others := r.names(); len(others) > 0 {
		remedy += ", or route to " + strings.Join(others, " or ")
	}
	d.Warn(&document.Problem{Line: d.Line(path), Path: path, Value: strconv.Quote(r.Default), Rule: rule, Remedy: remedy})
}

// collect makes the integrations of all receivers.
func (r *Receivers) collect(config *amconfig.Config, s *sifter, d *document.Document) {
	add := func(g *Integration, c commonconfig.HTTPClientConfig, path string, line int) {
		if err := g.connect(c, s.dir); err != nil {
			d.Add(&document.Problem{Line: line, Path: path + ".http_config", Rule: err.Error(), Remedy: "see Alertmanager's documentation of http_config"})
			return
		}
		r.Integrations = append(r.Integrations, g)
	}
	texts := r.templates(config, s, d)
	if r.texts = texts[""]; r.texts != nil {
		probeLabels(config.Route, "", "route", nil, wording{texts: r.texts}, d)
	}
	in := func(path string) wording { return wording{s.languages[path], texts[s.languages[path]]} }
	for i, receiver := range config.Receivers {
		for j, c := range receiver.WebhookConfigs {
			path := fmt.Sprintf("receivers[%d].webhook_configs[%d]", i, j)
			hook := webhook{receiver.Name, int(min(c.MaxAlerts, math.MaxInt32)), c.Payload, in(path)}
			hook.probe(string(c.URL), path, d)
			g := &Integration{
				Receiver: receiver.Name, Name: named(receiver.Name, "", j), URL: string(c.URL), URLFile: beside(s.dir, c.URLFile),
				SendResolved: c.SendResolved(), Timeout: c.Timeout, protocol: hook,
			}
			g.share(s.secrets[path])
			g.private.addPayload(c.Payload)
			add(g, *c.HTTPConfig, path, d.Line(path+".http_config"))
		}
		for _, b := range brought {
			for j, c := range b.of(&receiver) {
				path := fmt.Sprintf("receivers[%d].%s[%d]", i, b.key(), j)
				r.bring(b, c, receiver.Name, path, j, s, in(path), d)
			}
		}
		for _, e := range s.robots[i] {
			g := e.integration
			g.Receiver, g.Name = receiver.Name, named(receiver.Name, string(e.kind), e.place)
			c := config.Global.HTTPConfig // shared with others
			if e.http != nil {
				c = e.http
			}
			add(g, *c, e.path, e.line)
		}
	}
	r.fallBack(s.fallbacks, d)
}

// fallBack has the integrations know whom what they do not take goes to.
func (r *Receivers) fallBack(all map[string]fallbackEntry, d *document.Document) {
	for _, g := range r.Integrations {
		g.fallback = all[g.Receiver].fallback
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if e := all[name]; len(r.Of(e.receiver)) == 0 && !d.Faulty() {
			d.Warn(&document.Problem{Line: d.Line(e.path), Path: e.path, Value: strconv.Quote(e.receiver), Rule: "has no integration, so nobody is told in the place of " + name, Remedy: "give it " + anyConfigs})
		}
	}
}

// templates are those of the file, by the languages that it names; without any, with
// Alertmanager's own. There are none if they cannot be read.
func (r *Receivers) templates(config *amconfig.Config, s *sifter, d *document.Document) map[message.Language]*template.Template {
	for i, name := range config.Templates {
		config.Templates[i] = beside(s.dir, name)
		if found, err := filepath.Glob(config.Templates[i]); err == nil && len(found) == 0 {
			path := fmt.Sprintf("templates[%d]", i)
			d.Warn(&document.Problem{Line: d.Line(path), Path: path, Value: config.Templates[i], Rule: "is no file", Remedy: "write one, or remove it"})
		}
	}
	out := map[message.Language]*template.Template{}
	for _, l := range append([]message.Language{""}, slices.Collect(maps.Values(s.languages))...) {
		if out[l] != nil {
			continue
		}
		var err error
		if out[l], err = textsIn(l, config.Templates); err != nil {
			d.Add(&document.Problem{Line: d.Line("templates"), Path: "templates", Rule: strings.TrimPrefix(err.Error(), "template: "), Remedy: "see Alertmanager's documentation of templates"})
			return nil
		}
	}
	return out
}

// bring makes an integration of Alertmanager's packages.
func (r *Receivers) bring(b bringing, config any, receiver, path string, place int, file *sifter, w wording, d *document.Document) {
	if w.texts == nil {
		return // it is told
	}
	s := settingsOf(config)
	s.files(func(key string, v reflect.Value) {
		v.SetString(beside(file.dir, v.String()))
		if _, err := os.Stat(v.String()); err != nil {
			file.unread(file.whose(b.kind, path, key), v.String(), d)
		}
	})
	if d.Faulty() {
		return
	}
	g, err := b.integration(config, receiver, place, w)
	if err != nil {
		d.Add(&document.Problem{Line: d.Line(path), Path: path, Rule: secrets(nil).hide(err.Error()), Remedy: "see Alertmanager's documentation of " + b.kind + "_config"})
		return
	}
	r.Integrations = append(r.Integrations, g)
	read := w.sample(receiver, nil)
	s.templates(func(key, text string) {
		if _, err := w.texts.ExecuteTextString(text, read); err != nil {
			d.Warn(&document.Problem{Line: d.Line(path + "." + key), Path: path + "." + key, Rule: "gives an error for an alert: " + strings.TrimPrefix(err.Error(), "template: "), Remedy: "correct it: such a notification is not sent"})
		}
	})
}

// Told lists the integrations that a route leads to. Without a file there are none.
func (r *Receivers) Told() []*Integration {
	if r == nil {
		return nil
	}
	var out []*Integration
	for _, name := range r.routes().Receivers() {
		out = append(out, r.Of(name)...)
	}
	return out
}

// all lists the integrations of the file.
func (r *Receivers) all() []*Integration {
	if r == nil {
		return nil
	}
	return r.Integrations
}

// Names are those of the integrations of the file.
func (r *Receivers) Names() []string {
	var out []string
	for _, g := range r.all() {
		out = append(out, g.Name)
	}
	return out
}

// Shown is the file without how receivers are reached.
func (r *Receivers) Shown() *amconfig.Config {
	c := &amconfig.Config{Route: &amconfig.Route{Receiver: "nobody"}, Receivers: []amconfig.Receiver{{Name: "nobody"}}}
	if r != nil && r.file != nil {
		c.Route, c.InhibitRules, c.TimeIntervals, c.MuteTimeIntervals, c.Receivers = r.file.Route, r.file.InhibitRules, r.file.TimeIntervals, r.file.MuteTimeIntervals, nil
		for _, one := range r.file.Receivers {
			c.Receivers = append(c.Receivers, amconfig.Receiver{Name: one.Name, Labels: one.Labels})
		}
	}
	return c
}

// routes are those of the file.
func (r *Receivers) routes() *routing.Tree {
	switch {
	case r == nil:
		return routing.To("")
	case r.Routes == nil:
		return routing.To(r.Default)
	}
	return r.Routes
}

// A Way is how an alert reaches a receiver.
type Way struct {
	Receiver string
	// Integrations are the names of those of the receiver.
	Integrations []string
	// Route is the matchers that lead there, as Alertmanager writes them.
	Route string
}

// Ways are those of an alert with these labels, in the order of the routes.
func (r *Receivers) Ways(labels map[string]string) []Way {
	var out []Way
	for _, route := range r.routes().Match(labels) {
		w := Way{Receiver: route.Receiver, Route: route.Key}
		for _, g := range r.Of(route.Receiver) {
			w.Integrations = append(w.Integrations, g.Name)
		}
		out = append(out, w)
	}
	return out
}

// Of lists the integrations of a receiver.
func (r *Receivers) Of(receiver string) []*Integration {
	var out []*Integration
	for _, g := range r.Integrations {
		if g.Receiver == receiver {
			out = append(out, g)
		}
	}
	return out
}

// names are the receivers that have an integration.
func (r *Receivers) names() []string {
	var out []string
	for _, g := range r.Integrations {
		out = append(out, g.Receiver)
	}
	return slices.Compact(out)
}

// SendTest posts a firing alert, marked as a test, to all integrations of a
// receiver; "" is the default one. Times that people read are in the zone.
func (r *Receivers) SendTest(ctx context.Context, receiver, externalURL string, zone *time.Location) error {
	if receiver == "" {
		receiver = r.Default
	}
	told := r.Of(receiver)
	if len(told) == 0 {
		remedy := "give it " + anyConfigs
		if others := r.names(); len(others) > 0 {
			remedy = "use one of " + strings.Join(others, ", ")
		}
		return fmt.Errorf("receiver %q has no integration: %s", receiver, remedy)
	}
	n := testNotification(externalURL)
	var errs []error
	for _, g := range told {
		if a := g.post(ctx, []*entry{{Notification: n, Group: alone(&n)}}, n.StartsAt.In(zone)); a.err != nil {
			errs = append(errs, fmt.Errorf("send to %s: %w", g.Name, a.err))
		}
	}
	return errors.Join(errs...)
}

// testNotification is of an alert that fires as a test.
func testNotification(externalURL string) alerts.Notification {
	now := time.Now().UTC()
	n := alerts.Notification{
		Group: "tidewatch", Rule: "TidewatchTest", Status: alerts.Firing,
		Labels: map[string]string{"alertname": "TidewatchTest", "severity": "none"},
		Annotations: map[string]string{
			"summary": "A test of this receiver: nothing is wrong. 这是一次测试，一切正常。",
			"value":   "0", "numerator": "0", "denominator": "0", "n": "0", "threshold": "0", "window": "5m", "link": externalURL,
		},
		ActiveAt: now, StartsAt: now, WindowEnd: now.UnixMilli(), Link: externalURL, ExternalURL: externalURL,
	}
	n.Identify("")
	return n
}
