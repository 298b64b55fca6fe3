// Package demo shows the product at work: a service, a simulated shop that
// feeds it and somebody who receives its alerts, joined by nothing but HTTP.
package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/tidewatch/tidewatch/internal/send"
)

// A Service runs a service until the context ends. It calls s.Ready once it
// serves.
type Service func(ctx context.Context, s Settings) error

// Settings are what the demo asks of the service.
type Settings struct {
	Listen string
	Data   string
	// Config is a file with all else, "" for none.
	Config string
	// Rules and Alertmanager are files.
	Rules        []string
	Alertmanager string
	// Ready takes the URL at which the service is reached.
	Ready func(url string)
}

// Options say where the demo runs.
type Options struct {
	// Listen and Receiver are the addresses of the service and of the page
	// that shows the alerts received.
	Listen, Receiver string
	// Data is the folder in which everything is kept.
	Data string
	// Config is a configuration file for the service, "" for none.
	Config  string
	Service Service
	Out     io.Writer
	// Progress, if set, is told the share of the history that is counted.
	Progress func(share float64)
}

//go:embed rules.yml
var rules []byte

// Run runs the demo until the context ends or the service fails.
func Run(ctx context.Context, o Options) error {
	if err := free(o.Listen, "--listen"); err != nil {
		return err
	}
	l, err := listen(o.Receiver, "--receiver")
	if err != nil {
		return err
	}
	page := "http://" + l.Addr().String()
	settings, err := prepare(o, page+"/webhook")
	if err != nil {
		l.Close()
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	receiver := &http.Server{Handler: NewReceiver(), ReadHeaderTimeout: 10 * time.Second}
	defer receiver.Close()
	failed := make(chan error, 3)
	go func() { failed <- receiver.Serve(l) }()

	ready := make(chan string, 1)
	settings.Ready = func(url string) { ready <- url }
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		failed <- o.Service(ctx, settings)
	}()

	select {
	case url := <-ready:
		fmt.Fprintf(o.Out, "live page        %s\nalerts received  %s\ndata             %s\n", url, page, o.Data)
		f := &feeder{client: &send.Client{URL: url}, history: history, progress: o.Progress}
		go func() { failed <- f.run(ctx) }()
		err = <-failed
	case err = <-failed:
	}
	if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = nil // asked to stop
	}
	cancel()
	<-stopped
	return err
}

// prepare writes the files that the service reads.
func prepare(o Options, webhook string) (Settings, error) {
	dir, err := filepath.Abs(o.Data)
	if err != nil {
		return Settings{}, fmt.Errorf("find data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Settings{}, fmt.Errorf("make data folder: %w", err)
	}
	s := Settings{
		Listen: o.Listen, Data: filepath.Join(dir, "service"), Config: o.Config,
		Rules: []string{filepath.Join(dir, "rules.yml")}, Alertmanager: filepath.Join(dir, "alertmanager.yml"),
	}
	receivers := fmt.Appendf(nil, "route:\n  receiver: demo\nreceivers:\n  - name: demo\n    webhook_configs:\n      - url: %s\n        send_resolved: true\n", webhook)
	for path, data := range map[string][]byte{s.Rules[0]: rules, s.Alertmanager: receivers} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return Settings{}, fmt.Errorf("write file of the demo: %w", err)
		}
	}
	return s, nil
}

func listen(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s=%s: %w: stop what uses the port, or choose another with %s 127.0.0.1:0", flag, addr, err, flag)
	}
	return l, nil
}

// free checks early, and by name, what the service would meet later.
func free(addr, flag string) error {
	l, err := listen(addr, flag)
	if err != nil {
		return err
	}
	return l.Close()
}
