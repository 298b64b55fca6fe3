package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/internal/spelling"
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
		return answer{warnings: l.misnamed(q, page), data: struct {
			Alerts []history.Episode `json:"alerts"`
			Next   *string           `json:"next"`
		}{page.Episodes, cursorOf(alertCursor, page.Next)}}, int64(len(page.Episodes)) * alertValues, nil
	})
}

// misnamed warns of a name that no rule has, where nothing is found.
func (l *alertList) misnamed(q history.Query, page history.Page) []string {
	if q.Rule == "" || len(page.Episodes) > 0 {
		return nil
	}
	var names []string
	for _, r := range l.alerts.Rules() {
		names = append(names, r.Name)
	}
	if slices.Contains(names, q.Rule) {
		return nil
	}
	return []string{fmt.Sprintf("no rule is called %q: %s", q.Rule, spelling.Meant(spelling.Nearest(q.Rule, names), "GET /api/v1/alerts lists them"))}
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
