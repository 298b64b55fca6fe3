package delivery

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/alerts"
)

// BenchmarkStorm is 10,000 alerts that fire at once and are taken at once: each by itself,
// as one group, and while others may inhibit them.
func BenchmarkStorm(b *testing.B) {
	const many = 10_000
	for name, file := range map[string]string{
		"alone":     "route: {receiver: ops}\n",
		"grouped":   "route: {receiver: ops, group_by: [alertname], group_interval: 1ms}\n",
		"inhibited": "route: {receiver: ops}\ninhibit_rules: [{source_matchers: ['alertname=\"Low\"'], target_matchers: ['alertname=\"Other\"']}]\n",
	} {
		b.Run(name, func(b *testing.B) {
			rs, err := LoadReceivers("am.yml", []byte(file+hooked("ops")))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				set := metrics.NewSet()
				d, err := New(rs, newBox(), Options{Metrics: set, Transport: taking{}})
				if err != nil {
					b.Fatal(err)
				}
				d.Start()
				for _, rule := range []string{"Low", "Other"} {
					var ns []alerts.Notification
					for i := range many {
						ns = append(ns, on(rule, fmt.Sprint(i), alerts.Firing, 1))
					}
					if err := d.Notify(ns); err != nil {
						b.Fatal(err)
					}
				}
				for len(d.Owed()) > 0 {
					time.Sleep(time.Millisecond)
				}
				stop(d)
			}
		})
	}
}

// taking takes every notification.
type taking struct{}

func (taking) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
}
