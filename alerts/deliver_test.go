package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/prometheus/alertmanager/notify/webhook"
)

// The package behind metrics starts its goroutine with the first summary: not
// inside a bubble.
var _ = metrics.NewSet().NewSummaryExt("outside", 5*time.Minute, []float64{0.5})

// box is an Outbox in memory.
type box struct {
	mu   sync.Mutex
	kept map[string][]byte
	err  error
	// block, if there is one, holds up every write until it is closed.
	block chan struct{}
}

func newBox() *box { return &box{kept: map[string][]byte{}} }

func (b *box) wait() {
	if b.block != nil {
		<-b.block
	}
}

func (b *box) Put(entries map[string][]byte) error {
	b.wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		maps.Copy(b.kept, entries)
	}
	return b.err
}

func (b *box) Delete(ids ...string) error {
	b.wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		delete(b.kept, id)
	}
	return b.err
}

func (b *box) All() (map[string][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.kept), b.err
}

// call is a request as the receiver saw it.
type call struct {
	at  time.Duration
	key string
	msg webhook.Message
}

func (c call) String() string {
	a := c.msg.Alerts[0]
	return c.at.String() + " " + a.Labels["alertname"] + " " + a.Status
}

// receiver is a webhook's other end, in memory.
type receiver struct {
	t     *testing.T
	mu    sync.Mutex
	begin time.Time
	calls []call
	// answer gives the status of each call; 0 breaks the connection.
	answer func(c call) (status int, header http.Header)
	says   string // in the body
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	c := call{at: time.Since(r.begin), key: req.Header.Get("Idempotency-Key")}
	if err := json.Unmarshal(body, &c.msg); err != nil {
		r.t.Errorf("body %s: %v", body, err)
	}
	r.mu.Lock()
	r.calls = append(r.calls, c)
	r.mu.Unlock()
	status, header := 200, http.Header{}
	if r.answer != nil {
		status, header = r.answer(c)
	}
	switch status {
	case 0:
		return nil, errors.New("connection refused")
	case hang:
		<-req.Context().Done()
		return nil, req.Context().Err()
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(r.says)), Request: req}, nil
}

const hang = -1

func (r *receiver) take() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.calls
	r.calls = nil
	return out
}

func (r *receiver) receivers() *Receivers {
	return &Receivers{Default: "oncall", Webhooks: []*Webhook{{
		Receiver: "oncall", Name: "oncall", URL: "http://hook.example/?key=secret",
		SendResolved: true, Timeout: defaultTimeout, client: &http.Client{Transport: r},
	}}}
}

func newReceiver(t *testing.T, answer func(c call) (int, http.Header)) *receiver {
	return &receiver{t: t, begin: time.Now(), answer: answer, says: "no  such\nchannel"}
}

// deliverer starts one and stops it at the end of the test.
func deliverer(t *testing.T, rs *Receivers, b Outbox, o DeliverOptions) *Deliverer {
	t.Helper()
	d, err := NewDeliverer(rs, b, o)
	if err != nil {
		t.Fatal(err)
	}
	d.Start()
	t.Cleanup(func() { stop(d) })
	return d
}

func stop(d *Deliverer) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	d.Stop(ctx)
}

// says is a notification of an alert.
func says(rule string, status State, second int64) Notification {
	n := Notification{
		Group: "g", Rule: rule, Status: status, Labels: map[string]string{"alertname": rule},
		Annotations: map[string]string{"value": "0.1"}, StartsAt: instant(at1(0)), WindowEnd: at1(second),
	}
	n.identify("")
	return n
}

func notifyAll(t *testing.T, d *Deliverer, ns ...Notification) {
	t.Helper()
	if err := d.Notify(ns); err != nil {
		t.Fatal(err)
	}
}

func failing(n int, status int) func(call) (int, http.Header) {
	var mu sync.Mutex
	return func(call) (int, http.Header) {
		mu.Lock()
		defer mu.Unlock()
		if n--; n >= 0 {
			return status, nil
		}
		return 200, nil
	}
}

