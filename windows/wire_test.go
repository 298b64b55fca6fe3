package windows_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// TestStepsOverTheWire: a merger that has the partitions' steps from their bytes,
// and numbers labels in an order of its own, shows what the one beside them does.
func TestStepsOverTheWire(t *testing.T) {
	s := setup{catalogue(t, small), timing(2*time.Second, 30*time.Second, 40*time.Second)}
	g := &generator{Rand: rand.New(rand.NewPCG(7, 3)), setup: s, now: start, users: 7, contents: 9, pauses: 60}
	near := newPipeline(t, s, 3, newDisk())
	far := merge.New(near.Plan, s.timing)
	near.wire = newWire(&station{Merger: far, Aligner: step.NewAligner("near"), numbers: map[int32]map[uint64]int32{}}, "near")
	for range 400 {
		g.message()
	}
	for rest := g.log; len(rest) > 0; {
		n := min(len(rest), 1+g.IntN(20))
		near.feed(rest[:n])
		rest = rest[n:]
	}
	if far.Head() != near.Merger.Head() || far.Head() == 0 {
		t.Fatalf("head = %d, want %d", far.Head(), near.Merger.Head())
	}
	if got, want := showLive(s.catalogue, far.Live()), showLive(s.catalogue, near.Merger.Live()); got != want {
		t.Errorf("over the wire:\n got %s\nwant %s", got, want)
	}
	compareOver(t, s.catalogue, far, near.Merger, true)
	got, want := rosters(far), rosters(near.Merger)
	if len(want) == 0 {
		t.Error("no day was sealed")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rosters over the wire (-want +got):\n%s", diff)
	}
}

// rosters are by day and label how many users there are, and which.
func rosters(m *merge.Merger) map[string]string {
	out := map[string]string{}
	for _, b := range m.TakeBlocks() {
		for _, r := range b.Rosters {
			out[fmt.Sprintf("%d %s", b.Index, r.Label)] = fmt.Sprintf("%x", r.Users().Append(nil))
		}
	}
	return out
}

// TestLanes: a merger that has the steps of two lanes, each with half of the users
// and at times far ahead of the other, comes to what one lane of all comes to.
func TestLanes(t *testing.T) {
	s := setup{catalogue(t, small), timing(2*time.Second, 10*time.Minute, time.Hour)}
	rnd := rand.New(rand.NewPCG(11, 5))
	one := newPipeline(t, s, 3, newDisk())
	far := &station{Merger: merge.New(one.Plan, s.timing), Aligner: step.NewAligner("0", "1"), numbers: map[int32]map[uint64]int32{}}
	lanes := []*pipeline{newPipeline(t, s, 2, newDisk()), newPipeline(t, s, 3, newDisk())}
	logs := make([][]stream.Raw, len(lanes))
	var all []stream.Raw
	now := start
	for i := range 1500 {
		now += rnd.Int64N(2500)
		user := rnd.IntN(12)
		line := fmt.Sprintf(`{"id":%d,"time":%d,"type":%q,"user_id":"u%d","channel":"c%d","content_id":"v%d","watch_ms":%d,"amount_minor":%d,"currency":"CNY"}`,
			i, now-rnd.Int64N(60_000), []string{"play", "play", "click", "pay"}[rnd.IntN(4)], user, rnd.IntN(3), rnd.IntN(9), rnd.IntN(9000), rnd.IntN(500))
		raw := stream.Raw{Sequence: uint64(i + 1), Stamp: now, Data: []byte(line)}
		logs[user%2], all = append(logs[user%2], raw), append(all, raw)
	}
	end := stream.Raw{Sequence: 1501, Stamp: now + 1, Tick: true, Data: fmt.Appendf(nil, `{"to":%d}`, now)}
	one.feed(append(all, end))
	for i, l := range lanes {
		logs[i] = append(logs[i], end)
		l.wire = newWire(far, strconv.Itoa(i))
	}
	for len(logs[0])+len(logs[1]) > 0 {
		i := rnd.IntN(2)
		n := min(len(logs[i]), 1+rnd.IntN(30))
		lanes[i].feed(logs[i][:n])
		logs[i] = logs[i][n:]
		if to := min(lanes[0].Sequencer.Watermark, lanes[1].Sequencer.Watermark); to != stream.NoTime && far.Watermark() > to {
			t.Fatalf("watermark = %d, the lane that is behind is at %d", far.Watermark(), to)
		}
	}
	if far.Watermark() != now || far.Head() != one.Merger.Head() {
		t.Fatalf("watermark, head = %d, %d, want %d, %d", far.Watermark(), far.Head(), now, one.Merger.Head())
	}
	if got, want := showLive(s.catalogue, far.Live()), showLive(s.catalogue, one.Merger.Live()); got != want {
		t.Errorf("from two lanes:\n got %s\nwant %s", got, want)
	}
	// Lanes that wait for each other close later: less of it is late.
	compareOver(t, s.catalogue, far.Merger, one.Merger, false)
}

