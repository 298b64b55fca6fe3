package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// What is known of every user, and of customers, in the order of columns. Behind them
// stand the fields by which the service tells users apart.
var (
	userTexts   = []string{"user_id", "anonymous_id", "state", "segments"}
	userDays    = []string{"since", "first_seen", "last_seen"}
	userTimes   = []string{"first_event"}
	userNumbers = []string{"days_away", "usual_gap_days", "active_days_28"}
	rfmNumbers  = []string{"r", "f", "m", "days_since_payment", "paid_orders"}
)

// rfmPrefix begins the names of what payments say, paidPrefix those of amounts by currency.
const (
	rfmPrefix  = "rfm_"
	paidPrefix = rfmPrefix + "net_paid_"
)

// users are those of a segment, or of some days.
func (a *asking) users(ctx context.Context) (backend.DataResponse, error) {
	k, err := a.catalogue.get(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	found, warnings, err := a.client.Users(ctx, client.Segment{Name: a.Segment, Active: a.Active, NotActive: a.NotActive, Filters: a.filters(), Limit: a.Limit})
	if err != nil {
		return backend.DataResponse{}, err
	}
	a.notices.warn(warnings...)
	if found.Next != nil {
		a.notices.add(data.NoticeSeverityInfo, fmt.Sprintf("there are more than these %d users: raise the limit, of 1,000 at most, or narrow the segment", len(found.Users)))
	}
	for _, u := range found.Users {
		a.flatten(u)
	}
	var fields []*data.Field
	texts := func(names ...string) {
		for _, name := range names {
			fields = append(fields, userField(a, name, found.Users, func(v any) (string, bool) { return fmt.Sprint(v), true }))
		}
	}
	numbers := func(names ...string) {
		for _, name := range names {
			fields = append(fields, userField(a, name, found.Users, func(v any) (float64, bool) { return a.userNumber(name, v) }))
		}
	}
	texts(userTexts...)
	for _, name := range userDays {
		f := userField(a, name, found.Users, k.day)
		f.Config.Unit = dates
		fields = append(fields, f)
	}
	for _, name := range userTimes {
		fields = append(fields, userField(a, name, found.Users, instant))
	}
	numbers(userNumbers...)
	known := slices.Concat(userTexts, userDays, userTimes, userNumbers)
	var own, amounts []string
	customers := false
	for _, u := range found.Users {
		for name := range u {
			switch {
			case strings.HasPrefix(name, paidPrefix):
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
func (a *asking) flatten(u map[string]any) {
	if list, ok := u["segments"].([]any); ok {
		var names []string
		for _, s := range list {
			names = append(names, a.lang.Value("segment", a.lang.Value("state", fmt.Sprint(s))))
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

// userField is a column of what users have under a name, as far as it can be read.
func userField[T any](a *asking, name string, users []map[string]any, read func(v any) (T, bool)) *data.Field {
	values := make([]*T, len(users))
	for i, u := range users {
		if v := u[name]; v != nil {
			if value, ok := read(v); ok {
				values[i] = &value
			}
		}
	}
	f := data.NewField(name, nil, values)
	title := a.lang.Field(name)
	if currency, paid := strings.CutPrefix(name, paidPrefix); paid {
		title = a.lang.Field(strings.TrimSuffix(paidPrefix, "_")) + ": " + currency
	}
	f.Config = &data.FieldConfig{DisplayNameFromDS: title, Mappings: mapped(a.lang, strings.TrimPrefix(name, rfmPrefix))}
	return f
}

// day is the beginning of a business day.
func (k *kept) day(v any) (time.Time, bool) {
	n, err := k.days.ParseDay(fmt.Sprint(v))
	if err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(k.days.Start(n)).UTC(), true
}

func instant(v any) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, fmt.Sprint(v))
	return t, err == nil
}

// userNumber is a number; an amount is in major units, if the query does not say minor.
func (a *asking) userNumber(name string, v any) (float64, bool) {
	n, ok := v.(float64)
	if currency, paid := strings.CutPrefix(name, paidPrefix); paid && !a.Minor {
		n /= minor(currency)
	}
	return n, ok
}
