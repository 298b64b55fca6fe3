package api

import (
	"net/http"

	"github.com/tidewatch/tidewatch/alerts/delivery"
)

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
	a := answer{data: view}
	if len(view.Rules) > 0 && len(view.Receivers) == 0 {
		a.warnings = []string{delivery.Unheard.Error()}
	}
	return a, nil
}
