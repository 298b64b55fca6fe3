package delivery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/alerts/silences"
)

// A play is a deliverer that can crash at any time.
type play struct {
	t    *testing.T
	r    *receiver
	file string
	box  *box
	d    *Deliverer
	// refused are the calls that were not taken.
	mu      sync.Mutex
	refused map[string]bool
	// crashes is set to crash after every step.
	crashes bool
}

func playing(t *testing.T, file string, crashes bool, answer func(call) (int, http.Header)) *play {
	p := &play{t: t, file: file, box: newBox(), crashes: crashes, refused: map[string]bool{}}
	p.r = newReceiver(t, func(c call) (int, http.Header) {
		if answer == nil {
			return 200, nil
		}
		status, header := answer(c)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.refused[c.at.String()+c.path+c.key] = status != 200
		return status, header
	})
	p.d = deliverer(t, p.r.routed(t, file), p.box, Options{})
	return p
}

// crash goes on from what is on disk.
func (p *play) crash() {
	synctest.Wait()
	kept := &box{kept: maps.Clone(p.box.kept)}
	p.box.fail(errors.New("crashed"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.d.Stop(ctx)
	p.box = kept
	p.d = deliverer(p.t, p.r.routed(p.t, p.file), p.box, Options{})
	synctest.Wait()
}

// now notifies.
func (p *play) now(ns ...alerts.Notification) {
	p.t.Helper()
	notifyAll(p.t, p.d, ns...)
	synctest.Wait()
	if p.crashes {
		p.crash()
	}
}

// wait lets time go on and answers the calls meanwhile that were taken, as text.
func (p *play) wait(d time.Duration) string {
	time.Sleep(d)
	synctest.Wait()
	var out []string
	for _, c := range p.r.take() {
		var said []string
		if p.refused[c.at.String()+c.path+c.key] {
			continue
		}
		for _, a := range c.msg.Alerts {
			said = append(said, a.Labels["alertname"]+a.Labels["channel"]+" "+a.Status)
		}
		slices.Sort(said)
		out = append(out, fmt.Sprintf("%s %s %s: %s", c.at, c.msg.Receiver, c.msg.NotificationReason, strings.Join(said, ", ")))
	}
	if p.crashes {
		p.crash()
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func (p *play) expect(got, want string) {
	p.t.Helper()
	if got != want {
		p.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// on is a notification of an alert of a channel.
func on(rule, channel string, s alerts.State, at int64) alerts.Notification {
	return labelled(says(rule, s, at), "channel", channel)
}

const grouping = `
route: {receiver: ops, group_by: [alertname], group_wait: 10s, group_interval: 1m}
`

// both plays without crashes and with one after every step: with one result.
func both(t *testing.T, f func(t *testing.T, crashes bool)) {
	for _, crashes := range []bool{false, true} {
		t.Run(fmt.Sprint("crashes ", crashes), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, crashes) })
		})
	}
}

func TestGroups(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p := playing(t, grouping+hooked("ops"), crashes, nil)
		p.now(on("Low", "a", alerts.Firing, 1), on("High", "a", alerts.Firing, 1))
		p.expect(p.wait(5*time.Second), "")
		p.now(on("Low", "b", alerts.Firing, 2), on("Low", "z", alerts.Firing, 2))
		p.now(on("Low", "z", alerts.Resolved, 3)) // nobody has heard of it
		p.expect(p.wait(5*time.Second), "10s ops first notification: Higha firing\n10s ops first notification: Lowa firing, Lowb firing")
		p.now(on("Low", "c", alerts.Firing, 4))
		p.expect(p.wait(59*time.Second), "")
		p.expect(p.wait(1*time.Second), "1m10s ops new alerts added: Lowa firing, Lowb firing, Lowc firing")
		p.now(on("Low", "b", alerts.Resolved, 5))
		p.now(on("Low", "a", alerts.Resolved, 6))
		p.now(on("Low", "a", alerts.Firing, 7)) // as if nothing had been
		p.expect(p.wait(time.Minute), "2m10s ops some alerts resolved: Lowa firing, Lowb resolved, Lowc firing")
		p.expect(p.wait(time.Hour), "")
		p.now(on("Low", "a", alerts.Resolved, 8), on("Low", "c", alerts.Resolved, 8))
		p.expect(p.wait(0), "1h2m10s ops all alerts resolved: Lowa resolved, Lowc resolved")
		p.now(on("High", "a", alerts.Resolved, 9))
		p.expect(p.wait(0), "1h2m10s ops all alerts resolved: Higha resolved")
		if err := p.d.Committed(at1(9)); err != nil || len(p.box.current()) != 0 {
			t.Errorf("kept %v, %v", slices.Collect(maps.Keys(p.box.current())), err)
		}
	})
}

