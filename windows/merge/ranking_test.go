package merge

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// TestRanking compares who is displaced first with the least of all families, while
// slices come, come late, leave and are sealed, over a window that is longer than what may
// come late and over one that is shorter.
func TestRanking(t *testing.T) {
	for seed := range uint64(60) {
		window := []string{"2m", "10s"}[seed%2]
		t.Run(fmt.Sprint(window, " ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			s, displaced := crowd(t, window), 0
			for range 1500 {
				s.pass(s.head + 1 + r.Int64N(3)*r.Int64N(4))
				if r.IntN(4) == 0 {
					s.correct(s.arrive(r, s.head-r.Int64N(s.span-5)))
				}
				s.advance(s.head + 1)
				s.close(s.head+1, s.arrive(r, s.head+1))
				s.head++
				if r.IntN(3) > 0 { // else it is brought up to date with more
					continue
				}
				s.rank()
				var want *family
				for _, f := range s.groups.byLabels {
					if !f.other && f.held > 0 && (want == nil || s.before(f, want)) {
						want = f
					}
				}
				got, weight := s.first()
				if got != want || got != nil && weight != s.familyWeight(got) {
					t.Fatalf("at %d %q with %d is the first, want %q with %d", s.head, s.nameOf(got), weight, s.nameOf(want), s.familyWeight(want))
				}
				if len(s.groups.byLabels) > s.plan.Budget {
					displaced++
				}
			}
			if displaced == 0 {
				t.Error("nothing was folded")
			}
		})
	}
}

// A crowded is a set with few places, and its clock.
type crowded struct {
	*sums
}

func crowd(t *testing.T, window string) crowded {
	t.Helper()
	p := compiled(t, `
keep: []
kpis:
  - {name: plays, title: {en: a, zh: a}, count: {}, by: [content_id], windows: [`+window+`], budget: 20}
`)
	target := slices.IndexFunc(p.Sums, func(s *plan.Sums) bool { return s.Budget == 20 })
	at := &clock{calendar: kpi.NewCalendar(time.UTC), span: 30, head: 1000, sealed: 970}
	return crowded{newSums(at, p, target, newRevisions(at, p, 0))}
}

// pass has time go on to a head, while nothing comes.
func (s crowded) pass(head int64) {
	for s.head < head {
		s.head++
		s.advance(s.head)
		for s.sealed = s.head - s.span - 1; s.sealed < s.head-s.span; {
			s.sealed++
			s.seal()
		}
	}
}

// arrive are some contents of one slice.
func (s crowded) arrive(r *rand.Rand, head int64) arrivals {
	var keys, vals, labels []byte
	n := r.IntN(8)
	for range n {
		name := fmt.Sprintf("c%02d", r.IntN(60))
		keys = binary.LittleEndian.AppendUint64(keys, s.whole.Key([]string{name}))
		vals = binary.AppendVarint(vals, 1+r.Int64N(3)*r.Int64N(4))
		labels = append(append(labels, byte(len(name)), 0), name...)
	}
	data := append(append(binary.AppendUvarint(nil, uint64(n)), keys...), vals...)
	data = append(binary.AppendUvarint(data, uint64(len(labels))), labels...)
	table := &step.Table{}
	in := codec.NewReader(data)
	if table.Add(s.plan, in); in.Err() != nil {
		panic(in.Err())
	}
	return arrivals{{head: head, table: table}}
}

// before reports whether a family is displaced before another.
func (s crowded) before(a, b *family) bool {
	if x, y := s.familyWeight(a), s.familyWeight(b); x != y {
		return x < y
	}
	return slices.Compare(s.groups.textsOf(a.ids[0]), s.groups.textsOf(b.ids[0])) > 0
}

func (s crowded) nameOf(f *family) []string {
	if f == nil {
		return nil
	}
	return s.groups.textsOf(f.ids[0])
}
