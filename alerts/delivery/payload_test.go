package delivery

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// A webhook may have a payload of its own, and an address that is a template.
func TestPayload(t *testing.T) {
	for payload, want := range map[string]string{
		`{text: '{{ .CommonLabels.alertname }} at {{ .CommonAnnotations.value }}', lines: ['{{ .Status }}', 7], of: {'{{ .Receiver }}': true}}`: `{"lines":["firing",7],"of":{"ops":true},"text":"CompletionLow at 0.12"}`,
		`'{"text": {{ .CommonAnnotations.explanation | toJson }}}'`:                                                                             `{"text":"Completion rate: 12%\nCondition: below 20%, over 5 min`,
	} {
		server, requests, bodies := hook(t)
		rs := load(t, t.TempDir(), fmt.Sprintf(`
route: {receiver: ops}
receivers: [{name: ops, webhook_configs: [{url: '%s/of/{{ .CommonLabels.alertname }}?state={{ .Status }}', language: en, secret: c2VjcmV0, payload: %s}]}]
`, server.URL, payload))
		if len(rs.Warnings) > 0 {
			t.Errorf("warnings %v", rs.Warnings)
		}
		n := low(alerts.Firing)
		if a := rs.Integrations[0].post(t.Context(), told(n), time.UnixMilli(at1(60)).In(shanghai)); a.err != nil {
			t.Fatal(a.err)
		}
		r, body := <-requests, string(<-bodies)
		if r.RequestURI != "/of/CompletionLow?state=firing" || r.Header.Get("Webhook-Signature") == "" || r.Header.Get("Idempotency-Key") != n.ID {
			t.Errorf("%s %v", r.RequestURI, r.Header)
		}
		if !strings.HasPrefix(body, want) {
			t.Errorf("body %s, want %s", body, want)
		}
	}
}

// Templates that give an error for a test are warned of. What they are sent for is refused,
// and says nothing of the address.
func TestPayloadErrors(t *testing.T) {
	rs := load(t, t.TempDir(), `route: {receiver: ops}
receivers:
  - name: ops
    webhook_configs:
      - url: 'http://hook.example/T0KEN/{{ index .Alerts 7 }}'
      - {url: '{{ .Status }}/T0KEN'}
      - {url: 'http://hook.example/', payload: {text: '{{ template "nowhere" . }}'}}
`)
	var got []string
	for _, w := range rs.Warnings {
		path, text, _ := strings.Cut(w.Error(), "webhook_configs")
		if !strings.HasSuffix(path, ": receivers[0].") {
			t.Error(w)
		}
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{
		`[0].url: gives an error for an alert: :1:29: executing "" at <index .Alerts 7>: error calling index: index out of range: 7: correct it: such a notification is not sent`,
		`[1].url: is no address to post to for an alert: correct it: such a notification is not sent`,
		`[2].payload: gives an error for an alert: :1:12: executing "" at <{{template "nowhere" .}}>: template "nowhere" not defined: correct it: such a notification is not sent`,
	}, got); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
	for i, want := range []string{reason.NoAddress.Alone().Text, reason.NoAddress.Alone().Text, `encode notification: fill in payload: template: :1:12: executing "" at <{{template "nowhere" .}}>: template "nowhere" not defined`} {
		if a := rs.Integrations[i].post(t.Context(), told(low(alerts.Firing)), time.Now()); a.err == nil || a.err.Error() != want || !a.refused || a.unreachable || reason.NoAddress.Is(a.err) != (i < 2) {
			t.Errorf("%d: %+v", i, a)
		}
	}
}
