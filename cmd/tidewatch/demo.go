package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/tidewatch/tidewatch/internal/demo"
)

// DemoCmd is `tidewatch demo`.
type DemoCmd struct {
	Listen   string `default:"127.0.0.1:8080" placeholder:"ADDR" help:"Where the live page is served (default ${default})."`
	Receiver string `default:"127.0.0.1:8081" placeholder:"ADDR" help:"Where the alerts received are shown (default ${default})."`
	Config   string `placeholder:"FILE" help:"A configuration file for the service, such as with nats.listen and signals.webhooks; listen, data, rules and alertmanager are the demo's."`
	Data     string `default:"./tidewatch-demo" placeholder:"DIR" help:"The folder in which everything is kept; a demo started again continues (default ${default})."`
}

// Run runs the demo over a service.
func (c *DemoCmd) Run(ctx context.Context, service demo.Service) error {
	return demo.Run(ctx, demo.Options{
		Listen: c.Listen, Receiver: c.Receiver, Data: c.Data, Config: c.Config,
		Service: service, Out: os.Stdout, Progress: historyProgress(),
	})
}

// historyProgress shows how much of the history is counted: a bar on a terminal, a
// few lines elsewhere.
func historyProgress() func(share float64) {
	if isatty.IsTerminal(os.Stderr.Fd()) {
		bar := progressbar.NewOptions(1000, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(),
			progressbar.OptionSetDescription("five weeks of history, counted"), progressbar.OptionSetPredictTime(false))
		return func(share float64) { bar.Set(int(1000 * share)) }
	}
	shown := -1
	return func(share float64) {
		if quarter := int(4 * share); quarter > shown {
			shown = quarter
			fmt.Fprintf(os.Stderr, "five weeks of history: %d %% counted\n", int(100*share))
		}
	}
}
