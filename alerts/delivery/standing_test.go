package delivery

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// What is told late for the first time is told as it stands, by the id that it would have had.
func TestToldLate(t *testing.T) {
	for _, tt := range []struct {
		name string
		// file are the receivers, with "then" those that come by a reload.
		file, then string
		silenced   bool
		down       string // the path that takes nothing
		crash      bool
		want       string
	}{
		{name: "at once", file: "route: {receiver: ops}\n" + hooked("ops"), want: "/ops 0.1"},
		{name: "after its group's wait", file: "route: {receiver: ops, group_by: [alertname], group_wait: 1m}\n" + hooked("ops"), want: "/ops 0.2"},
		{name: "after a silence", file: "route: {receiver: ops}\n" + hooked("ops"), silenced: true, want: "/ops 0.2"},
		{name: "after an outage", file: "route: {receiver: ops}\n" + hooked("ops"), down: "/ops", want: "/ops 0.2"},
		{name: "after an outage and a crash", file: "route: {receiver: ops}\n" + hooked("ops"), down: "/ops", crash: true, want: "/ops 0.2"},
		{name: "after a silence and a crash", file: "route: {receiver: ops}\n" + hooked("ops"), silenced: true, crash: true, want: "/ops 0.2"},
		{name: "to the first receivers", file: "route: {receiver: none}\nreceivers: [{name: none}]", then: "route: {receiver: ops}\n" + hooked("ops"), want: "/ops 0.2"},
		{
			name: "to a fallback", file: "route: {receiver: ops}\nreceivers: [{name: ops, fallback: desk, webhook_configs: [{url: 'http://hook.example/ops'}]}, {name: desk, webhook_configs: [{url: 'http://hook.example/desk'}]}]",
			down: "/ops", want: "/desk 0.2 not taken by ops, /ops 0.2",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var down atomic.Bool
				down.Store(tt.down != "")
				ids := map[string]bool{}
				r := newReceiver(t, nil)
				var told []string
				r.answer = func(c call) (int, http.Header) {
					ids[c.key] = true
					if down.Load() && c.path == tt.down {
						return http.StatusServiceUnavailable, nil
					}
					a := c.msg.Alerts[0].Annotations
					said := c.path + " " + a["value"]
					if a["not_taken_by"] != "" {
						said += " not taken by " + a["not_taken_by"]
					}
					told = append(told, said)
					return http.StatusOK, nil
				}
				stands := func(n alerts.Notification) alerts.Notification {
					n.Annotations = map[string]string{"value": "0.2"}
					return n
				}
				box := newBox()
				d := deliverer(t, r.routed(t, tt.file), box, Options{Standing: stands})
				silence := ""
				if tt.silenced {
					silence = mute(t, d, "Low", time.Hour)
				}
				n := on("Low", "a", alerts.Firing, 1)
				notifyAll(t, d, n)
				time.Sleep(10 * time.Minute)
				if tt.crash {
					gone, die := context.WithCancel(t.Context())
					die()
					d.Stop(gone)
					d = deliverer(t, r.routed(t, tt.file), box, Options{Standing: stands})
				}
				if silence != "" {
					unmute(t, d, silence)
				}
				if tt.then != "" {
					if err := d.Reload(r.routed(t, tt.then)); err != nil {
						t.Fatal(err)
					}
				}
				down.Store(false)
				time.Sleep(time.Minute)
				synctest.Wait()
				if got := strings.Join(told, ", "); got != tt.want {
					t.Errorf("told %s, want %s", got, tt.want)
				}
				if tt.name != "after its group's wait" && (len(ids) != 1 || !ids[n.ID]) {
					t.Errorf("ids %v, want %s", ids, n.ID)
				}
			})
		})
	}
}

// After a start the first receivers hear of what fires once the rules were judged: what fires no
// more by then is not told.
func TestFirstReceiversWaitForJudgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, box := newReceiver(t, nil), newBox()
		told := func(want string) {
			t.Helper()
			time.Sleep(time.Minute)
			synctest.Wait()
			var got []string
			for _, c := range r.take() {
				got = append(got, c.msg.Alerts[0].Labels["alertname"]+" "+c.msg.Status)
			}
			if got := strings.Join(got, ", "); got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		first := deliverer(t, r.routed(t, "route: {receiver: none}\nreceivers: [{name: none}]"), box, Options{})
		notifyAll(t, first, on("Kept", "a", alerts.Firing, 1), on("Gone", "a", alerts.Firing, 1))
		time.Sleep(time.Hour)
		first.Stop(t.Context())
		next := deliverer(t, r.routed(t, "route: {receiver: ops}\n"+hooked("ops")), box, Options{Unjudged: true})
		told("")
		notifyAll(t, next, on("Fresh", "a", alerts.Firing, 3))
		told("Fresh firing")
		notifyAll(t, next, on("Gone", "a", alerts.Resolved, 4))
		next.Judged()
		told("Kept firing")
	})
}
