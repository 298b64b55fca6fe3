package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// serve answers an editor with JSON.
func (p *Plugin) serve(answer func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		data, err := any(nil), p.wrong
		if err == nil {
			data, err = answer(r)
		}
		if err != nil {
			status = http.StatusBadRequest
			if said := (*client.Error)(nil); errors.As(err, &said) && said.Status >= http.StatusBadRequest {
				status = said.Status
			} else if backend.IsDownstreamHTTPError(err) {
				status = http.StatusBadGateway
			}
			data = map[string]string{"error": err.Error(), "message": err.Error()}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(data); err != nil {
			backend.Logger.FromContext(r.Context()).Warn("answer an editor", "error", err)
		}
	}
}

// kpis are the definitions, as the service writes them.
func (p *Plugin) kpis(r *http.Request) (any, error) { return p.client.RawDefinitions(r.Context()) }

// values are those that a field of a KPI has.
func (p *Plugin) values(r *http.Request) (any, error) {
	v := r.URL.Query()
	q := Query{KPIs: []string{v.Get("kpi")}, Window: v.Get("window")}
	if !name.MatchString(q.KPIs[0]) {
		return nil, fmt.Errorf("kpi %q is no name of a KPI: give one of those that are listed", q.KPIs[0])
	}
	if text := v.Get("filters"); text != "" {
		if err := json.Unmarshal([]byte(text), &q.Filters); err != nil {
			return nil, fmt.Errorf("read filters: %w", err)
		}
	}
	var times [2]int64
	for i, at := range []string{"from", "to"} {
		if text := v.Get(at); text != "" {
			var err error
			if times[i], err = strconv.ParseInt(text, 10, 64); err != nil {
				return nil, fmt.Errorf("%s %q is no time: give epoch milliseconds", at, text)
			}
		}
	}
	_, list, err := p.catalogue.names(r.Context(), q.KPIs...)
	if err != nil {
		return nil, err
	}
	selector, err := q.selector(list[0], v.Get("field"))
	if err != nil {
		return nil, err
	}
	values, err := p.client.Values(r.Context(), v.Get("field"), selector, times[0], times[1])
	if values == nil {
		values = []string{}
	}
	return map[string][]string{"values": values}, err
}

// selector selects the series of PromQL by which a field of a KPI is kept.
func (q *Query) selector(d *client.Definition, field string) (string, error) {
	fields := []string{field}
	var matchers []string
	for _, f := range q.filters() {
		fields = append(fields, f.Field)
		pattern := f.Pattern
		if pattern == "" {
			quoted := make([]string, len(f.Values))
			for i, value := range f.Values {
				quoted[i] = regexp.QuoteMeta(value)
			}
			pattern = strings.Join(quoted, "|")
		}
		matchers = append(matchers, fmt.Sprintf("%s=~%q", f.Field, pattern))
	}
	set, kept := d.Set(fields...)
	if !kept {
		sets := make([]string, len(d.By))
		for i, s := range d.By {
			sets[i] = s.String()
		}
		return "", fmt.Errorf("%s is not kept by %s: use fields of %s", d.Name, strings.Join(fields, " with "), strings.Join(sets, " or "))
	}
	window := q.Window
	if window == "" {
		window = d.Default()
	}
	all := append([]string{fmt.Sprintf("by=%q", set.String()), fmt.Sprintf("window=%q", window)}, matchers...)
	series := (&kpi.KPI{Name: d.Name}).Series(kpi.ValuePart)
	return series + "{" + strings.Join(all, ",") + "}", nil
}