// compareOver compares the newest windows that are over, closed and sealed ones, and if
// revised how often they were restated.
func compareOver(t *testing.T, c *kpi.Catalogue, far, near *merge.Merger, revised bool) {
	t.Helper()
	closed, sealed, restated := 0, 0, 0
	ask := func(m *merge.Merger, q merge.Question) *sample.Answer {
		l, err := m.Lookup(q, nil)
		if err != nil {
			t.Fatalf("%s %s: %v", q.KPI, q.Window, err)
		}
		a, err := l.Answer(newDisk())
		if err != nil {
			t.Fatalf("%s %s: %v", q.KPI, q.Window, err)
		}
		for i := range a.Samples {
			restated += max(0, a.Samples[i].Revision-1)
			if !revised {
				a.Samples[i].Revision = 0
			}
		}
		return a
	}
	for _, k := range c.KPIs {
		for _, by := range k.By {
			for _, w := range k.Windows {
				q, step := merge.Question{KPI: k.Name, By: by, Window: w}, int64(w.Step().Seconds())
				for i := range int64(20) {
					q.Moment = merge.Moment{End: (near.Head()/step - i) * step, Day: near.Live().Today() - 1 - int32(i)}
					got, want := ask(far, q), ask(near, q)
					if showGot(got.Samples) != showGot(want.Samples) || got.Sealed != want.Sealed {
						t.Errorf("%s by %s %s %v:\n got %s sealed=%v\nwant %s sealed=%v", k.Name, by, w, q.Moment, showGot(got.Samples), got.Sealed, showGot(want.Samples), want.Sealed)
					}
					if want.Sealed {
						sealed += len(want.Samples)
					} else {
						closed += len(want.Samples)
					}
				}
			}
		}
	}
	if closed == 0 || sealed == 0 || restated == 0 {
		t.Errorf("%d series closed, %d sealed, %d restatements: want some of each", closed, sealed, restated)
	}
}

// A station is a merger that has the steps of its lanes from their bytes.
type station struct {
	*merge.Merger
	*step.Aligner
	numbers map[int32]map[uint64]int32 // of labels
}

// A wire carries the steps of a lane to a station.
type wire struct {
	to    *station
	lane  string
	names map[int32][]step.Name // in the lane, by number
}

func newWire(to *station, lane string) wire {
	return wire{to: to, lane: lane, names: map[int32][]step.Name{}}
}

// label takes in the labels that are numbered in the lane.
func (w *wire) label(labels []users.NewLabel) {
	for _, n := range labels {
		if w.names != nil {
			w.names[int32(n.Target)] = append(w.names[int32(n.Target)], step.Name{Key: n.Key, Texts: n.Texts})
		}
	}
}

// carry has the steps of one crossing merged there, the partitions' in another
// order than here.
func (w *wire) carry(p *pipeline, steps []*step.Step) {
	if w.to == nil {
		return
	}
	var there []*step.Step
	for i := range steps {
		s := steps[len(steps)-1-i]
		b := s.Append(nil, p.Plan, func(target, group int32) step.Name {
			if group == 0 { // the total, or what came when the budget was spent
				return step.Name{Texts: p.Plan.Keyed(int(target)).OtherLabels(make([]string, p.Plan.Keyed(int(target)).Fields()))}
			}
			return w.names[target][group-1]
		})
		s, err := step.Read(b, p.Plan, w.to.number)
		if err != nil {
			panic(err)
		}
		there = append(there, s)
	}
	if round := w.to.Add(w.lane, there); round != nil {
		for range w.to.Step(round) {
		}
	}
}

func (w *station) number(target int32, n step.Name) int32 {
	if n.Key == 0 {
		return 0
	}
	known := w.numbers[target]
	if known == nil {
		known = map[uint64]int32{}
		w.numbers[target] = known
	}
	if _, ok := known[n.Key]; !ok {
		known[n.Key] = int32(len(known) + 1)
		w.Label([]users.NewLabel{{Target: int(target), Key: n.Key, Texts: n.Texts}})
	}
	return known[n.Key]
}
