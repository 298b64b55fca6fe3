package app

import (
	"context"

	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/alerts/history"
)

// AlertHistory is which alerts fired.
func (e *engine) AlertHistory(q history.Query) history.Page { return e.deliver.History().List(q) }

// Receivers are those of the Alertmanager file, and how they fare.
func (e *engine) Receivers() []delivery.ReceiverStatus { return e.deliver.Receivers() }

// TryReceiver sends a test alert to a receiver.
func (e *engine) TryReceiver(ctx context.Context, name string) ([]delivery.Trial, error) {
	return e.deliver.Try(ctx, name, e.config.URL())
}
