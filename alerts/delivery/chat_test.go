package delivery

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
	"github.com/tidewatch/tidewatch/alerts/delivery/robot"
	"github.com/tidewatch/tidewatch/internal/chats"
)

// chatting is the other end of a robot, and the receivers that are told by it, without a
// network.
func chatting(kind robot.Kind) (*chats.Server, *Receivers) {
	var s *chats.Server
	secret := "SECdemo"
	switch kind {
	case robot.Feishu:
		s = chats.Feishu("t0ken", secret)
	case robot.DingTalk:
		s = chats.DingTalk("t0ken", secret)
	default:
		s, secret = chats.WeCom("t0ken"), ""
	}
	name := named("oncall", string(kind), 0)
	return s, &Receivers{Default: "oncall", Integrations: []*Integration{{
		Receiver: "oncall", Name: name, URL: "http://chat.example" + s.Address(), Secret: secret,
		protocol:     chat{&robot.Robot{Kind: kind, Language: message.English}},
		SendResolved: true, Timeout: defaultTimeout, client: &http.Client{Transport: s},
	}}}
}

// count is how often an alert is named in a group.
func count(shown []chats.Message, rule string) (n int) {
	for _, m := range shown {
		n += strings.Count(m.Text+m.Title, rule)
	}
	return n
}

const hooks = `
route: {receiver: oncall}
receivers:
  - name: oncall
    feishu_configs:
      - {url_file: feishu, secret_file: secret, mention: [ou_1, '@x2'], mention_all: true}
    dingtalk_configs:
      - {url: '%[2]s', secret: SECdemo, language: en, mention: ['13800000000', manager42]}
    wecom_configs:
      - {url: '%[3]s', send_resolved: false, timeout: 3s, mention: [wangqing], http_config: {authorization: {credentials: s3cret}}}
      - {url: '%[3]s'}
`

