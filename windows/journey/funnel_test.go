package journey

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// steps are rows of one user, a second apart.
func steps(keys []uint64, kinds ...uint8) (out []Row) {
	for i, kind := range kinds {
		r := Row{Time: (start + int64(i)) * 1000, Numbers: NoNumbers, Kind: kind}
		if keys != nil {
			r.Key = keys[i]
		}
		out = append(out, r)
	}
	return out
}

// TestModes: which steps of five the events reach, within an hour.
func TestModes(t *testing.T) {
	calendar := zone(t)
	for _, tt := range []struct {
		kinds                   []uint8
		sequential, strict, any []uint8
	}{
		{[]uint8{0, 1, 2, 3, 4}, []uint8{0, 1, 2, 3, 4}, []uint8{0, 1, 2, 3, 4}, []uint8{0, 1, 2, 3, 4}},
		{[]uint8{1, 2, 3}, nil, nil, nil},
		{[]uint8{0, 0, 1, 0, 1, 2}, []uint8{0, 1, 2}, []uint8{0, 1, 2}, []uint8{0, 1, 2}},
		{[]uint8{0, 2, 1, 2}, []uint8{0, 1, 2}, []uint8{0}, []uint8{0, 2, 1}},
		{[]uint8{4, 0, 1, 3, 0, 2, 3}, []uint8{0, 1, 2, 3}, []uint8{0, 1}, []uint8{0, 1, 3, 2}},
		// A second funnel of the day tells what the first did not.
		{[]uint8{0, 4, 3, 2, 1, 0, 1, 2}, []uint8{0, 1, 2}, []uint8{0}, []uint8{0, 4, 3, 2, 1}},
	} {
		for mode, want := range [][]uint8{tt.sequential, tt.strict, tt.any} {
			b := NewBook(NewFunnel(&kpi.Funnel{Steps: make([]kpi.Step, 5), Window: time.Hour, Mode: kpi.FunnelMode(mode)}, calendar))
			for _, r := range steps(nil, tt.kinds...) {
				b.Add(0, &r)
			}
			b.Close(start + 60)
			var got []uint8
			for _, f := range b.TakeFacts() {
				if f.Kind == reached {
					got = append(got, f.Text)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("mode %d: of %v it reaches %v, want %v", mode, tt.kinds, got, want)
			}
		}
	}
}

// TestMaxFunnels: of too many values that by which a funnel opened longest ago is
// forgotten.
func TestMaxFunnels(t *testing.T) {
	b := NewBook(NewFunnel(&kpi.Funnel{Steps: make([]kpi.Step, 2), Window: time.Hour}, zone(t)))
	var keys []uint64
	var kinds []uint8
	add := func(kind uint8, key ...uint64) {
		for _, k := range key {
			keys, kinds = append(keys, k), append(kinds, kind)
		}
	}
	add(0, 1, 2)
	add(1, 1)
	add(0, 1) // again, so that the second is the oldest
	for key := range uint64(kpi.MaxFunnels - 1) {
		add(0, 3+key)
	}
	add(1, 2, 1, 3)
	for _, r := range steps(keys, kinds...) {
		b.Add(0, &r)
	}
	b.Close(start + 1000)
	n := map[uint8]int{}
	for _, f := range b.TakeFacts() {
		n[f.Kind]++
	}
	if n[entered] != kpi.MaxFunnels+1 || n[completed] != 2 {
		t.Errorf("%d entered, %d completed", n[entered], n[completed])
	}
}

// TestOpenFunnelAllocatesNothing: what does not move a funnel on costs no memory.
func TestOpenFunnelAllocatesNothing(t *testing.T) {
	rules := NewFunnel(&kpi.Funnel{Steps: make([]kpi.Step, 5), Window: time.Hour}, zone(t))
	rows := steps(nil, 0, 0)
	items := rules.Row(nil, &rows[0], quiet)
	tell := func(Fact, int64) { t.Error("something is told") }
	if n := testing.AllocsPerRun(10, func() { items = rules.Row(items, &rows[1], tell) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestFunnelWords: kinds of facts are places among the words of definitions.
func TestFunnelWords(t *testing.T) {
	for kind, fact := range map[uint8]string{reached: "reached", possible: "possible", entered: "entered", completed: "completed"} {
		if kpi.FunnelFacts[kind] != fact {
			t.Errorf("%d is %s, want %s", kind, kpi.FunnelFacts[kind], fact)
		}
	}
}

// TestByKind: rows of one instant go by kind where that is asked for, and else as they
// came, however many there are.
func TestByKind(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 5, manyRows - 1, manyRows, 3000} {
		for _, byKind := range []bool{false, true} {
			s := &slice{second: 1}
			var want []uint32
			for i := range n {
				s.add(0, &Row{Time: 1000 + r.Int64N(20), Kind: uint8(r.IntN(4)), Numbers: NoNumbers})
				want = append(want, uint32(i))
			}
			slices.SortStableFunc(want, func(a, b uint32) int {
				x, y := s.entries[a], s.entries[b]
				if byKind && x.ms == y.ms {
					return cmp.Compare(x.kind, y.kind)
				}
				return cmp.Compare(x.ms, y.ms)
			})
			if got := s.order(nil, byKind); !slices.Equal(got, want) {
				t.Errorf("%d rows, by kind %v: another order", n, byKind)
			}
		}
	}
}
