package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
)

// History is which alerts fired.
func (d *Deliverer) History() *history.Store { return d.history }

// remember puts into the history what holds back the alerts that fire. The caller holds mu.
func (d *Deliverer) remember(ns []alerts.Notification, now time.Time) {
	for i := range ns {
		if ns[i].Status == alerts.Firing {
			d.history.Hold(&ns[i], d.hold(ns[i].Labels, now))
		}
	}
}

// lapse ends the acknowledgements of which nothing fires any more, and makes changes of
// silences durable.
func (d *Deliverer) lapse() error {
	over, err := d.acknowledged()
	if err != nil {
		return err
	}
	for _, id := range over {
		if err := d.silences.Expire(context.Background(), id); err != nil {
			return fmt.Errorf("end silence %s: %w", id, err)
		}
	}
	if len(over) > 0 {
		d.mu.Lock()
		d.review = time.Now()
		d.mu.Unlock()
		d.rouse()
	}
	return d.silences.Flush()
}

// acknowledged are the silences to be ended. Before it is proved what fires there are none.
func (d *Deliverer) acknowledged() (over []string, err error) {
	d.mu.Lock()
	proved := d.proved
	d.mu.Unlock()
	ids, err := d.silences.Acknowledgements()
	if err != nil || len(ids) == 0 || !proved {
		return nil, err
	}
	silencing := map[string]bool{}
	for _, e := range d.history.Firing() {
		for _, id := range d.silences.By(e.Labels) {
			silencing[id] = true
		}
	}
	for _, id := range ids {
		if !silencing[id] {
			over = append(over, id)
		}
	}
	return over, nil
}
