package api

import "net/http"

// maxDeliveries bounds the deliveries of an answer.
const maxDeliveries = 50

// alertList answers what the rules say.
type alertList struct {
	alerts Alerts
	engine Engine
}

func (l *alertList) list(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	view := l.alerts.Alerts()
	// A list without entries is an empty list, not null.
	view.Alerts = append([]Alert{}, view.Alerts...)
	view.Rules = append([]Rule{}, view.Rules...)
	view.Deliveries = append([]Delivery{}, view.Deliveries[:min(len(view.Deliveries), maxDeliveries)]...)
	for i := range view.Alerts {
		a := &view.Alerts[i]
		a.Labels, a.Annotations = present(a.Labels), present(a.Annotations)
	}
	for i := range view.Deliveries {
		view.Deliveries[i].Labels = present(view.Deliveries[i].Labels)
	}
	return answer{data: view}, nil
}

func present(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
