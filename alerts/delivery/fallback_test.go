package delivery

import (
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

// falling are receivers by an Alertmanager file. Each has a webhook whose path is its name.
func falling(t *testing.T, route string, receivers ...string) *Receivers {
	t.Helper()
	var all []string
	for _, r := range receivers {
		name, rest, _ := strings.Cut(r, ",")
		all = append(all, fmt.Sprintf("{name: %s, webhook_configs: [{url: 'http://hook/%s'}], %s}", name, name, rest))
	}
	rs, err := LoadReceivers("am.yml", []byte("route: "+route+"\nreceivers: ["+strings.Join(all, ", ")+"]"))
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

// heard are the calls since they were last asked for: when, who, what and in whose place. Of
// attempts that fail there are none.
func (r *receiver) heard(refused func(path string) bool) (out []string) {
	for _, c := range r.take() {
		if refused(c.path) {
			continue
		}
		var what []string
		for _, a := range c.msg.Alerts {
			text := a.Labels["alertname"] + " " + a.Status
			if by := a.Annotations["not_taken_by"]; by != "" {
				text += " not taken by " + by
			}
			what = append(what, text)
		}
		slices.Sort(what)
		out = append(out, fmt.Sprint(c.at.Round(time.Second), " ", c.path[1:], ": ", strings.Join(what, ", ")))
	}
	slices.Sort(out)
	return out
}

// What a receiver does not take goes to its fallback, once, which then hears what becomes of
// it, whatever becomes of the service.
func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		refused := func(path string) bool { return down.Load() && path == "/oncall" }
		r := newReceiver(t, func(c call) (int, http.Header) {
			if refused(c.path) {
				return http.StatusServiceUnavailable, nil
			}
			return http.StatusOK, nil
		})
		rs := func() *Receivers {
			return falling(t, "{receiver: oncall}", "oncall, fallback: desk, fallback_after: 3m", "desk")
		}
		b := newBox()
		d := deliverer(t, rs(), b, Options{Transport: r})
		expect := func(what string, want ...string) {
			t.Helper()
			synctest.Wait()
			if got := r.heard(refused); !slices.Equal(got, want) {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		notifyAll(t, d, says("Taken", alerts.Firing, 1))
		time.Sleep(10 * time.Minute)
		expect("taken", "0s oncall: Taken firing")
		down.Store(true)
		notifyAll(t, d, says("Late", alerts.Firing, 2), says("Short", alerts.Firing, 2))
		time.Sleep(2 * time.Minute)
		notifyAll(t, d, says("Short", alerts.Resolved, 3), says("Taken", alerts.Resolved, 3))
		time.Sleep(59 * time.Second)
		expect("waits")
		time.Sleep(time.Second)
		expect("in time", "13m0s desk: Late firing not taken by oncall")
		stop(d)
		d = deliverer(t, rs(), b, Options{Transport: r})
		time.Sleep(time.Hour)
		expect("once")
		begun := time.Since(r.begin).Round(time.Second)
		notifyAll(t, d, says("Late", alerts.Resolved, 4))
		time.Sleep(10 * time.Second)
		expect("the end of it", fmt.Sprint(begun, " desk: Late resolved"))
		down.Store(false)
		time.Sleep(time.Minute)
		synctest.Wait()
		var last []string
		for _, c := range r.take() {
			last = append(last, c.path[1:]+" "+c.msg.Alerts[0].Labels["alertname"]+" "+c.msg.Status)
		}
		slices.Sort(last)
		if want := []string{"oncall Late resolved", "oncall Short resolved", "oncall Taken resolved"}; !slices.Equal(last, want) {
			t.Errorf("once it is up: %q, want %q", last, want)
		}
		if len(d.Owed()) != 0 {
			t.Errorf("owed %v", d.Owed())
		}
	})
}

// A group that changes while it waits is as old as what was first in it, a fallback has one of
// its own, and a reload can name one for what waits.
func TestFallbackOfGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := func(path string) bool { return path != "/last" }
		r := newReceiver(t, func(c call) (int, http.Header) {
			if refused(c.path) {
				return 0, nil
			}
			return http.StatusOK, nil
		})
		const route = "{receiver: first, group_by: [], group_interval: 1s}"
		b := newBox()
		d := deliverer(t, falling(t, route, "first", "second", "last"), b, Options{Transport: r})
		notifyAll(t, d, says("A", alerts.Firing, 1))
		time.Sleep(4 * time.Minute)
		notifyAll(t, d, says("B", alerts.Firing, 2))
		time.Sleep(30 * time.Second)
		stop(d) // how long it waits is known by the next run
		rs := func() *Receivers {
			return falling(t, route, "first, fallback: second", "second, fallback: last, fallback_after: 2m", "last")
		}
		d = deliverer(t, falling(t, route, "first", "second", "last"), b, Options{Transport: r})
		if err := d.Reload(rs()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Minute + 31*time.Second)
		synctest.Wait()
		if got, want := r.heard(refused), []string{"7m0s last: A firing not taken by second, B firing not taken by second"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
		notifyAll(t, d, says("A", alerts.Resolved, 3))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got, want := r.heard(refused), []string{"7m1s last: A resolved, B firing not taken by second"}; !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

// A fallback that cannot be told is warned of.
func TestFallbackOfNobody(t *testing.T) {
	rs, err := LoadReceivers("am.yml", []byte("route: {receiver: a}\nreceivers: [{name: a, fallback: b, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}, {name: b}]"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `am.yml:2: receivers[0].fallback: "b" has no integration, so nobody is told in the place of a: give it ` + anyConfigs; len(rs.Warnings) != 1 || rs.Warnings[0].Error() != want {
		t.Errorf("warnings %v, want %s", rs.Warnings, want)
	}
}

// Receivers say who is told in their place, and when.
func TestFallbackShown(t *testing.T) {
	d := deliverer(t, falling(t, "{receiver: oncall}", "oncall,fallback: desk, fallback_after: 90m", "desk,fallback: boss", "boss,"), newBox(), Options{})
	var got []string
	for _, r := range d.Receivers() {
		got = append(got, r.Name+" "+r.Fallback+" "+r.FallbackAfter)
	}
	if want := []string{"oncall desk 1h30m", "desk boss 5m", "boss  "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A fallback hears "not taken by" of what fires, for as long as it is so.
func TestNotTakenBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		refused := func(path string) bool { return down.Load() && path == "/oncall" }
		r := newReceiver(t, func(c call) (int, http.Header) {
			if refused(c.path) {
				return http.StatusServiceUnavailable, nil
			}
			return http.StatusOK, nil
		})
		d := deliverer(t, falling(t, "{receiver: oncall, group_by: [], group_interval: 1s}", "oncall, fallback: desk, fallback_after: 1m", "desk"), newBox(), Options{Transport: r})
		said := func(ns ...alerts.Notification) []string {
			t.Helper()
			notifyAll(t, d, ns...)
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			return slices.DeleteFunc(r.heard(refused), func(s string) bool { return !strings.Contains(s, "desk") })
		}
		for _, step := range []struct {
			down bool
			ns   []alerts.Notification
			want []string
		}{
			{true, []alerts.Notification{says("A", alerts.Firing, 1)}, []string{"1m0s desk: A firing not taken by oncall"}},
			{false, nil, nil},
			{true, []alerts.Notification{says("B", alerts.Firing, 2)}, []string{"5m0s desk: A firing, B firing not taken by oncall"}},
			{true, []alerts.Notification{says("A", alerts.Resolved, 3), says("B", alerts.Resolved, 3)}, []string{"6m0s desk: A resolved, B resolved"}},
		} {
			down.Store(step.down)
			if got := said(step.ns...); !slices.Equal(got, step.want) {
				t.Errorf("got %q, want %q", got, step.want)
			}
		}
	})
}
