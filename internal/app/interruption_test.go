package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/internal/chats"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A notified is what a receiver has taken.
type notified struct{ id, says string }

// A behaviour is how a receiver answers.
type behaviour string

const (
	up      behaviour = "up"
	down    behaviour = "down"
	slow    behaviour = "slow"  // takes it, and says so after a while
	hangs   behaviour = "hangs" // takes nothing and says nothing
	missing behaviour = "404"
	limited behaviour = "429"
	broken  behaviour = "500"
	refuses behaviour = "200 with an error" // of a robot
)

// A troubled receiver takes notifications, in memory, and outlives crashes.
type troubled struct {
	t     *testing.T
	robot *chats.Server // nil for a webhook

	mu    sync.Mutex
	with  behaviour
	taken []notified
}

func (r *troubled) becomes(with behaviour) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.with = with
}

func (r *troubled) is() behaviour {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.with
}

// RoundTrip takes a request, or does not.
func (r *troubled) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	answer := func(status int) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: req}, nil
	}
	switch r.is() {
	case down:
		return nil, errors.New("connection refused")
	case hangs:
		<-req.Context().Done()
		return nil, req.Context().Err()
	case missing:
		return answer(http.StatusNotFound)
	case limited:
		header.Set("Retry-After", "40")
		return answer(http.StatusTooManyRequests)
	case broken:
		return answer(http.StatusInternalServerError)
	}
	if r.robot != nil {
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		return r.robot.RoundTrip(req)
	}
	r.take(req.Header.Get("Idempotency-Key"), body)
	if r.is() == slow {
		select {
		case <-time.After(5 * time.Second):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	return answer(http.StatusOK)
}

func (r *troubled) take(id string, body []byte) {
	var m struct {
		Status string
		Alerts []struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(body, &m); err != nil {
		r.t.Errorf("body %s: %v", body, err)
		return
	}
	if m.Alerts[0].Annotations["corrected"] != "" {
		m.Status = "corrected"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = append(r.taken, notified{id, m.Status})
}

// refuse is what a robot answers to what it does not take.
func (r *troubled) refuse(chats.Message) (int, string) {
	if r.is() != refuses {
		return 0, ""
	}
	return http.StatusOK, `{"code":11233,"msg":"the group is closed"}`
}

// saw is what the receiver has taken, in order. Robots know no ids.
func (r *troubled) saw() []notified {
	if r.robot == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		return slices.Clone(r.taken)
	}
	var out []notified
	for _, m := range r.robot.Shown() {
		for word, says := range map[string]string{"firing": "firing", "resolved": "resolved", "corrected": "corrected"} {
			if strings.HasPrefix(m.Title, "Tidewatch "+word+":") {
				out = append(out, notified{says, says})
			}
		}
	}
	return out
}

// An interrupted service is one whose alert is at some point when something happens to it.
type interrupted struct {
	*testing.T
	config    *config.Config
	catalogue *kpi.Catalogue // nil until it has been read
	events    *Log
	to        *troubled
	*Replica
}

func (s *interrupted) open() {
	s.Helper()
	var err error
	if s.Replica, err = OpenReplica(s.config, s.events, ReplicaOptions{Webhooks: s.to, Catalogue: s.catalogue}); err != nil {
		s.Fatal(err)
	}
}

func (s *interrupted) end(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *interrupted) kill() {
	s.Helper()
	s.end(s.Crash())
	s.open()
}

// restart ends it as a service is stopped.
func (s *interrupted) restart() {
	s.Helper()
	s.end(s.Checkpoint())
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	s.deliver.Stop(ctx)
	s.end(s.close())
	s.open()
}

// watch has n plays come in of a moment, watched to the end or not.
func (s *interrupted) watch(second, n int, whole bool) {
	s.Helper()
	s.add(second, n, whole)
	s.end(s.Read())
}

// add has them be there to be read.
func (s *interrupted) add(second, n int, whole bool) {
	watched := 1
	if whole {
		watched = 1000
	}
	at, stamp := noon.Add(time.Duration(second)*time.Second).UnixMilli(), s.stamp()
	for i := range n {
		s.events.Append(max(stamp, at), fmt.Appendf(nil, `{"id":"%d.%d.%d","time":%d,"type":"play","user_id":"u","channel":"c","watch_ms":%d,"duration_ms":1000}`, second, stamp, i, at, watched))
	}
}

// until has all before a second be in.
func (s *interrupted) until(second int) {
	s.Helper()
	at := noon.Add(time.Duration(second) * time.Second).UnixMilli()
	s.events.Tick(max(s.stamp(), at), stream.Tick{To: at})
	s.end(s.Read())
}

func (s *interrupted) stamp() int64 {
	if all := s.events.Messages(); len(all) > 0 {
		return all[len(all)-1].Stamp
	}
	return 0
}

// edit has other files be there.
func (s *interrupted) edit(file, old, by string) {
	s.Helper()
	text, err := os.ReadFile(file)
	s.end(err)
	changed := strings.ReplaceAll(string(text), old, by)
	if changed == string(text) {
		s.Fatalf("%s has no %s", file, old)
	}
	s.end(os.WriteFile(file, []byte(changed), 0o600))
}

func (s *interrupted) editRule() {
	s.Helper()
	s.edit(s.config.Rules[0], "severity: page", "severity: ticket")
	s.edit(s.config.Rules[0], "< 0.5", "< 0.6")
}

// rename has what was one receiver be another, at the same place.
func (s *interrupted) rename() {
	s.Helper()
	s.edit(s.config.Alertmanager, "ops", "night")
}

// group has alerts be told together from then on.
func (s *interrupted) group() {
	s.Helper()
	s.edit(s.config.Alertmanager, "{receiver: ops}", "{receiver: ops, group_by: [alertname], group_interval: 1s}")
}

func (s *interrupted) reload() {
	s.Helper()
	s.end(s.Reload(s.Context()))
}

// A point is how far the alert has come, and what its receiver has seen in the end.
type point struct {
	name string
	// before happens while the receiver is well, reach while it is not, after once the
	// interruption is over, and the rest once the receiver is well again.
	before, reach, after, rest func(*interrupted)
	// want is what is told one after the other; well, where it differs, if the
	// receiver is well all the time.
	want, well []string
}

func pends(s *interrupted) {
	s.watch(0, 4, false)
	s.until(5)
}

func fires(s *interrupted) {
	pends(s)
	s.until(20)
}

func resolves(s *interrupted) {
	s.watch(25, 12, true)
	s.until(60)
}

func corrects(s *interrupted) {
	s.watch(2, 12, true)
	s.until(60)
	time.Sleep(time.Second) // so that this is told by itself
	s.until(700)
}

// passes is over before anybody can be told of it.
func passes(s *interrupted) {
	s.add(0, 4, false)
	s.add(25, 12, true)
	s.until(60)
}

var points = []point{
	{name: "pending", reach: pends, after: func(s *interrupted) { s.until(20) }, rest: resolves, want: []string{"firing", "resolved"}},
	{name: "firing", reach: fires, rest: resolves, want: []string{"firing", "resolved"}},
	{name: "resolved", before: fires, reach: resolves, want: []string{"firing", "resolved"}},
	{name: "resolved, and never told", reach: func(s *interrupted) { fires(s); time.Sleep(time.Second); resolves(s) }, want: []string{"resolved"}, well: []string{"firing", "resolved"}},
	{name: "over at once", reach: passes},
	{name: "corrected", before: fires, reach: corrects, want: []string{"firing", "corrected"}, well: []string{"firing", "resolved", "corrected"}},
}

// interruptions are what may happen. Of a crash, and of a receiver that is another one while
// something is on its way to it, something may be seen twice.
var interruptions = []struct {
	name  string
	twice bool
	does  func(*interrupted)
}{
	{"restart", false, (*interrupted).restart},
	{"kill", true, (*interrupted).kill},
	{"epoch, kill", true, func(s *interrupted) { s.end(s.Checkpoint()); s.kill() }},
	{"reload", false, (*interrupted).reload},
	{"edit, reload", false, func(s *interrupted) { s.editRule(); s.reload() }},
	{"edit, kill", true, func(s *interrupted) { s.editRule(); s.kill() }},
	{"grouped, reload", false, func(s *interrupted) { s.group(); s.reload() }},
	{"receiver renamed, reload", true, func(s *interrupted) { s.rename(); s.reload() }},
}

// Whatever happens to the service, its files and its receiver, and wherever the alert stands
// then: each of its states is told, in order, and what is seen twice is so under one id.
func TestInterruptions(t *testing.T) {
	catalogue := warm(t)
	for _, with := range []behaviour{up, down, slow, hangs, missing, limited, broken, refuses} {
		for _, at := range points {
			for _, by := range interruptions {
				t.Run(fmt.Sprintf("%s/%s/%s", with, at.name, by.name), func(t *testing.T) {
					t.Parallel()
					c := interruptible(t, with)
					synctest.Test(t, func(t *testing.T) {
						s := &interrupted{T: t, config: c, catalogue: catalogue, events: NewLog(), to: &troubled{t: t, with: up}}
						if with == refuses {
							s.to.robot = chats.Feishu("t0ken", "")
							s.to.robot.Refuse = s.to.refuse
						}
						s.play(with, at, by.does)
						want := at.want
						if (with == up || with == slow) && at.well != nil {
							want = at.well
						}
						check(t, s.to.saw(), want, by.twice)
					})
				})
			}
		}
	}
}

// play has the interruption come while the alert is at a point and its receiver is not well.
func (s *interrupted) play(with behaviour, at point, happens func(*interrupted)) {
	does := func(f func(*interrupted), long time.Duration) {
		if f != nil {
			f(s)
		}
		time.Sleep(long)
	}
	s.open()
	does(at.before, time.Minute)
	s.to.becomes(with)
	does(at.reach, time.Second)
	does(happens, time.Second)
	does(at.after, time.Minute)
	s.to.becomes(up)
	does(nil, 15*time.Minute) // longer than any pause
	does(at.rest, time.Minute)
	does((*interrupted).kill, 15*time.Minute) // what was delivered is not sent again
	for name, n := range s.Owed() {
		s.Errorf("%d notifications are owed to %s", n, name)
	}
	s.end(s.Crash())
}

// check compares what was seen with what was to be told.
func check(t *testing.T, saw []notified, want []string, twice bool) {
	t.Helper()
	ids, told := map[string]string{}, []string{}
	for i, n := range saw {
		says, known := ids[n.id]
		switch {
		case known && (says != n.says || saw[i-1] != n || !twice):
			t.Errorf("seen again: %s %s", n.id, n.says)
		case !known:
			ids[n.id] = n.says
			told = append(told, n.says)
		}
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// interruptible is a configuration with a rule and a receiver, of a robot where it answers as
// one.
func interruptible(t *testing.T, with behaviour) *config.Config {
	t.Helper()
	c := alerting(t, `{alert: Low, expr: 'kpi_completion_rate{by="channel",window="1m"} < 0.5', for: 5s, min_samples: 4, labels: {severity: page}}`)
	c.Partitions = 1
	if with == refuses {
		text := "route: {receiver: ops}\nreceivers: [{name: ops, feishu_configs: [{url: 'http://ops.example" + chats.Feishu("t0ken", "").Address() + "', language: en}]}]"
		if err := os.WriteFile(c.Alertmanager, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// warm plays once outside of virtual time: what the libraries make once and keep must not be
// made in it.
func warm(t *testing.T) *kpi.Catalogue {
	t.Helper()
	s := &interrupted{T: t, config: interruptible(t, up), events: NewLog(), to: &troubled{t: t, with: up}}
	s.open()
	fires(s)
	s.restart()
	s.kill()
	s.end(s.Crash())
	return s.Catalogue()
}
