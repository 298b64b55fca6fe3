package api

import (
	"errors"
	"net/http"

	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/document"
)

// receiverList answers about those who are told of alerts.
type receiverList struct {
	alerts Alerts
	engine Engine
	// turn is taken by the test that is under way.
	turn chan struct{}
}

func (l *receiverList) list(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	return answer{data: struct {
		Receivers []delivery.ReceiverStatus `json:"receivers"`
	}{l.alerts.Receivers()}}, nil
}

func (l *receiverList) test(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := l.engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	default:
		return answer{}, RateLimited("another test is under way: try again when it is over")
	}
	name := r.PathValue("name")
	trials, err := l.alerts.TryReceiver(r.Context(), name)
	if p, ok := errors.AsType[*document.Problem](err); ok {
		return answer{}, NotFound("%v", p)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{data: struct {
		Receiver     string           `json:"receiver"`
		Integrations []delivery.Trial `json:"integrations"`
	}{name, trials}}, nil
}
