package config

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/redact"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A reader turns one file into a Config.
type reader struct {
	*document.Document
	file  string
	env   func(string) (string, bool)
	given map[string]bool // paths
	bad   map[string]bool
	clock map[string]time.Duration // errors of the clock, as given
}

// parse is Load without the file system's part for the file itself.
func parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	r := &reader{Document: document.Parse(file, data), file: file, env: env, given: map[string]bool{}, bad: map[string]bool{}, clock: map[string]time.Duration{}}
	c := Default()
	c.file, c.document = file, r.Document
	r.config(c)(r.Root())
	if !r.given["dedup_window"] {
		c.DedupWindow = c.Lateness + c.Disorder
	}
	for path, limit := range map[string]*int64{"limits.bodies": &c.Limits.Bodies, "limits.reads": &c.Limits.Reads} {
		if !r.given[path] {
			*limit = share(c.MemoryBudget)
		}
	}
	c.ClockErrors = r.clockErrors(r.clock)
	r.validate(c)
	read := *c
	c.given, c.asRead = r.given, &read
	return c, r.Err()
}

// A setter takes a value out of a node.
type setter func(n document.Node)

func (r *reader) config(c *Config) setter {
	return r.section(map[string]setter{
		"timezone":      r.text(&c.Timezone),
		"disorder":      r.duration(&c.Disorder),
		"lateness":      r.duration(&c.Lateness),
		"dedup_window":  r.duration(&c.DedupWindow),
		"accept_late":   r.durations(c.AcceptLate),
		"idle_tick":     r.duration(&c.IdleTick),
		"currency":      r.text(&c.Currency),
		"kpis":          r.files(&c.KPIs),
		"rules":         r.files(&c.Rules),
		"alertmanager":  r.fileName(&c.Alertmanager),
		"alertmanagers": r.alertmanagers(&c.Alertmanagers),
		"retention": r.section(map[string]setter{
			"events":  r.duration(&c.Retention.Events),
			"size":    r.size(&c.Retention.Size),
			"history": r.durations(c.Retention.History),
		}),
		"memory_budget": r.size(&c.MemoryBudget),
		"listen":        r.text(&c.Listen),
		"external_url":  r.text(&c.ExternalURL),
		"data":          r.fileName(&c.Data),
		"nats": r.section(map[string]setter{
			"url":    r.text(&c.NATS.URL),
			"listen": r.text(&c.NATS.Listen),
		}),
		"partitions":          r.number(&c.Partitions),
		"checkpoint_interval": r.duration(&c.CheckpointInterval),
		"clock_errors":        r.durations(r.clock),
		"metrics":             r.section(map[string]setter{"max_series": r.number(&c.Metrics.MaxSeries)}),
		"limits": r.section(map[string]setter{
			"connections": r.number(&c.Limits.Connections),
			"bodies":      r.size(&c.Limits.Bodies),
			"body_rate":   r.size(&c.Limits.BodyRate),
			"reads":       r.size(&c.Limits.Reads),
		}),
		"users": r.section(map[string]setter{
			"pseudonymise": parsed(r, &c.Users.Pseudonymise, "choice", parseChoice),
			"secret_file":  r.keyFile(&c.Users.SecretFile),
			"forget_after": r.duration(&c.Users.ForgetAfter),
		}),
		"signals": r.section(map[string]setter{
			"holdout":  parsed(r, &c.Signals.Holdout, "share", ParseShare),
			"webhooks": r.webhooks(&c.Signals.Webhooks),
		}),
		"remote_write": r.remoteWrites(&c.RemoteWrite),
	})
}

func (r *reader) section(keys map[string]setter) setter {
	return func(n document.Node) { r.mapping(n, keys) }
}

func (r *reader) mapping(n document.Node, keys map[string]setter) document.Mapping {
	m := n.Mapping(slices.Sorted(maps.Keys(keys))...)
	for _, key := range m.Keys {
		value, _ := m.Get(key)
		r.given[value.Path()] = true
		keys[key](value)
	}
	return m
}

