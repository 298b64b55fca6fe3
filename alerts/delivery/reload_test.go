package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// change has another file be at work: by a reload, or by a restart, which come to the same.
func (p *play) change(byRestart bool, file string, firing ...alerts.Notification) {
	p.t.Helper()
	p.file = file
	if byRestart {
		p.crash()
	} else if err := p.d.Reload(p.r.routed(p.t, file), firing); err != nil {
		p.t.Fatal(err)
	}
	synctest.Wait()
}

// said are the calls so far, each with its path.
func (p *play) said() string {
	synctest.Wait()
	var out []string
	for _, c := range p.r.take() {
		if !p.refused[c.at.String()+c.path+c.key] {
			out = append(out, c.path+" "+c.msg.Alerts[0].Labels["alertname"]+" "+c.msg.Status)
		}
	}
	return strings.Join(out, ", ")
}

// Other receivers take over by a reload as by a restart: nothing is told twice, and nobody
// is left without the end of what he was told.
func TestReload(t *testing.T) {
	a, b, both := "route: {receiver: a}\n"+hooked("a"), "route: {receiver: b}\n"+hooked("b"), "route: {receiver: a}\n"+hooked("a", "b")
	toB := "route: {receiver: b}\n" + hooked("a", "b")
	firing, resolved := says("Low", alerts.Firing, 1), says("Low", alerts.Resolved, 2)
	for _, tt := range []struct {
		name        string
		from, to    string
		down        bool // a
		want, after string
	}{
		{"the same", a, a, false, "", "/a Low resolved"},
		{"another, in its place", a, b, false, "", "/b Low resolved"},
		{"one more", a, both, false, "", "/a Low resolved"},
		{"another route", both, toB, false, "", "/a Low resolved"},
		{"another in the place of one that is down", a, b, true, "/b Low firing", "/b Low resolved"},
		{"groups, while it is down", a, "route: {receiver: a, group_by: [alertname], group_interval: 1s}\n" + hooked("a"), true, "", "/a Low resolved"},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", by restart ", restart), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var down atomic.Bool
					down.Store(tt.down)
					p := playing(t, tt.from, false, func(c call) (int, http.Header) {
						if down.Load() && c.path == "/a" {
							return 503, nil
						}
						return 200, nil
					})
					p.now(firing)
					time.Sleep(10 * time.Second)
					p.said()
					p.change(restart, tt.to, firing)
					time.Sleep(time.Second)
					p.expect(p.said(), tt.want)
					p.now(resolved)
					down.Store(false)
					time.Sleep(time.Minute)
					p.expect(p.said(), tt.after)
					if err := p.d.Committed(at1(3)); err != nil || len(p.box.current()) > 0 {
						t.Errorf("kept %v, %v", p.box.current(), err)
					}
				})
			})
		}
	}
}

// What an integration is sent when it goes, and does not take, others are told.
func TestReloadOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: a}\n"+hooked("a"), false, func(c call) (int, http.Header) {
			if c.path == "/a" {
				return hang, nil
			}
			return 200, nil
		})
		n := says("Low", alerts.Firing, 1)
		p.now(n)
		p.change(false, "route: {receiver: b}\n"+hooked("b"), n)
		time.Sleep(time.Minute)
		p.expect(p.said(), "/b Low firing")
		l := p.d.Deliveries()
		if len(l) != 2 || l[0].Outcome != Failed || l[0].Error != unconfigured+": no answer within 10s" {
			t.Errorf("deliveries %+v", l)
		}
	})
}

// Of what fires when the first receivers come people are told.
func TestFirstReceivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: a}\nreceivers: [{name: a}]", false, nil)
		n := says("Low", alerts.Firing, 1)
		p.now(n)
		p.change(false, "route: {receiver: a}\n"+hooked("a"), n)
		p.expect(p.said(), "/a Low firing")
		p.now(n)
		p.expect(p.said(), "")
	})
}

// Silences and how long a group has been quiet outlast a reload.
func TestReloadKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := "route: {receiver: a, group_by: [alertname], group_interval: 5m}\n" + hooked("a")
		p := playing(t, file, false, nil)
		p.now(on("Low", "a", alerts.Firing, 1))
		p.said()
		time.Sleep(time.Minute)
		mute(t, p.d, "Muted", time.Hour)
		p.change(false, file)
		p.now(on("Muted", "b", alerts.Firing, 2), on("Low", "c", alerts.Firing, 2))
		time.Sleep(4*time.Minute - time.Second)
		p.expect(p.said(), "")
		if got := p.wait(2 * time.Second); got != "5m0s a new alerts added: Lowa firing, Lowc firing" {
			t.Errorf("got %s", got)
		}
	})
}
