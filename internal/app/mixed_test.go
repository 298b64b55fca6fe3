package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/queryable"
)

// Whoever asks for amounts is told where there are none since they are in several currencies.
func TestMixedIsSaid(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	events := NewLog()
	for i, of := range []struct{ channel, currency string }{{"a", "CNY"}, {"a", "USD"}, {"b", "CNY"}} {
		at := noon.Add(time.Duration(i) * time.Second).UnixMilli()
		events.Append(at, fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"pay","user_id":"u","channel":%q,"amount_minor":5,"currency":%q,"order_id":"o%d"}`, i, at, of.channel, of.currency, i))
	}
	end := noon.Add(time.Minute).UnixMilli()
	events.Append(end, fmt.Appendf(nil, `{"id":"end","time":%d,"type":"play","user_id":"u","channel":"a","watch_ms":1}`, end))
	r, err := OpenReplica(c, events, ReplicaOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Crash() })
	for _, tt := range []struct {
		expr  string
		mixed bool
	}{
		{`kpi_gmv_paid{by="total",window="1h"} * 1 < 100`, true},
		{`kpi_gmv_paid{by="total",window="1h",currency="CNY"} * 1 < 100`, true},
		{`sum(kpi_gmv_paid{by="channel",channel="a",window="1h"}) < 100`, true},
		{`sum(kpi_gmv_paid{by="channel",window="1h"}) < 1`, false}, // b has some
		{`sum(kpi_gmv_paid{by="channel",channel="b",window="1h"}) < 1`, false},
		{`sum(kpi_gmv_paid{by="channel",channel=~"b|c",window="1h"}) < 1`, false},
		{`kpi_gmv_paid{by="channel",channel="c",window="1h"} * 1 < 100`, false},
		{`kpi_plays{by="total",window="1h"} * 1 < 0`, false},
	} {
		_, mixed, err := r.vector(t.Context(), queryable.New(r, queryable.NewCache(1<<20)), tt.expr, end)
		if err != nil || mixed != tt.mixed {
			t.Errorf("%s: mixed %v, %v, want %v", tt.expr, mixed, err, tt.mixed)
		}
	}
	for series, remedy := range map[string]string{
		`kpi_gmv_paid{by="channel",channel="a",window="1h"}`: `ask for by="currency"`,
		`kpi_gpm{by="total",window="1h"}`:                    `define one of a single currency, with currency == "CNY" in its filter`,
	} {
		w := httptest.NewRecorder()
		req := httptest.NewRequest("GET", fmt.Sprintf("/prometheus/api/v1/query?time=%d&query=%s", end/1000, url.QueryEscape(series+" * 0")), nil)
		req.Host = "localhost"
		r.Handler().ServeHTTP(w, req)
		var got struct{ Warnings []string }
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Warnings) != 1 || !strings.HasSuffix(got.Warnings[0], " is in several currencies, which are not added up: "+remedy) {
			t.Errorf("%s: %s %v, want %s", series, w.Body, err, remedy)
		}
	}
}
