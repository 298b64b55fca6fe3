package windows_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/windows/merge"
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
	near.wire = wire{to: far, names: map[int32][]step.Name{}, numbers: map[int32]map[uint64]int32{}}
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
}

// A wire carries steps to a merger elsewhere.
type wire struct {
	to      *merge.Merger
	names   map[int32][]step.Name      // here, by number
	numbers map[int32]map[uint64]int32 // there
}

// label takes in the labels that are numbered here.
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
				return step.Name{Texts: p.Plan.Keyed(int(target)).OtherLabels("")}
			}
			return w.names[target][group-1]
		})
		s, err := step.Read(b, p.Plan, w.number)
		if err != nil {
			panic(err)
		}
		there = append(there, s)
	}
	for range w.to.Step(there) {
	}
}

func (w *wire) number(target int32, n step.Name) int32 {
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
		w.to.Label([]users.NewLabel{{Target: int(target), Key: n.Key, Texts: n.Texts}})
	}
	return known[n.Key]
}