func TestRetries(t *testing.T) {
	for _, status := range []int{0, 408, 429, 500, 503, hang} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, b, set := newReceiver(t, failing(3, status)), newBox(), metrics.NewSet()
				d := deliverer(t, r.receivers(), b, DeliverOptions{Metrics: set})
				n := says("Low", Firing, 1)
				notifyAll(t, d, n)
				time.Sleep(2 * time.Minute)
				calls := r.take()
				if len(calls) != 4 {
					t.Fatalf("calls %v", calls)
				}
				for i, c := range calls {
					if c.key != n.ID {
						t.Errorf("call %d has key %s", i, c.key)
					}
					if i == 0 {
						continue
					}
					pause, most := c.at-calls[i-1].at, firstPause<<(i-1)
					if status == hang {
						pause -= defaultTimeout
					}
					if pause < most/2 || pause > most {
						t.Errorf("pause %d is %s, want %s to %s", i, pause, most/2, most)
					}
				}
				if l := d.Deliveries(); len(l) != 1 || l[0].Outcome != Delivered || l[0].Attempts != 4 || l[0].Error != "" {
					t.Errorf("deliveries %+v", l)
				}
				var text strings.Builder
				set.WritePrometheus(&text)
				for _, want := range []string{`{receiver="oncall",outcome="delivered"} 1`, `{receiver="oncall",outcome="retrying"} 3`, `{receiver="oncall",outcome="failed"} 0`} {
					if !strings.Contains(text.String(), "tidewatch_notifications_total"+want) {
						t.Errorf("no %s in\n%s", want, &text)
					}
				}
			})
		})
	}
}

// What a receiver refuses is tried again too, ever less often: once it takes
// it, nobody has missed a page.
func TestRefused(t *testing.T) {
	for _, status := range []int{301, 400, 401, 404, 410} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mended atomic.Bool
				r := newReceiver(t, func(c call) (int, http.Header) {
					if c.msg.CommonLabels["alertname"] == "Low" && !mended.Load() {
						return status, nil
					}
					return 200, nil
				})
				d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
				notifyAll(t, d, says("Low", Firing, 1), says("Other", Firing, 1))
				time.Sleep(6 * time.Hour)
				calls := r.take()
				if n := len(calls) - 1; n < 6*12 || n > 6*24+10 {
					t.Errorf("%d attempts in 6 hours", n)
				}
				last := calls[len(calls)-1].at
				l := d.Deliveries()
				if len(l) != 2 || l[0].Outcome != Retrying || l[0].Rule != "Low" || l[0].Attempts != len(calls)-1 ||
					!strings.Contains(l[0].Error, fmt.Sprint(status)) || strings.Contains(l[0].Error, "secret") ||
					l[0].At.Sub(r.begin) != last || l[0].NextAttempt.Sub(l[0].At.Time) > mostRefused || l[0].NextAttempt.Sub(l[0].At.Time) < mostRefused/2 {
					t.Errorf("deliveries %+v", l)
				}
				if status == 400 && l[0].Error != "answered 400: no such channel" {
					t.Errorf("error %q", l[0].Error)
				}
				mended.Store(true)
				time.Sleep(mostRefused)
				if l := d.Deliveries(); len(r.take()) != 1 || l[0].Outcome != Delivered || l[0].Error != "" || !l[0].NextAttempt.IsZero() {
					t.Errorf("deliveries %+v", l)
				}
			})
		})
	}
}

// A service that answers 404 while it is deployed is not taken for one that
// refuses: the pauses begin anew when the kind of failure changes.
func TestRefusedForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		r := newReceiver(t, func(call) (int, http.Header) {
			n++
			switch {
			case n <= 10:
				return 503, nil
			case n == 11:
				return 404, nil
			}
			return 200, nil
		})
		d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
		notifyAll(t, d, says("Low", Firing, 1))
		time.Sleep(10 * time.Minute)
		if c := r.take(); len(c) != 12 || c[11].at-c[10].at > firstRefused {
			t.Errorf("calls %v", c)
		}
	})
}

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
				first := deliverer(t, r.receivers(), b, DeliverOptions{})
				notifyAll(t, first, says("Low", Firing, 1), says("Other", Firing, 1))
				time.Sleep(time.Hour)
				stop(first)
				before := first.Deliveries()
				if err := first.Committed(at1(100)); err != nil || len(before) != 2 {
					t.Fatalf("deliveries %+v, %v", before, err)
				}

				next, err := NewDeliverer(r.receivers(), b, DeliverOptions{})
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

