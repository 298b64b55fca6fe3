package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// What is owed is listed by the next run too, with what went wrong, and tried
// at once: a restart comes after what was wrong was mended.
func TestOwedAcrossRestarts(t *testing.T) {
	for _, status := range []int{404, 503, 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mended atomic.Bool
				b, r := newBox(), newReceiver(t, func(call) (int, http.Header) {
					if mended.Load() {
						return 200, nil
					}
					return status, nil
				})
				first := deliverer(t, r.receivers(), b, Options{})
				notifyAll(t, first, says("Low", alerts.Firing, 1), says("Other", alerts.Firing, 1))
				time.Sleep(time.Hour)
				stop(first)
				before := first.Deliveries()
				if err := first.Committed(at1(100)); err != nil || len(before) != 2 {
					t.Fatalf("deliveries %+v, %v", before, err)
				}

				next, err := New(r.receivers(), b, Options{})
				if err != nil {
					t.Fatal(err)
				}
				after := next.Deliveries()
				if len(after) != 2 {
					t.Fatalf("deliveries %+v", after)
				}
				for i, v := range after {
					was := before[slices.IndexFunc(before, func(w Delivery) bool { return w.ID == v.ID })]
					if v.Outcome != Retrying || v.Error == "" || v.Error != was.Error || v.Attempts < was.Attempts/2 || v.NextAttempt.After(time.Now()) {
						t.Errorf("%d: listed %+v, before %+v", i, v, was)
					}
				}
				r.take()
				mended.Store(true)
				began := time.Since(r.begin)
				next.Start()
				time.Sleep(time.Minute)
				if c := r.take(); len(c) != 2 || c[0].at != began || c[1].at != began {
					t.Errorf("calls %v, started at %s", c, began)
				}
				stop(next)
			})
		})
	}
}

// Whoever asks how things stand does not wait for the outbox.
func TestBlockedOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		d := deliverer(t, r.receivers(), b, Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		synctest.Wait()
		for name, work := range map[string]func() error{
			"notify":    func() error { return d.Notify([]alerts.Notification{says("Other", alerts.Firing, 2)}) },
			"committed": func() error { return d.Committed(at1(1)) },
		} {
			r.take()
			mend := b.hang()
			done := make(chan error, 1)
			go func() { done <- work() }()
			synctest.Wait() // the outbox blocks
			select {
			case err := <-done:
				t.Fatalf("%s: came back before its write: %v", name, err)
			default:
			}
			d.Deliveries()
			d.Owed()
			if c := r.take(); len(c) != 0 {
				t.Errorf("%s: sent what is not durable: %v", name, c)
			}
			mend()
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			synctest.Wait()
		}
		if l := d.Deliveries(); len(l) != 2 || l[0].Outcome != Delivered || l[1].Outcome != Delivered {
			t.Errorf("deliveries %+v", l)
		}
	})
}

// Of the states that wait for an outage to end only the last is sent.
func TestOutage(t *testing.T) {
	tests := []struct {
		name     string
		during   []alerts.State
		resolved bool // send_resolved
		want     string
	}{
		{"still firing", []alerts.State{alerts.Firing}, true, "Low firing"},
		{"resolved", []alerts.State{alerts.Firing, alerts.Resolved}, true, "Low resolved"},
		{"fires again", []alerts.State{alerts.Firing, alerts.Resolved, alerts.Firing}, true, "Low firing"},
		{"nobody asked for the resolve", []alerts.State{alerts.Firing, alerts.Resolved}, false, ""},
		{"nobody asked, fires again", []alerts.State{alerts.Firing, alerts.Resolved, alerts.Firing}, false, "Low firing"},
	}
	for _, tt := range tests {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", tt.name, together), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var down atomic.Bool
					down.Store(true)
					r := newReceiver(t, func(call) (int, http.Header) {
						if down.Load() {
							return 503, nil
						}
						return 200, nil
					})
					rs := r.receivers()
					rs.Integrations[0].SendResolved = tt.resolved
					d := deliverer(t, rs, newBox(), Options{})
					var ns []alerts.Notification
					for i, s := range tt.during {
						ns = append(ns, says("Low", s, int64(i)))
					}
					if together {
						notifyAll(t, d, ns...)
					} else {
						for _, n := range ns {
							notifyAll(t, d, n)
							time.Sleep(5 * time.Second)
						}
					}
					time.Sleep(time.Minute)
					r.take()
					down.Store(false)
					time.Sleep(2 * retry.MostPause)
					got := ""
					for _, c := range r.take() {
						got += c.msg.Alerts[0].Labels["alertname"] + " " + c.msg.Alerts[0].Status
					}
					want := tt.want
					if together && want == "Low resolved" {
						want = "" // it was over before anybody was to be told
					}
					if got != want {
						t.Errorf("sent %q, want %q", got, want)
					}
					for _, l := range d.Deliveries() {
						if l.Outcome == Retrying {
							t.Errorf("still %+v", l)
						}
					}
				})
			})
		}
	}
}

