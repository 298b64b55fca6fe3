package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
)

// AlertCmd is `tidewatch alert`.
type AlertCmd struct {
	SendTest SendTestCmd `cmd:"" help:"Send a test alert to the webhooks of a receiver."`
	Route    RouteCmd    `cmd:"" help:"Tell which receivers an alert with these labels reaches."`
}

// SendTestCmd is `tidewatch alert send-test`.
type SendTestCmd struct {
	receiversFile
	Receiver string `placeholder:"NAME" help:"The receiver; by default that of the route."`
	URL      string `name:"url" placeholder:"URL" help:"The service's address, for the links of the message (default that of the configuration, or ${default_url})."`
}

// Run sends the test.
func (c *SendTestCmd) Run(ctx context.Context) error {
	r, of, err := c.load()
	if err != nil {
		return err
	}
	if err := r.SendTest(ctx, c.Receiver, cmp.Or(c.URL, of.URL()), of.Location); err != nil {
		return err
	}
	fmt.Println("test alert delivered")
	return nil
}

// RouteCmd is `tidewatch alert route`.
type RouteCmd struct {
	receiversFile
	Labels map[string]string `arg:"" placeholder:"NAME=VALUE" help:"The labels of an alert."`
}

// Run tells the receivers, in the order in which they are told.
func (c *RouteCmd) Run() error {
	r, _, err := c.load()
	if err != nil {
		return err
	}
	for _, way := range r.Ways(c.Labels) {
		to := "no integration"
		if len(way.Integrations) > 0 {
			to = strings.Join(way.Integrations, ", ")
		}
		fmt.Printf("%s: %s; route %s\n", way.Receiver, to, way.Route)
	}
	return nil
}

// A receiversFile is the Alertmanager file of a command.
type receiversFile struct {
	Alertmanager string `placeholder:"FILE" help:"The Alertmanager file with routes and receivers; by default that of the configuration."`
	Config       string `placeholder:"FILE" help:"The configuration file whose seasons the routes may name; without one they are not looked up."`
}

// Validate is called by the parser of the command line.
func (f *receiversFile) Validate() error {
	if f.Alertmanager == "" && f.Config == "" {
		return errors.New("missing flags: --alertmanager=FILE, or --config=FILE of a configuration that names one")
	}
	return nil
}

// load reads the file, and the configuration that it is of: without one it is as the default is.
func (f *receiversFile) load() (_ *delivery.Receivers, of *config.Config, err error) {
	name, seasons, c := f.Alertmanager, []delivery.Interval{delivery.Any}, config.Default()
	if f.Config != "" {
		if c, err = config.Load(f.Config); err != nil {
			return nil, nil, err
		}
		d, _ := app.LoadDefinitions(c) // a check tells what is wrong of it
		name, seasons = cmp.Or(name, c.Alertmanager), d.Seasons()
	}
	if name == "" {
		return nil, nil, fmt.Errorf("%s names no Alertmanager file: name one under alertmanager, or give --alertmanager", f.Config)
	}
	r, err := loadReceivers(name, seasons)
	return r, c, err
}

func loadReceivers(name string, seasons []delivery.Interval) (*delivery.Receivers, error) {
	data, err := document.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return delivery.LoadReceivers(name, data, seasons...)
}