// The body of a group is Alertmanager's.
func TestGroupMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: ops, routes: [{group_by: [alertname, absent], group_interval: 1s, matchers: ['alertname=\"Low\"']}]}\n"+
			"receivers: [{name: ops, webhook_configs: [{url: 'http://hook.example/', max_alerts: 2}]}]", false, nil)
		a, b, c := on("Low", "a", alerts.Firing, 1), on("Low", "b", alerts.Firing, 2), on("Low", "c", alerts.Firing, 2)
		a.Annotations["summary"], b.Annotations["summary"] = "low", "low"
		p.now(a, b)
		calls := p.r.take()
		if len(calls) != 1 {
			t.Fatalf("calls %v", calls)
		}
		m := calls[0].msg
		if m.GroupKey != `{}/{alertname="Low"}:{alertname="Low"}` || fmt.Sprint(m.GroupLabels, m.CommonLabels) != "alertname=Low alertname=Low" ||
			m.CommonAnnotations["summary"] != "low" || m.CommonAnnotations["notification_id"] != "" || m.Status != "firing" || len(m.Alerts) != 2 || m.TruncatedAlerts != 0 {
			t.Errorf("message %+v %+v", m, m.Data)
		}
		time.Sleep(time.Minute)
		p.now(c)
		if calls := p.r.take(); len(calls) != 1 || len(calls[0].msg.Alerts) != 2 || calls[0].msg.TruncatedAlerts != 1 {
			t.Errorf("calls %+v", calls)
		}
		if l := p.d.Deliveries(); len(l) != 2 || l[0].Rule != "Low" || l[0].Status != alerts.Firing || l[0].Outcome != Delivered || fmt.Sprint(l[0].Labels) != "map[alertname:Low]" {
			t.Errorf("deliveries %+v", l)
		}
	})
}

// While the receiver is down a group's notification stays one, and tells the newest of each
// alert, with the resolves that nobody has heard of.
func TestGroupOutage(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		var down atomic.Bool
		p := playing(t, grouping+hooked("ops"), crashes, func(call) (int, http.Header) {
			if down.Load() {
				return 503, nil
			}
			return 200, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1), on("Low", "b", alerts.Firing, 1))
		p.wait(10 * time.Second)
		down.Store(true)
		p.now(on("Low", "a", alerts.Resolved, 2))
		p.wait(time.Minute) // tried in vain
		p.now(on("Low", "c", alerts.Firing, 3))
		p.wait(time.Minute)
		p.now(on("Low", "b", alerts.Resolved, 4))
		p.wait(time.Second)
		if owed := p.d.Owed()["ops"]; owed != 1 {
			t.Errorf("owed %d", owed)
		}
		down.Store(false)
		got := p.wait(10 * time.Minute)
		if lines := strings.Split(got, "\n"); len(lines) != 1 || !strings.HasSuffix(got, ": Lowa resolved, Lowb resolved, Lowc firing") {
			t.Errorf("got %s", got)
		}
		p.now(on("Low", "c", alerts.Resolved, 5))
		p.wait(time.Minute)
		if err := p.d.Committed(at1(9)); err != nil || len(p.box.current()) != 0 {
			t.Errorf("kept %v, %v", slices.Collect(maps.Keys(p.box.current())), err)
		}
	})
}

