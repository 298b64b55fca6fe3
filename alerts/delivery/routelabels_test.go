package delivery

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
)

// Labels of a route are those of the routes above it too, and templates over what is told.
func TestRouteLabels(t *testing.T) {
	file := `
route:
  receiver: ops
  labels: {owner: desk, about: '{{ .CommonLabels.alertname }} of {{ routeLabels "owner" }}: {{ len .Alerts }}', reason: '{{ .NotificationReason }}'}
  routes:
    - matchers: ['channel="a"']
      labels: {owner: 'team {{ .GroupLabels.channel }}', broken: '{{ template "nowhere" . }}'}
` + hooked("ops")
	want := map[string]map[string]string{
		"a": {"owner": "team a", "about": "Low of team a: 1", "reason": "unknown"},
		"b": {"owner": "desk", "about": "Low of desk: 1", "reason": "unknown"},
	}
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		p := playing(t, file, false, func(call) (int, http.Header) {
			if mended.Load() {
				return 200, nil
			}
			return 503, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1), on("Low", "b", alerts.Firing, 1))
		p.crash() // what waits has them still
		synctest.Wait()
		p.r.take()
		mended.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, c := range p.r.take() {
			channel := c.msg.Alerts[0].Labels["channel"]
			if diff := cmp.Diff(want[channel], map[string]string(c.msg.RouteLabels)); diff != "" {
				t.Errorf("channel %s (-want +got):\n%s", channel, diff)
			}
			delete(want, channel)
		}
		if len(want) > 0 {
			t.Errorf("not told: %v", want)
		}
	})
	rs, err := LoadReceivers("am.yml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	const warning = `am.yml:7: route.routes[0].labels.broken: gives an error for an alert: :1:12: executing "" at <{{template "nowhere" .}}>: template "nowhere" not defined: correct it: notifications come without it`
	if len(rs.Warnings) != 1 || rs.Warnings[0].Error() != warning {
		t.Errorf("warnings %v", rs.Warnings)
	}
}

// Alertmanager's packages have them in their templates.
func TestRouteLabelsOfSlack(t *testing.T) {
	server, _, bodies := hook(t)
	rs := load(t, t.TempDir(), fmt.Sprintf(`
route: {receiver: ops, labels: {owner: 'team {{ .CommonLabels.alertname }}'}}
receivers: [{name: ops, slack_configs: [{api_url: '%s/hook', title: '{{ routeLabels "owner" }}'}]}]
`, server.URL))
	n := says("Low", alerts.Firing, 1)
	e := told(n)
	e[0].Group.Route = rs.Routes.Match(n.Labels)[0].Labels
	rs.Integrations[0].post(t.Context(), e, time.Now())
	var m struct{ Attachments []struct{ Title string } }
	if err := json.Unmarshal(<-bodies, &m); err != nil || len(m.Attachments) != 1 || m.Attachments[0].Title != "team Low" {
		t.Errorf("%+v, %v", m, err)
	}
}

// Names of labels are in any script, as those of rules are; what is Alertmanager's server's
// alone is warned of.
func TestFilesOfOthers(t *testing.T) {
	rs, err := LoadReceivers("am.yml", []byte(`
global: {resolve_timeout: 5m}
tracing: {endpoint: 'localhost:4317'}
route:
  receiver: ops
  routes: [{receiver: growth, matchers: ['团队="增长"', 'severity=~page|ticket'], group_by: [团队, 1st]}]
inhibit_rules: [{source_matchers: ['团队="增长"'], target_matchers: ['团队!="增长"'], equal: [渠道]}]
receivers: [{name: ops, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}, {name: growth, labels: {team: growth}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	if r := rs.Routes.Match(map[string]string{"团队": "增长", "severity": "ticket"})[0]; r.Receiver != "growth" || r.GroupKey(r.Group(map[string]string{"团队": "增长", "b": "c"})) != `{}/{severity=~"page|ticket",团队="增长"}:{团队="增长"}` {
		t.Errorf("route %+v, %s", r, r.GroupKey(r.Group(map[string]string{"团队": "增长", "b": "c"})))
	}
	if l := rs.Shown().Receivers[1].Labels["team"]; l != "growth" {
		t.Errorf("label %q", l)
	}
	var got []string
	for _, w := range rs.Warnings {
		got = append(got, w.Error())
	}
	if diff := cmp.Diff([]string{
		"am.yml:2: global.resolve_timeout: has no effect: rules say when an alert is over: remove it",
		"am.yml:3: tracing: has no effect: traces are of Alertmanager's server: remove it",
	}, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}