// From an Alertmanager file to what stands in the groups, over a network.
func TestChats(t *testing.T) {
	servers := []*chats.Server{chats.Feishu("f-t0ken", "SECdemo"), chats.DingTalk("d-t0ken", "SECdemo"), chats.WeCom("w-t0ken")}
	var urls []string
	for _, s := range servers {
		server := httptest.NewServer(s)
		defer server.Close()
		urls = append(urls, server.URL+s.Address())
	}
	dir := t.TempDir()
	write(t, dir, "feishu", urls[0]+"\n")
	write(t, dir, "secret", "SECdemo\n")
	rs, err := LoadReceivers(filepath.Join(dir, "am.yml"), fmt.Appendf(nil, hooks, "", urls[1], urls[2]))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, g := range rs.Integrations {
		names = append(names, g.Name)
	}
	if want := []string{"oncall/feishu", "oncall/dingtalk", "oncall/wecom", "oncall/wecom[1]"}; !slices.Equal(names, want) {
		t.Fatalf("integrations %v, want %v", names, want)
	}
	if g := rs.Integrations[2]; g.SendResolved || g.Timeout != 3*time.Second || rs.Integrations[3].Timeout != defaultTimeout || !rs.Integrations[3].SendResolved {
		t.Errorf("integration %+v", g)
	}
	rs.Integrations = rs.Integrations[:3]
	told := make(chan Delivery, 10)
	d := deliverer(t, rs, newBox(), Options{Location: time.FixedZone("", 8*3600), Log: func(v Delivery) { told <- v }})
	e := judging(t)
	notifyAll(t, d, e.Evaluate(at1(1), ctr(5))...)
	for range servers {
		if v := <-told; v.Outcome != Delivered {
			t.Fatalf("delivery %+v", v)
		}
	}
	notifyAll(t, d, e.Evaluate(at1(2), ctr(50))...)
	for range 2 { // one is not told of what is over
		if v := <-told; v.Outcome != Delivered || v.Status != alerts.Resolved {
			t.Fatalf("delivery %+v", v)
		}
	}
	for i, want := range [][]string{
		{"red Tidewatch 告警：Low [ou_1 x2 all] low 5% 低于 10%", "green Tidewatch 恢复：Low [] low 50% 低于 10%"},
		{" Tidewatch firing: Low [13800000000 manager42] low 5% below 10%", " Tidewatch resolved: Low [] low 50% below 10%"},
		{"warning Tidewatch 告警：Low [wangqing] low 5% 低于 10%"},
	} {
		var got []string
		for _, m := range servers[i].Shown() {
			text := fmt.Sprint(m.Colour, " ", m.Title, " ", m.Mentioned)
			for _, part := range []string{"low", "50%", " 5%", "：5%", "低于 10%", "below 10%"} {
				if strings.Contains(m.Text, part) {
					text += " " + strings.TrimLeft(part, " ：")
				}
			}
			if !strings.Contains(m.Text, "http://tide.example/?") {
				t.Errorf("no link in %s", m.Text)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%d (-want +got):\n%s", i, diff)
		}
	}
	if m := servers[0].Shown()[0]; !strings.Contains(m.Text, "2027&#45;01&#45;15 16&#58;00&#58;01") {
		t.Errorf("not in the zone: %s", m.Text)
	}
}

func TestSendTestToChats(t *testing.T) {
	for _, kind := range robot.Kinds {
		s, rs := chatting(kind)
		if err := rs.SendTest(context.Background(), "", "http://tide.example", time.FixedZone("", 5*3600+45*60)); err != nil {
			t.Fatal(err)
		}
		shown := s.Shown()
		if len(shown) != 1 || !strings.Contains(shown[0].Title, "TidewatchTest") || !strings.Contains(shown[0].Text, "一切正常") {
			t.Errorf("%s: shown %+v", kind, shown)
		}
		if text := html.UnescapeString(shown[0].Text); !strings.Contains(text, "+05:45") {
			t.Errorf("%s: not in the zone: %s", kind, text)
		}
	}
}

// What a robot says in an answer of 200 is understood, and none of it tells a secret.
func TestChatRefuses(t *testing.T) {
	for kind, want := range map[robot.Kind]string{
		robot.Feishu:   "Feishu answered 19021 (sign match fail or timestamp is not within one hour from current time): correct the secret, or this machine's clock",
		robot.DingTalk: "DingTalk answered 310000 (sign not match, more: [<secret>): correct the secret, or this machine's clock; or give the robot the key word Tidewatch, which all messages have; or allow this machine's address in the robot's settings",
		robot.WeCom:    "WeCom answered 93000 (invalid webhook url, hint: [1755605200056773468916791], from ip: 192.0.2.1, more info at <secret>): correct the url",
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, rs := chatting(kind)
				if kind == robot.WeCom {
					s.Renew("other", "")
				} else {
					s.Renew("t0ken", "SECother")
				}
				d := deliverer(t, rs, newBox(), Options{})
				for i := range 30 {
					notifyAll(t, d, says(fmt.Sprint("Rule", i, "."), alerts.Firing, 1))
				}
				time.Sleep(time.Hour)
				l := d.Deliveries()
				if len(l) != 30 || l[0].Outcome != Retrying || l[0].Error != want || len(s.Shown()) != 0 || s.Limited() > 0 {
					t.Fatalf("%d deliveries, %+v, limited %d", len(l), l[0], s.Limited())
				}
				s.Renew("t0ken", rs.Integrations[0].Secret) // mended: nobody is to be blamed for it
				time.Sleep(6 * time.Minute)
				for i := range 30 {
					if n := count(s.Shown(), fmt.Sprint("Rule", i, ".")); n == 0 {
						t.Errorf("Rule%d is not told", i)
					}
				}
				if owed := d.Owed(); len(owed) != 0 || s.Limited() > 0 {
					t.Errorf("owed %v, limited %d", owed, s.Limited())
				}
			})
		})
	}
}

// After an outage of whatever kind, all that waits is told soon, not one by one.
func TestChatOutage(t *testing.T) {
	for _, status := range []int{500, 404, 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, rs := chatting(robot.DingTalk)
				var up atomic.Bool
				rs.Integrations[0].client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					switch {
					case up.Load():
						return s.RoundTrip(r)
					case status == 0:
						return nil, errors.New("connection refused")
					}
					return &http.Response{StatusCode: status, Body: http.NoBody, Request: r}, nil
				})
				d := deliverer(t, rs, newBox(), Options{})
				for i := range 300 {
					notifyAll(t, d, says(fmt.Sprintf("Rule%03d.", i), alerts.Firing, 1))
				}
				time.Sleep(2 * time.Hour)
				if n := d.Owed()["oncall/dingtalk"]; n != 300 {
					t.Fatalf("%d owed", n)
				}
				up.Store(true)
				time.Sleep(7 * time.Minute)
				if owed := d.Owed(); len(owed) != 0 || len(s.Shown()) > 60 || s.Limited() > 0 {
					t.Errorf("owed %v, %d messages, limited %d", owed, len(s.Shown()), s.Limited())
				}
			})
		})
	}
}

