package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
)

// past writes the history, the newest first.
func past(d *Deliverer) string {
	var out []string
	for _, e := range d.History().List(history.Query{Limit: 100}).Episodes {
		line := e.Rule + " " + string(e.State)
		for _, t := range e.Told {
			line += fmt.Sprintf(" %s:%s:%s", t.Receiver, t.Status, t.Outcome)
		}
		if e.Any() {
			line += fmt.Sprintf(" held %d %d %d", len(e.SilencedBy), len(e.InhibitedBy), len(e.MutedBy))
		}
		out = append(out, line)
	}
	return strings.Join(out, "; ")
}

func wantPast(t *testing.T, what string, d *Deliverer, want ...string) {
	t.Helper()
	if got := past(d); got != strings.Join(want, "; ") {
		t.Errorf("%s: history is\n%s, want\n%s", what, got, strings.Join(want, "; "))
	}
}

// What is told and what is held back is in the history, through restarts, and once, though
// all that no epoch covers comes again.
func TestHistory(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b, r := newBox(), newReceiver(t, nil)
			d := deliverer(t, r.receivers(), b, Options{})
			var decided []alerts.Notification
			decide := func(ns ...alerts.Notification) {
				decided = append(decided, ns...)
				notifyAll(t, d, ns...)
				synctest.Wait()
				if restarts {
					stop(d)
					d = deliverer(t, r.receivers(), b, Options{})
					notifyAll(t, d, decided...)
					synctest.Wait()
				}
			}
			id := mute(t, d, "Quiet", time.Hour)
			decide(says("Low", alerts.Firing, 1), says("Quiet", alerts.Firing, 1))
			wantPast(t, "fires", d, "Quiet firing held 1 0 0", "Low firing oncall:firing:delivered")
			decide(says("Low", alerts.Resolved, 2))
			wantPast(t, "resolved", d, "Quiet firing held 1 0 0", "Low resolved oncall:firing:delivered oncall:resolved:delivered")
			unmute(t, d, id)
			synctest.Wait()
			decide(says("Quiet", alerts.Resolved, 3))
			wantPast(t, "no longer silenced", d, "Quiet resolved oncall:firing:delivered oncall:resolved:delivered held 1 0 0", "Low resolved oncall:firing:delivered oncall:resolved:delivered")
			if err := d.Committed(at1(3)); err != nil || len(b.owed()) != 1 {
				t.Errorf("kept %v, %v", b.owed(), err) // the silence
			}
		})
	}
}

// Of alerts that nobody is told of there is a history, too: also of one whose resolve is
// lost with a crash, as after it no rule has it fire.
func TestHistoryOfNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		d := deliverer(t, nil, b, Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1), says("Lost", alerts.Firing, 1))
		notifyAll(t, d, says("Low", alerts.Resolved, 2))
		wantPast(t, "told to nobody", d, "Lost firing", "Low resolved")
		stop(d)
		d = deliverer(t, nil, b, Options{})
		if err := d.Prove([]alerts.Notification{says("Rebuilt", alerts.Firing, 1)}, at1(3)); err != nil {
			t.Fatal(err)
		}
		wantPast(t, "proved", d, "Rebuilt firing", "Lost resolved", "Low resolved")
		if err := d.Committed(at1(3)); err != nil || len(b.current()) != 0 {
			t.Errorf("kept %v, %v", b.current(), err)
		}
	})
}

// A disk that takes nothing loses nothing of the history.
func TestHistoryOnFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		d := deliverer(t, r.receivers(), b, Options{})
		b.fail(errors.New("no space left"))
		low := says("Low", alerts.Firing, 1)
		if err := d.Notify([]alerts.Notification{low}); err == nil {
			t.Fatal("taken")
		}
		b.fail(nil)
		notifyAll(t, d, low)
		synctest.Wait()
		stop(d)
		d = deliverer(t, r.receivers(), b, Options{})
		wantPast(t, "restarted", d, "Low firing oncall:firing:delivered")
	})
}

