package alertmanager

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
)

// none is an outbox in which nothing is kept.
type none struct{}

func (none) Put(map[string][]byte) error     { return nil }
func (none) Delete(...string) error          { return nil }
func (none) All() (map[string][]byte, error) { return nil, nil }

// Groups have the labels of their routes, filled in, and receivers have theirs.
func TestLabels(t *testing.T) {
	receivers, err := delivery.LoadReceivers("am.yml", []byte(`
route: {receiver: ops, group_by: [channel], labels: {owner: '{{ .GroupLabels.channel }} at {{ .ExternalURL }}: {{ len .Alerts }}'}}
receivers: [{name: ops, labels: {team: growth}}, {name: other}]
`))
	if err != nil {
		t.Fatal(err)
	}
	d, err := delivery.New(receivers, none{}, delivery.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var firing []alerts.Notification
	for _, rule := range []string{"Low", "High"} {
		n := alerts.Notification{
			Group: "g", Rule: rule, Status: alerts.Firing, StartsAt: time.Now(), WindowEnd: 1,
			Labels: map[string]string{"alertname": rule, "channel": "douyin"}, Annotations: map[string]string{},
		}
		n.Identify("douyin")
		firing = append(firing, n)
	}
	api, err := New(d, receivers, "http://tide.example", func() []alerts.Notification { return firing })
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string, into any) {
		t.Helper()
		w := httptest.NewRecorder()
		api.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	var groups []struct{ RouteLabels map[string]string }
	get("/api/v2/alerts/groups", &groups)
	if len(groups) != 1 || groups[0].RouteLabels["owner"] != "douyin at http://tide.example: 2" {
		t.Errorf("groups %+v", groups)
	}
	var named []struct{ Name string }
	get(`/api/v2/receivers?receiver_matchers=team%3D%22growth%22`, &named)
	if diff := cmp.Diff([]struct{ Name string }{{"ops"}}, named); diff != "" {
		t.Errorf("receivers of a team (-want +got):\n%s", diff)
	}
}
