package delivery

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/alertmanager/alert"
	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/common/model"

	"github.com/tidewatch/tidewatch/internal/document"
)

// fillIn fills in the labels that a route gives its notifications: templates over what these
// tell, whatever the reason. One that gives an error is left out, as in Alertmanager.
func fillIn(texts *template.Template, data template.Data) template.KV {
	out := template.KV{}
	if len(data.RouteLabels) == 0 {
		return out
	}
	data.NotificationReason = notify.ReasonUnknown.String()
	render := texts.RouteLabelRenderer(&data)
	for name := range data.RouteLabels {
		if text, err := render(name); err == nil {
			out[name] = text
		}
	}
	return out
}

// RouteLabels are the labels that a route gives the alerts of a group, filled in.
func (r *Receivers) RouteLabels(receiver, externalURL string, group, route model.LabelSet, told []*alert.Alert) model.LabelSet {
	if r == nil || len(route) == 0 {
		return model.LabelSet{}
	}
	return labelSet(fillIn(r.texts, *dataOf(r.texts, receiver, externalURL, group, route, told)))
}

// dataOf is what templates read.
func dataOf(texts *template.Template, receiver, externalURL string, group, route model.LabelSet, told []*alert.Alert) *template.Data {
	own := *texts
	var err error
	if own.ExternalURL, err = url.Parse(externalURL); err != nil {
		own.ExternalURL = &url.URL{}
	}
	return own.Data(receiver, group, route, notify.ReasonFirstNotification.String(), told...)
}

// sample is what templates would read of a test.
func (w wording) sample(receiver string, route model.LabelSet) *template.Data {
	n := testNotification("")
	return dataOf(w.texts, receiver, "", labelSet(n.Labels), route, w.alerts(&entry{Notification: n}, n.StartsAt))
}

// probeLabels warns of labels that cannot be filled in, of a route and those below it.
func probeLabels(route *amconfig.Route, receiver, path string, above model.LabelSet, w wording, d *document.Document) {
	if route.Receiver != "" {
		receiver = route.Receiver
	}
	all := maps.Clone(above)
	if all == nil {
		all = model.LabelSet{}
	}
	maps.Copy(all, route.Labels)
	render := w.texts.RouteLabelRenderer(w.sample(receiver, all))
	for _, name := range slices.Sorted(maps.Keys(route.Labels)) {
		if _, err := render(string(name)); err != nil {
			at := path + ".labels." + string(name)
			d.Warn(&document.Problem{Line: d.Line(at), Path: at, Rule: "gives an error for an alert: " + strings.TrimPrefix(err.Error(), "template: "), Remedy: "correct it: notifications come without it"})
		}
	}
	for i, below := range route.Routes {
		probeLabels(below, receiver, fmt.Sprintf("%s.routes[%d]", path, i), all, w, d)
	}
}
