package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
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

// supported are the keys of an Alertmanager file that have an effect here.
var supported = map[string]struct {
	keys []string
	of   reflect.Type
}{
	"":                              {[]string{"global", "route", "receivers"}, reflect.TypeFor[amconfig.Config]()},
	"global":                        {[]string{"http_config"}, reflect.TypeFor[amconfig.GlobalConfig]()},
	"route":                         {[]string{"receiver"}, reflect.TypeFor[amconfig.Route]()},
	"receivers[]":                   {[]string{"name", "webhook_configs"}, reflect.TypeFor[amconfig.Receiver]()},
	"receivers[].webhook_configs[]": {[]string{"url", "url_file", "send_resolved", "max_alerts", "http_config", "timeout"}, reflect.TypeFor[webhook.WebhookConfig]()},
}

// instead says what to do without a key that is not supported yet.
var instead = map[string]string{
	"group_by":        "each alert is a notification of its own: remove it",
	"group_wait":      "a notification leaves at once: remove it",
	"group_interval":  "a notification leaves at once: remove it",
	"repeat_interval": "a notification is sent once: remove it",
	"routes":          "every notification goes to route.receiver: remove it",
	"payload":         "the body is Alertmanager's version 4: remove it",
}

// LoadReceivers reads an Alertmanager file. A key that would have no effect
// here is an error: the error names all that is wrong. Files that it names are
// looked up beside it.
func LoadReceivers(path string, data []byte) (*Receivers, error) {
	d := document.Parse(path, data)
	sift(d.Root(), "")
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
	dir, err := filepath.Abs(filepath.Dir(path)) // absolute, so that shared parts can be set twice
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
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
	return out, nil
}

// sift takes the keys without effect out of the document, and says so.
func sift(n document.Node, shape string) {
	level, ok := supported[shape]
	if !ok {
		return
	}
	m := n.Entries()
	for _, key := range m.Keys {
		if !slices.Contains(level.keys, key) {
			switch remedy, ok := instead[key]; {
			case !hasKey(level.of, key):
				m.Unknown(key, level.keys...)
			case ok:
				m.FailKey(key, "is not supported yet", remedy)
			default:
				m.FailKey(key, "is not supported yet", "remove it")
			}
			m.Remove(key)
			continue
		}
		inner := strings.TrimPrefix(shape+"."+key, ".")
		if _, ok := supported[inner+"[]"]; !ok {
			value, _ := m.Get(key)
			sift(value, inner)
			continue
		}
		for _, item := range m.List(key) {
			sift(item, inner+"[]")
		}
	}
}

// hasKey reports whether a struct is read from the key.
func hasKey(t reflect.Type, key string) bool {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == key || strings.Contains(f.Tag.Get("yaml"), ",inline") && hasKey(f.Type, key) {
			return true
		}
	}
	return false
}

func newWebhook(receiver string, i int, c *webhook.WebhookConfig, dir string) (*Webhook, *document.Problem) {
	w := &Webhook{
		Receiver: receiver, Name: receiver, URL: string(c.URL), URLFile: c.URLFile,
		SendResolved: c.SendResolved(), Timeout: c.Timeout,
	}
	if i > 0 {
		w.Name = fmt.Sprintf("%s[%d]", receiver, i)
	}
	if w.Timeout < 0 {
		return nil, &document.Problem{Path: ".timeout", Value: w.Timeout.String(), Rule: "is negative", Remedy: "give a length such as 10s"}
	}
	if w.Timeout == 0 {
		w.Timeout = defaultTimeout
	}
	if strings.Contains(w.URL, "{{") {
		return nil, &document.Problem{Path: ".url", Rule: "is a template: not supported yet", Remedy: "write the address itself"}
	}
	if w.URLFile != "" && !filepath.IsAbs(w.URLFile) {
		w.URLFile = filepath.Join(dir, w.URLFile)
	}
	if w.URLFile != "" {
		if _, err := os.Stat(w.URLFile); err != nil {
			return nil, &document.Problem{Path: ".url_file", Value: w.URLFile, Rule: "cannot be read", Remedy: "write the address into that file"}
		}
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
		return fmt.Errorf("receiver %q has no webhook: use one of %s", receiver, strings.Join(r.names(), ", "))
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
