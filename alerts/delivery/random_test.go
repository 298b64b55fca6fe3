package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/history"
	"github.com/tidewatch/tidewatch/alerts/silences"
)

// What may come together, by chance: alerts, two of them with the same labels and one whose labels
// change, receivers that refuse, or take and say that they do not, or are slow, silences, crashes and
// reloads. Once all is well again receivers know of each label set what is so, and nothing is kept
// of what is over.
func TestAtRandom(t *testing.T) {
	files := []string{
		"route: {receiver: ops}\n",
		"route: {receiver: ops, group_by: [alertname], group_interval: 30s}\n",
		"route: {receiver: ops, group_by: [alertname], group_wait: 10s, group_interval: 1m, repeat_interval: 5m}\n",
		"route: {receiver: ops, repeat_interval: 2m}\n",
		"route: {receiver: ops, group_by: [channel], group_interval: 30s, routes: [{receiver: desk, matchers: ['channel=\"d\"']}]}\n",
	}
	for seed := range 50 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { newChance(t, uint64(seed), files[seed%len(files)]).play(30) })
		})
	}
}

// chance is a play of chance.
type chance struct {
	t       *testing.T
	rnd     *rand.Rand
	file    string
	r       *receiver
	box     *box
	d       *Deliverer
	at      int64
	silence string
	alerts  [4]struct {
		channel string
		last    alerts.Notification
	}
	decided []alerts.Notification // that no epoch covers

	mu    sync.Mutex
	luck  *rand.Rand        // of receivers, who answer meanwhile
	mood  string            // theirs
	knows map[string]string // what is so, by receiver and channel
	log   []string
}

func newChance(t *testing.T, seed uint64, file string) *chance {
	c := &chance{t: t, rnd: rand.New(rand.NewPCG(seed, 0)), luck: rand.New(rand.NewPCG(seed, 1)), file: file, box: newBox(), knows: map[string]string{}}
	for i, channel := range []string{"a", "a", "b", "c"} {
		c.alerts[i].channel, c.alerts[i].last.Status = channel, alerts.Resolved
	}
	c.r = newReceiver(t, c.answer)
	c.begin()
	return c
}

func (c *chance) begin() { c.d = deliverer(c.t, c.receivers(), c.box, Options{}) }

func (c *chance) receivers() *Receivers { return c.r.routed(c.t, c.file+hooked("ops", "desk")) }

func (c *chance) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write(format, args...)
}

// write notes something. The caller holds mu.
func (c *chance) write(format string, args ...any) {
	c.log = append(c.log, fmt.Sprintf("%s %s", time.Since(c.r.begin), fmt.Sprintf(format, args...)))
}

var moods = []string{"takes", "refuses", "takes and refuses", "any", "slow"}

func (c *chance) answer(m call) (status int, _ http.Header) {
	c.mu.Lock()
	mood := c.mood
	if mood == "any" {
		mood = moods[c.luck.IntN(3)]
	}
	for _, status := range []string{"resolved", "firing"} { // of a label set that both are, the latter counts
		for _, a := range m.msg.Alerts {
			if a.Status == status && mood != "refuses" {
				c.knows[m.msg.Receiver+" "+a.Labels["channel"]] = status
			}
		}
	}
	c.write("%s %s %v", m.msg.Receiver, mood, m)
	c.mu.Unlock()
	if mood == "slow" {
		time.Sleep(3 * time.Second)
	}
	if strings.HasSuffix(mood, "refuses") {
		return http.StatusInternalServerError, nil
	}
	return http.StatusOK, nil
}

