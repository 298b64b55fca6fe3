package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	amwebhook "github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/signature"
)

// A webhook gets Alertmanager's version 4, signed by Standard Webhooks if it shares a secret.
type webhook struct {
	receiver string
	// maxAlerts bounds the alerts in one message; the first are in it. 0 does not.
	maxAlerts int
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
	body, err := json.Marshal(amwebhook.Message{Version: "4", GroupKey: e.Group.Key, Data: &data, TruncatedAlerts: uint64(truncated)})
	if err != nil {
		return nil, err
	}
	key, problem := signature.ParseKey(secret)
	if problem != nil {
		return nil, fmt.Errorf("secret: %w", problem)
	}
	header := http.Header{"Idempotency-Key": {e.Notification.ID}}
	key.Set(header, e.Notification.ID, now, body)
	return &request{header: header, body: body}, nil
}

// read: whatever the body says, the status decides.
func (webhook) read(*http.Response, []byte, func(string) string) (attempt, bool) {
	return attempt{}, false
}
