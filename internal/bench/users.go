package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tidewatch/tidewatch/internal/send"
)

// activity are the KPIs that say who is active, comes back and stays away.
var activity = []string{"dau", "wau", "mau", "stickiness", "l_ness", "lifecycle",
	"retention_d1", "retention_d3", "retention_d7", "retention_d14", "retention_d30", "at_risk_users", "churned_users"}

// habits are the contenders of so many users: the activity of all together, and
// the same by channel, region and device as well.
func (b *bench) habits() ([]contender, error) {
	binary, rules, err := b.unruled()
	if err != nil {
		return nil, err
	}
	var out []contender
	for _, c := range []struct {
		name string
		by   []string
	}{{"activity alone", nil}, {"by channel, region, device", []string{"channel", "region", "device"}}} {
		file := filepath.Join(b.dir, fmt.Sprintf("activity%d.yaml", len(c.by)))
		if err := b.keep(file, activity, c.by); err != nil {
			return nil, err
		}
		out = append(out, contender{c.name, binary, []string{file}, rules})
	}
	return out, nil
}

// keep writes a file that keeps some KPIs of the catalogue, by these dimensions.
func (b *bench) keep(file string, names, by []string) error {
	n, err := b.define(file, func(k map[string]any) bool {
		delete(k, "by")
		if len(by) > 0 {
			k["by"] = by
		}
		return slices.Contains(names, fmt.Sprint(k["name"]))
	})
	if err == nil && n != len(names) {
		err = fmt.Errorf("%s has %d of the KPIs %s: give the catalogue of the binary (-catalogue)", b.catalogue, n, strings.Join(names, ", "))
	}
	return err
}

// throng is what so many users cost: they come, come again, stay away in part,
// and a day ends. Then they are asked about, and the service is killed.
func throng(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	nats, err := freeAddr()
	if err != nil {
		return nil, err
	}
	// Hardly anything is unsealed: what is resident is users.
	s, err := c.serve(ctx, dir, map[string]any{"timezone": "UTC", "disorder": "0s", "lateness": "10s", "nats": map[string]any{"listen": nats}})
	if err != nil {
		return nil, err
	}
	defer func() { s.kill() }()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	empty, err := s.alive(ctx, 5*time.Second)
	if err != nil {
		return nil, err
	}
	p := newPeople(b.users)
	if p.to, err = send.Connect("nats://" + nats); err != nil {
		return nil, err
	}
	defer p.to.Disconnect()
	for _, v := range []struct {
		figure string
		day    int
		share  float64
	}{{"insert, core-µs an event", 0, 1}, {"update, core-µs an event", 1, 1}, {"", 3, 0.5}, {"", 4, 0.98}} {
		cost, err := p.spend(ctx, s, v.day, v.share)
		if err != nil {
			return nil, err
		}
		if v.figure != "" {
			f.add(v.figure, cost)
		}
	}
	if err := f.users(ctx, s, float64(b.users), empty); err != nil {
		return nil, err
	}
	if err := f.minutes(ctx, s, p); err != nil {
		return nil, err
	}
	if err := f.resident(s, float64(b.users)); err != nil {
		return nil, err
	}
	if err := f.epoch(ctx, s, p, dir); err != nil {
		return nil, err
	}
	if err := p.close(ctx, s); err != nil {
		return nil, err
	}
	q, err := s.ask(ctx, time.Millisecond, p.questions(strings.Contains(c.name, "channel")))
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, 20*time.Second); err != nil {
		return nil, err
	}
	answers, err := q.stop()
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"day", "range", "count", "segment"} {
		f.times("query "+kind, answers[kind])
	}
	s, err = f.recovery(ctx, s, dir)
	return f, err
}

// users adds what is alive of so many, beyond an empty service's.
func (f *figures) users(ctx context.Context, s *service, n, empty float64) error {
	alive, err := s.alive(ctx, 40*time.Second)
	if err != nil {
		return err
	}
	f.add("bytes a user, alive", (alive-empty)/n)
	return nil
}

// resident adds the memory that the process has, some minutes after its backlog.
func (f *figures) resident(s *service, n float64) error {
	status, err := s.proc.NewStatus()
	if err != nil {
		return fmt.Errorf("read memory: %w", err)
	}
	f.add("bytes a user, resident without files", float64(status.RssAnon)/n)
	f.add("resident without files, GB", float64(status.RssAnon)/1e9)
	f.add("resident, GB", float64(status.VmRSS)/1e9)
	return nil
}

