package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/httpclient"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
)

// connect makes a client as the data source is set, and says in which language titles are.
func connect(ctx context.Context, s backend.DataSourceInstanceSettings) (*client.Client, look.Language, error) {
	var said struct {
		Language look.Language `json:"language"`
	}
	if len(s.JSONData) > 0 {
		if err := json.Unmarshal(s.JSONData, &said); err != nil {
			return nil, "", fmt.Errorf("read the settings: %w", err)
		}
	}
	if s.URL == "" {
		return nil, "", errors.New("no URL is set: give the address of Tidewatch, such as http://127.0.0.1:8080")
	}
	options, err := s.HTTPClientOptions(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("read the settings of HTTP: %w", err)
	}
	token := s.DecryptedSecureJSONData["token"]
	if token != "" {
		options.BasicAuth = nil // it would take the token's place
	}
	asks, err := httpclient.New(options)
	if err != nil {
		return nil, "", fmt.Errorf("set up HTTP: %w", err)
	}
	follows, err := endless(options)
	if err != nil {
		return nil, "", fmt.Errorf("set up HTTP: %w", err)
	}
	c, err := client.New(s.URL, token, asks, follows)
	return c, said.Language, err
}

// endless is a client whose answers may go on for ever.
func endless(options httpclient.Options) (*http.Client, error) {
	timeouts := *options.Timeouts
	timeouts.Timeout = 0
	options.Timeouts = &timeouts
	return httpclient.New(options)
}
