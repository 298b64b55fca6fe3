package delivery

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/retry"
)

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
				d := deliverer(t, r.receivers(), b, Options{Metrics: set})
				n := says("Low", alerts.Firing, 1)
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
					pause, most := c.at-calls[i-1].at, retry.FirstPause<<(i-1)
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
				d := deliverer(t, r.receivers(), newBox(), Options{})
				notifyAll(t, d, says("Low", alerts.Firing, 1), says("Other", alerts.Firing, 1))
				time.Sleep(6 * time.Hour)
				calls := r.take()
				if n := len(calls) - 1; n < 6*12 || n > 6*24+10 {
					t.Errorf("%d attempts in 6 hours", n)
				}
				last := calls[len(calls)-1].at
				l := d.Deliveries()
				if len(l) != 2 || l[0].Outcome != Retrying || l[0].Rule != "Low" || l[0].Attempts != len(calls)-1 ||
					!strings.Contains(l[0].Error, fmt.Sprint(status)) || strings.Contains(l[0].Error, "secret") ||
					l[0].At.Sub(r.begin) != last || l[0].NextAttempt.Sub(l[0].At.Time) > retry.MostRefused || l[0].NextAttempt.Sub(l[0].At.Time) < retry.MostRefused/2 {
					t.Errorf("deliveries %+v", l)
				}
				if status == 400 && l[0].Error != "answered 400: no such channel" {
					t.Errorf("error %q", l[0].Error)
				}
				mended.Store(true)
				time.Sleep(retry.MostRefused)
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
		d := deliverer(t, r.receivers(), newBox(), Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		time.Sleep(10 * time.Minute)
		if c := r.take(); len(c) != 12 || c[11].at-c[10].at > retry.FirstRefused {
			t.Errorf("calls %v", c)
		}
	})
}

// What nobody takes for a week is given up, said and counted.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r, set := newBox(), newReceiver(t, func(call) (int, http.Header) { return 404, nil }), metrics.NewSet()
		var logged []Delivery
		d := deliverer(t, r.receivers(), b, Options{Metrics: set, Log: func(v Delivery) { logged = append(logged, v) }})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		time.Sleep(giveUpAfter - time.Second)
		if l := d.Deliveries(); l[0].Outcome != Retrying {
			t.Fatalf("deliveries %+v", l)
		}
		time.Sleep(retry.MostRefused)
		l := d.Deliveries()
		if len(l) != 1 || l[0].Outcome != Failed || l[0].Error != "given up after 7 days: answered 404: no such channel" ||
			coded(l[0].Reasons) != "given_up map[days:7], explained map[error:no such channel status:404]" || len(d.Owed()) != 0 {
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
		if err := d.Committed(at1(1)); err != nil || len(b.owed()) != 1 { // it can be sent again
			t.Errorf("kept %d, %v", len(b.owed()), err)
		}
		time.Sleep(keptFor)
		if err := d.Committed(at1(1)); err != nil || len(b.owed()) != 0 {
			t.Errorf("kept in the end %d, %v", len(b.owed()), err)
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
		d := deliverer(t, r.receivers(), newBox(), Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		time.Sleep(time.Hour)
		if got := r.take(); len(got) != 2 || got[1].at != 2*time.Minute {
			t.Errorf("calls %v", got)
		}
	})
}

// A resolve does not overtake its firing, which is slow.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, func(c call) (int, http.Header) {
			if c.msg.Status == string(alerts.Firing) {
				time.Sleep(5 * time.Second)
			}
			return 200, nil
		})
		d := deliverer(t, r.receivers(), newBox(), Options{})
		notifyAll(t, d, says("Low", alerts.Firing, 1))
		synctest.Wait()
		notifyAll(t, d, says("Low", alerts.Resolved, 2))
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
		d := deliverer(t, r.receivers(), newBox(), Options{})
		notifyAll(t, d, says("Poison", alerts.Firing, 1), says("A", alerts.Firing, 1), says("B", alerts.Firing, 1))
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
				d := deliverer(t, r.receivers(), newBox(), Options{})
				notifyAll(t, d, says("Poison", alerts.Firing, 1))
				time.Sleep(2 * time.Minute)
				notifyAll(t, d, says("Later", alerts.Firing, 2))
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
		d := deliverer(t, r.receivers(), newBox(), Options{})
		for i := range 50 {
			notifyAll(t, d, says(fmt.Sprint("rule", i), alerts.Firing, 1))
		}
		time.Sleep(time.Minute)
		if n := len(r.take()); n < 8 || n > 15 {
			t.Errorf("%d calls", n)
		}
	})
}

// A receiver that takes nothing, whatever it answers, is tried as a whole: not once for each
// notification, new ones and those of the next run included. Once it takes one it gets all.
func TestBreaker(t *testing.T) {
	for _, status := range []int{401, 404, 429, 500, 503, hang} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mended atomic.Bool
				b, r := newBox(), newReceiver(t, func(call) (int, http.Header) {
					if mended.Load() {
						return 200, nil
					}
					return status, nil
				})
				d := deliverer(t, r.receivers(), b, Options{})
				for i := range 50 {
					notifyAll(t, d, says(fmt.Sprint("rule", i), alerts.Firing, 1))
				}
				count := func(what string, least, most int) {
					t.Helper()
					synctest.Wait()
					if n := len(r.take()); n < least || n > most {
						t.Errorf("%s: %d calls, want %d to %d", what, n, least, most)
					}
				}
				most := 10 * time.Minute / retry.MostPause * 2
				time.Sleep(10 * time.Minute)
				count("at first", opensAfter, int(most)+2*opensAfter)
				notifyAll(t, d, says("new", alerts.Firing, 2))
				time.Sleep(10 * time.Minute)
				count("later", 1, int(most))
				stop(d)
				count("at the end", 0, 2)
				d = deliverer(t, r.receivers(), b, Options{})
				time.Sleep(10 * time.Minute)
				count("in the next run", opensAfter, int(most)+2*opensAfter)
				mended.Store(true)
				time.Sleep(retry.MostPause + defaultTimeout)
				count("once it is well", 51, 51)
				if len(d.Owed()) > 0 {
					t.Errorf("owed %v", d.Owed())
				}
			})
		})
	}
}

// A stop gives all that waits one more try, due or not.
func TestLastTry(t *testing.T) {
	for _, status := range []int{0, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, r := newBox(), newReceiver(t, failing(100, status))
				d := deliverer(t, r.receivers(), b, Options{})
				notifyAll(t, d, says("A", alerts.Firing, 1), says("B", alerts.Firing, 1), says("C", alerts.Firing, 1))
				time.Sleep(5 * time.Minute)
				r.take()
				stop(d)
				var got []string
				for _, c := range r.take() {
					got = append(got, c.msg.CommonLabels["alertname"])
				}
				slices.Sort(got)
				if fmt.Sprint(got) != "[A B C]" || len(b.owed()) != 3 {
					t.Errorf("tried %v, kept %d", got, len(b.owed()))
				}
			})
		})
	}
}
