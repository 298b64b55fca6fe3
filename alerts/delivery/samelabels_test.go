package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// elsewhere is a notification of another alert with the labels of on: of a rule in another group.
func elsewhere(rule, channel string, s alerts.State, at int64) alerts.Notification {
	n := on(rule, channel, s, at)
	n.Group = "h"
	n.Identify("there")
	return n
}

// Receivers know alerts by their labels: the end of one is not told behind the beginning of another
// that has them, whatever was refused, and in whatever order the two were decided.
func TestSameLabels(t *testing.T) {
	for _, file := range []string{
		"route: {receiver: ops}\n",
		"route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n",
	} {
		both(t, func(t *testing.T, crashes bool) {
			var refuses atomic.Bool
			p := playing(t, file+hooked("ops"), crashes, func(c call) (int, http.Header) {
				if refuses.Load() && c.msg.Status == string(alerts.Resolved) {
					return http.StatusInternalServerError, nil
				}
				return http.StatusOK, nil
			})
			expect := func(what, want string) {
				t.Helper()
				var got []string
				for line := range strings.Lines(p.wait(time.Hour)) {
					_, says, _ := strings.Cut(strings.TrimSpace(line), ": ")
					got = append(got, says)
				}
				if got := strings.Join(got, "; "); got != want {
					t.Errorf("%s: told %q, want %q", what, got, want)
				}
			}
			p.now(on("Low", "a", alerts.Firing, 1))
			expect("fires", "Lowa firing")

			refuses.Store(true)
			p.now(on("Low", "a", alerts.Resolved, 2))
			expect("its end is refused", "")
			p.now(elsewhere("Low", "a", alerts.Firing, 3))
			if !crashes && !slices.ContainsFunc(p.d.Deliveries(), func(v Delivery) bool {
				return v.Status == alerts.Resolved && v.Outcome == Failed && strings.HasPrefix(v.Error, "superseded")
			}) {
				t.Errorf("deliveries %+v", p.d.Deliveries())
			}
			refuses.Store(false)
			expect("another begins", "Lowa firing")
			if owed := p.d.Owed(); owed["ops"] != 0 {
				t.Errorf("owed %v", owed)
			}

			refuses.Store(true)
			p.now(elsewhere("Low", "a", alerts.Resolved, 4), on("Low", "a", alerts.Firing, 4))
			refuses.Store(false)
			expect("one ends as the other begins", "Lowa firing")

			p.now(elsewhere("Low", "a", alerts.Firing, 5))
			p.wait(time.Minute)
			p.now(on("Low", "a", alerts.Resolved, 6))
			expect("the older one ends", "")
			p.now(elsewhere("Low", "a", alerts.Resolved, 7))
			expect("the last one ends", "Lowa resolved")
			if err := p.d.Committed(at1(7)); err != nil || len(p.box.current()) != 0 {
				t.Errorf("kept %d, %v", len(p.box.current()), err)
			}
		})
	}
}

// Who was told that an alert fires is told that it is over, even if it fires anew before that is
// told, and is over before that is tried.
func TestBriefAgain(t *testing.T) {
	for name, again := range map[string]func(string, string, alerts.State, int64) alerts.Notification{"the same": on, "another": elsewhere} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t, func(c call) (int, http.Header) {
					if c.msg.CommonLabels["alertname"] == "Slow" {
						time.Sleep(10 * time.Second)
					}
					return http.StatusOK, nil
				})
				d := deliverer(t, r.receivers(), newBox(), Options{})
				notifyAll(t, d, on("Low", "a", alerts.Firing, 1))
				synctest.Wait()
				notifyAll(t, d, on("Slow", "a", alerts.Firing, 2))
				synctest.Wait()
				notifyAll(t, d, on("Low", "a", alerts.Resolved, 3))
				notifyAll(t, d, again("Low", "a", alerts.Firing, 4))
				notifyAll(t, d, again("Low", "a", alerts.Resolved, 5))
				time.Sleep(time.Minute)
				if got := fmt.Sprint(r.take()); got != "[0s Low firing 0s Slow firing 10s Low resolved]" {
					t.Errorf("calls %s", got)
				}
				notifyAll(t, d, on("Low", "a", alerts.Firing, 6))
				synctest.Wait()
				notifyAll(t, d, on("Low", "a", alerts.Resolved, 7), again("Low", "a", alerts.Firing, 8), again("Low", "a", alerts.Resolved, 9))
				time.Sleep(time.Minute)
				if got := fmt.Sprint(r.take()); got != "[1m0s Low firing 1m0s Low resolved]" {
					t.Errorf("decided at once: calls %s", got)
				}
			})
		})
	}
}