func (r *reader) webhooks(to *[]Webhook) setter {
	return func(n document.Node) {
		if r.bare(n, "webhooks") {
			return
		}
		for _, item := range n.Items() {
			if r.bare(item, "webhooks") {
				continue
			}
			w := Webhook{States: kpi.SignalStates}
			m := r.mapping(item, map[string]setter{
				"url": r.text(&w.URL), "states": r.states(&w.States), "secret_file": r.fileName(&w.SecretFile),
			})
			if w.URL == "" && !r.bad[item.Path()+".url"] {
				m.Missing("has no url", "give the address that takes the signals, such as https://crm.example/hook")
			}
			if secret, ok := m.Get("secret_file"); ok && w.SecretFile == "" && !secret.Null() {
				r.fail(secret.Path(), "", "names no file", "give its name, relative to this file, or leave the key out to sign nothing")
			}
			*to = append(*to, w)
		}
	}
}

func (r *reader) alertmanagers(to *[]Alertmanager) setter {
	return func(n document.Node) {
		if r.bare(n, "Alertmanagers") {
			return
		}
		for _, item := range n.Items() {
			if r.bare(item, "Alertmanagers") {
				continue
			}
			var a Alertmanager
			m := r.mapping(item, map[string]setter{"url": r.text(&a.URL), "bearer_token_file": r.fileName(&a.BearerTokenFile)})
			if a.URL == "" && !r.bad[item.Path()+".url"] {
				m.Missing("has no url", "give its address, such as http://127.0.0.1:9093")
			}
			*to = append(*to, a)
		}
	}
}

// bare notes a text in place of what has an address and keys, without repeating it: it may
// hold a password.
func (r *reader) bare(n document.Node, what string) bool {
	if n.Null() || !n.Scalar() {
		return false
	}
	r.fail(n.Path(), "", "is no list of "+what+" with their keys", "write - url: before an address")
	return true
}

// states is a choice of those that signals tell of, in their order.
func (r *reader) states(to *[]string) setter {
	return func(n document.Node) {
		if n.Null() {
			return
		}
		named := map[string]bool{}
		for _, item := range n.Items() {
			s, ok := r.scalar(item, "state")
			switch {
			case !ok:
			case !slices.Contains(kpi.SignalStates, s):
				r.fail(item.Path(), strconv.Quote(s), "is no state of signals", spelling.Meant(spelling.Nearest(s, kpi.SignalStates), "give some of "+strings.Join(kpi.SignalStates, ", ")))
			case named[s]:
				r.fail(item.Path(), strconv.Quote(s), "is named twice", "keep one")
			}
			named[s] = true
		}
		if n.List() && len(named) == 0 {
			r.fail(n.Path(), "", "names no state", "give some of "+strings.Join(kpi.SignalStates, ", ")+", or leave the key out for all")
		}
		*to = slices.DeleteFunc(slices.Clone(kpi.SignalStates), func(s string) bool { return !named[s] })
	}
}

// scalar is the node's text with ${ENV} expanded; false keeps the default.
func (r *reader) scalar(n document.Node, want string) (string, bool) {
	if n.Null() {
		return "", false
	}
	if !n.Scalar() {
		r.fail(n.Path(), n.Shown(), "is no "+want, "give one text")
		return "", false
	}
	s, err := expand(n.Value(), r.env)
	if err != nil {
		r.failWith(n.Path(), strconv.Quote(redact.URL(n.Value())), err)
		return "", false
	}
	return s, true
}

func (r *reader) text(to *string) setter {
	return func(n document.Node) {
		if s, ok := r.scalar(n, "text"); ok {
			*to = s
		}
	}
}

// parsed is a scalar that parse reads.
func parsed[T any](r *reader, to *T, want string, parse func(string) (T, error)) setter {
	return func(n document.Node) {
		s, ok := r.scalar(n, want)
		if !ok {
			return
		}
		v, err := parse(s)
		if err != nil {
			r.failWith(n.Path(), strconv.Quote(s), err)
			return
		}
		*to = v
	}
}

