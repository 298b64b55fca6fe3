package plugin

import (
	"context"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/look"
)

// freshness is how far the watermark is behind the clock, in seconds; null before the first
// event.
func (a *asking) freshness(ctx context.Context) (backend.DataResponse, error) {
	ledger, err := a.client.Ledger(ctx)
	if err != nil {
		return backend.DataResponse{}, err
	}
	var behind *float64
	if !ledger.Watermark.IsZero() {
		behind = new(max(0, time.Since(ledger.Watermark)).Seconds())
	}
	f := data.NewField(kindFreshness, nil, []*float64{behind})
	f.Config = &data.FieldConfig{DisplayNameFromDS: a.lang.Of(look.Freshness), Unit: "s", Thresholds: thresholds(look.Fresh)}
	return a.told(data.Frames{framed(data.FrameTypeNumericMulti, f)}, data.FrameTypeNumericMulti), nil
}
