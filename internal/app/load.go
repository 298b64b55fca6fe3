package app

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/users"
)

// Definitions are all that a configuration names, read and valid.
type Definitions struct {
	Catalogue *kpi.Catalogue
	Rules     *alerts.Engine
	Receivers *delivery.Receivers
	// Forwarded is set if Alertmanagers get the alerts.
	Forwarded bool
	// Kept is the retention of history by window.
	Kept map[kpi.Window]time.Duration
	// Warnings are what their authors hardly meant.
	Warnings []*document.Problem
	// Inapplicable are the default rules that are left out, and why.
	Inapplicable []*document.Problem
}

// LoadDefinitions reads all that a configuration names. A check and a start
// call it, so that neither takes what the other refuses. With an error the
// definitions are those that could be read.
func LoadDefinitions(c *config.Config) (*Definitions, error) { return loadDefinitions(c, nil) }

// loadDefinitions reads all but a catalogue that was read before.
func loadDefinitions(c *config.Config, read *kpi.Catalogue) (*Definitions, error) {
	d := &Definitions{Catalogue: read, Forwarded: len(c.Alertmanagers) > 0}
	var kpis error
	if read == nil {
		kpis = d.loadCatalogue(c)
	}
	rules := d.loadRules(c)
	receivers := d.loadReceivers(c)
	var kept error
	d.Kept, kept = keptFor(c, d.Catalogue)
	d.warnOfRetention(c)
	d.warnOfWritten(c)
	return d, errors.Join(kpis, rules, receivers, kept)
}

// Unheard reports whether there are rules, and no receivers at all. Of a file
// by which nobody is told there is a warning.
func (d *Definitions) Unheard() bool {
	return len(d.Rules.Status().Rules) > 0 && d.Receivers == nil && !d.Forwarded
}

// loadCatalogue reads the KPIs; there is no catalogue when one of them is bad,
// or when the engine cannot keep them all.
func (d *Definitions) loadCatalogue(c *config.Config) error {
	files, unread := readKPIs(c)
	catalogue, err := kpi.Load(c.Location, files...)
	if err := errors.Join(unread, err); err != nil {
		return err
	}
	if c.Unread {
		return nil // it is told
	}
	catalogue.SetCurrency(c.Currency)
	catalogue.SetAcceptLate(c.AcceptLate)
	catalogue.Holdout = c.Signals.Holdout
	catalogue.ForgetAfter = c.Users.ForgetAfterDays()
	d.Warnings = append(d.Warnings, catalogue.Warnings...)
	if least, what := catalogue.LeastForgetAfter(); catalogue.ForgetAfter < least {
		return c.Mistake("users.forget_after", config.FormatDuration(c.Users.ForgetAfter), "is less than "+what+" looks back", fmt.Sprintf("give at least %dd", least))
	}
	if _, err := plan.New(catalogue, stream.HashKey{}); err != nil {
		return err
	}
	d.Catalogue = catalogue
	return nil
}

// readKPIs reads the files of KPIs.
func readKPIs(c *config.Config) (files []kpi.File, err error) {
	var errs []error
	for _, name := range c.KPIs {
		data, err := document.ReadFile(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, kpi.File{Name: name, Data: data})
	}
	return files, errors.Join(errs...)
}

// Costs are what is kept of users in memory, in lines.
func (d *Definitions) Costs() []string {
	p, err := plan.New(d.Catalogue, stream.HashKey{})
	if err != nil {
		panic(err) // it was tried when the catalogue was read
	}
	return users.Costs(p)
}

// asking is for how long what annotations ask may hold up the next close.
const asking = time.Second