// alive is the least that the heap has in some time in which little happens: nearly
// without the garbage that waits for the collector.
func (s *service) alive(ctx context.Context, during time.Duration) (least float64, err error) {
	for until := time.Now().Add(during); time.Now().Before(until); {
		var heap float64
		if err := s.metrics(ctx, map[string]*float64{"go_memstats_heap_alloc_bytes": &heap}); err != nil {
			return 0, err
		}
		if least == 0 || heap < least {
			least = heap
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return least, nil
}

// metrics reads some of the service's own.
func (s *service) metrics(ctx context.Context, into map[string]*float64) error {
	text, err := get(ctx, s.url+"/metrics")
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(text, "\n") {
		name, value, _ := strings.Cut(line, " ")
		if to := into[name]; to != nil {
			if *to, err = strconv.ParseFloat(value, 64); err != nil {
				return fmt.Errorf("read %s: %w", name, err)
			}
		}
	}
	return nil
}

// minutes adds how long answers took at most in a minute at real speed, and in
// the one around midnight. A live value is read from what closed last, a user is
// asked of the partition, between two batches: that shows its pauses.
func (f *figures) minutes(ctx context.Context, s *service, p *people) error {
	questions := []question{{"live", "/api/v1/kpis/dau"}}
	for _, user := range []int{1, 2, 3, 5} {
		questions = append(questions, question{"user", "/api/v1/users/u" + strconv.Itoa(user)})
	}
	midnight := p.day(6)
	for _, m := range []struct {
		name   string
		around time.Time
	}{{"a minute", midnight.Add(-time.Hour)}, {"midnight", midnight}} {
		from := m.around.Add(-30 * time.Second)
		// What walks from day to day ahead of midnight is through by then.
		if err := p.walk(ctx, from.Add(-20*time.Minute), from, 1000); err != nil {
			return err
		}
		if _, err := s.reach(ctx, p.sent); err != nil {
			return err
		}
		q, err := s.ask(ctx, 2*time.Millisecond, questions)
		if err != nil {
			return err
		}
		if err := p.walk(ctx, from, from.Add(time.Minute), 1); err != nil {
			return err
		}
		answers, err := q.stop()
		if err != nil {
			return err
		}
		for _, kind := range []string{"live", "user"} {
			f.times(m.name+", "+kind, answers[kind])
			f.add(m.name+", "+kind+" longest, ms", float64(slices.Max(answers[kind]).Microseconds())/1000)
		}
	}
	return nil
}

// epoch adds what is written, and for how long, when 1 % of the users changed.
func (f *figures) epoch(ctx context.Context, s *service, p *people, dir string) error {
	const apart = 12 * time.Second // checkpoints are at most five seconds apart
	if err := pause(ctx, apart); err != nil {
		return err
	}
	before, err := s.checkpoints(ctx)
	if err != nil {
		return err
	}
	grown, err := stateSize(dir)
	if err != nil {
		return err
	}
	if _, err := p.spend(ctx, s, 7, 0.01); err != nil {
		return err
	}
	if err := pause(ctx, apart); err != nil {
		return err
	}
	after, err := s.checkpoints(ctx)
	if err != nil {
		return err
	}
	size, err := stateSize(dir)
	f.add("epochs of 1 % changed", after.count-before.count)
	f.add("epochs of 1 % changed, MB", (after.bytes-before.bytes)/1e6)
	f.add("epochs of 1 % changed, s", after.seconds-before.seconds)
	f.add("folder's growth by them, MB", (size-grown)/1e6)
	f.add("bytes of state a user on disk", size/float64(p.n))
	return err
}

// A checkpointing is how many checkpoints there were, what they wrote and how long
// they took.
type checkpointing struct{ count, bytes, seconds float64 }

func (s *service) checkpoints(ctx context.Context) (c checkpointing, err error) {
	const prefix = "tidewatch_checkpoint_"
	err = s.metrics(ctx, map[string]*float64{prefix + "duration_seconds_count": &c.count, prefix + "duration_seconds_sum": &c.seconds, prefix + "bytes_total": &c.bytes})
	return c, err
}

// stateSize is how much of the disk the state takes, in bytes.
func stateSize(dir string) (size float64, err error) {
	stream := filepath.Join(dataOf(dir), "stream")
	err = filepath.WalkDir(dataOf(dir), func(path string, e fs.DirEntry, err error) error {
		if path == stream {
			return fs.SkipDir
		}
		var info fs.FileInfo
		if err == nil {
			info, err = e.Info()
		}
		if errors.Is(err, fs.ErrNotExist) { // collected meanwhile
			return nil
		}
		if err == nil {
			size += float64(info.Sys().(*syscall.Stat_t).Blocks) * 512 // files are made larger than what is in them
		}
		return err
	})
	return size, err
}

// active is the number of users that the service says were active from one day
// to another.
func (s *service) active(ctx context.Context, from, to string) (int, error) {
	body, err := get(ctx, s.url+"/api/v1/users/count?active="+from+".."+to)
	if err != nil {
		return 0, err
	}
	var answer struct{ Data struct{ Count int } }
	err = json.Unmarshal([]byte(body), &answer)
	return answer.Data.Count, err
}

// freeAddr is one on the loopback that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}
