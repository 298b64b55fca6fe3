package api

import (
	"net/http"

	"github.com/tidewatch/tidewatch/alerts/history"
)

// history answers which alerts fired.
func (l *alertList) history(r *http.Request) (answer, error) {
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	q, err := l.query(r)
	if err != nil {
		return answer{}, err
	}
	return l.reads.list(r.Context(), int64(q.Limit)*alertValues, func() (answer, int64, error) {
		page := l.alerts.AlertHistory(q)
		return answer{data: struct {
			Alerts []history.Episode `json:"alerts"`
			Next   *string           `json:"next"`
		}{page.Episodes, cursorOf(alertCursor, page.Next)}}, int64(len(page.Episodes)) * alertValues, nil
	})
}

func (l *alertList) query(r *http.Request) (q history.Query, err error) {
	names := []string{"from", "to", "rule", "limit", "cursor"}
	if err := takes(r, names...); err != nil {
		return q, err
	}
	s := &selection{values: r.URL.Query(), reserved: names, clock: clockOf(l.engine)}
	if q.From, q.To, err = s.bounds(); err != nil {
		return q, err
	}
	if q.Rule, err = s.one("rule"); err != nil {
		return q, err
	}
	q.Limit, q.Before, err = s.part(alertCursor)
	return q, err
}