// One alert of a group that waits for its receiver is silenced: the others are sent.
func TestSilencedInGroup(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		var down atomic.Bool
		down.Store(true)
		p := playing(t, "route: {receiver: ops, group_by: [], group_interval: 1m}\n"+hooked("ops"), crashes, func(call) (int, http.Header) {
			if down.Load() {
				return 503, nil
			}
			return 200, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1), on("High", "a", alerts.Firing, 1))
		p.wait(20 * time.Second)
		id := mute(t, p.d, "Low", time.Hour)
		p.wait(time.Second)
		down.Store(false)
		got := p.wait(30 * time.Minute)
		if !strings.HasSuffix(got, "first notification: Higha firing") || strings.Contains(got, "\n") {
			t.Errorf("silenced: got %s", got)
		}
		unmute(t, p.d, id)
		if got := p.wait(time.Minute); !strings.HasSuffix(got, "new alerts added: Higha firing, Lowa firing") {
			t.Errorf("ended: got %s", got)
		}
	})
}

// withheld is a group of which High has been taken, and Low is silenced while it waits for its
// receiver, which takes it again; id is the silence.
func withheld(t *testing.T, crashes bool) (p *play, id string) {
	var down atomic.Bool
	p = playing(t, "route: {receiver: ops, group_by: [], group_interval: 1m}\n"+hooked("ops"), crashes, func(call) (int, http.Header) {
		if down.Load() {
			return 503, nil
		}
		return 200, nil
	})
	p.now(on("High", "a", alerts.Firing, 1))
	p.expect(p.wait(time.Minute), "0s ops first notification: Higha firing")
	down.Store(true)
	p.now(on("Low", "a", alerts.Firing, 2))
	p.wait(20 * time.Second)
	if err := p.d.Committed(at1(1)); err != nil { // what was told then is forgotten
		t.Fatal(err)
	}
	id = mute(t, p.d, "Low", time.Hour)
	p.wait(time.Second)
	down.Store(false)
	return p, id
}

// What has been taken of a group is not told again where all else of a notification that
// waits is held back.
func TestTakenIsNotToldAgain(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p, id := withheld(t, crashes)
		p.expect(p.wait(30*time.Minute), "")
		unmute(t, p.d, id)
		if got := p.wait(time.Minute); !strings.HasSuffix(got, "new alerts added: Higha firing, Lowa firing") {
			t.Errorf("ended: got %s", got)
		}
		p.now(on("Low", "a", alerts.Resolved, 3), on("High", "a", alerts.Resolved, 3))
		if got := p.wait(time.Minute); !strings.HasSuffix(got, "all alerts resolved: Higha resolved, Lowa resolved") {
			t.Errorf("over: got %s", got)
		}
		kept := func() []string {
			return slices.Collect(maps.Keys(p.box.without(history.Prefix, healthPrefix, silences.Prefix)))
		}
		if err := p.d.Committed(at1(3)); err != nil || len(kept()) != 0 {
			t.Errorf("kept %v, %v", kept(), err)
		}
	})
}

// What ends while it is not told again is told to have ended.
func TestTakenEndsWhileTheRestIsHeld(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p, _ := withheld(t, crashes)
		p.now(on("High", "a", alerts.Resolved, 3))
		if got := p.wait(30 * time.Minute); !strings.HasSuffix(got, ": Higha resolved") || strings.Contains(got, "\n") {
			t.Errorf("got %s", got)
		}
	})
}

// A webhook that is told of firing alerts only gets no word of others.
func TestGroupWithoutResolved(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p := playing(t, grouping+"receivers: [{name: ops, webhook_configs: [{url: 'http://hook.example/', send_resolved: false}]}]", crashes, nil)
		p.now(on("Low", "a", alerts.Firing, 1), on("Low", "b", alerts.Firing, 1))
		p.expect(p.wait(10*time.Second), "10s ops first notification: Lowa firing, Lowb firing")
		p.now(on("Low", "a", alerts.Resolved, 2), on("Low", "c", alerts.Firing, 2))
		p.expect(p.wait(time.Minute), "1m10s ops new alerts added: Lowb firing, Lowc firing")
		p.now(on("Low", "b", alerts.Resolved, 3), on("Low", "c", alerts.Resolved, 3))
		p.expect(p.wait(time.Hour), "")
		if err := p.d.Committed(at1(3)); err != nil || len(p.box.current()) != 0 {
			t.Errorf("kept %v, %v", slices.Collect(maps.Keys(p.box.current())), err)
		}
	})
}