func (c *chance) play(steps int) {
	for range steps {
		switch k := c.rnd.IntN(20); {
		case k < 9:
			var ns []alerts.Notification
			for range 1 + c.rnd.IntN(3) {
				ns = append(ns, c.turn(c.rnd.IntN(len(c.alerts))))
			}
			c.decided = append(c.decided, ns...)
			notifyAll(c.t, c.d, ns...)
		case k < 12:
			c.mu.Lock()
			c.mood = moods[c.rnd.IntN(len(moods))]
			c.mu.Unlock()
		case k < 14:
			c.hush()
		case k < 15:
			c.crash()
		case k < 16:
			c.note("reload")
			if err := c.d.Reload(c.receivers()); err != nil {
				c.t.Fatal(err)
			}
		case k < 17:
			c.epoch()
		default:
			time.Sleep([]time.Duration{100 * time.Millisecond, 2 * time.Second, 20 * time.Second, 3 * time.Minute}[c.rnd.IntN(4)])
		}
		if c.rnd.IntN(2) == 0 {
			synctest.Wait()
		}
	}
	c.mu.Lock()
	c.mood = "takes"
	c.mu.Unlock()
	if c.silence != "" {
		c.hush()
	}
	c.expect("all is well again")
	for i := range c.alerts {
		if c.alerts[i].last.Status == alerts.Firing {
			notifyAll(c.t, c.d, c.turn(i))
		}
	}
	c.expect("all is over")
	time.Sleep(keptFor + giveUpAfter)
	if err := c.d.Committed(at1(c.at)); err != nil || len(c.box.without(history.Prefix, healthPrefix, silences.Prefix)) != 0 {
		c.t.Errorf("kept %s, %v", c.box.without(history.Prefix, healthPrefix, silences.Prefix), err)
	}
}

// turn has an alert fire, or be over.
func (c *chance) turn(i int) alerts.Notification {
	a, to := &c.alerts[i], alerts.Resolved
	if a.last.Status == alerts.Resolved {
		if to = alerts.Firing; i == 3 {
			a.channel = []string{"c", "d"}[c.rnd.IntN(2)]
		}
	}
	c.at++
	n := says("Low", to, c.at)
	n.Group, n.Labels["channel"] = fmt.Sprint("g", i), a.channel
	n.Identify("")
	a.last = n
	c.note("alert %d %s %s", i, a.channel, to)
	return n
}

// hush begins or ends a silence.
func (c *chance) hush() {
	c.note("silence %s", c.silence)
	if c.silence == "" {
		c.silence = mute(c.t, c.d, "Low", 24*time.Hour)
		return
	}
	unmute(c.t, c.d, c.silence)
	c.silence = ""
}

// crash goes on from what is on disk.
func (c *chance) crash() {
	c.note("crash")
	c.box.mu.Lock()
	kept := &box{kept: maps.Clone(c.box.kept)}
	c.box.mu.Unlock()
	c.box.fail(errors.New("crashed"))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c.d.Stop(ctx)
	c.box = kept
	c.begin()
	notifyAll(c.t, c.d, c.decided...)
}

// epoch has what is decided not come again.
func (c *chance) epoch() {
	c.note("epoch")
	if err := c.d.Committed(at1(c.at)); err != nil {
		c.t.Fatal(err)
	}
	c.decided = nil
	var firing []alerts.Notification
	for _, a := range c.alerts {
		if a.last.Status == alerts.Firing {
			firing = append(firing, a.last)
		}
	}
	if err := c.d.Prove(firing, at1(c.at)); err != nil {
		c.t.Fatal(err)
	}
}

// expect compares what receivers know with what is so.
func (c *chance) expect(when string) {
	c.t.Helper()
	time.Sleep(3 * time.Hour)
	synctest.Wait()
	want := map[string]string{}
	for _, to := range slices.Sorted(maps.Keys(c.knows)) {
		want[to] = "resolved"
	}
	for _, a := range c.alerts {
		if a.last.Status == alerts.Firing {
			to := "ops"
			if a.channel == "d" && strings.Contains(c.file, "desk") {
				to = "desk"
			}
			want[to+" "+a.channel] = "firing"
		}
	}
	if !maps.Equal(c.knows, want) {
		c.t.Fatalf("%s: they know %v, want %v, by %s\n%s", when, c.knows, want, c.file, strings.Join(c.log, "\n"))
	}
}
