// Package scenario plays scripts against the real engine, store and delivery:
// events in, exact answers out. See README.md for the language.
package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A Mode is a way to play a script. What a script expects holds in all of them.
type Mode struct {
	Name string
	// Partitions are taken in turn, one at each start. By default 1.
	Partitions []int
	// Single reads message by message. By default all of a command at once.
	Single bool
	// Crash ends the service on the spot after every command that is no
	// question.
	Crash bool
	// Checkpoint makes an epoch before every such command: a crash loses what
	// the command did.
	Checkpoint bool
	// LeastBase is that of the replicas: with 1 they are restored by journals, where by
	// default so few users are written whole each time.
	LeastBase int
	// Redeliver sends all events again after every such command.
	Redeliver bool
	// Oracle has every number recomputed from the log, at the first query after any
	// other command.
	Oracle bool
	// Fault is called before every operation of the store.
	Fault func(op string) error
}

// Modes are the ways in which every script is played.
var Modes = []Mode{
	{Name: "1 partition", Single: true, Oracle: true},
	{Name: "3 partitions", Partitions: []int{3}},
	{Name: "8 partitions", Partitions: []int{8}, Single: true},
	{Name: "crash", Partitions: []int{3}, Crash: true},
	{Name: "checkpoint, crash", Partitions: []int{1, 8, 3}, Crash: true, Checkpoint: true, Single: true, LeastBase: 1},
	{Name: "redeliver, crash", Partitions: []int{3, 2, 2}, Crash: true, Checkpoint: true, Redeliver: true},
}

// A Result is what a script answered.
type Result struct {
	script  *Script
	answers map[*command][]string
	// Mismatches say where that is not what the script expects.
	Mismatches []string
}

// Rewritten is the script with what it answered.
func (r *Result) Rewritten() []byte { return r.script.text(r.answers) }

// A run plays one script in one mode.
type run struct {
	mode   Mode
	dir    string
	config *config.Config
	// catalogue is that of the configuration, once a replica has read it.
	catalogue *kpi.Catalogue
	// settings are the files of the script by their key in the configuration.
	settings map[string]string
	result   *Result

	log       *app.Log
	replica   *app.Replica // nil until it is needed, and after a crash
	handler   http.Handler // of the replica
	changed   bool         // since the last question
	starts    int
	receivers *receivers
	attempted chan struct{}

	day       string // of times without a date
	now       int64  // the clock of the stream, Unix ms
	lastEvent int64  // stamp of the last message that was no tick
	last      int64  // stamp of the last message
	sent      []post
}

// Run plays the script in a folder of its own, which has to be empty.
func (s *Script) Run(dir string, m Mode) (_ *Result, err error) {
	r := &run{mode: m, dir: dir, log: app.NewLog(), receivers: newReceivers(), attempted: make(chan struct{}, 1),
		changed: true, result: &Result{script: s, answers: map[*command][]string{}}, day: "2026-01-05"}
	r.receivers.once = m.Fault != nil
	rest, err := r.prepare(s.commands)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.crash()) }()
	for _, c := range rest {
		if err := r.play(c); err != nil {
			return nil, err
		}
	}
	return r.result, nil
}

// prepare takes the leading commands that configure, and writes their files.
func (r *run) prepare(commands []*command) (rest []*command, err error) {
	r.settings = map[string]string{}
	var text strings.Builder
	file := func(c *command, key, content string, list bool) error {
		name := filepath.Join(r.dir, c.name+".yml")
		if r.settings[key] = name; list {
			r.settings[key] = "['" + name + "']"
		}
		return os.WriteFile(name, []byte(content), 0o600)
	}
	for len(commands) > 0 {
		c := commands[0]
		block := strings.Join(c.block, "\n") + "\n"
		switch c.name {
		case "config":
			text.WriteString(block)
		case "kpis":
			err = file(c, "kpis", block, true)
		case "rules":
			err = file(c, "rules", block, true)
		case "alertmanager":
			err = file(c, "alertmanager", block, false)
		case "receiver":
			if len(c.args) != 1 {
				return nil, c.errorf("give its name")
			}
			err = file(c, "alertmanager", fmt.Sprintf("route: {receiver: %[1]s}\nreceivers: [{name: %[1]s, webhook_configs: [{url: 'http://receiver/%[1]s'}]}]\n", c.args[0]), false)
		default:
			return commands, r.configure(commands[0], text.String())
		}
		if err != nil {
			return nil, c.errorf("%w", err)
		}
		commands = commands[1:]
	}
	return nil, nil
}

// configure reads a configuration, which the script's files are added to.
func (r *run) configure(c *command, text string) (err error) {
	for _, key := range []string{"kpis", "rules", "alertmanager"} {
		if v, ok := r.settings[key]; ok {
			text += key + ": " + v + "\n"
		}
	}
	name := filepath.Join(r.dir, "config.yml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return err
	}
	if r.config, err = config.Load(name); err != nil {
		return c.errorf("configuration: %w", err)
	}
	r.config.Data, r.catalogue = filepath.Join(r.dir, "data"), nil
	return nil
}

