package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify/webhook"
	commonconfig "github.com/prometheus/common/config"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/document"
)

// Receivers are the webhooks of an Alertmanager file.
type Receivers struct {
	// Default is the receiver of every notification: route.receiver.
	Default string
	// Webhooks are those of all receivers, in the order of the file.
	Webhooks []*Webhook
	// Warnings are what its author hardly meant.
	Warnings []*document.Problem
}

// A Webhook is one webhook_configs entry of a receiver.
type Webhook struct {
	// Receiver is the receiver's name.
	Receiver string
	// Name tells the webhooks of a receiver apart: "oncall", "oncall[1]".
	Name string
	// URL is where to post, or URLFile names the file that says it.
	URL     string
	URLFile string
	// SendResolved is unset for a webhook that is told of firing alerts only.
	SendResolved bool
	// Timeout bounds one attempt. By default 10 s.
	Timeout time.Duration

	client  *http.Client
	private secrets // of the file
}

const defaultTimeout = 10 * time.Second

// LoadReceivers reads an Alertmanager file. A key that would have no effect
// here is an error: the error names all that is wrong. Files that it names are
// looked up beside it.
func LoadReceivers(path string, data []byte) (*Receivers, error) {
	dir, err := filepath.Abs(filepath.Dir(path)) // absolute, so that shared parts can be set twice
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d := document.Parse(path, data)
	if !d.Root().Null() || !d.Faulty() { // else it is no YAML
		sift(d.Root(), dir)
	}
	rest, err := d.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	config, err := amconfig.Load(string(rest))
	if err != nil {
		if !d.Faulty() { // else it may have stumbled over what has been noted
			d.Add(&document.Problem{Rule: secrets(nil).hide(strings.TrimPrefix(err.Error(), "yaml: ")), Remedy: "see Alertmanager's documentation of its configuration"})
		}
		return nil, d.Err()
	}
	out := &Receivers{Default: config.Route.Receiver}
	for i, r := range config.Receivers {
		for j, c := range r.WebhookConfigs {
			at := fmt.Sprintf("receivers[%d].webhook_configs[%d]", i, j)
			w, p := newWebhook(r.Name, j, c, dir)
			if p != nil {
				p.Path = at + p.Path
				p.Line = d.Line(p.Path)
				d.Add(p)
				continue
			}
			out.Webhooks = append(out.Webhooks, w)
		}
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	if len(out.Told()) == 0 {
		const path = "route.receiver"
		remedy := "give it webhook_configs"
		if others := out.names(); len(others) > 0 {
			remedy += ", or route to " + strings.Join(others, " or ")
		}
		d.Warn(&document.Problem{Line: d.Line(path), Path: path, Value: strconv.Quote(out.Default), Rule: "has no webhook, so nobody is told of alerts", Remedy: remedy})
	}
	out.Warnings = d.Warnings()
	return out, nil
}

func newWebhook(receiver string, i int, c *webhook.WebhookConfig, dir string) (*Webhook, *document.Problem) {
	w := &Webhook{
		Receiver: receiver, Name: receiver, URL: string(c.URL), URLFile: c.URLFile,
		SendResolved: c.SendResolved(), Timeout: c.Timeout,
	}
	if i > 0 {
		w.Name = fmt.Sprintf("%s[%d]", receiver, i)
	}
	if w.Timeout == 0 {
		w.Timeout = defaultTimeout
	}
	if w.URLFile != "" {
		w.URLFile = beside(dir, w.URLFile)
	}
	http := *c.HTTPConfig // shared with global
	http.SetDirectory(dir)
	client, err := commonconfig.NewClientFromConfig(http, "webhook", commonconfig.WithUserAgent("tidewatch"))
	if err != nil {
		return nil, &document.Problem{Path: ".http_config", Rule: err.Error(), Remedy: "see Alertmanager's documentation of http_config"}
	}
	if http.FollowRedirects {
		client.CheckRedirect = sameHost
	}
	w.client = client
	w.private.addConfig(&http)
	return w, nil
}

// sameHost follows a redirect that keeps the method and the host. Another would
// lose the body, or carry it to a host that nobody configured.
func sameHost(req *http.Request, via []*http.Request) error {
	first := via[0]
	if len(via) > 5 || req.Method != first.Method || req.URL.Host != first.URL.Host || req.URL.Scheme != first.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// Told lists the webhooks that get every notification. Without a file there
// are none.
func (r *Receivers) Told() []*Webhook {
	if r == nil {
		return nil
	}
	return r.Of(r.Default)
}

// Of lists the webhooks of a receiver.
func (r *Receivers) Of(receiver string) []*Webhook {
	var out []*Webhook
	for _, w := range r.Webhooks {
		if w.Receiver == receiver {
			out = append(out, w)
		}
	}
	return out
}

// names are the receivers that have a webhook.
func (r *Receivers) names() []string {
	var out []string
	for _, w := range r.Webhooks {
		out = append(out, w.Receiver)
	}
	return slices.Compact(out)
}

// SendTest posts a firing alert, marked as a test, to all webhooks of a
// receiver; "" is the default one.
func (r *Receivers) SendTest(ctx context.Context, receiver, externalURL string) error {
	if receiver == "" {
		receiver = r.Default
	}
	hooks := r.Of(receiver)
	if len(hooks) == 0 {
		remedy := "give it webhook_configs"
		if others := r.names(); len(others) > 0 {
			remedy = "use one of " + strings.Join(others, ", ")
		}
		return fmt.Errorf("receiver %q has no webhook: %s", receiver, remedy)
	}
	now := time.Now()
	n := alerts.Notification{
		Group: "tidewatch", Rule: "TidewatchTest", Status: alerts.Firing,
		Labels: map[string]string{"alertname": "TidewatchTest", "severity": "none"},
		Annotations: map[string]string{
			"summary": "A test of this receiver: nothing is wrong.",
			"value":   "0", "numerator": "0", "denominator": "0", "n": "0", "threshold": "0", "window": "5m", "link": externalURL,
		},
		StartsAt: now, WindowEnd: now.UnixMilli(), Link: externalURL, ExternalURL: externalURL,
	}
	n.Identify("")
	var errs []error
	for _, w := range hooks {
		if a := w.post(ctx, &n); a.err != nil {
			errs = append(errs, fmt.Errorf("send to %s: %w", w.Name, a.err))
		}
	}
	return errors.Join(errs...)
}
