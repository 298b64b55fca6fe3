package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

const inhibiting = `
route: {receiver: ops}
inhibit_rules:
  - source_matchers: ['alertname="Down"']
    target_matchers: ['alertname=~"Slow|Late"']
    equal: [channel]
`

// An alert that another inhibits is not sent, whichever of the two is told first at a
// close; it is when the other is over, if it still fires.
func TestInhibition(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b, r := newBox(), newReceiver(t, nil)
			file := inhibiting + hooked("ops")
			d := deliverer(t, r.routed(t, file), b, Options{})
			again := func() {
				synctest.Wait()
				if restarts {
					stop(d)
					d = deliverer(t, r.routed(t, file), b, Options{})
					synctest.Wait()
				}
			}
			a := func(rule string, s alerts.State, at int64) alerts.Notification {
				return labelled(says(rule, s, at), "channel", "a")
			}
			notifyAll(t, d, a("Slow", alerts.Firing, 1), a("Down", alerts.Firing, 1), labelled(says("Slow", alerts.Firing, 1), "channel", "b"))
			again()
			expect(t, "together", r.told(), "ops Down firing", "ops Slow firing")
			h := d.Holds(a("Slow", alerts.Firing, 1).Labels)
			if got := fmt.Sprint(h.InhibitedBy, h.InhibitedByRules); got != "["+a("Down", alerts.Firing, 1).Fingerprint+"] [Down]" {
				t.Errorf("inhibited by %s", got)
			}
			notifyAll(t, d, a("Late", alerts.Firing, 2))
			again()
			notifyAll(t, d, a("Late", alerts.Resolved, 3))
			again()
			expect(t, "after it", r.told())
			notifyAll(t, d, a("Down", alerts.Resolved, 4))
			again()
			expect(t, "over", r.told(), "ops Down resolved", "ops Slow firing")
			notifyAll(t, d, a("Down", alerts.Firing, 5))
			again()
			notifyAll(t, d, a("Slow", alerts.Resolved, 6), a("Down", alerts.Resolved, 6))
			again()
			expect(t, "resolved", r.told(), "ops Down firing", "ops Down resolved", "ops Slow resolved")
		})
	}
}

const timedRoutes = `
route:
  receiver: ops
  routes:
    - {receiver: desk, matchers: ['severity="low"'], active_time_intervals: [office], continue: true}
    - {receiver: ops, matchers: ['severity="low"'], mute_time_intervals: [night]}
time_intervals:
  - {name: office, time_intervals: [{times: [{start_time: '09:00', end_time: '17:00'}], location: Asia/Shanghai}]}
  - {name: night, time_intervals: [{times: [{start_time: '00:00', end_time: '08:30'}], location: Asia/Shanghai}]}
`

// A muted route tells when its time comes, if the alert still fires then, each for itself.
// The bubble's clock begins at 8 in Shanghai.
func TestTimeIntervals(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b, r := newBox(), newReceiver(t, nil)
			file := timedRoutes + hooked("ops", "desk")
			d := deliverer(t, r.routed(t, file), b, Options{})
			again := func() {
				synctest.Wait()
				if restarts {
					stop(d)
					d = deliverer(t, r.routed(t, file), b, Options{})
					synctest.Wait()
				}
			}
			low := func(rule string, s alerts.State, at int64) alerts.Notification {
				return labelled(says(rule, s, at), "severity", "low")
			}
			notifyAll(t, d, low("Low", alerts.Firing, 1), low("Short", alerts.Firing, 1), says("High", alerts.Firing, 1))
			again()
			expect(t, "8:00", r.told(), "ops High firing")
			if h := d.Holds(low("Low", alerts.Firing, 1).Labels); fmt.Sprint(h.MutedBy) != "[office night]" {
				t.Errorf("muted by %v", h.MutedBy)
			}
			time.Sleep(29*time.Minute + 59*time.Second)
			notifyAll(t, d, low("Short", alerts.Resolved, 2))
			again()
			expect(t, "8:29", r.told())
			time.Sleep(time.Second)
			again()
			expect(t, "8:30", r.told(), "ops Low firing")
			time.Sleep(30 * time.Minute)
			again()
			expect(t, "9:00", r.told(), "desk Low firing")
			time.Sleep(8 * time.Hour)
			notifyAll(t, d, low("Late", alerts.Firing, 3))
			again()
			expect(t, "17:00", r.told(), "ops Late firing")
			notifyAll(t, d, low("Late", alerts.Resolved, 4), low("Low", alerts.Resolved, 4))
			again()
			expect(t, "resolved", r.told(), "ops Late resolved", "ops Low resolved", "desk Low resolved")
		})
	}
}