// So are they if what fires anew is silenced before they take it.
func TestSilencedAgain(t *testing.T) {
	for name, again := range map[string]func(string, string, alerts.State, int64) alerts.Notification{"the same": on, "another": elsewhere} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, crashes bool) {
				var refuses atomic.Bool
				p := playing(t, "route: {receiver: ops}\n"+hooked("ops"), crashes, func(call) (int, http.Header) {
					if refuses.Load() {
						return http.StatusInternalServerError, nil
					}
					return http.StatusOK, nil
				})
				p.now(on("Low", "a", alerts.Firing, 1))
				refuses.Store(true)
				p.now(on("Low", "a", alerts.Resolved, 2))
				p.now(again("Low", "a", alerts.Firing, 3))
				id := mute(t, p.d, "Low", 24*time.Hour)
				refuses.Store(false)
				p.wait(time.Hour)
				p.now(again("Low", "a", alerts.Resolved, 4))
				p.expect(p.wait(0), "1h0m0s ops all alerts resolved: Lowa resolved")
				unmute(t, p.d, id)
				p.expect(p.wait(time.Hour), "")
			})
		})
	}
}

// The end of one is not told either while another is silenced that was told to fire: nobody would
// tell of that one anew once it is not silenced any more.
func TestSilencedBoth(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p := playing(t, "route: {receiver: ops}\n"+hooked("ops"), crashes, nil)
		p.now(on("Low", "a", alerts.Firing, 1))
		p.now(elsewhere("Low", "a", alerts.Firing, 2))
		p.expect(p.wait(0), "0s ops first notification: Lowa firing\n0s ops new alerts added: Lowa firing, Lowa firing")
		id := mute(t, p.d, "Low", time.Hour)
		p.now(on("Low", "a", alerts.Resolved, 3))
		p.expect(p.wait(time.Minute), "")
		unmute(t, p.d, id)
		p.expect(p.wait(time.Hour), "")
		p.now(elsewhere("Low", "a", alerts.Resolved, 4))
		p.expect(p.wait(time.Hour), "1h1m0.003s ops all alerts resolved: Lowa resolved")
	})
}

// An alert that comes again with other labels, as its rule was edited, is another one to receivers:
// the end of the former is told, whatever was refused or waits for its group, and the new one by the
// routes of its labels.
func TestOtherLabels(t *testing.T) {
	is := func(severity string, s alerts.State, at int64) alerts.Notification {
		n := labelled(says("Low", s, at), "channel", severity)
		n.Identify("one")
		return n
	}
	for _, tt := range []struct {
		name, file string
		refused    bool
		told       string
	}{
		{"refused", "route: {receiver: ops}\n", true, "Lowpage resolved, Lowticket firing"},
		{"grouped", "route: {receiver: ops, group_by: [alertname], group_interval: 5m}\n", false, "Lowpage resolved, Lowticket firing"},
		{"grouped and refused", "route: {receiver: ops, group_by: [alertname], group_interval: 5m}\n", true, "Lowpage resolved, Lowticket firing"},
		{"grouped by what was edited", "route: {receiver: ops, group_by: [channel], group_interval: 5m}\n", false, "Lowpage resolved, Lowticket firing"},
		{"to another receiver", "route: {receiver: ops, group_by: [alertname], routes: [{receiver: desk, matchers: ['channel=\"ticket\"']}]}\n", false, "Lowpage resolved, Lowticket firing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, crashes bool) {
				var refuses atomic.Bool
				p := playing(t, tt.file+hooked("ops", "desk"), crashes, func(call) (int, http.Header) {
					if refuses.Load() {
						return http.StatusInternalServerError, nil
					}
					return http.StatusOK, nil
				})
				took := func(d time.Duration) string {
					var out []string
					for line := range strings.Lines(p.wait(d)) {
						_, says, _ := strings.Cut(strings.TrimSpace(line), ": ")
						out = append(out, strings.Split(says, ", ")...)
					}
					slices.Sort(out)
					return strings.Join(out, ", ")
				}
				p.now(is("page", alerts.Firing, 1))
				took(time.Second)
				refuses.Store(tt.refused)
				p.now(is("page", alerts.Resolved, 2))
				p.now(is("ticket", alerts.Firing, 3))
				if time.Sleep(time.Minute); tt.refused {
					took(0)
				}
				refuses.Store(false)
				if got := took(time.Hour); got != tt.told {
					t.Errorf("told %q, want %q", got, tt.told)
				}
				p.now(is("ticket", alerts.Resolved, 4))
				if got := took(time.Hour); got != "Lowticket resolved" {
					t.Errorf("over: told %q", got)
				}
			})
		})
	}
}

