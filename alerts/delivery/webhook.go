package delivery

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/alertmanager/notify"
	amwebhook "github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
)

// A webhook gets Alertmanager's version 4, with a group of one alert.
type webhook struct {
	receiver string
}

func (webhook) limits() limits { return limits{} }

func (webhook) together([]*alerts.Notification) int { return 1 }

func (w webhook) request(ns []*alerts.Notification, _ string, now time.Time) (*request, error) {
	n := ns[0]
	annotations := maps.Clone(n.Annotations)
	if _, ok := annotations["freshness"]; !ok {
		annotations["freshness"] = message.Freshness(n, now).String()
	}
	reason := notify.ReasonFirstNotification
	if n.Status == alerts.Resolved {
		reason = notify.ReasonAllAlertsResolved
	}
	body, err := json.Marshal(amwebhook.Message{
		Version:  "4",
		GroupKey: "{}:" + n.LabelSet().String(),
		Data: &template.Data{
			Receiver: regexp.QuoteMeta(w.receiver), // as Alertmanager does
			Status:   string(n.Status),
			Alerts: template.Alerts{{
				Status: string(n.Status), Labels: n.Labels, Annotations: annotations,
				StartsAt: n.StartsAt, EndsAt: n.EndsAt, GeneratorURL: n.Link, Fingerprint: n.Fingerprint,
			}},
			NotificationReason: reason.String(),
			GroupLabels:        n.Labels,
			CommonLabels:       n.Labels,
			CommonAnnotations:  annotations,
			RouteLabels:        template.KV{},
			ExternalURL:        n.ExternalURL,
		},
	})
	return &request{header: http.Header{"Idempotency-Key": {n.ID}}, body: body}, err
}

// read: whatever the body says, the status decides.
func (webhook) read(*http.Response, []byte, func(string) string) (attempt, bool) {
	return attempt{}, false
}
