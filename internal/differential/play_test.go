package differential

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// A finding is the first difference of a case.
type finding struct {
	oracle.Difference
	player string
	index  int // of the player
	at     int // the step that asked
}

// A player is a service with a log of its own.
type player struct {
	config    *config.Config
	log       *app.Log
	leastBase int
	replica   *app.Replica
	handler   http.Handler
	signals   []oracle.Signal // all that were sent
}

func (p *player) open(partitions int) (err error) {
	c := *p.config
	c.Partitions = partitions
	if p.replica, err = app.OpenReplica(&c, p.log, app.ReplicaOptions{LeastBase: p.leastBase}); err != nil {
		return err
	}
	p.handler = p.replica.Handler()
	return nil
}

func (p *player) get(path string) (int, []byte) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = p.config.Listen
	p.handler.ServeHTTP(w, r)
	return w.Code, w.Body.Bytes()
}

// play plays the case in an empty folder; nil if all is right.
func (c *trial) play(dir string) (_ *finding, err error) {
	return c.playWith(dir, players, nil)
}

// playWith has the first n players, or if only is not nil that one, and asks at
// the end one question if there is one, or what the steps ask.
func (c *trial) playWith(dir string, n int, only *finding) (_ *finding, err error) {
	catalogue, all, err := c.start(dir, n)
	defer func() {
		for _, p := range all {
			if p.replica != nil {
				err = errors.Join(err, p.replica.Crash())
			}
		}
	}()
	if err != nil {
		return nil, err
	}
	o := oracle.New(catalogue, c.timing)
	random := c.random(2)
	for at, s := range c.steps {
		if s.act == send {
			o.Read(s.message)
			for _, p := range all {
				p.take(s.message)
			}
			continue
		}
		if s.act == retime {
			o = oracle.New(catalogue, c.later)
			for _, before := range c.steps[:at] {
				if before.act == send {
					o.Read(before.message)
				}
			}
			for _, p := range all {
				if err := errors.Join(p.do(step{act: checkpoint}), p.retime(c.later)); err != nil {
					return nil, err
				}
			}
			continue
		}
		if s.act == ask {
			if only != nil {
				continue
			}
			if f, err := c.compare(o, catalogue, all, random, s.whole); f != nil || err != nil {
				if f != nil {
					f.at = at
				}
				return f, err
			}
			continue
		}
		if only != nil && s.player != only.index {
			continue
		}
		p := all[0]
		if only == nil {
			p = all[s.player]
		}
		if err := p.do(s); err != nil {
			return nil, fmt.Errorf("%s: %w", names[s.player], err)
		}
	}
	if only != nil {
		return c.again(o, catalogue, all[0], only)
	}
	return nil, nil
}

func (c *trial) start(dir string, n int) (*kpi.Catalogue, []*player, error) {
	kpis, settings := filepath.Join(dir, "kpis.yaml"), filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(kpis, []byte(c.definitions()), 0o600); err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(settings, []byte(c.config(c.timing)+"kpis: ['"+kpis+"']\n"), 0o600); err != nil {
		return nil, nil, err
	}
	var all []*player
	for i := range n {
		loaded, err := config.Load(settings)
		if err != nil {
			return nil, all, err
		}
		loaded.Data = filepath.Join(dir, fmt.Sprint("data", i))
		p := &player{config: loaded, log: app.NewLog(), leastBase: c.leastBase}
		all = append(all, p)
		if err := p.open([]int{1, 3, 2}[i]); err != nil {
			return nil, all, err
		}
	}
	return all[0].replica.Catalogue(), all, nil
}

func (p *player) take(m oracle.Message) {
	if m.Tick {
		p.log.Tick(m.Stamp, stream.Tick{To: m.To})
		return
	}
	if user, is := strings.CutPrefix(m.Erased, "user "); is {
		p.log.Erase(m.Stamp, stream.Erasure{UserID: user})
		return
	}
	if id, is := strings.CutPrefix(m.Erased, "anonymous "); is {
		p.log.Erase(m.Stamp, stream.Erasure{AnonymousID: id})
		return
	}
	p.log.Append(m.Stamp, m.Data)
}

