package endtoend

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

// backendBinary builds the data source's backend beside the service.
var backendBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "gpx_tidewatch")
	out, err := exec.Command("go", "build", "-o", path, "../../dashboards/grafana/plugin/pkg").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the data source: %w\n%s", err, out)
	}
	return path, nil
})

// A grafana starts the data source's backend as Grafana does, and speaks with it by the
// same protocol.
type grafana struct {
	settings    backend.DataSourceInstanceSettings
	headers     map[string]string
	data        pluginv2.DataClient
	diagnostics pluginv2.DiagnosticsClient
	resource    pluginv2.ResourceClient
	stream      pluginv2.StreamClient
}

// newGrafana has one data source, of the service at a URL.
func newGrafana(t *testing.T, url string) *grafana {
	t.Helper()
	if err := noteSources(); err != nil {
		t.Fatal(err)
	}
	path, err := backendBinary()
	if err != nil {
		t.Fatal(err)
	}
	started := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion: grpcplugin.ProtocolVersion, MagicCookieKey: grpcplugin.MagicCookieKey, MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]plugin.PluginSet{grpcplugin.ProtocolVersion: {
			"data": &grpcplugin.DataGRPCPlugin{}, "diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{},
			"resource": &grpcplugin.ResourceGRPCPlugin{}, "stream": &grpcplugin.StreamGRPCPlugin{},
		}},
		Cmd:              exec.Command(path),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	t.Cleanup(started.Kill)
	speaks, err := started.Client()
	if err != nil {
		t.Fatalf("start the data source: %v", err)
	}
	g := &grafana{settings: backend.DataSourceInstanceSettings{ID: 1, UID: "tw", Type: "tidewatch-kpi-datasource", Name: "Tidewatch", URL: url, JSONData: []byte("{}")}}
	dispense(t, speaks, "data", &g.data)
	dispense(t, speaks, "diagnostics", &g.diagnostics)
	dispense(t, speaks, "resource", &g.resource)
	dispense(t, speaks, "stream", &g.stream)
	return g
}

func dispense[T any](t *testing.T, from plugin.ClientProtocol, name string, to *T) {
	t.Helper()
	got, err := from.Dispense(name)
	if err != nil {
		t.Fatalf("the data source has no %s: %v", name, err)
	}
	*to = got.(T)
}

// set changes the settings, as somebody does who edits the data source.
func (g *grafana) set(change func(s *backend.DataSourceInstanceSettings)) {
	change(&g.settings)
	g.settings.Updated = g.settings.Updated.Add(time.Second)
}

func (g *grafana) context() *pluginv2.PluginContext {
	return backend.ToProto().PluginContext(backend.PluginContext{Namespace: "default", PluginID: g.settings.Type, DataSourceInstanceSettings: &g.settings})
}

// A panel is a time range with its room for points.
type panel struct {
	from, to time.Time
	interval time.Duration
	points   int64
}

// ask answers a query, written as dashboards have it.
func (g *grafana) ask(t *testing.T, p panel, query string) backend.DataResponse {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := g.data.QueryData(ctx, &pluginv2.QueryDataRequest{
		PluginContext: g.context(), Headers: g.headers,
		Queries: []*pluginv2.DataQuery{{
			RefId: "A", Json: []byte(query), IntervalMS: p.interval.Milliseconds(), MaxDataPoints: p.points,
			TimeRange: &pluginv2.TimeRange{FromEpochMS: p.from.UnixMilli(), ToEpochMS: p.to.UnixMilli()},
		}},
	})
	if err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	got, err := backend.FromProto().QueryDataResponse(answer)
	if err != nil {
		t.Fatal(err)
	}
	return got.Responses["A"]
}

// health is what the check of the settings says.
func (g *grafana) health(t *testing.T) (status, message string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := g.diagnostics.CheckHealth(ctx, &pluginv2.CheckHealthRequest{PluginContext: g.context()})
	if err != nil {
		t.Fatal(err)
	}
	return r.Status.String(), r.Message
}

// get asks for a resource, as an editor does.
func (g *grafana) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	bare, _, _ := strings.Cut(path, "?")
	answers, err := g.resource.CallResource(ctx, &pluginv2.CallResourceRequest{PluginContext: g.context(), Path: bare, Method: http.MethodGet, Url: path})
	if err != nil {
		t.Fatal(err)
	}
	r, err := answers.Recv()
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return int(r.Code), strings.TrimSpace(string(r.Body))
}

// drawn writes an answer down: its error, or of every frame the type, the channel, the
// fields with what they are called and measured in, and the notices.
func drawn(r backend.DataResponse) string {
	if r.Error != nil {
		return fmt.Sprintf("%d %s: %v\n", r.Status, r.ErrorSource, r.Error)
	}
	var b strings.Builder
	for _, f := range r.Frames {
		fmt.Fprintf(&b, "%s %s", f.Meta.Type, f.Meta.TypeVersion)
		if f.Meta.Channel != "" {
			b.WriteString(" live")
		}
		b.WriteString("\n")
		for _, x := range f.Fields {
			b.WriteString("  " + x.Name)
			if len(x.Labels) > 0 {
				fmt.Fprintf(&b, "{%s}", x.Labels)
			}
			if c := x.Config; c != nil {
				for _, text := range []string{c.DisplayNameFromDS, c.Unit} {
					if text != "" {
						fmt.Fprintf(&b, " %q", text)
					}
				}
				if c.Interval > 0 {
					fmt.Fprintf(&b, " every %s", time.Duration(c.Interval)*time.Millisecond)
				}
				if c.Thresholds != nil {
					for _, s := range c.Thresholds.Steps {
						b.WriteString(" " + s.Color)
						if !math.IsInf(float64(s.Value), 0) {
							fmt.Fprintf(&b, "(%g)", float64(s.Value))
						}
					}
				}
			}
			b.WriteString(":")
			for i := range x.Len() {
				b.WriteString(" " + drawnValue(x, i))
				if name := mapped(x, i); name != "" {
					fmt.Fprintf(&b, "=%q", name)
				}
			}
			b.WriteString("\n")
		}
		for _, n := range f.Meta.Notices {
			fmt.Fprintf(&b, "  %s: %s\n", n.Severity, n.Text)
		}
	}
	return b.String()
}

// mapped is what is shown in place of a text, "" for itself.
func mapped(f *data.Field, i int) string {
	text, ok := f.ConcreteAt(i)
	if value, is := text.(string); ok && is && f.Config != nil {
		for _, m := range f.Config.Mappings {
			if names, is := m.(data.ValueMapper); is {
				return names[value].Text
			}
		}
	}
	return ""
}

func drawnValue(f *data.Field, i int) string {
	v, ok := f.ConcreteAt(i)
	switch x := v.(type) {
	case time.Time:
		if ok {
			return x.UTC().Format("02T15:04:05")
		}
	case string:
		if ok {
			return fmt.Sprintf("%q", x)
		}
	case float64:
		if ok {
			return fmt.Sprintf("%.6g", x)
		}
	default:
		if ok {
			return fmt.Sprint(v)
		}
	}
	return "-"
}
