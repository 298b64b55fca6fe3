package main

import (
	"context"
	"fmt"

	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/document"
)

// AlertCmd is `tidewatch alert`.
type AlertCmd struct {
	SendTest SendTestCmd `cmd:"" help:"Send a test alert to the webhooks of a receiver."`
}

// SendTestCmd is `tidewatch alert send-test`.
type SendTestCmd struct {
	Alertmanager string `required:"" placeholder:"FILE" help:"The Alertmanager file with the receivers."`
	Receiver     string `placeholder:"NAME" help:"The receiver; by default that of the route."`
	URL          string `name:"url" default:"${default_url}" placeholder:"URL" help:"The service's address, for the links of the message (default ${default})."`
}

// Run sends the test.
func (c *SendTestCmd) Run(ctx context.Context) error {
	data, err := document.ReadFile(c.Alertmanager)
	if err != nil {
		return err
	}
	r, err := delivery.LoadReceivers(c.Alertmanager, data)
	if err != nil {
		return err
	}
	if err := r.SendTest(ctx, c.Receiver, c.URL); err != nil {
		return err
	}
	fmt.Println("test alert delivered")
	return nil
}