// retime starts the service again with another timing.
func (p *player) retime(t oracle.Timing) error {
	if err := p.replica.Crash(); err != nil {
		return err
	}
	p.replica = nil
	c := *p.config
	c.Disorder, c.Lateness, c.DedupWindow = t.Disorder, t.Lateness, t.DedupWindow
	p.config = &c
	return p.open(2)
}

func (p *player) do(s step) error {
	switch s.act {
	case read:
		return p.replica.Read()
	case checkpoint:
		return errors.Join(p.replica.Read(), p.replica.Checkpoint())
	}
	if err := p.replica.Crash(); err != nil {
		return err
	}
	p.replica = nil
	return p.open(s.partitions)
}

// compare asks everyone.
func (c *trial) compare(o *oracle.Oracle, catalogue *kpi.Catalogue, all []*player, random *rand.Rand, whole bool) (*finding, error) {
	for _, p := range all {
		if err := p.replica.Read(); err != nil {
			return nil, err
		}
	}
	retimed := c.retimed(all)
	for _, p := range all {
		if err := p.listen(); err != nil {
			return nil, err
		}
	}
	judge := func(path string, right func(int, []byte) []oracle.Difference) *finding {
		var before []byte
		for i, p := range all {
			status, body := p.get(path)
			if i > 0 && bytes.Equal(body, before) && reflect.DeepEqual(p.signals, all[i-1].signals) {
				continue // that was judged
			}
			before = body
			if !retimed {
				o.Hear(p.signals)
			}
			for _, d := range right(status, body) {
				return &finding{Difference: d, player: names[i], index: i}
			}
		}
		return nil
	}
	if f := judge("/api/v1/ledger", o.JudgeLedger); f != nil {
		return f, nil
	}
	for i, p := range all {
		if retimed {
			break
		}
		for _, d := range o.JudgeSignals(p.signals) {
			return &finding{Difference: d, player: names[i], index: i}, nil
		}
	}
	for range 4 {
		count := o.RandomCount(random.IntN)
		if count == nil {
			break
		}
		if f := judge(count.Path(), func(status int, body []byte) []oracle.Difference { return o.JudgeCount(count, status, body) }); f != nil {
			return f, nil
		}
	}
	for _, segment := range oracle.Segments {
		if f := judge(oracle.UsersPath(segment), users(o, segment)); f != nil {
			return f, nil
		}
	}
	for _, q := range c.questions(o, catalogue, random, whole) {
		if f := judge(q.Path(), func(status int, body []byte) []oracle.Difference { return o.Judge(q, status, body) }); f != nil {
			return f, nil
		}
	}
	return nil, nil
}

// again asks a player the question of a finding once more.
func (c *trial) again(o *oracle.Oracle, catalogue *kpi.Catalogue, p *player, f *finding) (*finding, error) {
	if err := p.replica.Read(); err != nil {
		return nil, err
	}
	path, right := "/api/v1/ledger", o.JudgeLedger
	if strings.HasPrefix(f.Segment, "/") {
		return f, nil // of days at random
	}
	if err := p.listen(); err != nil {
		return nil, err
	}
	if !c.retimed([]*player{p}) {
		o.Hear(p.signals)
	}
	if f.Segment == "signals" {
		for _, d := range o.JudgeSignals(p.signals) {
			return &finding{Difference: d, player: f.player, index: f.index}, nil
		}
		return nil, nil
	}
	if f.Segment != "" {
		path, right = oracle.UsersPath(f.Segment), users(o, f.Segment)
	}
	if f.Question != nil {
		q := *f.Question
		if q.KPI = catalogue.KPI(q.KPI.Name); q.KPI == nil {
			return nil, nil
		}
		path, right = q.Path(), func(status int, body []byte) []oracle.Difference { return o.Judge(q, status, body) }
	}
	status, body := p.get(path)
	for _, d := range right(status, body) {
		if d.Field == f.Field {
			return &finding{Difference: d, player: f.player, index: f.index}, nil
		}
	}
	return nil, nil
}

