package rehearsal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/generate"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// rules are the files of the rules that come with Tidewatch, about the business.
var rules = []string{"../../alerts/default.yml", "../../deploy/business.yml"}

// A business is one at work: what happens, and the service that is told of it.
type business struct {
	t         *testing.T
	thinner   thinner
	events    *generate.Generator
	coming    generate.Event // has not arrived yet
	now       time.Time      // up to which all that arrives is in the log
	incidents []incident

	config    *config.Config
	catalogue *kpi.Catalogue
	log       *app.Log
	replica   *app.Replica
	itself    *monitor // nil: nobody looks at the service itself

	lines, late []byte // scratch
	delayed     map[int64][]byte
	told        []notification
}

// open opens a business whose service has no rules and nothing in its history.
func open(t *testing.T, seed uint64, start time.Time) *business {
	b := &business{t: t, now: start, log: app.NewLog(), catalogue: catalogue(t), delayed: map[int64][]byte{}}
	b.thinner.traffic = &traffic{seed: seed, start: start}
	b.events = b.thinner.generator()
	b.events.Next(&b.coming)
	b.serve(t.TempDir())
	return b
}

// serve has the service be at work with some rule files, on what is in a folder.
func (b *business) serve(dir string, rules ...string) {
	b.config = config.Default()
	b.config.Data, b.config.Rules = dir, rules
	if len(rules) == 0 {
		none := filepath.Join(b.t.TempDir(), "none.yml")
		if err := os.WriteFile(none, []byte("groups: []\n"), 0o600); err != nil {
			b.t.Fatal(err)
		}
		b.config.Rules = []string{none}
	}
	r, err := app.OpenReplica(b.config, b.log, app.ReplicaOptions{Catalogue: b.catalogue, Decided: b.note})
	if err != nil {
		b.t.Fatal(err)
	}
	b.replica = r
	b.t.Cleanup(func() { _ = r.Crash() })
}

// note notes what the rules say.
func (b *business) note(n notification) {
	b.t.Log(told(n))
	b.told = append(b.told, n)
}

// stop stops the service.
func (b *business) stop() {
	if err := b.replica.Checkpoint(); err != nil {
		b.t.Fatal(err)
	}
	if err := b.replica.Crash(); err != nil {
		b.t.Fatal(err)
	}
}

// fork is the same business, whose service has been stopped, from here on by itself, with
// incidents.
func (b *business) fork(t *testing.T, rules []string, incidents ...incident) *business {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(b.config.Data)); err != nil {
		b.t.Fatal(err)
	}
	f := *b
	f.t = t
	f.thinner.traffic = &traffic{seed: b.thinner.seed, start: b.thinner.start}
	f.events = f.thinner.generator()
	for f.events.Next(&f.coming); f.coming.Arrival() < b.now.UnixMilli(); {
		f.events.Next(&f.coming)
	}
	f.incidents, f.log, f.delayed = incidents, b.log.Fork(), map[int64][]byte{}
	f.lines, f.late, f.told = nil, nil, nil
	if len(rules) > 0 {
		f.itself = newMonitor(t)
	}
	f.serve(dir, rules...)
	return &f
}

// often is how many minutes are read at once while nobody looks, checkpoints are how
// many lie between two, progress between two lines.
const (
	often       = 15
	checkpoints = 360
	progress    = 2 * 24 * 60
)

// until goes on to a time.
func (b *business) until(end time.Time) {
	for n := 1; b.now.Before(end); n++ {
		b.minute()
		if n%progress == 0 {
			b.t.Log("it is ", b.now.In(shanghai).Format(time.DateTime))
		}
		if b.itself == nil && n%often != 0 && b.now.Before(end) {
			continue
		}
		if err := b.replica.Read(); err != nil {
			b.t.Fatal(err)
		}
		if b.itself != nil {
			b.itself.look(b.now, b.replica.Ledger())
			for _, n := range b.itself.judge(b.now) {
				b.note(n)
			}
		}
		if n%checkpoints != 0 {
			continue
		}
		if err := b.replica.Checkpoint(); err != nil {
			b.t.Fatal(err)
		}
		info, err := b.log.Info(context.Background())
		if err != nil {
			b.t.Fatal(err)
		}
		if behind := uint64(2 * checkpoints); info.Last > behind {
			b.log.Purge(info.Last - behind)
		}
	}
}

// skip leaves out what happens until a time, but for the time.
func (b *business) skip(to time.Time) {
	if !to.After(b.now) {
		return
	}
	b.now, b.thinner.start = to, to
	b.events = b.thinner.generator()
	b.events.Next(&b.coming)
	b.log.Tick(to.UnixMilli(), stream.Tick{To: to.UnixMilli()})
	if err := b.replica.Read(); err != nil {
		b.t.Fatal(err)
	}
}

// minute puts what arrives in the next minute into the log, as one message.
func (b *business) minute() {
	end := b.now.Add(time.Minute).UnixMilli()
	b.lines = append(b.lines[:0], b.delayed[end]...)
	delete(b.delayed, end)
	for b.coming.Arrival() < end {
		v := visitOf(&b.coming)
		if b.thinner.keep(v) {
			b.write(v, end)
		}
		if !b.events.Next(&b.coming) {
			b.t.Fatal("the traffic ends")
		}
	}
	if len(b.lines) > 0 {
		b.log.Append(end, bytes.Clone(b.lines))
	} else { // time goes on
		b.log.Tick(end, stream.Tick{To: end - b.config.Disorder.Milliseconds()})
	}
	b.now = time.UnixMilli(end)
}

// write writes an event as often, and where, as incidents have it.
func (b *business) write(v visit, end int64) {
	copies := 1
	for i := range b.incidents {
		in := &b.incidents[i]
		if !in.has(v) {
			continue
		}
		f := in.on(v)
		switch {
		case f.lost:
			return
		case f.broken:
			b.lines = append(b.lines, `{"id":`+"\n"...)
			return
		case f.late > 0:
			at := end + f.late.Milliseconds()
			b.delayed[at] = append(b.events.Append(b.delayed[at], v.Event), '\n')
			return
		}
		copies += f.copies
	}
	for range copies {
		b.lines = append(b.events.Append(b.lines, v.Event), '\n')
	}
}