// What nobody takes for a week is given up, said and counted.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, set := newBox(), newReceiver(t, func(call) (int, http.Header) { return 404, nil }), metrics.NewSet()
		var logged []Delivery
		d := deliverer(t, r.receivers(), b, DeliverOptions{Metrics: set, Log: func(v Delivery) { logged = append(logged, v) }})
		notifyAll(t, d, says("Low", Firing, 1))
		time.Sleep(giveUpAfter - time.Second)
		if l := d.Deliveries(); l[0].Outcome != Retrying {
			t.Fatalf("deliveries %+v", l)
		}
		time.Sleep(mostRefused)
		l := d.Deliveries()
		if len(l) != 1 || l[0].Outcome != Failed || l[0].Error != "given up after 7 days: answered 404: no such channel" || len(d.Owed()) != 0 {
			t.Errorf("deliveries %+v, owed %v", l, d.Owed())
		}
		if last := logged[len(logged)-1]; last.Outcome != Failed || last.Error != l[0].Error {
			t.Errorf("logged %+v", last)
		}
		r.take()
		time.Sleep(time.Hour)
		if c := r.take(); len(c) != 0 {
			t.Errorf("calls %v", c)
		}
		var text strings.Builder
		set.WritePrometheus(&text)
		if want := `tidewatch_notifications_total{receiver="oncall",outcome="failed"} 1`; !strings.Contains(text.String(), want) {
			t.Errorf("no %s in\n%s", want, &text)
		}
		if err := d.Committed(at1(1)); err != nil || len(b.kept) != 0 {
			t.Errorf("kept %v, %v", b.kept, err)
		}
	})
}

// Whoever asks how things stand does not wait for the outbox.
func TestBlockedOutbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		d := deliverer(t, r.receivers(), b, DeliverOptions{})
		notifyAll(t, d, says("Low", Firing, 1))
		synctest.Wait()
		for name, work := range map[string]func() error{
			"notify":    func() error { return d.Notify([]Notification{says("Other", Firing, 2)}) },
			"committed": func() error { return d.Committed(at1(1)) },
		} {
			r.take()
			b.block = make(chan struct{})
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
			close(b.block)
			if err := <-done; err != nil {
				t.Errorf("%s: %v", name, err)
			}
			b.block = nil
			synctest.Wait()
		}
		if l := d.Deliveries(); len(l) != 2 || l[0].Outcome != Delivered || l[1].Outcome != Delivered {
			t.Errorf("deliveries %+v", l)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := false
		r := newReceiver(t, func(call) (int, http.Header) {
			if asked {
				return 200, nil
			}
			asked = true
			return 429, http.Header{"Retry-After": {"120"}}
		})
		d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
		notifyAll(t, d, says("Low", Firing, 1))
		time.Sleep(time.Hour)
		if got := r.take(); len(got) != 2 || got[1].at != 2*time.Minute {
			t.Errorf("calls %v", got)
		}
	})
}

// Of the states that wait for an outage to end only the last is sent.
func TestOutage(t *testing.T) {
	tests := []struct {
		name     string
		during   []State
		resolved bool // send_resolved
		want     string
	}{
		{"still firing", []State{Firing}, true, "Low firing"},
		{"resolved", []State{Firing, Resolved}, true, "Low resolved"},
		{"fires again", []State{Firing, Resolved, Firing}, true, "Low firing"},
		{"nobody asked for the resolve", []State{Firing, Resolved}, false, ""},
		{"nobody asked, fires again", []State{Firing, Resolved, Firing}, false, "Low firing"},
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
					rs.Webhooks[0].SendResolved = tt.resolved
					d := deliverer(t, rs, newBox(), DeliverOptions{})
					var ns []Notification
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
					time.Sleep(2 * mostPause)
					got := ""
					for _, c := range r.take() {
						got += c.msg.Alerts[0].Labels["alertname"] + " " + c.msg.Alerts[0].Status
					}
					if got != tt.want {
						t.Errorf("sent %q, want %q", got, tt.want)
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

// A resolve does not overtake its firing, which is slow.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c call) (int, http.Header) {
			if c.msg.Status == string(Firing) {
				time.Sleep(5 * time.Second)
			}
			return 200, nil
		})
		d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
		notifyAll(t, d, says("Low", Firing, 1))
		synctest.Wait()
		notifyAll(t, d, says("Low", Resolved, 2))
		time.Sleep(time.Minute)
		if got := fmt.Sprint(r.take()); got != "[0s Low firing 5s Low resolved]" {
			t.Errorf("calls %s", got)
		}
	})
}

