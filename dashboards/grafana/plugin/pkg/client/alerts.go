package client

import (
	"context"
	"net/url"
	"time"
)

// Alerts are those that hold.
type Alerts struct {
	Alerts []Alert `json:"alerts"`
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

// A History is which alerts fired.
type History struct {
	Alerts []Episode `json:"alerts"`
	Next   *string   `json:"next"` // nil at the end
}

// An Episode is a time for which an alert fired.
type Episode struct {
	Rule        string            `json:"rule"`
	Group       string            `json:"group"`
	State       string            `json:"state"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	FiredAt     time.Time         `json:"fired_at"`
	ResolvedAt  *time.Time        `json:"resolved_at"` // nil while it fires
}

// Alerts asks for what is wrong.
func (c *Client) Alerts(ctx context.Context) (a Alerts, warnings []string, err error) {
	warnings, err = c.get(ctx, "/api/v1/alerts", nil, &a)
	return a, warnings, err
}

// History asks for the last 1,000 alerts that fired at some time from one to another.
func (c *Client) History(ctx context.Context, from, to time.Time) (h History, warnings []string, err error) {
	v := url.Values{"from": {millis(from)}, "to": {millis(to.Add(time.Millisecond))}, "limit": {"1000"}}
	warnings, err = c.get(ctx, "/api/v1/alerts/history", v, &h)
	return h, warnings, err
}