// acknowledge silences alerts with a name until they are resolved.
func acknowledge(t *testing.T, d *Deliverer, alertname string) {
	t.Helper()
	s := muting(alertname, 30*24*time.Hour)
	s.Annotations = map[string]string{"until": "resolved"}
	time.Sleep(time.Millisecond) // Alertmanager takes a change for one if it is later
	if err := d.Silences().Set(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	if err := d.Silenced(); err != nil {
		t.Fatal(err)
	}
}

// An acknowledgement ends when nothing that it silences fires any more: then the next time
// is told. It does not before it is known what fires.
func TestAcknowledge(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b, r := newBox(), newReceiver(t, nil)
			d := deliverer(t, r.receivers(), b, Options{})
			one, other := says("Low", alerts.Firing, 1), says("Low", alerts.Firing, 1)
			other.Labels["channel"] = "b"
			other.Identify("b")
			notifyAll(t, d, one, other, says("High", alerts.Firing, 1))
			acknowledge(t, d, "Low")
			acknowledge(t, d, "None")
			held := func() int {
				return len(d.Holds(one.Labels).SilencedBy) + len(d.Holds(map[string]string{"alertname": "None"}).SilencedBy)
			}
			again := func(firing ...alerts.Notification) {
				synctest.Wait()
				if restarts {
					stop(d)
					d = deliverer(t, r.receivers(), b, Options{})
				}
				time.Sleep(time.Millisecond)
				if err := d.Prove(firing, at1(1)); err != nil {
					t.Fatal(err)
				}
				time.Sleep(2 * time.Millisecond)
			}
			if held() != 2 {
				t.Errorf("%d are in effect before it is known what fires", held())
			}
			again(one, other)
			if held() != 1 {
				t.Errorf("%d are in effect, want that of what fires", held())
			}
			resolved := says("Low", alerts.Resolved, 2)
			notifyAll(t, d, resolved)
			if again(other); held() != 1 {
				t.Error("it is over while another fires")
			}
			gone := other
			gone.Status, gone.WindowEnd, gone.EndsAt = alerts.Resolved, at1(3), time.UnixMilli(at1(3))
			gone.Identify("b")
			notifyAll(t, d, gone)
			if again(); held() != 0 {
				t.Error("it goes on though nothing fires")
			}
			r.take()
			next := says("Low", alerts.Firing, 9)
			next.StartsAt = time.UnixMilli(at1(9))
			notifyAll(t, d, next)
			synctest.Wait()
			expect(t, "fires anew", r.told(), "oncall Low firing")
		})
	}
}

// A receiver is tested through the real path, and what came of it is kept.
func TestTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status atomic.Int32
		status.Store(404)
		b, r := newBox(), newReceiver(t, func(call) (int, http.Header) { return int(status.Load()), nil })
		d := deliverer(t, r.receivers(), b, Options{})
		try := func() string {
			got, err := d.Try(t.Context(), "oncall", "http://tide.example")
			return fmt.Sprint(got, err)
		}
		if got := try(); got != "[{oncall failed answered 404: no such channel [answered 404: no such channel]}] <nil>" {
			t.Errorf("a test that fails: %s", got)
		}
		status.Store(200)
		time.Sleep(time.Second)
		if got := try(); got != "[{oncall delivered  []}] <nil>" {
			t.Errorf("a test: %s", got)
		}
		if c := r.take(); len(c) != 2 || c[1].msg.Alerts[0].Labels["alertname"] != "TidewatchTest" || c[0].key == c[1].key {
			t.Errorf("calls %v", c)
		}
		if _, err := d.Try(t.Context(), "nobody", ""); err == nil || !strings.Contains(err.Error(), `receiver: "nobody" does not exist`) {
			t.Errorf("of nobody: %v", err)
		}
		stop(d)
		d = deliverer(t, r.receivers(), b, Options{})
		s := d.sender("oncall").health
		if s.Delivered.Sub(s.Failed) != time.Second || s.Error != "answered 404: no such channel" {
			t.Errorf("health %+v", s)
		}
		wantPast(t, "a test is no alert", d)
	})
}

// A receiver that takes so many messages gets no more tests than that.
func TestTryWithinLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, nil)
		rs := r.receivers()
		rs.Integrations[0].protocol = limited{webhook{receiver: "oncall"}}
		d := deliverer(t, rs, newBox(), Options{})
		var said []string
		for i := range 3 {
			if i == 2 {
				time.Sleep(5600 * time.Millisecond)
			}
			got, err := d.Try(t.Context(), "oncall", "")
			if err != nil {
				t.Fatal(err)
			}
			said = append(said, string(got[0].Outcome)+got[0].Error+coded(got[0].Reasons))
		}
		if n := len(r.take()); n != 1 || said[0] != "delivered" || said[1] != "failedit is sent no more messages than it takes: try again in 6slimited map[length:6s]" ||
			said[2] != "failedit is sent no more messages than it takes: try again in 1slimited map[length:1s]" {
			t.Errorf("%d messages, said %q", n, said)
		}
	})
}

// limited is a webhook that takes two messages at once and one every six seconds.
type limited struct{ webhook }

func (limited) limits() limits { return limits{burst: 2, every: 6 * time.Second} }
