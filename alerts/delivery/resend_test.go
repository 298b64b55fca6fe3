package delivery

import (
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// What waits for a receiver that has refused it is tried at once when somebody asks for that;
// of what does not wait nothing is sent.
func TestResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		r := newReceiver(t, func(call) (int, http.Header) {
			if mended.Load() {
				return 200, nil
			}
			return 404, http.Header{"Retry-After": {"600"}}
		})
		d := deliverer(t, r.receivers(), newBox(), Options{})
		one, other := says("One", alerts.Firing, 1), says("Other", alerts.Firing, 1)
		notifyAll(t, d, one, other)
		time.Sleep(time.Minute)
		resend := func(id, receiver string, want error) {
			t.Helper()
			got, err := d.Resend(id, receiver)
			if !errors.Is(err, want) || (err == nil) != (len(got) == 1) {
				t.Errorf("resend %s: %+v, %v, want %v", id, got, err, want)
			}
			synctest.Wait()
		}
		r.take()
		resend(one.ID, "oncall", nil)
		if got := r.take(); len(got) != 1 || got[0].key != one.ID {
			t.Errorf("while it refuses: calls %v", got)
		}
		mended.Store(true)
		resend(one.ID, "desk", ErrNotOwed)
		resend("none", "", ErrNotOwed)
		if got := r.take(); len(got) != 0 {
			t.Errorf("of what is not owed: calls %v", got)
		}
		resend(one.ID, "", nil)
		if got := r.take(); len(got) != 1 || got[0].key != one.ID || d.Owed()["oncall"] != 1 {
			t.Errorf("once it is mended: calls %v, owed %v", got, d.Owed())
		}
		resend(one.ID, "", ErrNotOwed)
	})
}

// What was given up is listed, and can be sent again for a week, through restarts, as long as
// it says how things stand.
func TestResendGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mended atomic.Bool
		b, r := newBox(), newReceiver(t, func(call) (int, http.Header) {
			if mended.Load() {
				return 200, nil
			}
			return 404, nil
		})
		d := deliverer(t, r.receivers(), b, Options{})
		lasts, ends, late := says("Lasts", alerts.Firing, 1), says("Ends", alerts.Firing, 1), says("Late", alerts.Firing, 1)
		notifyAll(t, d, lasts, ends)
		time.Sleep(giveUpAfter - 24*time.Hour)
		notifyAll(t, d, late)
		time.Sleep(24*time.Hour + 5*time.Minute)
		again := func() {
			t.Helper()
			stop(d)
			d = deliverer(t, r.receivers(), b, Options{})
			synctest.Wait()
		}
		again()
		if err := d.Committed(at1(10)); err != nil {
			t.Fatal(err)
		}
		again()
		failed := 0
		for _, v := range d.Deliveries() {
			if v.Outcome == Failed && v.Error == "answered 404: no such channel" && v.Labels["alertname"] != "" {
				failed++
			}
		}
		if owed := d.Owed()["oncall"]; failed != 2 || owed != 1 {
			t.Errorf("%d failed, %d owed: %+v", failed, owed, d.Deliveries())
		}
		mended.Store(true)
		r.take()
		notifyAll(t, d, says("Ends", alerts.Resolved, 20))
		synctest.Wait()
		if _, err := d.Resend(ends.ID, ""); !errors.Is(err, ErrOutOfDate) {
			t.Errorf("what has changed: %v", err)
		}
		r.take()
		got, err := d.Resend(lasts.ID, "")
		synctest.Wait()
		if calls := r.take(); err != nil || len(got) != 1 || got[0].Outcome != Queued || len(calls) != 1 || calls[0].key != lasts.ID || calls[0].msg.Alerts[0].Labels["alertname"] != "Lasts" {
			t.Errorf("%+v, %v, calls %v", got, err, calls)
		}
		if _, err := d.Resend(lasts.ID, ""); !errors.Is(err, ErrNotOwed) {
			t.Errorf("once it is delivered: %v", err)
		}
		again()
		if calls := r.take(); len(calls) > 1 {
			t.Errorf("after a restart: calls %v", calls)
		}
		time.Sleep(keptFor)
		if _, err := d.Resend(ends.ID, ""); !errors.Is(err, ErrNotOwed) {
			t.Errorf("after a week: %v", err)
		}
		if err := d.Committed(at1(30)); err != nil || len(b.owed()) != 0 {
			t.Errorf("kept %d, %v", len(b.owed()), err)
		}
	})
}

// What is sent again is one delivery, which does not say any more why it was given up.
func TestResendListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status atomic.Int32
		status.Store(404)
		r := newReceiver(t, func(call) (int, http.Header) { return int(status.Load()), nil })
		d := deliverer(t, r.receivers(), newBox(), Options{})
		n := says("Low", alerts.Firing, 1)
		notifyAll(t, d, n)
		time.Sleep(giveUpAfter + 5*time.Minute)
		for _, tt := range []struct {
			status int32
			want   Outcome
			reason string
		}{{503, Retrying, "answered 503: no such channel"}, {200, Delivered, ""}} {
			status.Store(tt.status)
			if _, err := d.Resend(n.ID, ""); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if l := d.Deliveries(); len(l) != 1 || l[0].Outcome != tt.want || l[0].Error != tt.reason {
				t.Errorf("answered %d: %+v", tt.status, l)
			}
		}
	})
}