// One that its receiver cannot stomach does not hold up the others.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c call) (int, http.Header) {
			if c.msg.CommonLabels["alertname"] == "Poison" {
				return 500, nil
			}
			return 200, nil
		})
		d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
		notifyAll(t, d, says("Poison", Firing, 1), says("A", Firing, 1), says("B", Firing, 1))
		time.Sleep(3 * time.Second)
		delivered := 0
		for _, l := range d.Deliveries() {
			if l.Outcome == Delivered {
				delivered++
			}
		}
		if delivered != 2 {
			t.Errorf("deliveries %+v", d.Deliveries())
		}
	})
}

// Nor does it delay what comes later, whatever its receiver asks for; one that
// says we send too much is left alone.
func TestPoisonAndLater(t *testing.T) {
	for _, tt := range []struct {
		status int
		after  string
		want   string
	}{
		{500, "", "[2m0s Later firing]"},
		{503, "600", "[2m0s Later firing]"},
		{429, "", "[2m0s Later firing]"},
		{429, "600", "[10m0s Later firing]"},
	} {
		t.Run(fmt.Sprint(tt.status, tt.after), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReceiver(t, func(c call) (int, http.Header) {
					if c.msg.CommonLabels["alertname"] == "Poison" {
						return tt.status, http.Header{"Retry-After": {tt.after}}
					}
					return 200, nil
				})
				d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
				notifyAll(t, d, says("Poison", Firing, 1))
				time.Sleep(2 * time.Minute)
				notifyAll(t, d, says("Later", Firing, 2))
				time.Sleep(10 * time.Minute)
				later := slices.DeleteFunc(r.take(), func(c call) bool { return c.msg.CommonLabels["alertname"] != "Later" })
				if got := fmt.Sprint(later); got != tt.want {
					t.Errorf("calls %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// While nobody answers, no notification is tried sooner for being another.
func TestUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, failing(100, 0))
		d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
		for i := range 50 {
			notifyAll(t, d, says(fmt.Sprint("rule", i), Firing, 1))
		}
		time.Sleep(time.Minute)
		if n := len(r.take()); n < 8 || n > 15 {
			t.Errorf("%d calls", n)
		}
	})
}

// A stop gives all that waits one more try, due or not.
func TestLastTry(t *testing.T) {
	for _, status := range []int{0, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, r := newBox(), newReceiver(t, failing(100, status))
				d := deliverer(t, r.receivers(), b, DeliverOptions{})
				notifyAll(t, d, says("A", Firing, 1), says("B", Firing, 1), says("C", Firing, 1))
				time.Sleep(5 * time.Minute)
				r.take()
				stop(d)
				var got []string
				for _, c := range r.take() {
					got = append(got, c.msg.CommonLabels["alertname"])
				}
				slices.Sort(got)
				if fmt.Sprint(got) != "[A B C]" || len(b.kept) != 3 {
					t.Errorf("tried %v, kept %d", got, len(b.kept))
				}
			})
		})
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
		first := deliverer(t, r.receivers(), b, DeliverOptions{})
		low, other := says("Low", Firing, 1), says("Other", Firing, 2)
		notifyAll(t, first, low, other)
		time.Sleep(time.Second)
		stop(first)
		r.take()

		up.Store(true)
		second := deliverer(t, r.receivers(), b, DeliverOptions{})
		notifyAll(t, second, low) // decided again after the crash
		time.Sleep(time.Second)
		if got := r.take(); len(got) != 2 || got[0].key != low.ID || got[1].key != other.ID {
			t.Fatalf("calls %v", got)
		}
		stop(second)

		third := deliverer(t, r.receivers(), b, DeliverOptions{})
		notifyAll(t, third, low, other)
		time.Sleep(time.Minute)
		if got := r.take(); len(got) != 0 {
			t.Errorf("sent again: %v", got)
		}
		for second, want := range []int{2, 1, 0} {
			if err := third.Committed(at1(int64(second))); err != nil {
				t.Fatal(err)
			}
			if len(b.kept) != want {
				t.Errorf("%d entries after second %d, want %d", len(b.kept), second, want)
			}
		}
	})
}

