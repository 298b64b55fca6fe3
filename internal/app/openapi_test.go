package app

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/internal/openapi"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// shop is a replica of the default catalogue after some weeks of an invented shop, with
// an alert that fires and a receiver.
func shop(t *testing.T) *Replica {
	t.Helper()
	c := alerting(t, `{alert: Busy, expr: 'kpi_plays{by="channel",window="24h"} > 1'}, {alert: Never, expr: 'kpi_plays{window="1m"} < 0', for: 5m}`)
	events := NewLog()
	r, err := OpenReplica(c, events, ReplicaOptions{Webhooks: make(webhooks, 100)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	begin, end := noon.Add(-2*time.Hour), noon.Add(time.Hour)
	for day := -40; day < -10; day++ { // who comes every day, and then no more
		at := begin.AddDate(0, 0, day).UnixMilli()
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%[2]d,"type":"play","user_id":"gone","watch_ms":1}
			{"id":%[1]d,"time":%[2]d,"type":"play","anonymous_id":"guest","channel":"douyin","watch_ms":1}
			{"id":%[1]d}`, day, at))
	}
	o, err := generate.Fit(generate.Options{Guests: true, Seed: 1, Start: begin, End: end, Events: 3000, Users: 100, Contents: 20, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	o.Events = 0 // to the end, however many these are
	g := generate.New(o)
	for e := range g.Events() {
		events.Append(e.Arrival(), g.Append(nil, e))
	}
	events.Tick(end.UnixMilli(), stream.Tick{To: end.UnixMilli()})
	if err := errors.Join(r.Read(), r.Checkpoint()); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestAnswersAreDescribed: of a catalogue and all that it is asked, no answer is other than
// /openapi.json says.
func TestAnswersAreDescribed(t *testing.T) {
	r := shop(t)
	h := r.Handler()
	var d *openapi.Document
	get := func(target string, data any) {
		t.Helper()
		w, req := httptest.NewRecorder(), httptest.NewRequest("GET", target, nil)
		req.Host = "localhost"
		h.ServeHTTP(w, req)
		if w.Code != 200 {
			t.Fatalf("GET %s: %d %s", target, w.Code, w.Body)
		}
		if d == nil {
			var err error
			if d, err = openapi.Parse(w.Body.Bytes()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := d.Check(openapi.Exchange{Method: "GET", Target: target, Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}); err != nil {
			t.Error(err)
		}
		if data != nil {
			if err := json.Unmarshal(w.Body.Bytes(), &struct{ Data any }{data}); err != nil {
				t.Fatal(err)
			}
		}
	}
	get("/openapi.json", nil)
	for _, target := range []string{"/api/v1/kpis", "/api/v1/operators", "/api/v1/ledger", "/api/v1/alerts/history", "/api/v1/receivers", "/metrics", "/-/healthy", "/-/ready"} {
		get(target, nil)
	}
	var alerts struct{ Alerts, Rules, Receivers, Deliveries []any }
	if get("/api/v1/alerts", &alerts); len(alerts.Alerts) == 0 || len(alerts.Rules) == 0 || len(alerts.Receivers) == 0 || len(alerts.Deliveries) == 0 {
		t.Errorf("alerts have nothing to hold: %+v", alerts)
	}
	const prom = "/prometheus/api/v1/"
	for _, target := range []string{"rules", "alerts", "metadata", "labels", "label/channel/values", "status/buildinfo", "format_query?query=a", "series?match[]=kpi_funnel"} {
		get(prom+target, nil)
	}
	for _, k := range r.Catalogue().KPIs {
		askAbout(k, func(target string) { get(target, nil) })
		get(prom+"query?query="+url.QueryEscape(fmt.Sprintf(`{__name__=~"kpi_%s(_low|_numerator)?"}`, k.Name))+fmt.Sprint("&time=", noon.Unix()), nil)
		get(prom+"query_range?query="+"kpi_"+k.Name+fmt.Sprintf("&start=%d&end=%d&step=1h", noon.AddDate(0, 0, -1).Unix(), noon.Unix()), nil)
	}
	customers, guests := 0, 0
	for _, segment := range r.Segments() {
		get("/api/v1/users/count?segment="+segment, nil)
		var list struct {
			Users []struct {
				UserID      string `json:"user_id"`
				AnonymousID string `json:"anonymous_id"`
				RFM         any
			}
		}
		get("/api/v1/users?limit=5&segment="+segment, &list)
		for _, u := range list.Users {
			get("/api/v1/users/"+url.PathEscape(u.UserID+u.AnonymousID), nil)
			if u.RFM != nil {
				customers++
			}
			if u.UserID == "" {
				guests++
			}
		}
	}
	var sent struct{ Signals []any }
	if get("/api/v1/signals", &sent); len(sent.Signals) == 0 || customers == 0 || guests == 0 {
		t.Errorf("%d signals, %d customers and %d guests: too few to hold", len(sent.Signals), customers, guests)
	}
}

// askAbout asks all kinds of questions about a KPI.
func askAbout(k *kpi.KPI, get func(target string)) {
	path := "/api/v1/kpis/" + k.Name
	by := "&by=" + url.QueryEscape(cmp.Or(k.By[len(k.By)-1].Key(), "total"))
	for _, w := range k.Windows {
		window, from := "?window="+w.String(), "-10m"
		if w.IsDay() || w == kpi.Today {
			from = "-5d"
		}
		get(path + window)
		get(path + window + by + "&compare=previous,last_week&limit=3")
		get(path + window + by + "&format=csv&top=3&compare=yesterday")
		get(path + window + by + "&format=ndjson&top=3&compare=yesterday")
		get(path + "/range" + window + "&from=" + from)
		get(path + "/range" + window + by + "&compare=previous&limit=2&from=" + from)
		get(path + "/range" + window + by + "&format=ndjson&top=2&from=" + from)
	}
	if i := slices.IndexFunc(k.Windows, kpi.Window.IsDay); i >= 0 {
		get(path + "?window=day&at=yesterday" + by)
	}
}
