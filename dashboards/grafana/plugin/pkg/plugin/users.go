package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// What is known of every user, and of customers, in the order of columns. Behind them
// stand the fields by which the service tells users apart.
var (
	userTexts   = []string{"user_id", "anonymous_id", "state", "segments", "since", "first_seen", "last_seen", "first_event"}
	userNumbers = []string{"days_away", "usual_gap_days", "active_days_28"}
	rfmNumbers  = []string{"r", "f", "m", "days_since_payment", "paid_orders"}
)

// rfmPrefix begins the names of what payments say.
const rfmPrefix = "rfm_"

// users are those of a segment, or of some days.
func (a *asking) users(ctx context.Context) (backend.DataResponse, error) {
	found, warnings, err := a.client.Users(ctx, client.Segment{Name: a.Segment, Active: a.Active, NotActive: a.NotActive, Filters: a.filters(), Limit: a.Limit})
	if err != nil {
		return backend.DataResponse{}, err
	}
	a.notices.warn(warnings...)
	if found.Next != nil {
		a.notices.add(data.NoticeSeverityInfo, fmt.Sprintf("there are more than these %d users: raise the limit, of 1,000 at most, or narrow the segment", len(found.Users)))
	}
	for _, u := range found.Users {
		flatten(u)
	}
	var fields []*data.Field
	texts := func(names ...string) {
		for _, name := range names {
			fields = append(fields, userField(a, name, found.Users, asText))
		}
	}
	numbers := func(names ...string) {
		for _, name := range names {
			fields = append(fields, userField(a, name, found.Users, asNumber))
		}
	}
	texts(userTexts...)
	numbers(userNumbers...)
	known := slices.Concat(userTexts, userNumbers)
	var own, amounts []string
	customers := false
	for _, u := range found.Users {
		for name := range u {
			switch {
			case strings.HasPrefix(name, rfmPrefix+"net_paid_"):
				amounts = append(amounts, name)
			case strings.HasPrefix(name, rfmPrefix):
				customers = true
			case !slices.Contains(known, name):
				own = append(own, name)
			}
		}
	}
	texts(sorted(own)...)
	if customers {
		texts(rfmPrefix + "segment")
		for _, name := range rfmNumbers {
			numbers(rfmPrefix + name)
		}
		numbers(sorted(amounts)...)
	}
	return a.told(data.Frames{framed(data.FrameTypeTable, fields...)}, data.FrameTypeTable), nil
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// flatten puts what a user has in lists and in objects beside the rest.
func flatten(u map[string]any) {
	if list, ok := u["segments"].([]any); ok {
		var names []string
		for _, s := range list {
			names = append(names, fmt.Sprint(s))
		}
		u["segments"] = strings.Join(names, ", ")
	}
	rfm, ok := u["rfm"].(map[string]any)
	if !ok {
		return
	}
	delete(u, "rfm")
	for name, v := range rfm {
		if paid, ok := v.(map[string]any); ok {
			for currency, amount := range maps.All(paid) {
				u[rfmPrefix+name+"_"+currency] = amount
			}
			continue
		}
		u[rfmPrefix+name] = v
	}
}

func userField[T any](a *asking, name string, users []map[string]any, as func(a *asking, name string, v any) *T) *data.Field {
	values := make([]*T, len(users))
	for i, u := range users {
		if v := u[name]; v != nil {
			values[i] = as(a, name, v)
		}
	}
	f := data.NewField(name, nil, values)
	f.Config = &data.FieldConfig{DisplayNameFromDS: a.lang.Field(name)}
	return f
}

func asText(a *asking, name string, v any) *string {
	text := fmt.Sprint(v)
	if name == rfmPrefix+"segment" {
		text = a.lang.Value("segment", text)
	}
	return &text
}

// asNumber is a number; an amount is in major units, if the query does not say minor.
func asNumber(a *asking, name string, v any) *float64 {
	n, ok := v.(float64)
	if !ok {
		return nil
	}
	if currency, paid := strings.CutPrefix(name, rfmPrefix+"net_paid_"); paid && !a.Minor {
		n /= minor(currency)
	}
	return &n
}
