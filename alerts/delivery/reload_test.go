package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

func unconfigured(receiver string) string {
	return "receiver " + receiver + " is no longer configured: configure it again and resend this, or drop it"
}

// coded are reasons by their codes, with what these name.
func coded(reasons []reason.Reason) string {
	var out []string
	for _, r := range reasons {
		out = append(out, fmt.Sprint(r.Code, " ", r.Args))
	}
	return strings.Join(out, ", ")
}

// change has another file be at work: by a reload, or by a restart, which come to the same.
func (p *play) change(byRestart bool, file string) {
	p.t.Helper()
	p.file = file
	if byRestart {
		p.crash()
	} else if err := p.d.Reload(p.r.routed(p.t, file)); err != nil {
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

// inAnyOrder are calls that receivers may get in any order.
func inAnyOrder(said string) string {
	calls := strings.Split(said, ", ")
	slices.Sort(calls)
	return strings.Join(calls, ", ")
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
					p.change(restart, tt.to)
					time.Sleep(time.Second)
					p.expect(p.said(), tt.want)
					p.now(resolved)
					down.Store(false)
					time.Sleep(time.Minute)
					p.expect(p.said(), tt.after)
					if tt.down {
						_, _ = p.d.Drop(firing.ID, "a")
					}
					time.Sleep(keptFor) // one that is gone may come back until then
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
		p.change(false, "route: {receiver: b}\n"+hooked("b"))
		time.Sleep(time.Minute)
		p.expect(p.said(), "/b Low firing")
		l := p.d.Deliveries()
		if len(l) != 2 || l[0].Outcome != Failed || l[0].Error != "no answer within 10s; "+unconfigured("a") ||
			coded(l[0].Reasons) != "no_answer map[length:10s], gone map[receiver:a]" || !l[0].Undelivered {
			t.Errorf("deliveries %+v", l)
		}
	})
}

// One that goes and comes while it is sent something, and has not taken that, is told all
// of it; one that has taken it is not told it again.
func TestReloadOnItsWayAndBack(t *testing.T) {
	a, without := "route: {receiver: a}\n"+hooked("a"), "route: {receiver: a}\nreceivers: [{name: a}]"
	for _, tt := range []struct {
		name  string
		after time.Duration // a comes back
		takes bool
	}{
		{"back before it fails", time.Second, false},
		{"back once it has failed", 15 * time.Second, false},
		{"back once it has taken it", 15 * time.Second, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				p := playing(t, a, false, func(call) (int, http.Header) {
					if asked.Add(1) > 1 {
						return 200, nil
					}
					time.Sleep(5 * time.Second)
					if tt.takes {
						return 200, nil
					}
					return hang, nil
				})
				p.now(says("Low", alerts.Firing, 1))
				p.change(false, without)
				time.Sleep(tt.after)
				if err := p.d.Committed(at1(10)); err != nil {
					t.Fatal(err)
				}
				p.change(false, a)
				time.Sleep(time.Minute)
				p.expect(p.said(), "/a Low firing")
				for _, v := range p.d.Deliveries() {
					if v.Undelivered {
						t.Errorf("undelivered %+v", v)
					}
				}
				p.crash()
				p.expect(p.said(), "")
				p.now(says("Low", alerts.Resolved, 2))
				p.expect(p.said(), "/a Low resolved")
				if err := p.d.Committed(at1(3)); err != nil || len(p.box.current()) > 0 {
					t.Errorf("kept %v, %v", p.box.current(), err)
				}
			})
		})
	}
}

// What was dropped is not sent by one that comes back, be it after an epoch: as long as what
// it told is so.
func TestReloadDropped(t *testing.T) {
	for _, tt := range []struct{ name, route string }{{"alone", "receiver: a"}, {"a group", "receiver: a, group_by: [nothing]"}} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", by restart ", restart), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var mended atomic.Bool
					a, without := "route: {"+tt.route+"}\n"+hooked("a"), "route: {receiver: a}\nreceivers: [{name: a}]"
					p := playing(t, a, false, func(call) (int, http.Header) {
						if mended.Load() {
							return 200, nil
						}
						return 503, nil
					})
					p.now(says("Low", alerts.Firing, 1))
					p.change(restart, without)
					id := p.d.Deliveries()[0].ID
					if got, err := p.d.Drop(id, ""); err != nil || len(got) != 1 {
						t.Errorf("drop: %v, %v", got, err)
					}
					if err := p.d.Committed(at1(10)); err != nil {
						t.Fatal(err)
					}
					p.crash()
					p.said()
					mended.Store(true)
					p.change(restart, a)
					time.Sleep(10 * time.Minute)
					p.expect(p.said(), "")
					p.now(says("Low", alerts.Resolved, 20))
					time.Sleep(10 * time.Minute)
					p.said()
					if err := p.d.Committed(at1(20)); err != nil || len(p.box.current()) > 0 {
						t.Errorf("kept %v, %v", p.box.current(), err)
					}
					p.now(says("Low", alerts.Firing, 30))
					time.Sleep(10 * time.Minute)
					p.expect(p.said(), "/a Low firing")
				})
			})
		}
	}
}

