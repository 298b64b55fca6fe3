package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// CheckHealth says whether the service answers, and if it does not what to do.
func (p *Plugin) CheckHealth(ctx context.Context, _ *backend.CheckHealthRequest) (*backend.CheckHealthResult, error) {
	text, err := p.health(ctx)
	if err != nil {
		return &backend.CheckHealthResult{Status: backend.HealthStatusError, Message: p.remedy(err)}, nil
	}
	return &backend.CheckHealthResult{Status: backend.HealthStatusOk, Message: text}, nil
}

// health is what a service that is well says of itself.
func (p *Plugin) health(ctx context.Context) (string, error) {
	if p.wrong != nil {
		return "", p.wrong
	}
	if _, err := p.client.Ready(ctx); err != nil {
		return "", err
	}
	list, err := p.client.Definitions(ctx)
	if err != nil {
		return "", err
	}
	ledger, err := p.client.Ledger(ctx)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("Tidewatch answers: %s, ", spelling.Number(len(list), "KPI", "KPIs"))
	if ledger.Watermark.IsZero() {
		return text + "no events yet.", nil
	}
	behind := max(0, time.Since(ledger.Watermark)).Round(time.Second)
	text += fmt.Sprintf("complete up to %s, %s ago", rfc3339(ledger.Watermark), behind)
	if ledger.Backlog > 0 {
		text += fmt.Sprintf("; it catches up with %s", spelling.Number(ledger.Backlog, "message", "messages"))
	}
	return text + ".", nil
}

// remedy is what is wrong, with what to do about it.
func (p *Plugin) remedy(err error) string {
	var said *client.Error
	switch {
	case p.wrong != nil:
		return err.Error()
	case !errors.As(err, &said):
		return fmt.Sprintf("%s does not answer: %v. Is Tidewatch running, and can Grafana reach it there? In a container, 127.0.0.1 is the container itself.", p.client.Address(), errors.Unwrap(err))
	case said.Kind == client.Forbidden:
		return "Tidewatch refuses: " + said.Text + ". Set external_url in its configuration to the address that Grafana asks by."
	case said.Kind == client.Unavailable:
		return "Tidewatch is not ready: " + said.Text + ". Ask again in a moment."
	case said.Status == http.StatusUnauthorized:
		return said.Text + ". Something before it wants a password: set a token, or basic auth."
	case strings.HasSuffix(p.client.Address(), "/prometheus"):
		return "Leave /prometheus off the URL: that is for Grafana's Prometheus data source."
	case said.Kind != "":
		return "Tidewatch answers with an error: " + said.Text
	}
	return said.Text + ". Give the address of Tidewatch itself, such as http://127.0.0.1:8080."
}
