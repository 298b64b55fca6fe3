package api

import "net/http"

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
	return answer{data: l.alerts.Alerts()}, nil
}
