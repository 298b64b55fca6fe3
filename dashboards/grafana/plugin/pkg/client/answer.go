package client

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// A Figure is a value with what it rests on. What there is none of is nil.
type Figure struct {
	Value       *float64 `json:"value"`
	Numerator   *float64 `json:"numerator"`
	Denominator *float64 `json:"denominator"`
	N           float64  `json:"n"`
	Low         *float64 `json:"low"`
	High        *float64 `json:"high"`
	Complete    bool     `json:"complete"`
	Maturity    *float64 `json:"maturity"`
	Revision    int      `json:"revision"`
	Exactness   string   `json:"exactness"` // "" for exact
	Currency    string   `json:"currency"`
}

// A Sample is the figure of a series for one window.
type Sample struct {
	Labels map[string]string `json:"labels"`
	Figure
	// Compare is what it is held against, nil where nothing is known of that.
	Compare map[string]*Compared `json:"compare"`
}

// Compared is an earlier figure, and by how much it changed: 0.1 is a tenth more.
type Compared struct {
	Figure
	Change *float64 `json:"change"`
}

// An Answer is a KPI in one window.
type Answer struct {
	KPI     string   `json:"kpi"`
	Window  string   `json:"window"`
	By      []string `json:"by"`
	Samples []Sample `json:"samples"`
	// Times are zero before the first event.
	Start     time.Time `json:"start"`
	End       time.Time `json:"end"`
	AsOf      time.Time `json:"as_of"`
	Watermark time.Time `json:"watermark"`
	Complete  bool      `json:"complete"`
}

// Window asks for one window of each KPI: the newest that ends by a time, or without one
// the live window.
func (c *Client) Window(ctx context.Context, s Selection, at time.Time) (list []Answer, warnings []string, err error) {
	v := s.values()
	if !at.IsZero() {
		v.Set("at", millis(at))
	}
	var several struct {
		KPIs []Answer `json:"kpis"`
		Answer
	}
	warnings, err = c.get(ctx, s.path(), v, &several)
	if err != nil {
		return nil, nil, err
	}
	if several.KPIs == nil {
		several.KPIs = []Answer{several.Answer}
	}
	return several.KPIs, warnings, nil
}

func millis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// A Ledger is the account of events, as far as it is looked at here.
type Ledger struct {
	Total     *struct{ Received int64 } `json:"total"`
	Watermark time.Time                 `json:"watermark"`
	Timezone  string                    `json:"timezone"`
	Backlog   int64                     `json:"backlog"`
}

// Ledger asks for the account of events.
func (c *Client) Ledger(ctx context.Context) (l Ledger, err error) {
	if _, err = c.get(ctx, "/api/v1/ledger", nil, &l); err == nil && l.Total == nil {
		err = &Error{Text: fmt.Sprintf("%s has no ledger: that is not Tidewatch's API", c.base.Host)}
	}
	return l, err
}

// Ready asks whether the service can answer. An error of Unavailable says why it cannot.
func (c *Client) Ready(ctx context.Context) (warnings []string, err error) {
	var ready string
	return c.get(ctx, "/-/ready", url.Values{}, &ready)
}