// A firing alert is told again after repeat_interval, with an id of its own each time, and
// without the file naming one it is not.
func TestRepeat(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p := playing(t, "route: {receiver: ops, routes: [{receiver: often, matchers: ['channel=\"a\"'], repeat_interval: 1h}]}\n"+hooked("ops", "often"), crashes, nil)
		a := on("Low", "a", alerts.Firing, 1)
		p.now(a, on("Low", "b", alerts.Firing, 1))
		ids := map[string]bool{}
		first := p.r.take()
		slices.SortFunc(first, func(a, b call) int { return cmp.Compare(a.msg.Receiver, b.msg.Receiver) })
		if len(first) != 2 || first[0].key != a.ID {
			t.Fatalf("calls %v", first)
		}
		ids[first[0].key] = true
		for i := range 3 {
			p.expect(p.wait(59*time.Minute), "")
			time.Sleep(time.Minute)
			synctest.Wait()
			calls := p.r.take()
			if len(calls) != 1 || calls[0].msg.Receiver != "often" || calls[0].msg.NotificationReason != "repeat interval elapsed" || ids[calls[0].key] {
				t.Fatalf("hour %d: calls %v", i, calls)
			}
			ids[calls[0].key] = true
			if err := p.d.Committed(at1(5)); err != nil {
				t.Fatal(err)
			}
		}
		id := mute(t, p.d, "Low", 90*time.Minute)
		p.expect(p.wait(89*time.Minute), "")
		unmute(t, p.d, id)
		if got := p.wait(time.Second); !strings.HasSuffix(got, "often repeat interval elapsed: Lowa firing") {
			t.Errorf("after the silence: %s", got)
		}
		p.now(on("Low", "a", alerts.Resolved, 6))
		if got := p.wait(0); !strings.HasSuffix(got, "often all alerts resolved: Lowa resolved") {
			t.Errorf("resolved: %s", got)
		}
		p.expect(p.wait(5*time.Hour), "")
	})
}

// What is told again, by itself or beside what is new in its group, is told as it stands.
func TestToldAsItStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReceiver(t, nil)
		stands := func(n alerts.Notification) alerts.Notification {
			n.Annotations = map[string]string{"value": "0.2"}
			return n
		}
		d := deliverer(t, r.routed(t, "route: {receiver: ops, group_by: [alertname], repeat_interval: 1h, group_interval: 1m}\n"+hooked("ops")), newBox(), Options{Standing: stands})
		expect := func(want string) {
			t.Helper()
			synctest.Wait()
			got := ""
			for _, c := range r.take() {
				for _, a := range c.msg.Alerts {
					got += a.Labels["channel"] + a.Annotations["value"] + a.Status + " "
				}
			}
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		notifyAll(t, d, on("Low", "a", alerts.Firing, 1))
		time.Sleep(time.Minute)
		expect("a0.1firing ")
		time.Sleep(time.Hour)
		expect("a0.2firing ")
		notifyAll(t, d, on("Low", "b", alerts.Firing, 2))
		time.Sleep(time.Minute)
		expect("a0.2firing b0.1firing ")
		notifyAll(t, d, on("Low", "a", alerts.Resolved, 3), on("Low", "b", alerts.Resolved, 3))
		time.Sleep(time.Minute)
		expect("a0.1resolved b0.1resolved ")
	})
}

