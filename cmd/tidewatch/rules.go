package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// RulesCmd is `tidewatch rules`.
type RulesCmd struct {
	Test     RuleTestCmd `cmd:"" help:"Hold rules to unit tests in promtool's format."`
	Backtest BacktestCmd `cmd:"" help:"Judge a rule file over a service's history: which alerts there would have been."`
}

// BacktestCmd is `tidewatch rules backtest`.
type BacktestCmd struct {
	File string `arg:"" help:"The rule file."`
	From string `default:"-7d" placeholder:"TIME" help:"From when on: RFC 3339, a date, or a length back (default ${default})."`
	To   string `placeholder:"TIME" help:"Until when; by default now."`
	Step string `placeholder:"LENGTH" help:"Between two evaluations; by default as short as the rules need."`
	URL  string `name:"url" default:"${default_url}" placeholder:"URL" help:"The service's address (default ${default})."`
	JSON bool   `help:"Print the answer as JSON."`
}

// backtested is the data of the answer.
type backtested struct {
	From, To string
	Step     float64 `json:"step_seconds"`
	Rules    []struct {
		Group, Rule string
		Fired       int
		Seconds     float64 `json:"firing_seconds"`
		LastError   string  `json:"last_error"`
	}
	Alerts []struct {
		Rule       string
		Labels     map[string]string
		Annotate   map[string]string `json:"annotations"`
		FiredAt    time.Time         `json:"fired_at"`
		ResolvedAt *time.Time        `json:"resolved_at"`
	}
	Notifications int
}

// Run asks the service and prints what it says.
func (c *BacktestCmd) Run(ctx context.Context) error {
	rules, err := document.ReadFile(c.File)
	if err != nil {
		return err
	}
	q := url.Values{"from": {c.From}}
	for name, text := range map[string]string{"to": c.To, "step": c.Step} {
		if text != "" {
			q.Set(name, text)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.URL, "/")+"/api/v1/rules/backtest?"+q.Encode(), bytes.NewReader(rules))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%w: is the service there? Give its address with --url", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Error    string
		Data     backtested
		Warnings []string
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%s answers what is no Tidewatch: %s", c.URL, res.Status)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", strings.ReplaceAll(answer.Error, "rules:", c.File+":"))
	}
	if c.JSON {
		_, err := os.Stdout.Write(body)
		return err
	}
	for _, w := range answer.Warnings {
		fmt.Fprintln(os.Stderr, "warning:", strings.ReplaceAll(w, "rules:", c.File+":"))
	}
	return answer.Data.print(os.Stdout)
}

// print writes it as tables.
func (b *backtested) print(out io.Writer) error {
	const at = "2006-01-02 15:04:05 -07:00"
	fmt.Fprintf(out, "From %s to %s, every %s, by history as it is in the end: %s, %s\n\n",
		b.From, b.To, time.Duration(b.Step*float64(time.Second)), spelling.Number(len(b.Alerts), "alert", "alerts"), spelling.Number(b.Notifications, "notification", "notifications"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tFIRED\tFOR\t")
	for _, r := range b.Rules {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", r.Rule, r.Fired, time.Duration(r.Seconds*float64(time.Second)), r.LastError)
	}
	if len(b.Alerts) > 0 {
		fmt.Fprintln(w, "\nALERT\tFIRED AT\tFOR\tVALUE\tLABELS")
	}
	for _, a := range b.Alerts {
		lasted := "still firing"
		if a.ResolvedAt != nil {
			lasted = a.ResolvedAt.Sub(a.FiredAt).String()
		}
		var labels []string
		for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
			if name != "alertname" {
				labels = append(labels, name+"="+a.Labels[name])
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Rule, a.FiredAt.Local().Format(at), lasted, a.Annotate["value"], strings.Join(labels, " "))
	}
	return w.Flush()
}