// A storm is within what the robot takes, names each alert once, and is soon over.
func TestStorm(t *testing.T) {
	for _, kind := range robot.Kinds {
		for _, c := range []struct {
			alerts int
			within time.Duration
			most   int // messages
		}{{3, time.Second, 3}, {11, 10 * time.Second, 3}, {500, 3 * time.Minute, 60}, {2000, 12 * time.Minute, 180}} {
			t.Run(fmt.Sprint(kind, c.alerts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, rs := chatting(kind)
					d := deliverer(t, rs, newBox(), Options{})
					var ns []alerts.Notification
					for i := range c.alerts {
						ns = append(ns, says(fmt.Sprintf("Rule%04d.", i), alerts.Firing, 1))
					}
					notifyAll(t, d, ns...)
					time.Sleep(c.within)
					shown := s.Shown()
					if len(shown) > c.most || s.Limited() > 0 || len(d.Owed()) > 0 {
						t.Errorf("%d messages, limited %d, owed %v", len(shown), s.Limited(), d.Owed())
					}
					var all strings.Builder
					for _, m := range shown {
						all.WriteString(m.Text)
						if len(shown) == c.alerts || kind == robot.Feishu {
							all.WriteString(m.Title)
						}
					}
					for _, n := range ns {
						if !strings.Contains(all.String(), n.Rule) {
							t.Fatalf("%s is not named", n.Rule)
						}
					}
				})
			})
		}
	}
}

// Alerts that come one by one never wait for long, and never are too many.
func TestTrickle(t *testing.T) {
	for _, kind := range robot.Kinds {
		synctest.Test(t, func(t *testing.T) {
			s, rs := chatting(kind)
			d := deliverer(t, rs, newBox(), Options{})
			most := rs.Integrations[0].protocol.limits().every
			for i := range 600 {
				name := fmt.Sprintf("Rule%d.", i)
				notifyAll(t, d, says(name, alerts.Firing, int64(i)))
				time.Sleep(time.Second / 2)
			}
			time.Sleep(most)
			for i := range 600 {
				name, asked := fmt.Sprintf("Rule%d.", i), time.Duration(i)*time.Second/2
				at := slices.IndexFunc(s.Shown(), func(m chats.Message) bool { return strings.Contains(m.Text+m.Title, name) })
				if at < 0 {
					t.Fatalf("%s: %s is not told", kind, name)
				}
				if late := s.Shown()[at].At.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) - asked; late > most {
					t.Errorf("%s: %s is told %s late", kind, name, late)
				}
			}
			if s.Limited() > 0 {
				t.Errorf("%s: limited %d times", kind, s.Limited())
			}
		})
	}
}

// What the robot does not stomach holds up nothing else, in whatever company it comes.
func TestChatPoison(t *testing.T) {
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"refused":   {200, `{"errcode":430102,"errmsg":"含有不合适的文本"}`},
		"breaks it": {500, "oops"},
		"too large": {413, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, rs := chatting(robot.DingTalk)
				s.Refuse = func(m chats.Message) (int, string) {
					if strings.Contains(m.Text, "Poison") {
						return answer.status, answer.body
					}
					return 0, ""
				}
				d := deliverer(t, rs, newBox(), Options{})
				var ns []alerts.Notification
				for i := range 100 {
					ns = append(ns, says(fmt.Sprintf("Rule%02d.", i), alerts.Firing, 1))
				}
				ns[40] = says("Poison", alerts.Firing, 1)
				notifyAll(t, d, ns...)
				time.Sleep(2 * time.Minute)
				l := d.Deliveries()
				if owed := d.Owed(); owed["oncall/dingtalk"] != 1 || l[0].Rule != "Poison" && l[1].Rule != "Poison" {
					t.Errorf("owed %v", owed)
				}
				notifyAll(t, d, says("Later", alerts.Firing, 2))
				time.Sleep(7 * time.Second)
				if shown := s.Shown(); !strings.Contains(shown[len(shown)-1].Title, "Later") || s.Limited() > 0 {
					t.Errorf("last %+v, limited %d", shown[len(shown)-1], s.Limited())
				}
			})
		})
	}
}