// What is owed survives a stop; what was delivered is not sent again until an
// epoch covers it, and forgotten then.
func TestRestartOfDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, up := newBox(), &atomic.Bool{}
		answer := func(call) (int, http.Header) {
			if up.Load() {
				return 200, nil
			}
			return 0, nil
		}
		r := newReceiver(t, answer)
		first := deliverer(t, r.receivers(), b, Options{})
		low, other := says("Low", alerts.Firing, 1), says("Other", alerts.Firing, 2)
		notifyAll(t, first, low, other)
		time.Sleep(time.Second)
		stop(first)
		r.take()

		up.Store(true)
		second := deliverer(t, r.receivers(), b, Options{})
		notifyAll(t, second, low) // decided again after the crash
		time.Sleep(time.Second)
		if got := r.take(); len(got) != 2 || got[0].key != low.ID || got[1].key != other.ID {
			t.Fatalf("calls %v", got)
		}
		stop(second)

		third := deliverer(t, r.receivers(), b, Options{})
		notifyAll(t, third, low, other)
		time.Sleep(time.Minute)
		if got := r.take(); len(got) != 0 {
			t.Errorf("sent again: %v", got)
		}
		for second, want := range []int{2, 1, 0} {
			if err := third.Committed(at1(int64(second))); err != nil {
				t.Fatal(err)
			}
			if len(b.owed()) != want {
				t.Errorf("%d entries after second %d, want %d", len(b.owed()), second, want)
			}
		}
	})
}

// A crash between a resolve and its firing's end leaves nothing stale to send.
func TestStaleEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		var up atomic.Bool
		r := newReceiver(t, func(call) (int, http.Header) {
			if up.Load() {
				return 200, nil
			}
			return 503, nil
		})
		d := deliverer(t, r.receivers(), b, Options{})
		firing, resolved := says("Low", alerts.Firing, 1), says("Low", alerts.Resolved, 2)
		notifyAll(t, d, firing)
		synctest.Wait()
		owed := maps.Clone(b.kept)
		notifyAll(t, d, resolved)
		stop(d)
		r.take()
		up.Store(true)
		maps.Copy(b.kept, owed) // as if its firing had been on its way
		b.kept["odd"] = []byte("{")
		b.kept["x/gone"] = encode(&entry{Integration: "gone", Notification: alerts.Notification{ID: "x"}})

		next := deliverer(t, r.receivers(), b, Options{})
		time.Sleep(time.Second)
		if got := fmt.Sprint(r.take()); got != "[0s Low resolved]" {
			t.Errorf("calls %s", got)
		}
		if got, err := next.Drop("x", ""); err != nil || len(got) != 1 || got[0].Error != "dropped" {
			t.Errorf("of one that is gone: %v, %v", got, err)
		}
		if err := next.Committed(at1(9)); err != nil || len(b.current()) != 0 {
			t.Errorf("kept %v, %v", slices.Collect(maps.Keys(b.current())), err)
		}
	})
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		d := deliverer(t, r.receivers(), b, Options{})
		b.fail(errors.New("no space left"))
		if err := d.Notify([]alerts.Notification{says("Low", alerts.Firing, 1)}); err == nil || err.Error() != "write outbox: no space left" {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Second)
		if got := r.take(); len(got) != 0 {
			t.Errorf("sent what is not durable: %v", got)
		}
		b.fail(nil)
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		time.Sleep(time.Second)
		if got := r.take(); len(got) != 1 {
			t.Errorf("calls %v", got)
		}
	})
}

// Stop is bounded although the receiver hangs.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, failing(100, hang))
		d := deliverer(t, r.receivers(), b, Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		synctest.Wait()
		begin := time.Now()
		stop(d)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %s", took)
		}
		stop(d)
		if len(b.owed()) != 1 {
			t.Errorf("kept %v", b.owed())
		}
	})
}

// A delivery is told when a crash would not repeat it.
func TestDeliveredIsNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, mend := newBox(), make(chan func(), 1)
		r := newReceiver(t, func(call) (int, http.Header) {
			mend <- b.hang()
			return 200, nil
		})
		d := deliverer(t, r.receivers(), b, Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		synctest.Wait() // the outbox blocks
		if l := d.Deliveries(); len(l) != 1 || l[0].Outcome == Delivered || len(d.Owed()) != 1 {
			t.Errorf("deliveries %+v, owed %v", l, d.Owed())
		}
		(<-mend)()
		synctest.Wait()
		if l := d.Deliveries(); len(l) != 1 || l[0].Outcome != Delivered || len(d.Owed()) != 0 {
			t.Errorf("deliveries %+v, owed %v", l, d.Owed())
		}
	})
}

