package delivery

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/tidewatch/tidewatch/alerts"
)

// muting silences the alerts with a name.
func muting(alertname string, length time.Duration) *silencepb.Silence {
	now := time.Now()
	return &silencepb.Silence{
		StartsAt: timestamppb.New(now), EndsAt: timestamppb.New(now.Add(length)), CreatedBy: "test", Comment: "test",
		MatcherSets: []*silencepb.MatcherSet{{Matchers: []*silencepb.Matcher{{Name: "alertname", Pattern: alertname}}}},
	}
}

// mute silences the alerts with a name, as the API does.
func mute(t *testing.T, d *Deliverer, alertname string, length time.Duration) (id string) {
	t.Helper()
	s := muting(alertname, length)
	if err := d.Silences().Set(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if err := d.Silenced(); err != nil {
		t.Fatal(err)
	}
	return s.Id
}

func unmute(t *testing.T, d *Deliverer, id string) {
	t.Helper()
	time.Sleep(time.Millisecond) // Alertmanager takes a change for one if it is later
	if err := d.Silences().Expire(context.Background(), id); err != nil {
		t.Fatal(err)
	}
	if err := d.Silenced(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond) // in the instant of its end it is still in effect
}

// A silenced alert is not sent; it is when the silence is over and it still fires. Through
// all of it a restart changes nothing.
func TestSilence(t *testing.T) {
	for _, end := range []string{"by itself", "expired"} {
		for _, restarts := range []bool{false, true} {
			t.Run(end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, r := newBox(), newReceiver(t, nil)
					d := deliverer(t, r.receivers(), b, Options{})
					again := func() {
						synctest.Wait()
						if restarts {
							stop(d)
							d = deliverer(t, r.receivers(), b, Options{})
						}
					}
					notifyAll(t, d, says("Sent", alerts.Firing, 1))
					again()
					id := mute(t, d, "Sent", time.Hour)
					other := mute(t, d, "Other", time.Hour)
					again()
					notifyAll(t, d, says("Other", alerts.Firing, 2), says("Loud", alerts.Firing, 2), says("Over", alerts.Firing, 2))
					again()
					expect(t, "silenced", r.told(), "oncall Sent firing", "oncall Loud firing", "oncall Over firing")
					if h := d.Holds(says("Other", alerts.Firing, 2).Labels); len(h.SilencedBy) != 1 || h.SilencedBy[0] != other {
						t.Errorf("held by %+v, want %s", h, other)
					}
					notifyAll(t, d, says("Sent", alerts.Resolved, 3), says("Other", alerts.Resolved, 3), says("Other", alerts.Firing, 4))
					again()
					expect(t, "resolved", r.told(), "oncall Sent resolved")
					if end == "expired" {
						unmute(t, d, other)
						unmute(t, d, id)
					} else {
						time.Sleep(time.Hour + time.Second)
					}
					again()
					expect(t, "ended", r.told(), "oncall Other firing")
					notifyAll(t, d, says("Other", alerts.Firing, 4))
					time.Sleep(6 * 24 * time.Hour)
					if err := d.Silenced(); err != nil {
						t.Fatal(err)
					}
					again()
					expect(t, "later", r.told())
					notifyAll(t, d, says("Other", alerts.Resolved, 9), says("Loud", alerts.Resolved, 9), says("Over", alerts.Resolved, 9))
					again()
					r.take()
					if err := d.Committed(at1(9)); err != nil || len(b.current()) != 0 {
						t.Errorf("kept %v, %v", b.current(), err)
					}
				})
			})
		}
	}
}

// What waits for its receiver when it is silenced is not sent, and is afterwards, with the
// id that it had.
func TestSilencedWhileItWaits(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var down atomic.Bool
			down.Store(true)
			b, r := newBox(), newReceiver(t, func(call) (int, http.Header) {
				if down.Load() {
					return 503, nil
				}
				return 200, nil
			})
			d := deliverer(t, r.receivers(), b, Options{})
			again := func() {
				if restarts {
					stop(d)
					r.take()
					d = deliverer(t, r.receivers(), b, Options{})
				}
				synctest.Wait()
			}
			low := says("Low", alerts.Firing, 1)
			notifyAll(t, d, low)
			again()
			id := mute(t, d, "Low", time.Hour)
			r.take()
			again()
			down.Store(false)
			if owed := d.Owed(); len(owed) != 0 {
				t.Errorf("owed %v", owed)
			}
			time.Sleep(30 * time.Minute)
			expect(t, "silenced", r.told())
			if err := d.Committed(at1(1)); err != nil {
				t.Fatal(err)
			}
			again()
			unmute(t, d, id)
			synctest.Wait()
			if c := r.take(); len(c) != 1 || c[0].key != low.ID {
				t.Errorf("calls %v", c)
			}
		})
	}
}

// A silence that cannot be kept is told as such, and kept later.
func TestSilenceOnFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		d := deliverer(t, r.receivers(), b, Options{})
		id := mute(t, d, "Low", time.Hour)
		time.Sleep(time.Millisecond)
		b.fail(errors.New("no space left"))
		if err := d.Silences().Expire(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := d.Silenced(); err == nil || err.Error() != "write silences: no space left" {
			t.Errorf("error %v", err)
		}
		b.fail(nil)
		if err := d.Silenced(); err != nil {
			t.Fatal(err)
		}
		stop(d)
		time.Sleep(time.Millisecond)
		d = deliverer(t, r.receivers(), b, Options{})
		if h := d.Holds(map[string]string{"alertname": "Low"}); h.Any() {
			t.Errorf("held by %+v", h)
		}
	})
}
