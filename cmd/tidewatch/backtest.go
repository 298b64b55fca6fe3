package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/schollz/progressbar/v3"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/document"
)

// BacktestCmd is `tidewatch rules backtest`.
type BacktestCmd struct {
	File    string `arg:"" help:"The rule file."`
	From    string `default:"-7d" placeholder:"TIME" help:"From when on: RFC 3339, a date, or a length back (default ${default})."`
	To      string `placeholder:"TIME" help:"Until when; by default now."`
	Step    string `placeholder:"LENGTH" help:"Between two evaluations by sealed values; by default as short as the rules need."`
	URL     string `name:"url" placeholder:"URL" help:"The service's address (default where that of the configuration listens, or ${default_url})."`
	Config  string `placeholder:"FILE" help:"The service's configuration file; without one the defaults apply."`
	NATSURL string `name:"nats-url" placeholder:"URL" help:"The NATS server that has the service's stream; by default that of the configuration."`
	Sealed  bool   `help:"Judge by sealed values alone, without reading the stream."`
	JSON    bool   `help:"Print the answer as JSON."`
}

// backtested is what the service answers.
type backtested struct {
	Status   string           `json:"status"`
	Error    string           `json:"error,omitempty"`
	Data     *backtest.Report `json:"data"`
	Warnings []string         `json:"warnings"`
}

// Run has the service judge by what it keeps, then the stream by what was known.
func (c *BacktestCmd) Run(ctx context.Context) error {
	rules, err := document.ReadFile(c.File)
	if err != nil {
		return err
	}
	cfg := config.Default()
	if c.Config != "" {
		if cfg, err = config.Load(c.Config); err != nil {
			return err
		}
	}
	c.URL = cmp.Or(c.URL, config.Reach(cfg.Listen))
	answer, err := c.ask(ctx, rules)
	if err != nil {
		return err
	}
	switch stream := c.stream(cfg); {
	case c.Sealed:
	case stream == "":
		fmt.Fprintln(os.Stderr, "by sealed values alone: to have what was known then, let the service have nats.listen and name its configuration by --config, or its stream by --nats-url")
	default:
		if err := c.replay(ctx, cfg, stream, rules, answer); err != nil {
			return err
		}
	}
	if c.JSON {
		out := json.NewEncoder(os.Stdout)
		out.SetEscapeHTML(false)
		return out.Encode(answer)
	}
	for _, w := range answer.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", strings.ReplaceAll(w, "rules:", c.File+":"))
	}
	return printReport(os.Stdout, answer.Data)
}

// ask asks the service.
func (c *BacktestCmd) ask(ctx context.Context, rules []byte) (*backtested, error) {
	q := url.Values{"from": {c.From}}
	for name, text := range map[string]string{"to": c.To, "step": c.Step} {
		if text != "" {
			q.Set(name, text)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/api/v1/rules/backtest?"+q.Encode(), bytes.NewReader(rules))
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: is the service there? Give its address with --url", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	answer := &backtested{}
	if err := json.Unmarshal(body, answer); err != nil {
		return nil, fmt.Errorf("%s answers what is no Tidewatch: %s", c.URL, res.Status)
	}
	if res.StatusCode != http.StatusOK || answer.Data == nil {
		return nil, fmt.Errorf("%s", strings.ReplaceAll(cmp.Or(answer.Error, res.Status), "rules:", c.File+":"))
	}
	return answer, nil
}

// stream is the address of the NATS server, "" where none is known.
func (c *BacktestCmd) stream(cfg *config.Config) string {
	switch {
	case c.NATSURL != "":
		return c.NATSURL
	case cfg.NATS.URL != "":
		return cfg.NATS.URL
	case cfg.NATS.Listen != "" && !strings.HasSuffix(cfg.NATS.Listen, ":0"):
		return "nats://" + cfg.NATS.Listen
	}
	return ""
}

// replay puts what was known then into the answer.
func (c *BacktestCmd) replay(ctx context.Context, cfg *config.Config, stream string, rules []byte, answer *backtested) error {
	report := answer.Data
	r, err := app.OpenReplay(ctx, cfg, app.ReplayOptions{
		Name: c.File, Rules: rules, From: report.From.Time, To: report.To.Time, URL: stream,
		Warn: func(what string) { fmt.Fprintln(os.Stderr, "warning:", what) },
	})
	if err != nil {
		return fmt.Errorf("%w; or judge by sealed values alone, with --sealed", err)
	}
	defer r.Close()
	if r.Definitions() != report.Definitions {
		return fmt.Errorf("the definitions or timing of the service at %s are not those of %s: name its configuration by --config, or judge by sealed values alone, with --sealed",
			c.URL, cmp.Or(c.Config, "the default configuration"))
	}
	extent := r.Extent()
	began := time.Now()
	if extent.Messages > 0 {
		fmt.Fprintf(os.Stderr, "reading up to %d messages of the stream, %.1f MiB, from %s on\n", extent.Messages, float64(extent.Bytes)/(1<<20), extent.Since.UTC().Format(time.RFC3339))
	}
	told, read := func(int) {}, 0
	if isatty.IsTerminal(os.Stderr.Fd()) && extent.Messages > 0 {
		bar := progressbar.NewOptions64(int64(extent.Messages), progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("messages"), progressbar.OptionSetDescription("reading"), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100e6))
		told = func(n int) { _ = bar.Add(n) }
		defer bar.Exit()
	}
	err = r.Run(ctx, report, func(n int) { read += n; told(n) })
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("replay the stream: %w", err)
	}
	if !report.RestsOnSealed() {
		answer.Warnings = r.Warnings() // the others were of sealed values
	}
	if extent.Messages > 0 {
		fmt.Fprintf(os.Stderr, "read %d messages in %s\n", read, time.Since(began).Round(time.Millisecond))
	}
	return nil
}
