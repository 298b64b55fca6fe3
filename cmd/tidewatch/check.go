package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/send"
	"github.com/tidewatch/tidewatch/kpi"
)

// CheckCmd is `tidewatch check`.
type CheckCmd struct {
	Files []string `arg:"" name:"file" help:"Files of any kind; what they are is told by their keys."`
}

// Run checks every file and reports all that is wrong.
func (c *CheckCmd) Run() error {
	catalogue, err := c.catalogue()
	errs := []error{err}
	for _, name := range c.Files {
		kind, err := check(name, catalogue)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Printf("%s: %s, no errors\n", name, kind)
	}
	return errors.Join(errs...)
}

// catalogue has the KPIs of the files to be checked: rules may be about them. It
// is nil while one of the files is bad, which the check of that file says; the
// error is what only shows in all of them together.
func (c *CheckCmd) catalogue() (*kpi.Catalogue, error) {
	zone := config.Default().Location
	var files []kpi.File
	for _, name := range c.Files {
		data, top, err := read(name)
		if err != nil {
			return nil, nil
		}
		if !defines(top) {
			continue
		}
		f := kpi.File{Name: name, Data: data}
		if _, err := kpi.Load(zone, f); err != nil {
			return nil, nil
		}
		files = append(files, f)
	}
	return kpi.Load(zone, files...)
}

// read returns a YAML file and its top keys. What is wrong below them is told by
// whoever reads the file as what it is.
func read(name string) ([]byte, document.Mapping, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, document.Mapping{}, fmt.Errorf("read file: %w", err)
	}
	d := document.Parse(name, data)
	top := d.Root().Entries()
	if d.Root().Mapped() {
		return data, top, nil
	}
	return data, top, d.Err()
}

// defines reports whether a file holds KPI definitions.
func defines(top document.Mapping) bool {
	list, ok := top.Get("kpis")
	return top.Has("drop") || ok && list.List() && !scalars(list)
}

// check reads the file as what its keys say it is. Rules are over the catalogue.
func check(name string, catalogue *kpi.Catalogue) (kind string, err error) {
	data, top, err := read(name)
	if err != nil {
		return "", err
	}
	switch {
	case top.Has("groups"):
		f, err := alerts.LoadRules(name, data, catalogue)
		switch {
		case err != nil:
			return "", err
		case catalogue == nil:
			return fmt.Sprintf("rules, %d groups; over KPIs that are not good yet", len(f.Groups)), nil
		}
		return fmt.Sprintf("rules over %d KPIs, %d groups", len(catalogue.KPIs), len(f.Groups)), nil
	case top.Has("route"), top.Has("receivers"):
		_, err = alerts.LoadReceivers(name, data)
		return "receivers", err
	case top.Has("events"), top.Has("header"):
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
func scalars(list document.Node) bool {
	return !slices.ContainsFunc(list.Items(), func(n document.Node) bool { return !n.Scalar() })
}