// Without a receiver nothing is owed, and each alert that fires is complained of
// once.
func TestNobody(t *testing.T) {
	empty := &Receivers{Default: "nobody", Integrations: []*Integration{{Receiver: "other", protocol: webhook{}}}}
	for _, rs := range []*Receivers{nil, empty} {
		b, set := newBox(), metrics.NewSet()
		var logged []Delivery
		d := deliverer(t, rs, b, Options{Metrics: set, Log: func(v Delivery) { logged = append(logged, v) }})
		low, other := says("Low", alerts.Firing, 1), says("Other", alerts.Firing, 1)
		notifyAll(t, d, low, other)
		notifyAll(t, d)
		notifyAll(t, d, says("Low", alerts.Resolved, 2))
		if s := d.Progress(); len(b.owed()) != 0 || len(s.Deliveries) != 0 || len(s.Receivers) != 0 {
			t.Errorf("owed %v, status %+v", b.owed(), s)
		}
		if len(logged) != 2 || logged[0].ID != low.ID || logged[1].ID != other.ID || logged[0].Outcome != Unsent || logged[0].Error != Unheard.Error() {
			t.Errorf("logged %+v", logged)
		}
		var text strings.Builder
		set.WritePrometheus(&text)
		if want := `tidewatch_notifications_total{receiver="",outcome="unsent"} 2`; !strings.Contains(text.String(), want) {
			t.Errorf("no %s in\n%s", want, &text)
		}
	}
}

func TestLastDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, nil)
		d := deliverer(t, r.receivers(), newBox(), Options{})
		for i := range 60 {
			notifyAll(t, d, says(fmt.Sprint("rule", i), alerts.Firing, 1))
		}
		time.Sleep(time.Second)
		l := d.Deliveries()
		if len(l) != lastDeliveries || l[0].Rule != "rule59" || l[49].Rule != "rule10" {
			t.Errorf("%d deliveries, first %+v", len(l), l[0])
		}
		text, err := json.Marshal(l[0])
		if want := `{"id":"` + l[0].ID + `","receiver":"oncall","rule":"rule59","status":"firing","labels":{"alertname":"rule59"},"starts_at":"2027-01-15T08:00:00.000Z","ends_at":null,"at":"2000-01-01T00:00:00.000Z","attempts":1,"outcome":"delivered","error":"","next_attempt":null,"undelivered":false}`; err != nil || string(text) != want {
			t.Errorf("got %s %v, want %s", text, err, want)
		}
	})
}

// What is over before anybody was told of it is not told, unless its receiver was tried: then it
// may know.
func TestOverBeforeTold(t *testing.T) {
	both := []alerts.Notification{says("Low", alerts.Firing, 1), says("Low", alerts.Resolved, 2)}
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			name string
			tell func(d *Deliverer)
			want []string
		}{
			{"at one close", func(d *Deliverer) { notifyAll(t, d, both...) }, nil},
			{"while it waits", func(d *Deliverer) { notifyAll(t, d, both[0]); notifyAll(t, d, both[1]) }, nil},
			{"and comes again", func(d *Deliverer) { notifyAll(t, d, both...); notifyAll(t, d, both...) }, nil},
			{"and fires again", func(d *Deliverer) { notifyAll(t, d, append(both, says("Low", alerts.Firing, 3))...) }, []string{"oncall Low firing"}},
			{"and should not have fired", func(d *Deliverer) {
				corrected := both[1]
				corrected.Corrected, corrected.ID = true, "corrected"
				notifyAll(t, d, append(both, corrected)...)
			}, nil},
			{"after it was tried", func(d *Deliverer) { d.Start(); notifyAll(t, d, both[0]); synctest.Wait(); notifyAll(t, d, both[1]) }, []string{"oncall Low firing", "oncall Low resolved"}},
		} {
			b, r := newBox(), newReceiver(t, nil)
			d, err := New(r.receivers(), b, Options{})
			if err != nil {
				t.Fatal(err)
			}
			test.tell(d)
			d.Start()
			time.Sleep(time.Minute)
			expect(t, test.name, r.told(), test.want...)
			if err := d.Committed(at1(9)); err != nil || test.want == nil && len(b.current()) != 0 {
				t.Errorf("%s: kept %v, %v", test.name, slices.Collect(maps.Keys(b.current())), err)
			}
			stop(d)
		}
	})
}

// A receiver that is not reached is tried for all that waits: each is told once, as over.
func TestOverWhileUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var up atomic.Bool
		r := newReceiver(t, func(call) (int, http.Header) {
			if up.Load() {
				return 200, nil
			}
			return 0, nil
		})
		d := deliverer(t, r.receivers(), newBox(), Options{})
		notifyAll(t, d, says("First", alerts.Firing, 1))
		time.Sleep(time.Minute)
		notifyAll(t, d, says("Low", alerts.Firing, 2), says("Low", alerts.Resolved, 3))
		r.take()
		up.Store(true)
		time.Sleep(time.Minute)
		expect(t, "once it is reached", r.told(), "oncall First firing", "oncall Low resolved")
	})
}