// While a robot is deaf, since somebody else uses it too, alerts wait for it: of each the
// last state is told, together.
func TestDeafChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, rs := chatting(robot.DingTalk)
		began := time.Now()
		s.Refuse = func(chats.Message) (int, string) {
			if time.Since(began) < 10*time.Minute {
				return 200, `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`
			}
			return 0, ""
		}
		d := deliverer(t, rs, newBox(), Options{})
		for i := range 40 {
			notifyAll(t, d, says(fmt.Sprintf("Rule%02d.", i), alerts.Firing, 1))
			time.Sleep(time.Second)
		}
		for i := range 20 {
			notifyAll(t, d, says(fmt.Sprintf("Rule%02d.", i), alerts.Resolved, 2))
		}
		if l := d.Deliveries(); l[0].Outcome != Queued && l[0].Outcome != Retrying || len(s.Shown()) > 0 {
			t.Errorf("delivery %+v", l[0])
		}
		time.Sleep(11*time.Minute - time.Since(began))
		shown := s.Shown()
		if len(shown) != 1 || shown[0].Title != "Tidewatch: 20 firing, 20 resolved" || len(d.Owed()) != 0 {
			t.Errorf("shown %+v, owed %v", shown, d.Owed())
		}
	})
}

// Who answers 200 and is no robot has taken nothing.
func TestNoRobot(t *testing.T) {
	_, rs := chatting(robot.Feishu)
	rs.Integrations[0].client.Transport = nil
	for answer, want := range map[string]string{
		"<html>Sign in</html>": "answered 200, but not as a robot of Feishu does: correct the url",
		"":                     "answered 200, but not as a robot of Feishu does: correct the url",
		`{"errcode":0}`:        "answered 200, but not as a robot of Feishu does: correct the url",
		`{"code":0}`:           "",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		rs.Integrations[0].URL = server.URL
		err := rs.SendTest(context.Background(), "", "", time.UTC)
		server.Close()
		if got := fmt.Sprint(err); got != "send to oncall/feishu: "+want && !(err == nil && want == "") {
			t.Errorf("%q: error %v, want %s", answer, err, want)
		}
	}
}

// One that hangs is tried again, and what it does not take outlives a restart.
func TestChatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, rs := chatting(robot.WeCom)
		var up atomic.Bool
		rs.Integrations[0].client.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if up.Load() {
				return s.RoundTrip(r)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		b := newBox()
		d := deliverer(t, rs, b, Options{})
		for i := range 50 {
			notifyAll(t, d, says(fmt.Sprintf("Rule%02d.", i), alerts.Firing, 1))
		}
		time.Sleep(time.Minute)
		if l := d.Deliveries(); len(l) != 50 || !slices.ContainsFunc(l, func(v Delivery) bool { return v.Error == "no answer within 10s" }) {
			t.Errorf("deliveries %+v", l[0])
		}
		stop(d)
		up.Store(true)
		next := deliverer(t, rs, b, Options{})
		time.Sleep(time.Minute)
		for i := range 50 {
			if count(s.Shown(), fmt.Sprintf("Rule%02d.", i)) == 0 {
				t.Errorf("Rule%02d is not told", i)
			}
		}
		if len(next.Owed()) > 0 || s.Limited() > 0 {
			t.Errorf("owed %v, limited %d", next.Owed(), s.Limited())
		}
	})
}

type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A group of alerts is one message of a robot, whatever it may send; what does not fit is
// counted.
func TestGroupOfRobot(t *testing.T) {
	for _, many := range []int{2, 300} {
		for _, kind := range robot.Kinds {
			synctest.Test(t, func(t *testing.T) {
				s, rs := chatting(kind)
				rs.Routes = tree(t, "route: {receiver: oncall, group_by: [], group_wait: 1s}")
				d := deliverer(t, rs, newBox(), Options{})
				var ns []alerts.Notification
				for i := range many {
					ns = append(ns, says(fmt.Sprintf("Rule%03d.", i), alerts.Firing, 1))
				}
				notifyAll(t, d, ns...)
				time.Sleep(time.Minute)
				shown := s.Shown()
				if len(shown) != 1 {
					t.Fatalf("%s: %d messages", kind, len(shown))
				}
				text := shown[0].Title + shown[0].Text
				named := strings.Count(text, "🔴 firing")
				more := ""
				if named < many {
					more = fmt.Sprint(many-named, " more are not named")
				}
				if many == 2 && named != 2 || named < 2 || !strings.Contains(text, "A group of alerts") || !strings.Contains(text, more) {
					t.Errorf("%s of %d: %d named in %s", kind, many, named, text)
				}
				if l := d.Deliveries(); len(l) != 1 || l[0].Outcome != Delivered {
					t.Errorf("deliveries %+v", l)
				}
			})
		}
	}
}
