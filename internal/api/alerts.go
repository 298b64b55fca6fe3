package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
)

// alertList answers what the rules say.
type alertList struct {
	alerts Alerts
	engine Engine
	reads  *reads
}

// alertValues is about what an alert takes in an answer, in values of KPIs.
const alertValues = 12

func (l *alertList) list(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	firing, pending := l.alerts.Counts()
	share, err := l.reads.start(r.Context(), int64(min(firing+pending, alerts.Listed))*alertValues)
	if err != nil {
		return answer{}, err
	}
	view := l.alerts.Alerts()
	share.holds(int64(len(view.Alerts)+len(view.Rules)+len(view.Deliveries)) * alertValues)
	a := answer{data: (*alertsJSON)(&view), done: share.done}
	if n, all := len(view.Alerts), view.Firing+view.Pending; n < all {
		a.warnings = append(a.warnings, fmt.Sprintf("%d of %d alerts are listed, firing ones first, the oldest first: %d are firing, %d pending",
			n, all, view.Firing, view.Pending))
	}
	if len(view.Rules) > 0 && len(view.Receivers) == 0 {
		a.warnings = append(a.warnings, delivery.Unheard.Error())
	}
	return a, nil
}

// resend has a notification tried at once.
func (l *alertList) resend(r *http.Request) (answer, error) {
	if err := takes(r, "receiver"); err != nil {
		return answer{}, err
	}
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	id, receiver := r.PathValue("id"), r.URL.Query().Get("receiver")
	tried, err := l.alerts.Resend(id, receiver)
	switch {
	case errors.Is(err, delivery.ErrNotOwed):
		return answer{}, NotFound("notification %q is not owed %s, and was not given up within 7 days: GET /api/v1/alerts lists deliveries", id, toWhom(receiver))
	case errors.Is(err, delivery.ErrGone):
		return answer{}, BadData("notification %q %v: configure it again and reload, or drop it with DELETE /api/v1/deliveries/%[1]s", id, err)
	case errors.Is(err, delivery.ErrOutOfDate):
		return answer{}, BadData("notification %q %v: GET /api/v1/alerts says how things stand", id, err)
	case err != nil:
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, data: deliveriesJSON{tried}}, nil
}

// drop has one that was given up not be sent again.
func (l *alertList) drop(r *http.Request) (answer, error) {
	if err := takes(r, "receiver"); err != nil {
		return answer{}, err
	}
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	id, receiver := r.PathValue("id"), r.URL.Query().Get("receiver")
	dropped, err := l.alerts.Drop(id, receiver)
	if errors.Is(err, delivery.ErrNotOwed) {
		return answer{}, NotFound("notification %q was not given up within 7 days %s, and only what was can be dropped: GET /api/v1/alerts lists deliveries", id, toWhom(receiver))
	}
	return answer{data: deliveriesJSON{dropped}}, err
}

// deliveriesJSON is how far notifications are.
type deliveriesJSON struct {
	Deliveries []delivery.Delivery `json:"deliveries"`
}

// toWhom names the receiver of a notification, "" for any.
func toWhom(receiver string) string {
	if receiver == "" {
		return "to anybody"
	}
	return fmt.Sprintf("to %q", receiver)
}

// alertsJSON is the data of GET /api/v1/alerts.
type alertsJSON AlertView

func (v *alertsJSON) writeJSON(e *encoder) {
	e.b = append(e.b, `{"alerts":[`...)
	for i := range v.Alerts {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.marshal(&v.Alerts[i])
		if !e.more() {
			return
		}
	}
	e.b = append(e.b, ']')
	at := len(e.b)
	e.marshal(struct {
		*alertsJSON
		Alerts *struct{} `json:"alerts,omitempty"` // are written
	}{alertsJSON: v})
	e.b[at] = ','
}