// A crash between a resolve and its firing's end leaves nothing stale to send.
func TestStaleEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBox()
		r := newReceiver(t, nil)
		d, err := NewDeliverer(r.receivers(), b, DeliverOptions{})
		if err != nil {
			t.Fatal(err)
		}
		firing, resolved := says("Low", Firing, 1), says("Low", Resolved, 2)
		notifyAll(t, d, firing)
		owed := maps.Clone(b.kept)
		notifyAll(t, d, resolved)
		maps.Copy(b.kept, owed) // as if its firing had been on its way
		b.kept["odd"] = []byte("{")
		b.kept["x/gone"] = encode(&entry{Webhook: "gone", Notification: Notification{ID: "x"}})

		next := deliverer(t, r.receivers(), b, DeliverOptions{})
		time.Sleep(time.Second)
		if got := fmt.Sprint(r.take()); got != "[0s Low resolved]" {
			t.Errorf("calls %s", got)
		}
		if err := next.Committed(at1(9)); err != nil || len(b.kept) != 0 {
			t.Errorf("kept %v, %v", slices.Collect(maps.Keys(b.kept)), err)
		}
	})
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		d := deliverer(t, r.receivers(), b, DeliverOptions{})
		b.err = errors.New("no space left")
		if err := d.Notify([]Notification{says("Low", Firing, 1)}); err == nil || err.Error() != "write outbox: no space left" {
			t.Errorf("error %v", err)
		}
		time.Sleep(time.Second)
		if got := r.take(); len(got) != 0 {
			t.Errorf("sent what is not durable: %v", got)
		}
		b.err = nil
		notifyAll(t, d, says("Low", Firing, 1))
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
		d := deliverer(t, r.receivers(), b, DeliverOptions{})
		notifyAll(t, d, says("Low", Firing, 1))
		synctest.Wait()
		begin := time.Now()
		stop(d)
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %s", took)
		}
		stop(d)
		if len(b.kept) != 1 {
			t.Errorf("kept %v", b.kept)
		}
	})
}

// Without a receiver nothing is owed, and each alert that fires is complained of
// once.
func TestNobody(t *testing.T) {
	empty := &Receivers{Default: "nobody", Webhooks: []*Webhook{{Receiver: "other"}}}
	for _, rs := range []*Receivers{nil, empty} {
		b, set := newBox(), metrics.NewSet()
		var logged []Delivery
		d := deliverer(t, rs, b, DeliverOptions{Metrics: set, Log: func(v Delivery) { logged = append(logged, v) }})
		low, other := says("Low", Firing, 1), says("Other", Firing, 1)
		notifyAll(t, d, low, other)
		notifyAll(t, d)
		notifyAll(t, d, says("Low", Resolved, 2))
		if s := d.Status(); len(b.kept) != 0 || len(s.Deliveries) != 0 || len(s.Receivers) != 0 {
			t.Errorf("kept %v, status %+v", b.kept, s)
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
		d := deliverer(t, r.receivers(), newBox(), DeliverOptions{})
		for i := range 60 {
			notifyAll(t, d, says(fmt.Sprint("rule", i), Firing, 1))
		}
		time.Sleep(time.Second)
		l := d.Deliveries()
		if len(l) != lastDeliveries || l[0].Rule != "rule59" || l[49].Rule != "rule10" {
			t.Errorf("%d deliveries, first %+v", len(l), l[0])
		}
		text, err := json.Marshal(l[0])
		if want := `{"id":"` + l[0].ID + `","receiver":"oncall","rule":"rule59","status":"firing","labels":{"alertname":"rule59"},"starts_at":"2027-01-15T08:00:00.000Z","ends_at":null,"at":"2000-01-01T00:00:00.000Z","attempts":1,"outcome":"delivered","error":"","next_attempt":null}`; err != nil || string(text) != want {
			t.Errorf("got %s %v, want %s", text, err, want)
		}
	})
}
