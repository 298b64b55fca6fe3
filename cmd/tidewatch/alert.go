package main

import (
	"context"
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
	Alertmanager string `required:"" placeholder:"FILE" help:"The Alertmanager file with the receivers."`
	Receiver     string `placeholder:"NAME" help:"The receiver; by default that of the route."`
	URL          string `name:"url" default:"${default_url}" placeholder:"URL" help:"The service's address, for the links of the message (default ${default})."`
}

// Run sends the test.
func (c *SendTestCmd) Run(ctx context.Context) error {
	r, err := loadReceivers(c.Alertmanager)
	if err != nil {
		return err
	}
	if err := r.SendTest(ctx, c.Receiver, c.URL); err != nil {
		return err
	}
	fmt.Println("test alert delivered")
	return nil
}

// RouteCmd is `tidewatch alert route`.
type RouteCmd struct {
	Alertmanager string            `required:"" placeholder:"FILE" help:"The Alertmanager file with the routes."`
	Labels       map[string]string `arg:"" placeholder:"NAME=VALUE" help:"The labels of an alert."`
}

// Run tells the receivers, in the order in which they are told.
func (c *RouteCmd) Run() error {
	r, err := loadReceivers(c.Alertmanager)
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

func loadReceivers(name string) (*delivery.Receivers, error) {
	data, err := document.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return delivery.LoadReceivers(name, data, app.Seasons(config.Default())...)
}