// loadRules reads the rule files, or the default ones without any. Default
// rules over what is not kept do not apply. Without a catalogue there is no
// engine, and rules are read as far as they go. What is wrong between files is said of those
// that are good by themselves.
func (d *Definitions) loadRules(c *config.Config) error {
	var files []*alerts.RuleFile
	var errs []error
	for _, name := range c.Rules {
		data, err := document.ReadFile(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f, err := alerts.LoadRules(name, data, d.Catalogue)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		files = append(files, f)
		d.Warnings = append(d.Warnings, f.Warnings...)
	}
	if d.Catalogue == nil {
		return errors.Join(errs...)
	}
	if len(c.Rules) == 0 {
		f, err := alerts.LoadRules("default rules", alerts.DefaultRules, nil)
		if err != nil {
			return err
		}
		d.Inapplicable = f.Fit(d.Catalogue)
		files = append(files, f)
	}
	if len(errs) == 0 { // else not all names are known
		d.Warnings = append(d.Warnings, alerts.Nameless(files)...)
	}
	rules, err := alerts.NewEngine(files, d.Catalogue, ruleOptions(c, d.Catalogue))
	_, recorded := recordingsOf(alerts.Recordings(files))
	if err := errors.Join(append(errs, err, recorded)...); err != nil {
		return err
	}
	d.Rules = rules
	return nil
}

// ruleOptions are those of rules at work.
func ruleOptions(c *config.Config, catalogue *kpi.Catalogue) alerts.EngineOptions {
	kept, _ := keptFor(c, catalogue) // its mistakes are told beside
	o := alerts.EngineOptions{ExternalURL: c.URL(), Patience: asking, Kept: func(w kpi.Window) time.Duration {
		if d, ok := kept[w]; ok {
			return d
		}
		return math.MaxInt64
	}}
	if c.Lateness > 0 {
		o.Unsealed = time.Duration(plan.Unsealed(timingOf(c))) * time.Millisecond
	}
	return o
}

// loadReceivers reads the Alertmanager file, if there is one.
func (d *Definitions) loadReceivers(c *config.Config) error {
	if c.Alertmanager == "" {
		return nil
	}
	data, err := document.ReadFile(c.Alertmanager)
	if err != nil {
		return err
	}
	if d.Receivers, err = delivery.LoadReceivers(c.Alertmanager, data, d.Seasons()...); err != nil {
		return err
	}
	d.Warnings = append(d.Warnings, d.Receivers.Warnings...)
	return nil
}

// Seasons are the time intervals that routes may name without a file that defines them: any,
// as long as the KPIs are not good.
func (d *Definitions) Seasons() []delivery.Interval {
	if d.Catalogue == nil {
		return []delivery.Interval{delivery.Any}
	}
	return delivery.SeasonsOf(d.Catalogue)
}

// warnOfRetention notes what the retention names and no KPI keeps. What is named
// by default too may be there for KPIs to come.
func (d *Definitions) warnOfRetention(c *config.Config) {
	if d.Catalogue == nil {
		return
	}
	byDefault := config.Default().Retention.History
	for _, name := range slices.Sorted(maps.Keys(c.Retention.History)) {
		w, err := kpi.ParseWindow(name)
		if _, usual := byDefault[name]; usual || err != nil || slices.ContainsFunc(d.Catalogue.KPIs, func(k *kpi.KPI) bool { return k.Keeps(w) }) {
			continue
		}
		d.Warnings = append(d.Warnings, c.Mistake("retention.history."+name, "", "is of a window that no KPI keeps", "name it in the windows of one, or remove it"))
	}
}

// warnOfWritten notes what nothing is ever written of.
func (d *Definitions) warnOfWritten(c *config.Config) {
	if d.Catalogue == nil {
		return
	}
	for i, w := range c.RemoteWrite {
		for j, text := range w.Match {
			matchers, err := expression.Language.ParseMetricSelector(text)
			if err != nil {
				continue // it is told
			}
			if some, why := queryable.Matches(d.Catalogue, matchers); !some {
				remedy := "select series of KPIs: no others are written"
				if why != nil {
					remedy = why.Error()
				}
				d.Warnings = append(d.Warnings, c.Mistake(fmt.Sprintf("remote_write[%d].match[%d]", i, j), text, "matches no series", remedy))
			}
		}
	}
}

// keptFor is the retention of history by window.
func keptFor(c *config.Config, catalogue *kpi.Catalogue) (map[kpi.Window]time.Duration, error) {
	out := map[kpi.Window]time.Duration{}
	if d, ok := c.Retention.History["other"]; ok && catalogue != nil {
		for _, k := range catalogue.KPIs {
			for _, w := range k.Windows {
				out[w] = d
			}
		}
	}
	names := map[kpi.Window]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.Retention.History)) {
		if name == "other" {
			continue
		}
		w, err := kpi.ParseWindow(name)
		d := c.Retention.History[name]
		switch least := history.Span(w); {
		case err != nil:
			p, _ := errors.AsType[*document.Problem](err)
			errs = append(errs, c.Mistake("retention.history."+name, p.Value, p.Rule, p.Remedy))
		case names[w] != "":
			errs = append(errs, c.Mistake("retention.history."+name, "", fmt.Sprintf("is the same window as %s, which stands there or in the defaults", names[w]), fmt.Sprintf("write it as %s", w)))
		case d < least:
			errs = append(errs, c.Mistake("retention.history."+name, kpi.FormatLength(d), "is too short", fmt.Sprintf("give at least %s, which are kept as one", kpi.FormatLength(least))))
		}
		names[w], out[w] = name, d
	}
	for _, w := range slices.SortedFunc(maps.Keys(out), func(a, b kpi.Window) int {
		return cmp.Or(cmp.Compare(history.Span(b), history.Span(a)), cmp.Compare(a.Length, b.Length))
	}) {
		if least := history.Span(w); names[w] == "" && out[w] < least {
			errs = append(errs, c.Mistake("retention.history.other", kpi.FormatLength(out[w]), fmt.Sprintf("is too short for windows of %s", w), fmt.Sprintf("give at least %s, which are kept as one, or name %s apart", kpi.FormatLength(least), w)))
			break // the largest is enough to say
		}
	}
	return out, errors.Join(errs...)
}