// What waits of a group is told though it was put together with others that were silenced, and are
// over: by the id that it had before.
func TestSilencedTogether(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		var refuses atomic.Bool
		refuses.Store(true)
		p := playing(t, "route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n"+hooked("ops"), crashes, func(call) (int, http.Header) {
			if refuses.Load() {
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1))
		p.now(on("Low", "b", alerts.Firing, 2))
		id := mute(t, p.d, "Low", time.Hour)
		p.now(on("Low", "b", alerts.Resolved, 3))
		p.wait(time.Second)
		refuses.Store(false)
		p.wait(time.Minute)
		unmute(t, p.d, id)
		if got := p.wait(time.Minute); !strings.HasSuffix(got, "Lowa firing") {
			t.Errorf("told %q", got)
		}
	})
}

// The end of what a group was told is told, though what came with it is silenced, or over, before
// that is taken.
func TestEndBesideSilenced(t *testing.T) {
	for _, silences := range []bool{true, false} {
		both(t, func(t *testing.T, crashes bool) {
			p := playing(t, "route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n"+hooked("ops"), crashes, func(c call) (int, http.Header) {
				if c.at < time.Minute && c.msg.Alerts[0].Labels["channel"] != "a" || c.msg.Status == string(alerts.Resolved) && c.at < time.Minute {
					return http.StatusInternalServerError, nil
				}
				return http.StatusOK, nil
			})
			p.now(on("Low", "a", alerts.Firing, 1))
			p.wait(10 * time.Second)
			p.now(on("Low", "a", alerts.Resolved, 2))
			p.wait(10 * time.Second)
			if silences {
				p.now(on("Low", "b", alerts.Firing, 3))
				mute(t, p.d, "Low", time.Hour)
			} else {
				p.now(on("Low", "b", alerts.Firing, 3), on("Low", "b", alerts.Resolved, 4), on("Low", "c", alerts.Firing, 5), on("Low", "c", alerts.Resolved, 6))
			}
			if got := p.wait(10 * time.Minute); !strings.Contains(got, "Lowa resolved") {
				t.Errorf("silences %t: told %q", silences, got)
			}
		})
	}
}

// What fires anew before it is told that it did is told, whatever becomes of the notification of
// before.
func TestFiresAnewAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n"+hooked("ops"), false, nil)
		notifyAll(t, p.d, on("Low", "a", alerts.Firing, 1), on("Low", "a", alerts.Resolved, 2), on("Low", "a", alerts.Firing, 3))
		p.d.mu.Lock()
		for _, a := range p.d.accounts {
			if told := a.party("ops").Told; told != alerts.Firing {
				t.Errorf("it was told %q", told)
			}
		}
		p.d.mu.Unlock()
		p.expect(p.wait(time.Minute), "0s ops first notification: Lowa firing")
	})
}

// What a later notification of its group told in its place is not told again by a run that finds it
// as it was.
func TestToldInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n"+hooked("ops"), false, func(c call) (int, http.Header) {
			if c.at == 10*time.Second {
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1))
		p.wait(10 * time.Second)
		p.now(on("Low", "a", alerts.Resolved, 2))
		before := p.box.owed()
		p.now(on("Low", "b", alerts.Firing, 3))
		if got := p.wait(time.Minute); !strings.HasSuffix(got, ": Lowa resolved, Lowb firing") {
			t.Fatalf("told %q", got)
		}
		for key, data := range before { // as if it had not been noted that they were superseded
			if strings.Contains(string(data), `"status":"resolved"`) {
				p.box.kept[key] = data
			}
		}
		p.crash()
		p.expect(p.wait(time.Hour), "")
	})
}
