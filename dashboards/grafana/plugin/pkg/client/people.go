package client

import (
	"context"
	"net/url"
	"strconv"
)

// A Segment says which users are asked for.
type Segment struct {
	Name      string // "" for those of any
	Active    string // business days, 2026-11-01..2026-11-07, on one of which they were active; "" for any
	NotActive string
	Filters   []Filter
	Limit     int // 1 to 1,000; 0 for 100
}

// Users are as the API has them: keys beside the usual ones are fields.
type Users struct {
	Users []map[string]any `json:"users"`
	Next  *string          `json:"next"` // nil at the end
}

// Users asks for the users of a segment.
func (c *Client) Users(ctx context.Context, s Segment) (u Users, warnings []string, err error) {
	v := (&Selection{Filters: s.Filters}).values()
	for name, value := range map[string]string{"segment": s.Name, "active": s.Active, "not_active": s.NotActive} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if s.Limit != 0 {
		v.Set("limit", strconv.Itoa(s.Limit))
	}
	warnings, err = c.get(ctx, "/api/v1/users", v, &u)
	return u, warnings, err
}

// Values asks for the values of a label that series which a selector of PromQL matches
// have between two times, in ms; 0 for none.
func (c *Client) Values(ctx context.Context, label, selector string, from, to int64) (list []string, err error) {
	v := url.Values{"match[]": {selector}}
	for name, at := range map[string]int64{"start": from, "end": to} {
		if at != 0 {
			v.Set(name, strconv.FormatFloat(float64(at)/1000, 'f', 3, 64))
		}
	}
	_, err = c.get(ctx, "/prometheus/api/v1/label/"+label+"/values", v, &list)
	return list, err
}
