package client

import (
	"context"
	"time"
)

// Alerts are those that hold, and the deliveries of the last ones.
type Alerts struct {
	Alerts     []Alert    `json:"alerts"`
	Deliveries []Delivery `json:"deliveries"`
}

// An Alert is pending or firing.
type Alert struct {
	Rule        string            `json:"rule"`
	Group       string            `json:"group"`
	State       string            `json:"state"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	Value       *float64          `json:"value"`
	ActiveAt    time.Time         `json:"active_at"`
	FiredAt     *time.Time        `json:"fired_at"`
}

// A Delivery told a receiver that an alert fired, or that it was resolved.
type Delivery struct {
	Rule     string            `json:"rule"`
	Status   string            `json:"status"`
	Labels   map[string]string `json:"labels"`
	StartsAt *time.Time        `json:"starts_at"`
	EndsAt   *time.Time        `json:"ends_at"`
}

// Alerts asks for what is wrong.
func (c *Client) Alerts(ctx context.Context) (a Alerts, warnings []string, err error) {
	warnings, err = c.get(ctx, "/api/v1/alerts", nil, &a)
	return a, warnings, err
}