// play does a command, and what the mode does between commands.
func (r *run) play(c *command) error {
	do, ok := commands[c.name]
	if !ok {
		return c.errorf("is no command: use one of %s", strings.Join(names(), ", "))
	}
	if err := r.start(); err != nil {
		return c.errorf("%w", err)
	}
	if r.mode.Checkpoint && r.changed {
		if err := r.replica.Checkpoint(); err != nil {
			return c.errorf("%w", err)
		}
	}
	answer, err := do(r, c)
	if err != nil && r.mode.Fault != nil {
		answer, err = do(r, c) // as whoever asked does
	}
	if err != nil {
		return c.errorf("%w", err)
	}
	if answer != nil {
		r.compare(c, answer)
	} else if len(c.block) > 0 && !slices.Contains([]string{"batch", "raw", "restart", "alertmanager", "rules"}, c.name) {
		return c.errorf("answers nothing: remove the lines below it")
	}
	if r.mode.Oracle && answer != nil && r.changed {
		for _, m := range r.askOracle() {
			r.result.Mismatches = append(r.result.Mismatches, fmt.Sprintf("%s:%d: %s: %s", c.script.Name, c.line, c.name, m))
		}
	}
	if r.changed = answer == nil; !r.changed {
		return nil // a question changes nothing
	}
	if r.mode.Redeliver {
		if err := r.redeliver(); err != nil {
			return c.errorf("%w", err)
		}
	}
	if r.mode.Crash {
		return r.crash()
	}
	return nil
}

// start opens a replica if there is none.
func (r *run) start() (err error) {
	if r.replica != nil {
		return nil
	}
	c := *r.config
	c.Partitions = 1
	if n := len(r.mode.Partitions); n > 0 {
		c.Partitions = r.mode.Partitions[r.starts%n]
	}
	r.starts++
	o := app.ReplicaOptions{Webhooks: r.receivers, Attempted: r.told, Fault: r.mode.Fault, LeastBase: r.mode.LeastBase, Catalogue: r.catalogue}
	if r.replica, err = app.OpenReplica(&c, r.log, o); err != nil && r.mode.Fault != nil {
		r.replica, err = app.OpenReplica(&c, r.log, o) // as whoever watches over the service does
	}
	if err == nil {
		r.handler, r.catalogue = r.replica.Handler(), r.replica.Catalogue()
	}
	return err
}

func (r *run) told(delivery.Delivery) {
	select {
	case r.attempted <- struct{}{}:
	default:
	}
}

// deliver waits until all notifications are out, but for receivers that are
// down.
func (r *run) deliver() {
	for {
		owed := false
		for receiver := range r.replica.Owed() {
			owed = owed || !r.receivers.isDown(receiver)
		}
		if !owed {
			return
		}
		<-r.attempted
	}
}

// crash drops everything but the log, the folder and the receivers.
func (r *run) crash() error {
	if r.replica == nil {
		return nil
	}
	r.deliver()
	err := r.replica.Crash()
	r.replica = nil
	return err
}

// send publishes events.
func (r *run) send(posts ...post) error {
	for _, p := range posts {
		stamp := cmp.Or(p.stamp, max(r.now, p.time))
		p.stamp = stamp
		r.sent = append(r.sent, p)
		r.log.Append(stamp, p.data)
		r.now, r.last, r.lastEvent = max(r.now, stamp), stamp, stamp
		if err := r.read(r.mode.Single); err != nil {
			return err
		}
	}
	return r.read(true)
}

func (r *run) read(now bool) error {
	if !now {
		return nil
	}
	return r.replica.Read()
}

// redeliver sends all events again. Those that were ahead of their time are
// left out: they may fit now.
func (r *run) redeliver() error {
	if err := r.start(); err != nil {
		return err
	}
	for _, p := range r.sent {
		if p.time <= p.stamp+stream.MaxAhead.Milliseconds() {
			r.log.Append(r.last, p.data)
		}
	}
	return r.read(true)
}

// tick lets time go on, as the service does when no events come.
func (r *run) tick(stamp int64, t stream.Tick) error {
	r.log.Tick(stamp, t)
	r.now, r.last = max(r.now, stamp), stamp
	return r.read(r.mode.Single)
}

// maxTicks bounds what idling costs.
const maxTicks = 200_000

// idle is silence, with the ticks that the service sends meanwhile.
func (r *run) idle(d time.Duration) error {
	end := r.now + d.Milliseconds()
	for n := 0; ; n++ {
		quiet := time.Duration(r.last-r.lastEvent) * time.Millisecond
		next := r.last + app.TickEvery(r.config, quiet).Milliseconds()
		if next > end {
			break
		}
		if n == maxTicks {
			return errors.New("is too long: let an event come, or tick")
		}
		if err := r.tick(next, stream.Tick{}); err != nil {
			return err
		}
	}
	r.now = end
	return r.read(true)
}

// compare notes how an answer differs from what the script expects.
func (r *run) compare(c *command, answer []string) {
	r.result.answers[c] = answer
	want, got := c.block, answer
	if r.mode.Redeliver && c.name == "ledger" {
		// What comes again stands in other columns.
		want, got = slices.DeleteFunc(slices.Clone(want), redelivered), slices.DeleteFunc(slices.Clone(got), redelivered)
	}
	if c.name == "get" {
		if r.mode.Redeliver && strings.Contains(c.rest, "ledger") {
			return
		}
		if matches(want, got) {
			r.result.answers[c] = want
			return
		}
	}
	if !slices.Equal(want, got) {
		r.result.Mismatches = append(r.result.Mismatches, fmt.Sprintf("%s:%d: %s %s (- is expected, + came)\n%s", c.script.Name, c.line, c.name, c.rest, diff(want, got)))
	}
}

// redelivered tells the lines of a ledger that change when events come again.
func redelivered(line string) bool {
	return !strings.HasPrefix(line, "counted") && !strings.HasPrefix(line, "filtered") && !strings.HasPrefix(line, "watermark")
}