func (r *reader) number(to *int) setter { return parsed(r, to, "whole number", parseNumber) }

func parseNumber(s string) (int, error) {
	v, err := strconv.Atoi(s)
	if err != nil {
		return 0, &document.Problem{Rule: "is no whole number", Remedy: "write digits only"}
	}
	return v, nil
}

func parseChoice(s string) (bool, error) {
	switch s {
	case "true", "false":
		return s == "true", nil
	}
	return false, &document.Problem{Rule: "is neither true nor false", Remedy: "give one of them"}
}

func (r *reader) duration(to *time.Duration) setter {
	return parsed(r, to, "length of time", ParseDuration)
}

func (r *reader) size(to *int64) setter { return parsed(r, to, "size", ParseSize) }

func (r *reader) durations(to map[string]time.Duration) setter {
	return func(n document.Node) {
		m := n.Entries()
		for _, key := range m.Keys {
			value, _ := m.Get(key)
			r.given[value.Path()] = true
			d := to[key]
			r.duration(&d)(value)
			to[key] = d
		}
	}
}

// fileName is a text relative to the folder of the configuration file.
func (r *reader) fileName(to *string) setter {
	return func(n document.Node) {
		s, ok := r.scalar(n, "file name")
		if !ok || s == "" {
			return
		}
		if !filepath.IsAbs(s) {
			s = filepath.Join(filepath.Dir(r.file), s)
		}
		*to = s
	}
}

// keyFile is a file name that must not be empty if it is given.
func (r *reader) keyFile(to *string) setter {
	return func(n document.Node) {
		if r.fileName(to)(n); *to == "" && !n.Null() {
			r.fail(n.Path(), "", "names no file", "give its name, relative to this file, or leave the key out to have a secret made in the data folder")
		}
	}
}

// texts are some, in place of those that were.
func (r *reader) texts(to *[]string) setter {
	return func(n document.Node) {
		if n.Null() {
			return
		}
		*to = nil
		for _, item := range n.Items() {
			var text string
			r.text(&text)(item)
			*to = append(*to, text)
		}
	}
}

func (r *reader) files(to *[]string) setter {
	return func(n document.Node) {
		for _, item := range n.Items() {
			var name string
			r.fileName(&name)(item)
			*to = append(*to, name)
		}
	}
}

// fail notes what is wrong at a path. The first counts: what follows there is a
// consequence.
func (r *reader) fail(path, value, rule, remedy string) {
	if !r.bad[path] {
		r.bad[path] = true
		r.Add(&document.Problem{Line: r.Line(path), Path: path, Value: value, Rule: rule, Remedy: remedy})
	}
}

func (r *reader) failWith(path, value string, err error) {
	p := document.As(err)
	r.fail(path, cmp.Or(p.Value, value), p.Rule, p.Remedy)
}

// expand replaces ${NAME} by the environment's value and $$ by a dollar sign.
func expand(s string, env func(string) (string, bool)) (string, error) {
	before, after, found := strings.Cut(s, "$")
	if !found {
		return s, nil
	}
	var b strings.Builder
	for ; found; before, after, found = strings.Cut(after, "$") {
		b.WriteString(before)
		if rest, ok := strings.CutPrefix(after, "$"); ok {
			b.WriteByte('$')
			after = rest
			continue
		}
		name, rest, ok := strings.Cut(after, "}")
		name, braced := strings.CutPrefix(name, "{")
		if !ok || !braced || name == "" {
			return "", &document.Problem{Rule: "has a lone $", Remedy: "write ${NAME} for a variable, $$ for a dollar sign"}
		}
		value, set := env(name)
		if !set {
			return "", &document.Problem{Rule: "names the environment variable " + name + ", which is not set", Remedy: "set it or write the value"}
		}
		b.WriteString(value)
		after = rest
	}
	b.WriteString(before)
	return b.String(), nil
}
