package plugin

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/instancemgmt"
	"github.com/grafana/grafana-plugin-sdk-go/backend/resource/httpadapter"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// ID is the plugin's, as plugin.json has it.
const ID = "tidewatch-kpi-datasource"

// A Plugin is one data source: a Tidewatch, as it is set in Grafana.
type Plugin struct {
	backend.CallResourceHandler
	uid       string
	lang      look.Language
	client    *client.Client
	wrong     error // with the settings; nil if there is a client
	catalogue catalogue
	streams   streams
}

// New makes a data source. Settings with a mistake make one that says so whatever it is
// asked: Grafana shows an error of its health, and none of its making.
func New(ctx context.Context, s backend.DataSourceInstanceSettings) (instancemgmt.Instance, error) {
	p := &Plugin{uid: s.UID}
	p.client, p.lang, p.wrong = connect(ctx, s)
	p.catalogue.client = p.client
	mux := http.NewServeMux()
	mux.HandleFunc("GET /kpis", p.serve(p.kpis))
	mux.HandleFunc("GET /values", p.serve(p.values))
	p.CallResourceHandler = httpadapter.New(mux)
	return p, nil
}

// QueryData answers queries, all at once.
func (p *Plugin) QueryData(ctx context.Context, r *backend.QueryDataRequest) (*backend.QueryDataResponse, error) {
	alerting := r.Headers[backend.FromAlertHeaderName] == "true"
	answers := make([]backend.DataResponse, len(r.Queries))
	var all sync.WaitGroup
	for i, q := range r.Queries {
		all.Go(func() {
			frames, err := p.query(ctx, q, alerting)
			answers[i] = response(frames, err)
		})
	}
	all.Wait()
	out := backend.NewQueryDataResponse()
	for i, q := range r.Queries {
		out.Responses[q.RefID] = answers[i]
	}
	return out, nil
}

// response is what a query is answered with. Whatever fails does so at the service, or in
// the query: none of it is the plugin's.
func response(frames backend.DataResponse, err error) backend.DataResponse {
	if err == nil {
		return frames
	}
	status := backend.StatusBadRequest
	var said *client.Error
	switch {
	case errors.As(err, &said) && said.Status != 0:
		status = backend.Status(said.Status)
	case backend.IsDownstreamHTTPError(err):
		status = backend.StatusBadGateway
	}
	return backend.ErrDataResponseWithSource(status, backend.ErrorSourceDownstream, err.Error())
}
