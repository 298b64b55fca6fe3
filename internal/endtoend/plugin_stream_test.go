package endtoend

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
)

// A follow is a subscriber of a channel, with all that it was sent.
type follow struct {
	mu      sync.Mutex
	fields  []string // of the newest schema
	schemas int      // how many there were
	rows    []liveRow
	err     error
	ended   chan struct{}
}

// A liveRow is a row with its values by the names of fields, and when it came.
type liveRow struct {
	at     time.Time
	values map[string]*float64
	came   time.Time
}

// subscribe asks for a channel, as Grafana does for the first panel.
func (g *grafana) subscribe(t *testing.T, path string) (status string, initial []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := g.stream.SubscribeStream(ctx, &pluginv2.SubscribeStreamRequest{PluginContext: g.context(), Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return r.Status.String(), r.Data
}

// run follows a channel until the test ends.
func (g *grafana) run(t *testing.T, path string) *follow {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	packets, err := g.stream.RunStream(ctx, &pluginv2.RunStreamRequest{PluginContext: g.context(), Path: path})
	if err != nil {
		t.Fatal(err)
	}
	f := &follow{ended: make(chan struct{})}
	go func() {
		defer close(f.ended)
		for {
			p, err := packets.Recv()
			if err == nil {
				err = f.read(p.Data)
			}
			if err != nil {
				f.mu.Lock()
				f.err = err
				f.mu.Unlock()
				return
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-f.ended })
	return f
}

// read takes a message apart as a panel does: rows are read by the newest schema.
func (f *follow) read(text []byte) error {
	var m struct {
		Schema *struct {
			Fields []struct{ Name string }
		}
		Data struct{ Values [][]*float64 }
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.Schema != nil {
		f.schemas, f.fields = f.schemas+1, nil
		for _, x := range m.Schema.Fields {
			f.fields = append(f.fields, x.Name)
		}
	}
	if len(m.Data.Values) != len(f.fields) || len(m.Data.Values[0]) != 1 {
		return fmt.Errorf("%d columns for the fields %q: %s", len(m.Data.Values), f.fields, text)
	}
	row := liveRow{at: time.UnixMilli(int64(*m.Data.Values[0][0])), values: map[string]*float64{}, came: time.Now()}
	for i, name := range f.fields[1:] {
		row.values[name] = m.Data.Values[i+1][0]
	}
	f.rows = append(f.rows, row)
	return nil
}

func (f *follow) state() any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%q %v, %d rows, the last %+v", f.fields, f.err, len(f.rows), f.rows[max(0, len(f.rows)-5):])
}

// await waits for a row that is as wanted.
func (f *follow) await(t *testing.T, what string, ok func(r liveRow) bool) (found liveRow) {
	t.Helper()
	eventually(t, what, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		i := slices.IndexFunc(f.rows, ok)
		if i >= 0 {
			found = f.rows[i]
		}
		return i >= 0
	}, f.state)
	return found
}

// has reports whether a row has a value.
func (r liveRow) has(field string, value float64) bool {
	v := r.values[field]
	return v != nil && *v == value
}

// viewed is a service of views that happen at this moment.
func viewed(t *testing.T) *service {
	t.Helper()
	s := newService(t, "kpis: [kpis.yaml]\n")
	s.file(t, "kpis.yaml", watched)
	s.start(t)
	return s
}

func (s *service) view(t *testing.T, id, channel string) {
	t.Helper()
	s.post(t, event(id, time.Now(), "view", "channel", channel, "user_id", id, "watch_ms", 6000))
}

// live asks for a query that goes on, and has the path of its channel.
func (g *grafana) live(t *testing.T, query string) (*data.Frame, string) {
	t.Helper()
	r := g.ask(t, panel{from: time.Now().Add(-5 * time.Minute), to: time.Now(), interval: time.Second, points: 300}, query)
	if r.Error != nil {
		t.Fatal(r.Error)
	}
	path, ok := strings.CutPrefix(r.Frames[0].Meta.Channel, "ds/tw/")
	if !ok {
		t.Fatalf("%s: the channel is %q:\n%s", query, r.Frames[0].Meta.Channel, drawn(r))
	}
	return r.Frames[0], path
}

// A series goes on with a row for each window that closes; through a restart of the service,
// and with series that come later.
func TestPluginStream(t *testing.T) {
	t.Parallel()
	s := viewed(t)
	begun := time.Now()
	s.view(t, "a", "douyin")
	s.awaitReceived(t, 1)
	g := newGrafana(t, s.url(""))
	first, path := g.live(t, `{"kpis":["views"],"window":"1m","by":["channel"],"live":true,"compare":["previous"]}`)
	if first.Meta.Type != data.FrameTypeTimeSeriesWide {
		t.Errorf("the frame that goes on is of the type %s", first.Meta.Type)
	}
	if status, _ := g.subscribe(t, path); status != "OK" {
		t.Fatalf("subscribe to %s: %s", path, status)
	}
	f := g.run(t, path)
	const douyin, wechat = "views{channel=douyin}", "views{channel=wechat}"
	f.await(t, "the first view", func(r liveRow) bool { return r.has(douyin, 1) })
	s.view(t, "b", "douyin")
	f.await(t, "the second view", func(r liveRow) bool { return r.has(douyin, 2) })
	s.view(t, "c", "wechat")
	f.await(t, "another series", func(r liveRow) bool { return r.has(douyin, 2) && r.has(wechat, 1) })
	f.mu.Lock()
	if f.schemas != 2 {
		t.Errorf("%d schemas were sent, want the first and one with another series", f.schemas)
	}
	f.mu.Unlock()
	// Who comes later is told of the fields.
	if status, initial := g.subscribe(t, path); status != "OK" || !strings.Contains(string(initial), wechat) || strings.Contains(string(initial), `"values":[[1`) {
		t.Errorf("the second subscriber got %s %s", status, initial)
	}

	// The service is away for some windows, once one has closed of which something is known.
	known := s.await(t, "a window that is over", func(l ledger) bool { return l.Watermark.After(begun.Add(2 * time.Second)) }).Watermark
	f.await(t, "a window that is over", func(r liveRow) bool { return r.at.After(known) })
	s.stop(t)
	gone := time.Now()
	eventually(t, "windows that nobody sees", func() bool { return time.Since(gone) > 3*time.Second }, func() any { return nil })
	s.start(t)
	s.view(t, "d", "wechat")
	f.await(t, "a view after the restart", func(r liveRow) bool { return r.has(wechat, 2) })
	f.await(t, "a window that closed then", func(r liveRow) bool { return r.at.After(gone.Add(4 * time.Second)) })
	f.mu.Lock()
	defer f.mu.Unlock()
	closed := map[int64]bool{}
	for i, r := range f.rows {
		if i > 0 && !r.at.After(f.rows[i-1].at) {
			t.Errorf("row %d is of %s, not after %s", i, r.at, f.rows[i-1].at)
		}
		if !r.at.Equal(r.at.Truncate(time.Second)) {
			t.Errorf("row %d is of %s, at which no window ends", i, r.at)
		}
		closed[r.at.Unix()] = true
	}
	for at := known.Unix() + 1; at < f.rows[len(f.rows)-1].at.Unix(); at++ {
		if !closed[at] {
			t.Errorf("the window to %s is missing", time.Unix(at, 0))
		}
	}
	if t.Failed() {
		t.Logf("the service was away from %s", gone)
		for _, r := range f.rows {
			t.Logf("a row of %s came at %s", r.at.Format(time.StampMilli), r.came.Format(time.StampMilli))
		}
	}
}

// The latest goes on with the live window alone.
func TestPluginStreamLatest(t *testing.T) {
	t.Parallel()
	s := viewed(t)
	s.view(t, "a", "douyin")
	s.view(t, "b", "douyin")
	s.view(t, "c", "wechat")
	s.awaitReceived(t, 3)
	g := newGrafana(t, s.url(""))
	first, path := g.live(t, `{"kpis":["views","finish_rate"],"window":"day","by":["channel"],"top":1,"show":"latest","live":true,"bounds":true}`)
	if n, _ := first.RowLen(); n != 1 || first.Fields[1].Name != "views{channel=douyin}" {
		t.Errorf("the first frame has %d rows of %s", n, first.Fields[1].Name)
	}
	f := g.run(t, path)
	f.await(t, "the first views", func(r liveRow) bool { return r.has("views{channel=douyin}", 2) })
	s.view(t, "d", "douyin")
	got := f.await(t, "another view", func(r liveRow) bool { return r.has("views{channel=douyin}", 3) })
	if len(got.values) != 1 {
		t.Errorf("of the largest one there are %v", got.values)
	}
}

// What cannot be followed.
func TestPluginStreamRefused(t *testing.T) {
	t.Parallel()
	s := viewed(t)
	s.view(t, "a", "douyin")
	s.awaitReceived(t, 1)
	g := newGrafana(t, s.url(""))
	for _, path := range []string{"", "kpi", "kpi/?", "kpi/.unknown", "kpi/" + base64.RawURLEncoding.EncodeToString([]byte(`{"kpis":["views","finish_rate"]}`))} {
		if status, _ := g.subscribe(t, path); status != "NOT_FOUND" {
			t.Errorf("%s: got %s, want NOT_FOUND", path, status)
		}
	}
	answer, err := g.stream.PublishStream(t.Context(), &pluginv2.PublishStreamRequest{PluginContext: g.context(), Path: "kpi/x", Data: []byte("{}")})
	if err != nil || answer.Status != pluginv2.PublishStreamResponse_PERMISSION_DENIED {
		t.Errorf("publish: got %v %v", answer, err)
	}
	f := g.run(t, "kpi/"+base64.RawURLEncoding.EncodeToString([]byte(`{"kpis":["viewz"]}`)))
	<-f.ended
	if f.err == nil || !strings.Contains(f.err.Error(), "did you mean views?") {
		t.Errorf("an unknown KPI: got %v", f.err)
	}

	now := panel{from: time.Now().Add(-time.Hour), to: time.Now(), interval: time.Second, points: 100}
	channels := func(query string) (list []string) {
		for _, f := range g.ask(t, now, query).Frames {
			list = append(list, f.Meta.Channel)
		}
		return list
	}
	// A query that does not fit into the name of a channel has a digest there.
	long := `{"kpis":["views"],"live":true,"filters":[{"field":"channel","op":"=","values":["` + strings.Repeat("douyin", 40) + `","douyin"]}]}`
	if got := channels(long); len(got) != 1 || len(got[0]) > 160 || !strings.HasPrefix(got[0], "ds/tw/kpi/.") {
		t.Errorf("a long query has the channels %q", got)
	} else {
		path := strings.TrimPrefix(got[0], "ds/tw/")
		if status, _ := g.subscribe(t, path); status != "OK" {
			t.Errorf("subscribe to a long query: %s", status)
		}
		g.run(t, path).await(t, "a long query", func(r liveRow) bool { return r.has("views{channel=douyin}", 1) })
	}
	// Days of a series, the past and alerts do not go on.
	const live = `{"kpis":["views"],"live":true}`
	if got := channels(`{"kpis":["views"],"live":true,"window":"day"}`); got[0] != "" {
		t.Errorf("a series of days has the channel %s", got[0])
	}
	if got := channels(live); got[0] == "" {
		t.Error("a series has no channel")
	}
	g.headers = map[string]string{backend.FromAlertHeaderName: "true"}
	if got := channels(live); got[0] != "" {
		t.Errorf("a query of an alert has the channel %s", got[0])
	}
}