// What was dropped stays so while its group shrinks, and is not repeated. Whoever was spared it
// hears of it with others of the group, and that it is over.
func TestReloadDroppedOfGroup(t *testing.T) {
	without := "route: {receiver: a}\nreceivers: [{name: a}]"
	a := "route: {receiver: a, group_by: [nothing], group_interval: 1s, repeat_interval: 5m}\n" + hooked("a")
	for _, restart := range []bool{false, true} {
		for _, committed := range []bool{false, true} {
			t.Run(fmt.Sprint("by restart ", restart, ", committed ", committed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := playing(t, a, false, func(call) (int, http.Header) { return 503, nil })
					p.now(says("Low", alerts.Firing, 1), says("High", alerts.Firing, 1))
					p.change(restart, without)
					if got, err := p.d.Drop(p.d.Deliveries()[0].ID, ""); err != nil || len(got) != 1 {
						t.Errorf("drop: %v, %v", got, err)
					}
					p.now(says("High", alerts.Resolved, 5))
					if committed {
						if err := p.d.Committed(at1(10)); err != nil {
							t.Fatal(err)
						}
					}
					p.wait(0)
					p.r.answer = nil
					p.change(restart, a)
					p.expect(p.wait(10*time.Minute), "")
					p.now(says("Other", alerts.Firing, 14))
					p.expect(p.wait(time.Minute), "10m0s a first notification: Low firing, Other firing")
					p.now(says("Low", alerts.Resolved, 20), says("Other", alerts.Resolved, 20))
					p.expect(p.wait(time.Minute), "11m0s a all alerts resolved: Low resolved, Other resolved")
					if err := p.d.Committed(at1(30)); err != nil || len(p.box.current()) > 0 {
						t.Errorf("kept %v, %v", p.box.current(), err)
					}
				})
			})
		}
	}
}

// What was dropped is told whoever takes the place of the one that was away, and so is what
// fires anew.
func TestReloadDroppedForOne(t *testing.T) {
	a, without := "route: {receiver: a}\n"+hooked("a"), "route: {receiver: a}\nreceivers: [{name: a}]"
	b := "route: {receiver: b}\n" + hooked("b")
	for _, tt := range []struct {
		name, to    string
		anew        bool
		want, after string
	}{
		{"itself", a, false, "", "/a Low resolved"},
		{"itself, anew", a, true, "/a Low firing", "/a Low resolved"},
		{"another", b, false, "/b Low firing", "/b Low resolved"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := playing(t, a, false, func(call) (int, http.Header) { return 503, nil })
				n := says("Low", alerts.Firing, 1)
				p.now(n)
				p.change(false, without)
				if tt.anew {
					again := says("Low", alerts.Firing, 8)
					again.StartsAt = time.UnixMilli(again.WindowEnd).UTC()
					p.now(says("Low", alerts.Resolved, 5), again)
				}
				if _, err := p.d.Drop(n.ID, "a"); err != nil {
					t.Fatal(err)
				}
				p.said()
				p.r.answer = nil
				p.change(false, tt.to)
				p.expect(p.said(), tt.want)
				p.now(says("Low", alerts.Resolved, 20))
				p.expect(p.said(), tt.after)
			})
		})
	}
}

