package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	amcommon "github.com/prometheus/alertmanager/config/common"
	amwebhook "github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/signature"
)

// A webhook gets Alertmanager's version 4, or a payload of its own, signed by Standard Webhooks
// if it shares a secret.
type webhook struct {
	receiver string
	// maxAlerts bounds the alerts in one message; the first are in it. 0 does not.
	maxAlerts int
	// payload is what is posted in the place of version 4, with templates in its texts; nil for
	// that.
	payload any
	wording
}

func (webhook) limits() limits { return limits{} }

func (webhook) together([]*entry) int { return 1 }

func (w webhook) post(ctx context.Context, g *Integration, batch []*entry, now time.Time) attempt {
	return g.send(ctx, w, batch, now)
}

func (w webhook) request(batch []*entry, secret string, now time.Time) (*request, error) {
	e := batch[0]
	told, truncated := e.alerts(), 0
	if w.maxAlerts > 0 && len(told) > w.maxAlerts {
		told, truncated = told[:w.maxAlerts], len(told)-w.maxAlerts
	}
	told = w.put(told, now)
	data := template.Data{
		Receiver:           regexp.QuoteMeta(w.receiver), // as Alertmanager does
		Status:             string(e.Notification.Status),
		NotificationReason: e.Group.Reason,
		GroupLabels:        e.Group.Labels,
		CommonLabels:       common(told, labelsOf),
		CommonAnnotations:  common(told, func(n *alerts.Notification) map[string]string { return n.Annotations }),
		RouteLabels:        e.Group.Route,
		ExternalURL:        e.Notification.ExternalURL,
	}
	for _, n := range told {
		data.Alerts = append(data.Alerts, template.Alert{
			Status: string(n.Status), Labels: n.Labels, Annotations: n.Annotations,
			StartsAt: n.StartsAt, EndsAt: n.EndsAt, GeneratorURL: n.Link, Fingerprint: n.Fingerprint,
		})
	}
	data.RouteLabels = fillIn(w.texts, data)
	template.MarkRouteLabelsRendered(&data)
	var message any = amwebhook.Message{Version: "4", GroupKey: e.Group.Key, Data: &data, TruncatedAlerts: uint64(truncated)}
	if w.payload != nil {
		var err error
		if message, err = w.own(&data); err != nil {
			return nil, err
		}
	}
	body, err := json.Marshal(message)
	if err != nil {
		return nil, err
	}
	key, problem := signature.ParseKey(secret)
	if problem != nil {
		return nil, fmt.Errorf("secret: %w", problem)
	}
	header := http.Header{"Idempotency-Key": {e.Notification.ID}}
	key.Set(header, e.Notification.ID, now, body)
	return &request{header: header, body: body, fill: func(address string) (string, error) { return w.texts.ExecuteTextString(address, &data) }}, nil
}

// own is the payload of the file, filled in.
func (w webhook) own(data *template.Data) (any, error) {
	out, err := template.DeepCopyWithTemplate(w.payload, func(text string) (string, error) { return w.texts.ExecuteTextString(text, data) })
	if err != nil {
		return nil, fmt.Errorf("fill in payload: %w", err)
	}
	return out, nil
}

// probe warns of an address and a payload that give an error for a test.
func (w webhook) probe(address, path string, d *document.Document) {
	if w.texts == nil {
		return // it is told
	}
	warn := func(key, rule string) {
		d.Warn(&document.Problem{Line: d.Line(path + "." + key), Path: path + "." + key, Rule: rule, Remedy: "correct it: such a notification is not sent"})
	}
	data := w.sample(w.receiver, nil)
	if text, err := w.texts.ExecuteTextString(address, data); err != nil {
		warn("url", "gives an error for an alert: "+strings.TrimPrefix(err.Error(), "template: "))
	} else if _, err := amcommon.ParseURL(text); address != "" && err != nil {
		warn("url", "is no address to post to for an alert")
	}
	if _, err := w.own(data); err != nil {
		warn("payload", "gives an error for an alert: "+strings.TrimPrefix(err.Error(), "fill in payload: template: "))
	}
}

// read: whatever the body says, the status decides.
func (webhook) read(*http.Response, []byte, func(string) string) (attempt, bool) {
	return attempt{}, false
}
