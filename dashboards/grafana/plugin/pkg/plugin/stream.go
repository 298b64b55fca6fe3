package plugin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/internal/retry"
	"github.com/tidewatch/tidewatch/kpi"
)

// streamPrefix begins the paths of channels.
const streamPrefix = "kpi/"

// channelled is a frame that goes on: Grafana subscribes to the channel that it names. The
// stream has the frame's fields, and may have more.
func (a *asking) channelled(s *shown, f *data.Frame, lines []line) *data.Frame {
	q := a.Query
	q.KPIs, q.Compare = []string{s.Name}, nil
	path, stream := a.streams.open(a.uid, q)
	stream.columns.learn(lines)
	f.Meta.Channel = "ds/" + a.uid + "/" + path
	return f
}

// SubscribeStream lets a panel follow a query. Who comes when the stream has begun gets
// its schema, which the messages that follow do not have.
func (p *Plugin) SubscribeStream(_ context.Context, r *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	s, known := p.streams.find(r.Path)
	if !known || p.wrong != nil {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	out := &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK}
	if f := s.columns.schema(); f != nil {
		var err error
		if out.InitialData, err = backend.NewInitialFrame(f, data.IncludeSchemaOnly); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// PublishStream lets nobody write.
func (p *Plugin) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream follows a query for all who subscribed to it. When the service is away it asks
// again, and goes on behind the last window that closed.
func (p *Plugin) RunStream(ctx context.Context, r *backend.RunStreamRequest, to *backend.StreamSender) error {
	stream, known := p.streams.find(r.Path)
	if !known {
		return errors.New("the channel " + r.Path + " is unknown: load the panel again")
	}
	if p.wrong != nil {
		return p.wrong
	}
	last := ""
	f := &follower{Plugin: p, stream: stream, to: to}
	for failures := 0; ; {
		err := p.follow(ctx, f, &last, &failures)
		if ctx.Err() != nil {
			return nil
		}
		var said *client.Error
		if errors.As(err, &said) && said.Refused() {
			return err
		}
		failures++
		backend.Logger.FromContext(ctx).Info("the live stream is interrupted: asking again", "path", r.Path, "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retry.BackOff(failures, firstPause, mostPause)):
		}
	}
}

// Pauses before the service is asked again that went away.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
)

// follow follows the service as long as it answers.
func (p *Plugin) follow(ctx context.Context, f *follower, last *string, failures *int) error {
	k, list, err := p.catalogue.names(ctx, f.stream.query.KPIs...)
	if err != nil {
		return err
	}
	a := &asking{Plugin: p, Query: f.stream.query}
	if f.shown, err = a.shown(k, list[0]); err != nil {
		return err
	}
	asked := a.selection(a.KPIs...)
	asked.Compare, asked.Top = nil, 0
	return p.client.Live(ctx, asked, last, func(e client.Event) error {
		*failures = 0
		return f.see(e)
	})
}

// A follower sends what happens to who subscribed.
type follower struct {
	*Plugin
	stream *stream
	shown  *shown
	to     *backend.StreamSender
	sent   int       // how many columns they know of
	last   time.Time // of the last row
}

// see sends an event as a row, one for each time. A stream of the latest has the live
// window. A series has windows that closed: the live one lacks up to a step of its length,
// and beside those that closed a line would fall and rise with each. Only the day so far is
// at every moment what it is called, and has its live window at the watermark.
func (f *follower) see(e client.Event) error {
	q := &f.stream.query
	at := f.shown.instant(&e.Answer)
	switch latest := q.Show == showLatest; {
	case e.Answer.End.IsZero(), latest && e.Closed, !latest && !e.Closed && f.shown.window != kpi.Today:
		return nil
	case !latest && !at.After(f.last):
		return nil
	}
	f.last = at
	if q.Top > 0 {
		e.Answer.Samples = largest(e.Answer.Samples, q.Top)
	}
	frame, columns := f.stream.columns.row(timed(f.shown.figures(&e.Answer), at), at)
	include := data.IncludeDataOnly
	if columns != f.sent {
		include = data.IncludeAll
	}
	if err := f.to.SendFrame(frame, include); err != nil {
		return err
	}
	f.sent = columns
	return nil
}

// largest are so many samples, the largest first.
func largest(list []client.Sample, n int) []client.Sample {
	slices.SortStableFunc(list, func(x, y client.Sample) int {
		switch {
		case x.Value == nil && y.Value == nil:
			return 0
		case x.Value == nil || y.Value != nil && *x.Value < *y.Value:
			return 1
		case y.Value == nil || *x.Value > *y.Value:
			return -1
		}
		return 0
	})
	return list[:min(n, len(list))]
}

// encode writes a query as the path of its channel.
func encode(q Query) string {
	if q.Kind == kindKPI {
		q.Kind = ""
	}
	if q.Show == showSeries {
		q.Show = ""
	}
	if q.Value == partValue {
		q.Value = ""
	}
	q.Live = false
	text, err := json.Marshal(q)
	if err != nil {
		panic(err) // texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decode reads the path of a channel, if it has the query in it.
func decode(path string) (q Query, ok bool) {
	text, found := strings.CutPrefix(path, streamPrefix)
	if !found {
		return q, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return q, false
	}
	if q, err = parse(raw); err != nil || q.Kind != kindKPI || len(q.KPIs) != 1 || q.Show != showSeries && q.Show != showLatest {
		return q, false
	}
	return q, true
}