// What a release without groups owed to one that is gone can be sent by one that comes back.
func TestReloadWithoutGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, "route: {receiver: a}\n"+hooked("a"), false, func(call) (int, http.Header) { return 503, nil })
		n := says("Low", alerts.Firing, 1)
		p.now(n)
		key := n.ID + "/a"
		e := &entry{}
		if err := json.Unmarshal(p.box.kept[key], e); err != nil {
			t.Fatal(err)
		}
		e.Group = nil
		p.box.kept[key] = e.encode()
		p.r.answer = nil
		p.change(true, "route: {receiver: b}\n"+hooked("b"))
		p.change(false, "route: {receiver: b}\n"+hooked("a", "b"))
		p.said()
		time.Sleep(time.Second)
		if got, err := p.d.Resend(n.ID, "a"); err != nil || len(got) != 1 {
			t.Errorf("resend: %v, %v", got, err)
		}
		p.expect(p.said(), "/a Low firing")
	})
}

// What is owed to a receiver that is gone is listed, through restarts. It is sent by one of its
// name, which hears of the end then, or dropped.
func TestReloadGone(t *testing.T) {
	both, without := "route: {receiver: b, routes: [{receiver: a, continue: true}, {receiver: b}]}\n"+hooked("a", "b"), "route: {receiver: b}\n"+hooked("b")
	for _, restart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var mended atomic.Bool
			p := playing(t, both, false, func(c call) (int, http.Header) {
				if c.path == "/a" && !mended.Load() {
					return 503, nil
				}
				return 200, nil
			})
			undelivered := func() (out []string) {
				for _, v := range p.d.Deliveries() {
					if v.Undelivered {
						out = append(out, fmt.Sprint(v.Rule, " ", v.Receiver, " ", v.Outcome, " ", v.Error, " ", coded(v.Reasons)))
					}
				}
				slices.Sort(out)
				return out
			}
			low, high := says("Low", alerts.Firing, 1), says("High", alerts.Firing, 1)
			p.now(low, high)
			time.Sleep(10 * time.Second)
			p.expect(p.said(), "/b Low firing, /b High firing")
			p.change(restart, without)
			if got := past(p.d); strings.Count(got, "a:firing:failed") != 2 {
				t.Errorf("history: %s", got)
			}
			want := []string{"High a failed " + unconfigured("a") + " gone map[receiver:a]", "Low a failed " + unconfigured("a") + " gone map[receiver:a]"}
			for range 2 {
				if got := undelivered(); !slices.Equal(got, want) {
					t.Errorf("undelivered %q, want %q", got, want)
				}
				if err := p.d.Committed(at1(2)); err != nil {
					t.Fatal(err)
				}
				p.crash()
			}
			if _, err := p.d.Resend(low.ID, ""); !errors.Is(err, ErrGone) {
				t.Errorf("resend to one that is gone: %v", err)
			}
			if got, err := p.d.Drop(high.ID, "a"); err != nil || len(got) != 1 || got[0].Receiver != "a" || got[0].Error != "dropped" || coded(got[0].Reasons) != "dropped map[]" {
				t.Errorf("drop: %v, %v", got, err)
			}
			if _, err := p.d.Drop(high.ID, "a"); !errors.Is(err, ErrNotOwed) {
				t.Errorf("drop again: %v", err)
			}
			p.expect(p.said(), "")
			mended.Store(true)
			p.change(restart, both)
			p.expect(p.said(), "")
			if _, err := p.d.Resend(high.ID, ""); !errors.Is(err, ErrNotOwed) {
				t.Errorf("resend what was dropped: %v", err)
			}
			if got, err := p.d.Resend(low.ID, "a"); err != nil || len(got) != 1 {
				t.Errorf("resend to one that is back: %v, %v", got, err)
			}
			p.expect(p.said(), "/a Low firing")
			if got := undelivered(); len(got) > 0 {
				t.Errorf("undelivered %q", got)
			}
			p.now(says("Low", alerts.Resolved, 2), says("High", alerts.Resolved, 2))
			time.Sleep(time.Minute)
			p.expect(inAnyOrder(p.said()), "/a Low resolved, /b High resolved, /b Low resolved")
			if err := p.d.Committed(at1(3)); err != nil || len(p.box.current()) > 0 {
				t.Errorf("kept %v, %v", p.box.current(), err)
			}
		})
	}
}

