package main

import (
	"errors"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/app"
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
	kpis := c.definitions()
	for _, name := range c.Files {
		kind, err := check(name, kpis)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Printf("%s: %s, no errors\n", name, kind)
	}
	return errors.Join(errs...)
}

// definitions are the files of KPIs among those to be checked: rules may be
// about them.
func (c *CheckCmd) definitions() []kpi.File {
	var out []kpi.File
	for _, name := range c.Files {
		data, top, err := read(name)
		if err != nil || !defines(top) {
			continue
		}
		if _, err := kpi.Parse(name, data); err == nil {
			out = append(out, kpi.File{Name: name, Data: data})
		}
	}
	return out
}

// read returns a YAML file and its top keys.
func read(name string) ([]byte, map[string]yaml.Node, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("read file: %w", err)
	}
	var top map[string]yaml.Node
	if err := yaml.Unmarshal(data, &top); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, top, nil
}

// defines reports whether a file holds KPI definitions.
func defines(top map[string]yaml.Node) bool {
	list, ok := top["kpis"]
	_, drop := top["drop"]
	return drop || ok && list.Kind == yaml.SequenceNode && !scalars(list)
}

// check reads the file as what its keys say it is.
func check(name string, kpis []kpi.File) (kind string, err error) {
	data, top, err := read(name)
	if err != nil {
		return "", err
	}
	has := func(key string) bool { _, ok := top[key]; return ok }
	switch {
	case has("groups"):
		f, err := alerts.LoadRules(name, data)
		if err != nil {
			return "", err
		}
		catalogue, err := kpi.Load(config.Default().Location, kpis...)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("rules over the default KPIs and those of %d files given, %d groups", len(kpis), len(f.Groups)), f.Check(catalogue)
	case has("route"), has("receivers"):
		_, err = alerts.LoadReceivers(name, data)
		return "receivers", err
	case has("events"), has("header"):
		return "map", send.CheckMap(name, data)
	case defines(top):
		c, err := kpi.Load(config.Default().Location, kpi.File{Name: name, Data: data})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("KPI definitions; with the default ones %d KPIs", len(c.KPIs)), nil
	default:
		c, err := config.Load(name)
		if err != nil {
			return "", err
		}
		catalogue, err := app.Check(c)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("configuration, with the files it names; %d KPIs", len(catalogue.KPIs)), nil
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