// What waits for its receiver is not repeated: that comes after it was taken.
func TestNoRepeatWhileOwed(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		var down atomic.Bool
		down.Store(true)
		p := playing(t, "route: {receiver: ops, repeat_interval: 1h}\n"+hooked("ops"), crashes, func(call) (int, http.Header) {
			if down.Load() {
				return 503, nil
			}
			return 200, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1))
		p.wait(150 * time.Minute)
		down.Store(false)
		got := p.wait(time.Minute)
		if strings.Contains(got, "\n") || !strings.HasSuffix(got, "first notification: Lowa firing") {
			t.Errorf("got %s", got)
		}
		if got := p.wait(59 * time.Minute); !crashes && got != "" {
			t.Errorf("too soon: %s", got)
		}
		if got := p.wait(time.Minute); !crashes && !strings.HasSuffix(got, "repeat interval elapsed: Lowa firing") {
			t.Errorf("repeated: %s", got)
		}
	})
}

// While what a group has to tell is written, its older notification does not go out: the newer
// one would follow at once, within the group's interval.
func TestGroupIsQuietWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		p := playing(t, "route: {receiver: ops, group_by: [alertname], group_interval: 1m}\n"+hooked("ops"), false, func(call) (int, http.Header) {
			defer func() { first = false }()
			if first {
				return http.StatusServiceUnavailable, nil
			}
			return http.StatusOK, nil
		})
		p.now(on("Low", "a", alerts.Firing, 1)) // is tried again within half a second
		mend := p.box.hang()
		time.AfterFunc(2*time.Second, mend)
		p.now(on("Low", "b", alerts.Firing, 2))
		p.expect(p.wait(0), "2s ops new alerts added: Lowa firing, Lowb firing")
		p.expect(p.wait(time.Hour), "")
	})
}

// An alert that is over leaves a notification of its group that waits and was not tried.
func TestGroupForgetsWhatNobodyHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &play{t: t, r: newReceiver(t, nil), box: newBox(), refused: map[string]bool{}}
		d, err := New(p.r.routed(t, "route: {receiver: ops, group_by: [alertname], group_interval: 1m}\n"+hooked("ops")), p.box, Options{})
		if err != nil {
			t.Fatal(err)
		}
		p.d = d
		p.now(on("Low", "a", alerts.Firing, 1), on("Low", "b", alerts.Firing, 1))
		p.now(on("Low", "a", alerts.Resolved, 2))
		p.now(on("Low", "c", alerts.Firing, 3), on("Low", "c", alerts.Resolved, 4))
		d.Start()
		p.expect(p.wait(time.Hour), "0s ops new alerts added: Lowb firing")
		p.now(on("Low", "b", alerts.Resolved, 5))
		p.expect(p.wait(time.Hour), "1h0m0s ops all alerts resolved: Lowb resolved")
		stop(d)
	})
}

// After a start nothing is told again before the rules were judged: what fires no more by
// then is resolved, and not told once more that it fires.
func TestRepeatsWaitForJudgement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, box := newReceiver(t, nil), newBox()
		routes := func() *Receivers {
			return r.routed(t, "route: {receiver: ops, group_by: [alertname], repeat_interval: 1h, group_interval: 1m}\n"+hooked("ops"))
		}
		told := func(want string) {
			t.Helper()
			synctest.Wait()
			got := ""
			for _, c := range r.take() {
				for _, a := range c.msg.Alerts {
					got += a.Labels["alertname"] + " " + a.Status + " "
				}
			}
			if got != want {
				t.Errorf("told %q, want %q", got, want)
			}
		}
		first := deliverer(t, routes(), box, Options{})
		notifyAll(t, first, on("Kept", "a", alerts.Firing, 1), on("Gone", "a", alerts.Firing, 1))
		time.Sleep(time.Second)
		r.take()
		first.Stop(t.Context())
		time.Sleep(2 * time.Hour)
		next := deliverer(t, routes(), box, Options{Unjudged: true})
		time.Sleep(time.Minute)
		told("")
		notifyAll(t, next, on("Gone", "a", alerts.Resolved, 3))
		next.Judged()
		time.Sleep(time.Minute)
		told("Gone resolved Kept firing ")
		next.Stop(t.Context())
		time.Sleep(2 * time.Hour)
		deliverer(t, routes(), box, Options{Unjudged: true})
		time.Sleep(4 * time.Minute)
		told("")
		time.Sleep(2 * time.Minute)
		told("Kept firing ")
	})
}
