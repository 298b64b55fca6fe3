package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/demo"
)

// ServeCmd is `tidewatch serve`.
type ServeCmd struct {
	Config         string `placeholder:"FILE" help:"The configuration file; without one the defaults apply."`
	Data           string `placeholder:"DIR" help:"The folder of stream and state (default ./tidewatch-data)."`
	Listen         string `placeholder:"ADDR" help:"The HTTP address (default 127.0.0.1:8080); port 0 picks one."`
	NATSURL        string `name:"nats-url" placeholder:"URL" help:"Use the JetStream of this NATS server instead of the embedded one."`
	NATSListen     string `name:"nats-listen" placeholder:"ADDR" help:"Let NATS clients reach the embedded server at this address."`
	Rebuild        bool   `help:"For one start: where epochs are lost, damaged or of another stream, count anew what the stream holds. Where they are whole it does nothing."`
	InsecureListen bool   `help:"Allow an address that is not loopback: everybody who reaches it can read and write."`
}

// Run serves until ctx ends.
func (c *ServeCmd) Run(ctx context.Context) error {
	cfg, o := config.Default(), app.Options{Log: logger()}
	if c.Config != "" {
		o.Configured = func() (*config.Config, error) { return config.Load(c.Config) }
		var err error
		if cfg, err = o.Configured(); err != nil {
			return err
		}
	}
	for _, o := range []struct {
		flag string
		into *string
	}{{c.Data, &cfg.Data}, {c.Listen, &cfg.Listen}, {c.NATSURL, &cfg.NATS.URL}, {c.NATSListen, &cfg.NATS.Listen}} {
		if o.flag != "" {
			*o.into = o.flag
		}
	}
	if cfg.NATS.URL != "" && cfg.NATS.Listen != "" {
		return fmt.Errorf("--nats-listen %s is of the embedded server, which --nats-url replaces: keep one of the two", cfg.NATS.Listen)
	}
	if cfg.NATS.URL != "" {
		if err := config.CheckNATS(cfg.NATS.URL); err != nil {
			return fmt.Errorf("--nats-url %w", err)
		}
	}
	cfg.Rebuild = c.Rebuild
	for _, addr := range []string{cfg.Listen, cfg.NATS.Listen} {
		if addr == "" {
			continue
		}
		if err := config.CheckAddress(addr); err != nil {
			return fmt.Errorf("listen address %w", err)
		}
		if !c.InsecureListen && !config.Loopback(addr) {
			return fmt.Errorf("%w, or --insecure-listen behind a proxy that authenticates", openAddress(addr))
		}
	}
	o.AnyHost = c.InsecureListen && !config.Loopback(cfg.Listen)
	return serve(ctx, cfg, o, func(url string) {
		fmt.Printf("listening on %s\n", url)
	})
}

// stopTimeout is how long a stop waits for connections: the whole of it may
// take 5 s.
const stopTimeout = 3 * time.Second

// serve runs a service until ctx ends or it fails.
func serve(ctx context.Context, cfg *config.Config, o app.Options, ready func(url string)) error {
	hangUp := make(chan os.Signal, 1) // one that comes during the start waits
	signal.Notify(hangUp, syscall.SIGHUP)
	defer signal.Stop(hangUp)
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(app.Threads * runtime.NumCPU())
	}
	collecting, stopCollecting := context.WithCancel(ctx)
	defer stopCollecting()
	go limitGarbage(collecting)
	logStart(o.Log, cfg)
	interrupted := func() { o.Log.Info().Str("reason", context.Cause(ctx).Error()).Msg("stopping") }
	s, err := app.New(ctx, cfg, o)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		interrupted()
		return nil
	}
	if err != nil {
		return err
	}
	s.Start()
	ready(s.URL())
	for going := true; going; {
		select {
		case <-hangUp:
			go reload(ctx, s, o.Log) // it takes a service that goes on
		case <-ctx.Done():
			interrupted()
			going = false
		case err = <-s.Failed():
			o.Log.Error().Str("reason", "failed").Err(err).Msg("stopping")
			going = false
		}
	}
	stopping, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	err = errors.Join(err, s.Stop(stopping))
	select {
	case late := <-s.Failed():
		err = errors.Join(err, late)
	default:
	}
	return err
}

// reload reads rules and receivers anew, and says so if they are bad.
func reload(ctx context.Context, s *app.Service, log zerolog.Logger) {
	if err := s.Reload(ctx); err != nil {
		log.Error().Err(err).Msg("reload: the old rules and receivers stay")
	}
}

// logStart says what starts, and by which files.
func logStart(log zerolog.Logger, cfg *config.Config) {
	data, err := filepath.Abs(cfg.Data)
	if err != nil {
		data = cfg.Data
	}
	rules := cfg.Rules
	if len(rules) == 0 {
		rules = []string{"the default rules"}
	}
	log.Info().Str("version", versionText()).Str("data", data).Strs("rules", rules).
		Str("receivers", cmp.Or(cfg.Alertmanager, "none: nobody is told of alerts")).Msg("starting")
}

func openAddress(addr string) error {
	return fmt.Errorf("listen address %q is not loopback: everybody who reaches it could read and write; use 127.0.0.1", addr)
}

// logger is readable on a terminal, JSON elsewhere.
func logger() zerolog.Logger {
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	var out io.Writer = os.Stderr
	if isatty.IsTerminal(os.Stderr.Fd()) {
		out = zerolog.ConsoleWriter{Out: os.Stderr, TimeFormat: "15:04:05.000"}
	}
	return zerolog.New(out).Level(zerolog.InfoLevel).With().Timestamp().Logger()
}

// demoService is the service as the demo runs it.
func demoService(ctx context.Context, d demo.Settings) error {
	cfg, err := demoConfig(d)
	if err != nil {
		return err
	}
	return serve(ctx, cfg, app.Options{Log: logger()}, d.Ready)
}

// demoConfig is what the file says, but for what is the demo's.
func demoConfig(d demo.Settings) (*config.Config, error) {
	cfg := config.Default()
	if d.Config != "" {
		var err error
		if cfg, err = config.Load(d.Config); err != nil {
			return nil, err
		}
	}
	cfg.Listen, cfg.Data, cfg.Rules, cfg.Alertmanager = d.Listen, d.Data, d.Rules, d.Alertmanager
	for _, addr := range []string{cfg.Listen, cfg.NATS.Listen} {
		if addr != "" && !config.Loopback(addr) {
			return nil, openAddress(addr)
		}
	}
	return cfg, nil
}
