package plugin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// An incident is a row of alerts, and an annotation.
type incident struct {
	from  time.Time
	to    *time.Time // nil while it lasts
	state string
	rule  string
	group string
	text  string
	value *float64
	told  data.Labels
}

// alerts are those of the time range: which are pending or firing, and which the history has
// as resolved. Pending ones begin when their condition held, others when they fired.
func (a *asking) alerts(ctx context.Context) (backend.DataResponse, error) {
	known, warnings, err := a.client.Alerts(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	a.notices.warn(warnings...)
	history, warnings, err := a.client.History(ctx, a.times.From, a.times.To)
	if err != nil {
		return backend.DataResponse{}, err
	}
	a.notices.warn(warnings...)
	if history.Next != nil {
		a.notices.add(data.NoticeSeverityInfo, fmt.Sprintf("more than these %d alerts fired in the time shown: choose less time", len(history.Alerts)))
	}
	var list []incident
	for _, x := range known.Alerts {
		from := x.ActiveAt
		if x.FiredAt != nil {
			from = *x.FiredAt
		}
		list = append(list, incident{
			from: from, state: x.State, rule: x.Rule, group: x.Group, value: x.Value, told: x.Labels,
			text: said(x.Annotations),
		})
	}
	list = append(list, resolved(history.Alerts)...)
	list = slices.DeleteFunc(list, func(x incident) bool {
		return x.from.After(a.times.To) || x.to != nil && x.to.Before(a.times.From)
	})
	slices.SortStableFunc(list, func(x, y incident) int { return x.from.Compare(y.from) })
	return a.told(data.Frames{incidents(a.lang, list)}, data.FrameTypeTable), nil
}

// resolved are the episodes that are over.
func resolved(episodes []client.Episode) (list []incident) {
	for _, e := range episodes {
		if e.ResolvedAt != nil {
			list = append(list, incident{
				from: e.FiredAt, to: e.ResolvedAt, state: e.State, rule: e.Rule, group: e.Group, told: e.Labels, text: said(e.Annotations),
			})
		}
	}
	return list
}

// said is what annotations say of an alert.
func said(annotations map[string]string) string {
	return cmp.Or(annotations["summary"], annotations["description"])
}

// incidents are a table with the columns of annotations before all others. Annotations go
// by what columns are called: these have no titles.
func incidents(lang look.Language, list []incident) *data.Frame {
	times, ends := make([]time.Time, len(list)), make([]*time.Time, len(list))
	titles, texts, tags := make([]string, len(list)), make([]string, len(list)), make([]string, len(list))
	states, groups, values := make([]string, len(list)), make([]string, len(list)), make([]*float64, len(list))
	for i, x := range list {
		times[i], ends[i], titles[i], texts[i], tags[i] = x.from, x.to, x.rule, x.text, tagged(x.told)
		states[i], groups[i], values[i] = x.state, x.group, x.value
	}
	state := data.NewField("state", nil, states)
	state.Config = &data.FieldConfig{Mappings: mapped(lang, "state")}
	return framed(data.FrameTypeTable,
		data.NewField("time", nil, times), data.NewField("timeEnd", nil, ends), data.NewField("title", nil, titles),
		data.NewField("text", nil, texts), data.NewField("tags", nil, tags),
		state, data.NewField("group", nil, groups), data.NewField("value", nil, values))
}

// tagged are the labels that tell an alert apart, as tags: Grafana parts them at commas.
func tagged(labels map[string]string) string {
	var tags []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		switch name {
		case "alertname", "by", "window": // the title says what it is of
		default:
			tags = append(tags, strings.ReplaceAll(name+"="+labels[name], ",", " "))
		}
	}
	return strings.Join(tags, ",")
}
