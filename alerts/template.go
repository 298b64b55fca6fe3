package alerts

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
)

// templateData is what a rule's templates read.
type templateData struct {
	series      map[string]string // its labels
	labels      map[string]string // with the currency of what has one
	externalURL string
	external    map[string]string // labels
	value       float64
	// query answers what templates ask; nil where nobody can.
	query template.QueryFunc
}

// variables are what a rule's templates can name, as in Prometheus.
const variables = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"

// expander executes a template of a rule as Prometheus does.
func expander(ctx context.Context, text, alert string, data templateData, now int64, external *url.URL) *template.Expander {
	if data.labels == nil {
		data.labels = map[string]string{}
	}
	if data.external == nil {
		data.external = map[string]string{}
	}
	query := data.query
	if query == nil {
		query = func(context.Context, string, time.Time) (promql.Vector, error) { return nil, nil }
	}
	return template.NewTemplateExpander(
		ctx, variables+text, "__alert_"+alert,
		template.AlertTemplateData(data.labels, data.external, data.externalURL, promql.Sample{F: data.value}),
		model.Time(now), query, external, nil,
	)
}

func expand(ctx context.Context, text, alert string, data templateData, now int64) (string, error) {
	external, err := url.Parse(data.externalURL)
	if err != nil {
		return "", err
	}
	return expander(ctx, text, alert, data, now, external).Expand()
}

// expandAll executes the templates of a rule. One that fails gives the reason
// in its place: a page without its summary is better than none.
func expandAll(ctx context.Context, texts map[string]string, alert string, data templateData, now int64) (map[string]string, error) {
	out := make(map[string]string, len(texts)+8)
	var failed error
	for name, text := range texts {
		if !strings.Contains(text, "{{") {
			out[name] = text
			continue
		}
		s, err := expand(ctx, text, alert, data, now)
		if err != nil {
			s = "<error expanding template: " + err.Error() + ">"
			failed = errors.Join(failed, err)
		}
		out[name] = s
	}
	return out, failed
}