// Nor is it lost where several take turns to fire before their group is told.
func TestTakingTurns(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p := playing(t, "route: {receiver: ops, group_by: [alertname], group_wait: 10s, group_interval: 1m}\n"+hooked("ops"), crashes, nil)
		p.now(on("Low", "a", alerts.Firing, 1))
		p.expect(p.wait(10*time.Second), "10s ops first notification: Lowa firing")
		p.now(on("Low", "a", alerts.Resolved, 2))
		p.now(elsewhere("Low", "a", alerts.Firing, 3))
		p.now(elsewhere("Low", "a", alerts.Resolved, 4))
		p.now(elsewhere("Low", "a", alerts.Firing, 5))
		p.now(elsewhere("Low", "a", alerts.Resolved, 6))
		if got := p.wait(time.Minute); !strings.HasSuffix(got, "ops all alerts resolved: Lowa resolved") {
			t.Errorf("told %q", got)
		}
	})
}

// What waits for its receiver says that alerts with the same labels fire as long as they do.
func TestSameLabelsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refuses atomic.Bool
		refuses.Store(true)
		p := playing(t, "route: {receiver: ops}\n"+hooked("ops"), false, func(call) (int, http.Header) {
			if refuses.Load() {
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1), elsewhere("Low", "a", alerts.Firing, 1))
		p.now(on("Low", "a", alerts.Resolved, 2))
		refuses.Store(false)
		if _, said, _ := strings.Cut(p.wait(time.Minute), ": "); said != "Lowa firing" {
			t.Errorf("told %q", said)
		}
	})
}

// Nor is what fires on lost while others with its labels come and go at once.
func TestComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: ops}\n"+hooked("ops"), false, func(c call) (int, http.Header) {
			if c.at < time.Minute {
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1))
		p.now(elsewhere("Low", "a", alerts.Firing, 2), elsewhere("Low", "a", alerts.Resolved, 3), elsewhere("Low", "a", alerts.Firing, 4), elsewhere("Low", "a", alerts.Resolved, 5))
		if _, said, _ := strings.Cut(p.wait(time.Hour), ": "); said != "Lowa firing" {
			t.Errorf("told %q", said)
		}
	})
}

// What was given up is not sent again where its labels fire.
func TestResendSameLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c call) (int, http.Header) {
			if c.msg.Status == string(alerts.Resolved) {
				return http.StatusNotFound, nil
			}
			return http.StatusOK, nil
		})
		d := deliverer(t, r.receivers(), newBox(), Options{})
		over := on("Low", "a", alerts.Resolved, 2)
		notifyAll(t, d, on("Low", "a", alerts.Firing, 1))
		synctest.Wait()
		notifyAll(t, d, over)
		time.Sleep(giveUpAfter + time.Hour)
		notifyAll(t, d, elsewhere("Low", "a", alerts.Firing, 3))
		if _, err := d.Resend(over.ID, ""); !errors.Is(err, ErrOutOfDate) {
			t.Errorf("sent again: %v", err)
		}
	})
}
