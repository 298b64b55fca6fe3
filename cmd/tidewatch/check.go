package main

import (
	"errors"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/send"
	"github.com/tidewatch/tidewatch/kpi"
)

// CheckCmd is `tidewatch check`.
type CheckCmd struct {
	Files []string `arg:"" name:"file" help:"Files of any kind; what they are is told by their keys."`
}

// Run checks every file and reports all that is wrong.
func (c *CheckCmd) Run() error {
	var errs []error
	for _, name := range c.Files {
		kind, err := check(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Printf("%s: %s, no errors\n", name, kind)
	}
	return errors.Join(errs...)
}

// check reads the file as what its keys say it is.
func check(name string) (kind string, err error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return "", fmt.Errorf("read file: %w", err)
	}
	var top map[string]yaml.Node
	if err := yaml.Unmarshal(data, &top); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	has := func(key string) bool { _, ok := top[key]; return ok }
	switch {
	case has("groups"):
		f, err := alerts.LoadRules(name, data)
		if err != nil {
			return "", err
		}
		catalogue, err := kpi.Default(config.Default().Location)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("rules over the default KPIs, %d groups", len(f.Groups)), f.Check(catalogue)
	case has("route"), has("receivers"):
		_, err = alerts.LoadReceivers(name, data)
		return "receivers", err
	case has("events"), has("header"):
		return "map", send.CheckMap(name, data)
	case has("kpis") && top["kpis"].Kind == yaml.SequenceNode && !scalars(top["kpis"]), has("drop"):
		c, err := kpi.Load(config.Default().Location, kpi.File{Name: name, Data: data})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("KPI definitions; with the default ones %d KPIs", len(c.KPIs)), nil
	default:
		_, err := config.Load(name)
		return "configuration", err
	}
}

// scalars reports whether a list holds plain values: a configuration's list of
// files, not definitions.
func scalars(list yaml.Node) bool {
	for _, n := range list.Content {
		if n.Kind != yaml.ScalarNode {
			return false
		}
	}
	return true
}