// retimed reports whether the timing is the later one. What was sent by the former
// one stays.
func (c *trial) retimed(all []*player) bool {
	now := all[0].config
	return c.timing != oracle.Timing{Disorder: now.Disorder, Lateness: now.Lateness, DedupWindow: now.DedupWindow}
}

// listen reads which signals were sent.
func (p *player) listen() error {
	p.signals = nil
	for cursor := ""; ; {
		_, body := p.get("/api/v1/signals?limit=1000" + cursor)
		var answer struct {
			Data struct {
				Signals []oracle.Signal
				Next    *string
			}
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return fmt.Errorf("read signals %.200q: %w", body, err)
		}
		p.signals = append(p.signals, answer.Data.Signals...)
		if answer.Data.Next == nil {
			return nil
		}
		cursor = "&cursor=" + *answer.Data.Next
	}
}

func users(o *oracle.Oracle, segment string) func(int, []byte) []oracle.Difference {
	return func(status int, body []byte) []oracle.Difference { return o.JudgeUsers(segment, status, body) }
}

// someQuestions are asked of each KPI at a time, where there are many.
const someQuestions = 2

// questions are about what is kept: at random, or whole about all of it.
func (c *trial) questions(o *oracle.Oracle, catalogue *kpi.Catalogue, random *rand.Rand, whole bool) []oracle.Question {
	var out []oracle.Question
	seconds := o.Seconds()
	tries, ranges := 1, 4
	if whole {
		tries = 6
	}
	if c.embedded {
		ranges = 16
	}
	for _, k := range catalogue.KPIs {
		before := len(out)
		for _, by := range k.By {
			for _, w := range k.Windows {
				if !whole && !c.embedded && random.IntN(3) > 0 {
					continue
				}
				q := oracle.Question{KPI: k, By: by, Window: w}
				out = append(out, q)
				if len(seconds) == 0 {
					continue
				}
				for range tries {
					q.At = moment(o, w, seconds, random)
					q.Match = match(o, by, random)
					out = append(out, q)
				}
				if random.IntN(ranges) == 0 {
					span := 20 * max(w.Step(), time.Second).Milliseconds()
					if w.IsDay() {
						span = 20 * 86_400_000
					}
					q.To, q.At, q.Match = o.Head()*1000-random.Int64N(span), 0, nil
					q.From = q.To - span
					out = append(out, q)
				}
			}
		}
		if c.embedded {
			of := out[before:]
			random.Shuffle(len(of), func(i, j int) { of[i], of[j] = of[j], of[i] })
			out = out[:before+min(len(of), someQuestions)]
		}
	}
	return out
}

// moment is a time whose window is likely to hold something, or to begin or end
// with it.
func moment(o *oracle.Oracle, w kpi.Window, seconds []int64, random *rand.Rand) int64 {
	at := seconds[random.IntN(len(seconds))]
	if random.IntN(4) == 0 {
		at = o.Head()
	}
	length := int64(w.Length.Seconds())
	if w.Length <= 0 {
		length = 82_800 // the shortest day: nothing is said of one before it may have begun
	}
	switch random.IntN(4) {
	case 0:
		at += length
	case 1:
		at += random.Int64N(length + 1)
	case 2:
		at = min(at+random.Int64N(length+1), o.Head())
	}
	return at*1000 + (random.Int64N(4)-1)*w.Step().Milliseconds()
}

// match asks for a series by name, now and then.
func match(o *oracle.Oracle, by kpi.Set, random *rand.Rand) map[string]string {
	if len(by) == 0 || random.IntN(4) > 0 {
		return nil
	}
	out := map[string]string{}
	for _, field := range by {
		if random.IntN(3) > 0 {
			out[field] = o.Value(field, random.IntN)
		}
	}
	return out
}
