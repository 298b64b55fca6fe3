package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/send"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// CheckCmd is `tidewatch check`.
type CheckCmd struct {
	Files []string `arg:"" name:"file" help:"Files of any kind; what they are is told by their keys."`
}

// Run checks every file and reports all that is wrong. KPIs and rules are read
// as a service would that has these files: rules may be about the KPIs, and routes may name
// their seasons, and those of the configurations.
func (c *CheckCmd) Run() error {
	var errs []error
	warned := warnings{}
	service := config.Default()
	about := map[string]document.Mapping{} // the files of the service
	var receivers []string
	var seasons []delivery.Interval
	for i, name := range c.Files {
		if slices.ContainsFunc(c.Files[:i], func(other string) bool { return sameFile(name, other) }) {
			continue
		}
		data, top, err := read(name)
		kind := ""
		var d *app.Definitions
		switch {
		case err != nil:
		case top.Has("groups"):
			service.Rules, about[name] = append(service.Rules, name), top
			continue
		case defines(top):
			service.KPIs, about[name] = append(service.KPIs, name), top
			continue
		case top.Has("route"), top.Has("receivers"):
			receivers = append(receivers, name)
			continue
		case top.Has("events"), top.Has("header"):
			kind = "map"
			err = send.CheckMap(name, data)
		default:
			if d, err = checkConfiguration(name, warned); err == nil {
				kind = "configuration, with the files it names; " + spelling.Number(len(d.Catalogue.KPIs), "KPI", "KPIs")
			}
			seasons = append(seasons, d.Seasons()...)
		}
		if err == nil {
			fine(name, kind)
			warned.tellCosts(d)
		}
		errs = append(errs, err)
	}
	if len(about)+len(receivers) > 0 {
		d, err := checkService(service, about, warned)
		seasons, errs = append(seasons, d.Seasons()...), append(errs, err)
	}
	for _, name := range receivers {
		errs = append(errs, checkReceivers(name, seasons, warned))
	}
	return errors.Join(apart(errors.Join(errs...))...)
}

func checkReceivers(name string, seasons []delivery.Interval, warned warnings) error {
	r, err := loadReceivers(name, seasons)
	if err != nil {
		return err
	}
	warned.tell(r.Warnings...)
	if absent := r.Absent(); len(absent) > 0 {
		fmt.Printf("%s: route: %s\n", name, strings.Join(absent, ", "))
	}
	fine(name, "receivers")
	return nil
}

// sameFile reports whether two names are of one file.
func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return a == b
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func fine(name, kind string) { fmt.Printf("%s: %s, no errors\n", name, kind) }

// warnings are those that were told, and what is told beside. Each is told once: a file
// may be read for itself and for a configuration that names it.
type warnings map[string]bool

func (told warnings) tell(list ...*document.Problem) {
	for _, w := range list {
		if text := w.Error(); !told[text] {
			told[text] = true
			fmt.Printf("warning: %s\n", text)
		}
	}
}

// tellCosts says what is kept of users by the operators of definitions, if there are any;
// of several that keep the same once.
func (told warnings) tellCosts(d *app.Definitions) {
	if d == nil {
		return
	}
	if text := strings.Join(d.Costs(), "\n  "); text != "" && !told[text] {
		told[text] = true
		fmt.Printf("in memory, by user:\n  %s\n", text)
	}
}

// checkService reads KPIs and rules together and reports each file without
// mistakes.
func checkService(c *config.Config, about map[string]document.Mapping, warned warnings) (*app.Definitions, error) {
	d, err := app.LoadDefinitions(c)
	warned.tell(d.Warnings...)
	bad, elsewhere := blamed(err)
	for _, name := range c.KPIs {
		switch {
		case bad[name] || elsewhere:
		case d.Catalogue == nil:
			fine(name, "KPI definitions")
		default:
			fine(name, "KPI definitions; with the default ones "+spelling.Number(len(d.Catalogue.KPIs), "KPI", "KPIs"))
		}
	}
	for _, name := range c.Rules {
		groups := spelling.Number(len(about[name].List("groups")), "group", "groups")
		switch {
		case bad[name]:
		case d.Catalogue == nil:
			fine(name, "rules, "+groups+"; over KPIs that are not good yet")
		default:
			fine(name, "rules over "+spelling.Number(len(d.Catalogue.KPIs), "KPI", "KPIs")+", "+groups)
		}
	}
	if err == nil && len(c.KPIs) > 0 {
		warned.tellCosts(d)
	}
	return d, err
}

// blamed are the files that the problems in an error stand in; elsewhere is
// what stands in none.
func blamed(err error) (files map[string]bool, elsewhere bool) {
	files = map[string]bool{}
	for _, e := range apart(err) {
		if p, ok := errors.AsType[*document.Problem](e); ok && p.File != "" {
			files[p.File] = true
		} else {
			elsewhere = true
		}
	}
	return files, elsewhere
}

// apart are the errors that were joined, each once.
func apart(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok && err != nil {
		return []error{err}
	}
	if ok {
		for _, e := range joined.Unwrap() {
			all = append(all, apart(e)...)
		}
	}
	told := map[string]bool{}
	return slices.DeleteFunc(all, func(e error) bool {
		again := told[e.Error()]
		told[e.Error()] = true
		return again
	})
}

// checkConfiguration reads a configuration with the files that it names.
func checkConfiguration(name string, warned warnings) (*app.Definitions, error) {
	c, bad := config.Load(name)
	if c == nil {
		return &app.Definitions{}, bad
	}
	d, err := app.LoadDefinitions(c)
	warned.tell(d.Warnings...)
	if err := errors.Join(bad, err); err != nil {
		return d, err
	}
	if d.Unheard() {
		w := *delivery.Unheard
		w.File = name
		warned.tell(&w)
	}
	for _, at := range []struct{ path, address string }{{"listen", c.Listen}, {"nats.listen", c.NATS.Listen}} {
		if at.address != "" && !config.Loopback(at.address) {
			warned.tell(c.Mistake(at.path, at.address, "is not loopback: everybody who reaches it could read and write", "serve takes it with --insecure-listen, behind a proxy that authenticates"))
		}
	}
	return d, nil
}

// read returns a YAML file and its top keys. What is wrong below them is told by
// whoever reads the file as what it is.
func read(name string) ([]byte, document.Mapping, error) {
	data, err := document.ReadFile(name)
	if err != nil {
		return nil, document.Mapping{}, err
	}
	d := document.Parse(name, data)
	top := d.Root().Entries()
	if d.Root().Mapped() {
		return data, top, nil
	}
	return data, top, d.Err()
}

// defines reports whether a file holds KPI definitions, be their key misspelt.
func defines(top document.Mapping) bool {
	return slices.ContainsFunc(top.Keys, func(key string) bool {
		list, _ := top.Get(key)
		return key == "drop" || key == "keep" || key == "operators" || key == "seasons" || spelling.Nearest(key, []string{"kpis"}) != "" && list.List() && !scalars(list)
	})
}

// scalars reports whether a list holds plain values: a configuration's list of
// files, not definitions.
func scalars(list document.Node) bool {
	return !slices.ContainsFunc(list.Items(), func(n document.Node) bool { return !n.Scalar() })
}