// Of what fires when the first receivers come people are told, once, and that it is over.
func TestFirstReceivers(t *testing.T) {
	for _, restart := range []bool{false, true} {
		t.Run(fmt.Sprint("by restart ", restart), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := playing(t, "route: {receiver: a}\nreceivers: [{name: a}]", false, nil)
				n := says("Low", alerts.Firing, 1)
				p.now(n, says("Over", alerts.Firing, 1))
				p.now(says("Over", alerts.Resolved, 2))
				p.change(restart, "route: {receiver: a}\n"+hooked("a"))
				p.expect(p.said(), "/a Low firing")
				p.now(n)
				p.change(restart, "route: {receiver: a}\n"+hooked("a"))
				p.expect(p.said(), "")
				p.now(says("Low", alerts.Resolved, 3))
				p.expect(p.said(), "/a Low resolved")
				if err := p.d.Committed(at1(3)); err != nil || len(p.box.current()) > 0 {
					t.Errorf("kept %v, %v", p.box.current(), err)
				}
			})
		})
	}
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

// What receivers that one reload removes were told is not told again when the next brings them
// back, be it after an epoch: what has changed meanwhile is.
func TestReloadBack(t *testing.T) {
	a, without := "route: {receiver: a}\n"+hooked("a"), "route: {receiver: a}\nreceivers: [{name: a}]"
	both, b := "route: {receiver: b, routes: [{receiver: a, continue: true}, {receiver: b}]}\n"+hooked("a", "b"), "route: {receiver: b}\n"+hooked("b")
	grouped := "route: {receiver: a, group_by: [nothing]}\n" + hooked("a")
	later := says("Low", alerts.Firing, 8)
	later.StartsAt = time.UnixMilli(later.WindowEnd).UTC()
	later.Identify("")
	over := says("Low", alerts.Resolved, 5)
	for _, tt := range []struct {
		name, with, without string
		meanwhile           []alerts.Notification
		away                time.Duration
		want, after         string
	}{
		{"all", a, without, nil, time.Hour, "", "/a Low resolved"},
		{"a group", grouped, without, nil, time.Hour, "", "/a Low resolved"},
		{"one of two", both, b, nil, time.Hour, "", "/a Low resolved, /b Low resolved"},
		{"a route of two", both, "route: {receiver: b}\n" + hooked("a", "b"), nil, time.Hour, "", "/a Low resolved, /b Low resolved"},
		{"the route of a group", grouped, "route: {receiver: none}\n" + hooked("a") + "\n  - name: none", nil, time.Hour, "", "/a Low resolved"},
		{"with one in its place", a, b, nil, time.Hour, "", "/a Low resolved"},
		{"resolved meanwhile", a, without, []alerts.Notification{over}, time.Hour, "/a Low resolved", ""},
		{"resolved meanwhile, one of two", both, b, []alerts.Notification{over}, time.Hour, "/a Low resolved", ""},
		{"another meanwhile", a, without, []alerts.Notification{says("High", alerts.Firing, 5)}, time.Hour, "/a High firing", "/a High resolved, /a Low resolved"},
		{"anew meanwhile", a, without, []alerts.Notification{over, later}, time.Hour, "/a Low firing", "/a Low resolved"},
		{"anew and resolved meanwhile", a, without, []alerts.Notification{over, later, says("Low", alerts.Resolved, 9)}, time.Hour, "/a Low resolved", ""},
		{"after more than a week", a, without, nil, 8 * 24 * time.Hour, "/a Low firing", "/a Low resolved"},
		{"resolved, after more than a week", a, without, []alerts.Notification{over}, 8 * 24 * time.Hour, "", ""},
	} {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprint(tt.name, ", by restart ", restart), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p := playing(t, tt.with, false, nil)
					p.now(says("Low", alerts.Firing, 1))
					time.Sleep(time.Minute)
					p.said()
					p.change(restart, tt.without)
					for _, n := range tt.meanwhile {
						p.now(n)
					}
					time.Sleep(tt.away)
					p.said()
					if err := p.d.Committed(at1(10)); err != nil {
						t.Fatal(err)
					}
					p.change(restart, tt.with)
					time.Sleep(time.Hour)
					p.expect(inAnyOrder(p.said()), tt.want)
					for _, rule := range []string{"Low", "High"} {
						if strings.Contains(tt.after, rule) {
							p.now(says(rule, alerts.Resolved, 20))
						}
					}
					time.Sleep(time.Hour)
					p.expect(inAnyOrder(p.said()), tt.after)
					time.Sleep(8 * 24 * time.Hour)
					if err := p.d.Committed(at1(20)); err != nil || len(p.box.current()) > 0 {
						t.Errorf("kept %v, %v", p.box.current(), err)
					}
				})
			})
		}
	}
}
