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
	"github.com/tidewatch/tidewatch/alerts/routing"
)

// routed reads a file whose webhooks are all in memory; a call's receiver stands in its
// body.
func (r *receiver) routed(t *testing.T, file string) *Receivers {
	t.Helper()
	rs, err := LoadReceivers("am.yml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range rs.Integrations {
		w.client = &http.Client{Transport: r}
	}
	return rs
}

// tree reads the routes of a file with one receiver.
func tree(t *testing.T, route string) *routing.Tree {
	t.Helper()
	rs, err := LoadReceivers("am.yml", []byte(route+"\nreceivers: [{name: oncall}]"))
	if err != nil {
		t.Fatal(err)
	}
	return rs.Routes
}

// hooked are receivers with a webhook each.
func hooked(names ...string) string {
	text := "receivers:\n"
	for _, name := range names {
		text += fmt.Sprintf("  - {name: %s, webhook_configs: [{url: 'http://hook.example/%[1]s'}]}\n", name)
	}
	return text
}

// calls are those of a receiver, with the alerts of each.
func (r *receiver) told() []string {
	var out []string
	for _, c := range r.take() {
		text := c.msg.Receiver
		for _, a := range c.msg.Alerts {
			text += " " + a.Labels["alertname"] + " " + a.Status
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// labelled is of a series of its own.
func labelled(n alerts.Notification, pairs ...string) alerts.Notification {
	for i := 0; i < len(pairs); i += 2 {
		n.Labels[pairs[i]] = pairs[i+1]
	}
	n.Identify(fmt.Sprint(pairs))
	return n
}

const twoWays = `
route:
  receiver: ops
  routes:
    - {receiver: oncall, matchers: ['severity="page"'], continue: true}
    - {receiver: growth, matchers: ['team="growth"'], routes: [{receiver: nobody, matchers: ['mute="yes"']}]}
    - {receiver: oncall, matchers: ['team="twice"']}
`

// Each alert reaches the webhooks of the receivers on its routes, each of them once.
func TestRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, nil)
		d := deliverer(t, r.routed(t, twoWays+hooked("ops", "oncall", "growth", "unused")+"  - name: nobody\n"), newBox(), Options{})
		if got := fmt.Sprint(d.Progress().Receivers); got != "[{ops 0} {oncall 0} {growth 0}]" {
			t.Errorf("receivers %s", got)
		}
		for _, s := range []alerts.State{alerts.Firing, alerts.Resolved} {
			at := int64(1)
			if s == alerts.Resolved {
				at = 2
			}
			notifyAll(t, d, says("Low", s, at),
				labelled(says("Page", s, at), "severity", "page"),
				labelled(says("Both", s, at), "severity", "page", "team", "growth"),
				labelled(says("Mute", s, at), "team", "growth", "mute", "yes"),
				labelled(says("Twice", s, at), "severity", "page", "team", "twice"))
			synctest.Wait()
			expect(t, string(s), r.told(), "ops Low "+string(s), "oncall Page "+string(s), "oncall Both "+string(s), "growth Both "+string(s), "oncall Twice "+string(s))
		}
	})
}

// A resolve goes where its firing went, whatever became of the routes; an alert that
// nobody was told of goes where they lead.
func TestEditedRoutes(t *testing.T) {
	const before, after = "route: {receiver: a}\n", "route: {receiver: b, routes: [{receiver: c, matchers: ['alertname=\"Never\"']}, {receiver: a, matchers: ['alertname=\"Never\"']}]}\n"
	synctest.Test(t, func(t *testing.T) {
		for _, crash := range []bool{false, true} {
			var down atomic.Bool
			b, r := newBox(), newReceiver(t, func(call) (int, http.Header) {
				if down.Load() {
					return 503, nil
				}
				return 200, nil
			})
			first := deliverer(t, r.routed(t, before+hooked("a", "b", "c")), b, Options{})
			notifyAll(t, first, says("Sent", alerts.Firing, 1))
			synctest.Wait()
			down.Store(true)
			notifyAll(t, first, says("Owed", alerts.Firing, 1))
			synctest.Wait()
			down.Store(false)
			if !crash {
				if err := first.Committed(at1(2)); err != nil {
					t.Fatal(err)
				}
			}
			stop(first) // what is queued gets one more try
			expect(t, "before", r.told(), "a Sent firing", "a Owed firing", "a Owed firing")

			next := deliverer(t, r.routed(t, after+hooked("a", "b", "c")), b, Options{})
			if crash { // the same is decided again
				notifyAll(t, next, says("Sent", alerts.Firing, 1), says("Owed", alerts.Firing, 1))
			}
			synctest.Wait()
			expect(t, "edited", r.told())
			notifyAll(t, next, says("Sent", alerts.Resolved, 3), says("Owed", alerts.Resolved, 3), says("Fresh", alerts.Firing, 3))
			synctest.Wait()
			expect(t, "resolved", r.told(), "a Sent resolved", "a Owed resolved", "b Fresh firing")
			notifyAll(t, next, says("Sent", alerts.Firing, 4))
			synctest.Wait()
			expect(t, "again", r.told(), "b Sent firing")
			if err := next.Committed(at1(4)); err != nil {
				t.Fatal(err)
			}
			left := 0
			for key := range b.current() {
				if strings.HasPrefix(key, accountPrefix) {
					left++
				}
			}
			if len(b.owed()) != 0 || left != 2 {
				t.Errorf("kept %d notifications and %d accounts, want 0 and those of the two that fire", len(b.owed()), left)
			}
			stop(next)
		}
	})
}

// In the place of a receiver that is gone, others hear that an alert is resolved; they are
// not paged for it.
func TestReceiverIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		first := deliverer(t, r.routed(t, "route: {receiver: a}\n"+hooked("a")), b, Options{})
		notifyAll(t, first, says("Low", alerts.Firing, 1))
		synctest.Wait()
		stop(first)
		r.take()
		next := deliverer(t, r.routed(t, "route: {receiver: b}\n"+hooked("b")), b, Options{})
		time.Sleep(time.Hour)
		expect(t, "edited", r.told())
		notifyAll(t, next, says("Low", alerts.Resolved, 2))
		synctest.Wait()
		expect(t, "resolve", r.told(), "b Low resolved")
		time.Sleep(keptFor) // a may come back until then
		if err := next.Committed(at1(2)); err != nil || len(b.current()) != 0 {
			t.Errorf("kept %d, %v", len(b.current()), err)
		}
	})
}
