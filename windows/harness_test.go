package windows_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// A setup is what a service is configured with.
type setup struct {
	catalogue *kpi.Catalogue
	timing    stream.Timing
}

var hashKey = stream.HashKey{7, 11}

// A pipeline is the engine without broker and store: every stage in turn.
type pipeline struct {
	setup
	*windows.Engine
	decoder   *stream.Decoder
	filter    *plan.Filter
	position  uint64
	disk      *disk
	published *merge.Live // at some time, and all that it showed
	told      string
	closes    int
	wire      wire
	watch     *merge.Watch
	watched   []merge.Question
	unwatched bool // closes are not looked at
	signals   []users.Signal
}

// A disk is what checkpoints leave.
type disk struct {
	pages    map[pageID][]byte
	blocks   map[history.BlockID]*history.Block
	root     []byte
	number   uint64
	position uint64
}

type pageID struct {
	kind page.Kind
	a    uint32
	b    uint64
}

// Block makes a disk the merger's history.
func (d *disk) Block(id history.BlockID, _ ...string) (*history.Block, error) {
	return d.blocks[id], nil
}

// Each makes a disk the engine's pages.
func (d *disk) Each(kind page.Kind, visit func(a uint32, b uint64, data []byte) error) error {
	ids := slices.SortedFunc(maps.Keys(d.pages), func(x, y pageID) int { return int(int64(x.b) - int64(y.b)) })
	for _, id := range ids {
		if id.kind == kind {
			if err := visit(id.a, id.b, d.pages[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Get makes a disk the engine's pages.
func (d *disk) Get(kind page.Kind, a uint32, b uint64) ([]byte, error) {
	return d.pages[pageID{kind, a, b}], nil
}

func newPipeline(t testing.TB, s setup, partitions int, d *disk) *pipeline {
	t.Helper()
	p, err := plan.New(s.catalogue, hashKey)
	if err != nil {
		t.Fatal(err)
	}
	engine := windows.NewEngine("0", p, s.timing, partitions, nil)
	engine.SetExchange(&exchange{})
	return &pipeline{setup: s, Engine: engine, filter: p.Events.NewFilter(), decoder: stream.NewDecoder(p.Events.Schema, hashKey), disk: d}
}

// An exchange is that of partitions which are at work side by side.
type exchange struct {
	boxes  sync.Map
	rounds sync.Map
}

func (e *exchange) box(number uint64) chan *users.Bundle {
	box, _ := e.boxes.LoadOrStore(number, make(chan *users.Bundle, 1))
	return box.(chan *users.Bundle)
}

func (e *exchange) Put(number uint64, b *users.Bundle) { e.box(number) <- b }
func (e *exchange) Take(number uint64) *users.Bundle   { return <-e.box(number) }

// A meeting is a round in which partitions share what they have.
type meeting struct {
	mu   sync.Mutex
	all  []users.Ranks
	full chan struct{}
}

func (e *exchange) Share(round uint64, of int, own users.Ranks) []users.Ranks {
	fresh, _ := e.rounds.LoadOrStore(round, &meeting{full: make(chan struct{})})
	m := fresh.(*meeting)
	m.mu.Lock()
	if m.all = append(m.all, own); len(m.all) == of {
		close(m.full)
	}
	m.mu.Unlock()
	<-m.full
	return m.all
}

// feed takes messages in as one batch.
func (p *pipeline) feed(raws []stream.Raw) {
	b := new(stream.Batch)
	b.Reset(p.Plan.Events.Schema)
	for _, raw := range raws {
		p.decoder.Append(b, raw)
		p.position = raw.Sequence
	}
	p.filter.Apply(b)
	crossings := p.Sequencer.Pass(b, nil)
	labels := p.Labels.Assign(b)
	steps := make([][]*step.Step, len(p.Partitions))
	var partitions sync.WaitGroup
	for i, part := range p.Partitions {
		partitions.Go(func() { steps[i] = part.Process(b, crossings) })
	}
	partitions.Wait()
	p.Merger.Label(labels)
	p.wire.label(labels)
	for c := range crossings {
		var all []*step.Step
		for i := range p.Partitions {
			all = append(all, steps[i][c])
		}
		p.wire.carry(p, all)
		for now := range p.Merger.Step(p.Aligner.Add(p.Lane, all)) {
			if p.closes++; !p.unwatched {
				p.follow(now)
			}
		}
		for i, s := range all {
			p.Partitions[i].Recycle(s)
		}
	}
	for _, part := range p.Partitions {
		p.signals = append(p.signals, part.TakeSignals()...)
	}
}

// peek is the preview of what happened before head.
func (p *pipeline) peek(head int64, reach bool) *merge.Live {
	var steps []*step.Step
	for _, part := range p.Partitions {
		steps = append(steps, part.Peek(head))
	}
	return p.Merger.Preview(steps, head, reach)
}

// ask answers a question about any window.
func (p *pipeline) ask(q merge.Question) (*sample.Answer, error) {
	l, err := p.Merger.Lookup(q, nil)
	if ahead, ok := errors.AsType[merge.AheadError](err); ok {
		l, err = p.Merger.Lookup(q, p.peek(ahead.Head, false))
	}
	if err != nil {
		return nil, err
	}
	return l.Answer(p.disk)
}

func (p *pipeline) checkpoint() {
	d := p.disk
	d.number++
	c := p.Begin(d.number)
	for i := range p.Partitions {
		c.Partition(p.Engine, i)
	}
	c.Merge(p.Engine)
	pages, root, err := p.Save(c, d)
	if err != nil {
		panic(err)
	}
	d.position, d.root = p.position, root
	for _, page := range pages { // first, as in the store
		if page.Data == nil {
			delete(d.pages, pageID{page.Kind, page.A, page.B})
		}
	}
	for _, page := range pages {
		if page.Data != nil {
			d.pages[pageID{page.Kind, page.A, page.B}] = slices.Clone(page.Data)
		}
	}
	for _, b := range c.Blocks {
		d.blocks[b.BlockID] = b
	}
	p.Merger.DropBlocks(len(c.Blocks))
}

// sweepable complains of pages about what is sealed, which nothing removes.
func (d *disk) sweepable(t *testing.T, sealed int64) {
	t.Helper()
	for id := range d.pages {
		switch at := int64(id.b); {
		case id.kind == page.Revisions && at <= sealed, id.kind == page.Slice && at < sealed:
			t.Errorf("checkpoint %d keeps page %v, all before %d is sealed", d.number, id, sealed)
		}
	}
}

func newDisk() *disk {
	return &disk{pages: map[pageID][]byte{}, blocks: map[history.BlockID]*history.Block{}}
}

// recovered is a pipeline restored from the disk.
func recovered(t testing.TB, s setup, partitions int, d *disk) *pipeline {
	t.Helper()
	p := newPipeline(t, s, partitions, d)
	if d.root == nil {
		return p
	}
	root, err := windows.ReadRoot(d.root)
	if err != nil {
		t.Fatal(err)
	}
	if !root.Fits(p.Identity()) {
		t.Fatal("the epoch is of other definitions")
	}
	inTurn := func(tasks []func() error) error {
		var errs []error
		for _, task := range tasks {
			errs = append(errs, task())
		}
		return errors.Join(errs...)
	}
	if err := p.Restore(root, d, inTurn); err != nil {
		t.Fatal(err)
	}
	restored := showLive(s.catalogue, p.Merger.Live())
	if err := p.ReadOn(d, inTurn); err != nil {
		t.Fatal(err)
	}
	if live := showLive(s.catalogue, p.Merger.Live()); live != restored {
		t.Fatalf("restored, the live windows show\n%s\nand read on\n%s", restored, live)
	}
	p.position = d.position
	return p
}

// sparing has checkpoints write as little as they can whole: few users would all be, and no
// journal be read.
func (p *pipeline) sparing() *pipeline {
	for _, part := range p.Partitions {
		part.LeastBase = 1
	}
	return p
}

// messages are the log as the oracle reads it.
func message(raw stream.Raw) oracle.Message {
	m := oracle.Message{Stamp: raw.Stamp, Data: raw.Data, Tick: raw.Tick}
	if raw.Tick && len(raw.Data) > 0 {
		if _, err := fmt.Sscanf(string(raw.Data), `{"to":%d}`, &m.To); err != nil {
			panic(err)
		}
	}
	return m
}

func oracleOf(s setup) *oracle.Oracle {
	return oracle.New(s.catalogue, oracle.Timing{Disorder: s.timing.Disorder, Lateness: s.timing.Lateness, DedupWindow: s.timing.DedupWindow})
}

// A generator makes logs that go wrong in every way that a test thinks of.
type generator struct {
	*rand.Rand
	setup
	log             []stream.Raw
	now             int64 // ms
	lines           []string
	next            int
	users, contents int
	// pauses is how often, one in so many messages, nothing comes for long.
	pauses int
	slept  bool // for nine years
}

var start = time.Date(2026, 3, 14, 15, 59, 20, 0, time.UTC).UnixMilli()

// types are what the events are of, the first ones most often.
var types = []string{
	"play", "play", "play", "play", "play", "impression", "impression", "click", "click", "pay", "pay", "order", "refund", "cancel", "ad_cost", "settle", "message", "other",
	"like", "unlike", "comment", "comment", "share", "favourite", "follow", "unfollow", "complaint", "survey_nps", "survey_csat",
}

// message appends the next message.
func (g *generator) message() {
	switch n := g.IntN(100); {
	case n < 60:
		g.now += g.Int64N(1500)
	case n < 90:
		g.now += g.Int64N(20)
	default:
		g.now += g.Int64N(20_000)
	}
	if g.pauses > 0 && g.IntN(g.pauses) == 0 {
		if !g.slept && g.IntN(3) == 0 {
			g.slept = true
			g.now += 9 * 365 * 86_400_000
		}
		pauses := []int64{60_000, 600_000, 3_600_000, 9 * 3_600_000, 30 * 3_600_000, 4 * 86_400_000, 33 * 86_400_000, 65 * 86_400_000}
		g.now += pauses[g.IntN(len(pauses))] + g.Int64N(2000)
	}
	raw := stream.Raw{Sequence: uint64(len(g.log) + 1), Stamp: g.now + g.Int64N(200)}
	switch n := g.IntN(100); {
	case n < 6:
		raw.Tick = true
	case n < 7:
		raw.Tick, raw.Data = true, fmt.Appendf(nil, `{"to":%d}`, g.now+g.Int64N(3000))
	default:
		for range 1 + g.IntN(4) {
			line := g.line()
			raw.Data = append(append(raw.Data, line...), '\n')
		}
		if g.IntN(50) == 0 {
			raw.Data = append(raw.Data, []string{"{", `{"id":"x"}`, `{"id":"b","time":1500,"type":"play","user_id":"u"}`, `7`}[g.IntN(4)]...)
			raw.Data = append(raw.Data, '\n')
		}
	}
	g.log = append(g.log, raw)
}

// line is an event, often out of order or a duplicate.
func (g *generator) line() string {
	if n := len(g.lines); n > 0 && g.IntN(12) == 0 {
		back := min(n, 40)
		return g.lines[n-1-g.IntN(back)]
	}
	at := g.now
	disorder, lateness := g.timing.Disorder.Milliseconds(), g.timing.Lateness.Milliseconds()
	switch n := g.IntN(100); {
	case n < 60:
		at -= g.Int64N(disorder + 1)
	case n < 80:
		at -= disorder + g.Int64N(lateness+1)
	case n < 83:
		at -= disorder + lateness + g.Int64N(5000)
	case n < 90:
		at += g.Int64N(3000)
	case n < 91:
		at += 3000 + g.Int64N(590_000)
	case n < 92:
		at += 601_000 + g.Int64N(1000)
	}
	typ := types[g.IntN(len(types))]
	if g.IntN(30) == 0 || (typ == "ad_cost" || typ == "settle") && g.IntN(2) == 0 { // told late
		at = g.now - disorder - lateness - g.Int64N([]int64{3_600_000, 40 * 3_600_000, 80 * 3_600_000}[g.IntN(3)])
	}
	g.next++
	id := g.next
	if g.IntN(20) == 0 {
		id = max(1, id-g.IntN(30)) // a duplicate with another time, if the user is the same
	}
	line := fmt.Sprintf(`{"id":%d,"time":%d`, id, at)
	if g.IntN(4) == 0 {
		line = fmt.Sprintf(`{"id":"%d","time":%q`, id, time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
	line += fmt.Sprintf(`,"type":%q`, typ)
	if typ != "ad_cost" && (typ != "settle" || g.IntN(3) > 0) {
		line += fmt.Sprintf(`,"user_id":"u%d"`, g.IntN(g.users))
	}
	pick := func(field string, n int) {
		if i := g.IntN(n + 1); i > 0 {
			line += fmt.Sprintf(`,%q:"%c%d"`, field, field[0], i)
		}
	}
	pick("channel", 3)
	pick("device", 2)
	pick("region", 3)
	pick("content_id", g.contents)
	pick("campaign_id", 2)
	pick("creator_id", 3)
	pick("session_id", 2)
	if g.IntN(9) == 0 {
		line += fmt.Sprintf(`,"dwell_ms":%d`, g.IntN(3)*2500)
	}
	switch typ {
	case "play":
		if g.IntN(8) > 0 {
			line += fmt.Sprintf(`,"watch_ms":%d`, g.IntN(4)*3000)
		}
		if g.IntN(8) > 0 {
			line += fmt.Sprintf(`,"duration_ms":%d`, g.IntN(3)*4000)
		}
	case "pay", "order", "ad_cost", "settle", "refund", "cancel":
		pick("order_id", 3)
		if g.IntN(5) > 0 {
			line += fmt.Sprintf(`,"amount_minor":%d`, g.IntN(5)*100-100)
		}
		if g.IntN(5) > 0 {
			line += fmt.Sprintf(`,"currency":%q`, []string{"CNY", "CNY", "USD"}[g.IntN(3)])
		}
	case "message":
		line += fmt.Sprintf(`,"direction":%q`, []string{"inbound", "outbound"}[g.IntN(2)])
		if g.IntN(4) > 0 {
			line += fmt.Sprintf(`,"response_ms":%d`, g.IntN(5)*5000)
		}
	case "comment":
		line += []string{"", `,"sentiment":"negative"`, `,"sentiment":"positive"`, `,"sentiment":-0.25`, `,"sentiment":0`}[g.IntN(5)]
	case "survey_nps", "survey_csat":
		line += fmt.Sprintf(`,"score":%d`, g.IntN(14)-1)
	}
	if g.IntN(3) == 0 {
		line += fmt.Sprintf(`,"props":{"score_x":%d.25,"watch_ms":1}`, g.IntN(5)-2)
	}
	line += "}"
	g.lines = append(g.lines, line)
	return line
}

// drive feeds a log to pipelines of different partitions: two run through, two
// crash now and then and come back with another number of them. visit looks at
// them and at an oracle after every round, whole after the last.
func drive(t *testing.T, g *generator, messages int, visit func(where string, runs []*pipeline, o *oracle.Oracle, whole bool) bool) {
	o := oracleOf(g.setup)
	counts := [][]int{{1}, {3}, {8, 1, 3}, {2, 3}}
	crashes := []int{0, 0, 3, 1} // once in so many rounds
	var runs []*pipeline
	for _, c := range counts {
		runs = append(runs, newPipeline(t, g.setup, c[0], newDisk()).sparing())
	}
	for done := 0; done < messages; {
		for range 1 + g.IntN(40) {
			g.message()
		}
		if len(g.log) >= messages { // nothing waits for a crossing
			g.log = append(g.log, stream.Raw{Sequence: uint64(len(g.log) + 1), Stamp: g.now + 400, Tick: true, Data: fmt.Appendf(nil, `{"to":%d}`, g.now+8000)})
		}
		for _, raw := range g.log[done:] {
			o.Read(message(raw))
		}
		for i, p := range runs {
			for rest := g.log[done:]; len(rest) > 0; {
				n := 1 + g.IntN(len(rest))
				p.feed(rest[:n])
				rest = rest[n:]
			}
			if g.IntN(3) == 0 {
				p.checkpoint()
				p.disk.sweepable(t, p.Merger.Sealed())
			}
			for crashes[i] > 0 && g.IntN(crashes[i]) == 0 {
				counts[i] = append(counts[i][1:], counts[i][0])
				p = recovered(t, g.setup, counts[i][0], p.disk).sparing()
				p.feed(g.log[p.disk.position:])
				if g.IntN(2) == 0 {
					p.checkpoint()
				}
				if g.IntN(3) == 0 {
					break
				}
			}
			runs[i] = p
		}
		done = len(g.log)
		o.Hear(runs[0].heard())
		if !visit(fmt.Sprintf("after %d messages", done), runs, o, done >= messages) {
			return
		}
	}
}

// follow holds what a watch sees at a close to what the live windows answer then.
func (p *pipeline) follow(now merge.Close) {
	if p.watch == nil {
		n := 0
		for _, k := range p.catalogue.KPIs {
			for _, by := range k.By {
				for _, w := range k.Windows {
					if n++; n%4 == len(p.Partitions)%4 { // a pipeline some, all of them all
						p.watched = append(p.watched, merge.Question{KPI: k.Name, By: by, Window: w})
					}
				}
			}
		}
		p.watch = merge.NewWatch(p.Plan, p.watched)
	}
	seen := p.watch.See(now)
	if p.closes%16 != 0 {
		return
	}
	live := p.Merger.Live()
	for i, q := range p.watched {
		saw, want := slices.Clone(seen[i]), live.Ask(q).Samples
		for _, samples := range [...][]sample.Sample{saw, want} {
			for j := range samples {
				samples[j].Revision = 0 // of a window that becomes complete
			}
		}
		if !reflect.DeepEqual(saw, want) {
			panic(fmt.Sprintf("head %d %s by %v %v:\n saw %+v\nwant %+v", now.Head(), q.KPI, q.By, q.Window, saw, want))
		}
	}
}

// heard are the signals of a pipeline that never crashed, as the oracle reads them.
func (p *pipeline) heard() (out []oracle.Signal) {
	names := map[uint64]string{}
	for n := range 100 {
		name := fmt.Sprint("u", n)
		names[hashKey.User([]byte(name))] = name
	}
	for _, s := range p.signals {
		out = append(out, oracle.Signal{State: string(s.Kind), UserID: names[s.Hash], Time: time.UnixMilli(s.At), Holdout: kpi.HeldOut(names[s.Hash], p.catalogue.Holdout), Watermark: time.UnixMilli(s.Watermark)})
	}
	return out
}
