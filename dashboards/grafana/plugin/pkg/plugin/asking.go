package plugin

import (
	"context"
	"errors"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// An asking is a query on its way to an answer.
type asking struct {
	*Plugin
	Query
	times    backend.TimeRange
	interval time.Duration
	points   int64 // that a panel has room for; 0 for any number
	// reach is the watermark, the beginning of the present: zero before the first event.
	reach time.Time

	notices notices
}

// shown is one of the KPIs that are asked for, as it is shown.
func (a *asking) shown(k *kept, d *client.Definition) (*shown, error) {
	text := a.Window
	if text == "" {
		text = d.Default()
	}
	window, err := kpi.ParseWindow(text)
	if err != nil {
		return nil, err
	}
	return &shown{Definition: d, query: &a.Query, window: window, days: k.days, lang: a.lang}, nil
}

// of are the KPIs that are asked for, as they are shown.
func (a *asking) of(ctx context.Context) (list []*shown, err error) {
	k, definitions, err := a.catalogue.names(ctx, a.KPIs...)
	if err != nil {
		return nil, err
	}
	for _, d := range definitions {
		s, err := a.shown(k, d)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// reached asks how far the events reach.
func (a *asking) reached(ctx context.Context) error {
	ledger, err := a.client.Ledger(ctx)
	a.reach = ledger.Watermark
	return err
}

// nothing reports whether an error says that nothing is kept of the times that are asked
// for; a notice tells. KPIs that do not exist were refused before.
func (a *asking) nothing(err error) bool {
	var said *client.Error
	if !errors.As(err, &said) || said.Kind != client.NotFound {
		return false
	}
	a.notices.warn(said.Text)
	return true
}

// told are the frames of an answer, with what a reader should know in the first of them.
// None at all is one that says what it would be.
func (a *asking) told(frames data.Frames, kind data.FrameType) backend.DataResponse {
	if len(frames) == 0 {
		frames = data.Frames{framed(kind)}
	}
	frames[0].AppendNotices(a.notices.list()...)
	return backend.DataResponse{Frames: frames}
}

// framed is a frame of a type of Grafana's data plane.
func framed(kind data.FrameType, fields ...*data.Field) *data.Frame {
	f := data.NewFrame("", fields...)
	f.Meta = &data.FrameMeta{Type: kind}
	if kind != data.FrameTypeTable {
		f.Meta.TypeVersion = data.FrameTypeVersion{0, 1}
	}
	return f
}
