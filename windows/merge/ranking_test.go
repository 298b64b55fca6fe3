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
// come late and over one that is shorter, of families of one group and of several, asked
// often and seldom.
func TestRanking(t *testing.T) {
	for seed := range uint64(120) {
		window := []string{"2m", "10s"}[seed%2]
		measure := []string{counts, bins}[seed/2%2]
		seldom := []int{3, 60}[seed/4%2]
		t.Run(fmt.Sprint(window, " ", measure, " ", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			s, displaced := crowd(t, window, measure), 0
			for range 1500 {
				s.pass(s.head + 1 + r.Int64N(3)*r.Int64N(4))
				if r.IntN(4) == 0 {
					s.correct(s.arrive(r, s.head-r.Int64N(s.span-5)))
				}
				s.advance(s.head + 1)
				s.close(s.head+1, s.arrive(r, s.head+1))
				s.head++
				if r.IntN(seldom) > 0 { // else it is brought up to date with more
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

// TestRankingForgets: the count of a family falls by a group that is gone for good, however
// long nobody asked who is first.
func TestRankingForgets(t *testing.T) {
	s := crowd(t, "2m", bins)
	s.plan.Budget = 80
	s.slice(1002, counted{"A", "b0", 50})
	var many []counted
	for i := range 78 {
		many = append(many, counted{fmt.Sprintf("many%02d", i), "b0", 100})
	}
	s.slice(1100, many...)
	s.slice(1101, counted{"A", "b1", 1}, counted{"B", "b0", 9})
	s.slice(1119, counted{"C", "b0", 1}) // asks
	s.pass(1200)
	s.slice(1201, counted{"D", "b0", 10})
	for name, want := range map[string]bool{"A": false, "B": true, "D": true} {
		if f := s.groups.familyOf([]string{name}); (f != nil && f.held > 0) != want {
			t.Errorf("%s has a place: %t, want %t", name, !want, want)
		}
	}
}

// TestRankingIsBounded: families that came once are let go of, whether the budget is asked
// about or not.
func TestRankingIsBounded(t *testing.T) {
	for name, each := range map[string]int{"spent": 1, "unspent": 0} {
		t.Run(name, func(t *testing.T) {
			s, stay := crowd(t, "2h", counts), 0
			s.plan.Budget = 400
			for minute := range 6000 {
				rows := []counted{{fmt.Sprintf("once%06d", minute/6), "", 50}}
				for range 4 * each {
					rows = append(rows, counted{fmt.Sprintf("stay%03d", stay%380), "", 1})
					stay++
				}
				for i := range each {
					rows = append(rows, counted{fmt.Sprintf("few%06d.%d", minute, i), "", 1})
				}
				if minute == 0 { // the ranking is made
					for i := range s.plan.Budget + 1 {
						rows = append(rows, counted{fmt.Sprintf("first%d", i), "", 1})
					}
				}
				s.slice(1000+60*int64(minute), rows...)
			}
			if n := len(s.ranking.heap) + len(s.ranking.moved); n > 2*s.plan.Budget {
				t.Errorf("%d are ranked or to be ranked, of a budget of %d", n, s.plan.Budget)
			}
		})
	}
}

// What contents are ranked by, in groups of one and of several.
const (
	counts = `count: {}`
	bins   = `quantile: {field: load_ms, p: 0.5}, unit: number`
)

// A crowded is a set with few places, and its clock.
type crowded struct {
	*sums
}

func crowd(t *testing.T, window, measure string) crowded {
	t.Helper()
	p := compiled(t, `
keep: []
kpis:
  - {name: plays, title: {en: a, zh: a}, `+measure+`, by: [content_id], windows: [`+window+`], budget: 20}
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
	var rows []counted
	for range r.IntN(8) {
		rows = append(rows, counted{fmt.Sprintf("c%02d", r.IntN(60)), fmt.Sprintf("b%d", r.IntN(3)), 1 + r.Int64N(3)*r.Int64N(4)})
	}
	return s.rows(head, rows...)
}

// counted is a group with its count; its bin is told where the set has one.
type counted struct {
	name, bin string
	n         int64
}

// rows are the arrivals of one slice. Of equal groups the first counts.
func (s crowded) rows(head int64, rows ...counted) arrivals {
	var keys, vals, labels []byte
	seen := map[string]bool{}
	for _, x := range rows {
		texts := []string{x.name, x.bin}[:s.plan.Fields()]
		key := labelKey(texts)
		if seen[key] {
			continue
		}
		seen[key] = true
		keys = binary.LittleEndian.AppendUint64(keys, s.whole.Key(texts))
		vals = binary.AppendVarint(vals, x.n)
		for _, text := range texts {
			labels = append(append(labels, byte(len(text)), 0), text...)
		}
	}
	data := append(append(binary.AppendUvarint(nil, uint64(len(seen))), keys...), vals...)
	data = append(binary.AppendUvarint(data, uint64(len(labels))), labels...)
	table := &step.Table{}
	in := codec.NewReader(data)
	if table.Add(s.plan, in); in.Err() != nil {
		panic(in.Err())
	}
	return arrivals{{head: head, table: table}}
}

// slice closes the one at head with some rows, behind those in which nothing came.
func (s crowded) slice(head int64, rows ...counted) {
	s.pass(head - 1)
	s.advance(head)
	s.close(head, s.rows(head, rows...))
	s.head = head
}

// before reports whether a family is displaced before another.
func (s crowded) before(a, b *family) bool {
	if x, y := s.familyWeight(a), s.familyWeight(b); x != y {
		return x < y
	}
	return slices.Compare(s.plan.Visible(s.groups.textsOf(a.ids[0])), s.plan.Visible(s.groups.textsOf(b.ids[0]))) > 0
}

func (s crowded) nameOf(f *family) []string {
	if f == nil {
		return nil
	}
	return s.groups.textsOf(f.ids[0])
}
