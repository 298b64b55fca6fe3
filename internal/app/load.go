package app

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows"
)

// Check reads everything that a configuration names, as a start would.
func Check(c *config.Config) (*kpi.Catalogue, error) {
	catalogue, kpis := loadCatalogue(c)
	_, _, rules := loadRules(c, catalogue)
	_, receivers := loadReceivers(c)
	_, kept := keptFor(c, catalogue)
	return catalogue, errors.Join(kpis, rules, receivers, kept)
}

func loadCatalogue(c *config.Config) (*kpi.Catalogue, error) {
	var files []kpi.File
	var errs []error
	for _, name := range c.KPIs {
		data, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read KPIs: %w", err))
			continue
		}
		files = append(files, kpi.File{Name: name, Data: data})
	}
	catalogue, err := kpi.Load(c.Location, files...)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return catalogue, nil
}

// loadRules reads the rule files, or the default ones without any. Default
// rules over what is not kept do not apply: they are returned as dropped.
// Without a catalogue there is no engine, and rules are read as far as they go.
func loadRules(c *config.Config, catalogue *kpi.Catalogue) (_ *alerts.Engine, dropped []error, err error) {
	var files []*alerts.RuleFile
	var errs []error
	for _, name := range c.Rules {
		data, err := os.ReadFile(name)
		if err != nil {
			errs = append(errs, fmt.Errorf("read rules: %w", err))
			continue
		}
		f, err := alerts.LoadRules(name, data, catalogue)
		errs = append(errs, err)
		files = append(files, f)
	}
	if err := errors.Join(errs...); err != nil || catalogue == nil {
		return nil, nil, err
	}
	if len(c.Rules) == 0 {
		f, err := alerts.LoadRules("default rules", alerts.DefaultRules, nil)
		if err != nil {
			return nil, nil, err
		}
		dropped = f.Fit(catalogue)
		files = append(files, f)
	}
	rules, err := alerts.NewEngine(files, catalogue, alerts.EngineOptions{ExternalURL: c.URL()})
	return rules, dropped, err
}

func loadReceivers(c *config.Config) (*alerts.Receivers, error) {
	if c.Alertmanager == "" {
		return nil, nil
	}
	data, err := os.ReadFile(c.Alertmanager)
	if err != nil {
		return nil, fmt.Errorf("read receivers: %w", err)
	}
	return alerts.LoadReceivers(c.Alertmanager, data)
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
		switch least := windows.BlockSpan(w); {
		case err != nil:
			errs = append(errs, fmt.Errorf("retention.history: %w", err))
		case names[w] != "":
			errs = append(errs, fmt.Errorf("retention.history.%s: is the same window as %s, which stands there or in the defaults: write it as %s", name, names[w], w))
		case d < least:
			errs = append(errs, fmt.Errorf("retention.history.%s: %s is too short: give at least %s, which are kept as one", name, d, least))
		}
		names[w], out[w] = name, d
	}
	return out, errors.Join(errs...)
}
