package merge

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/windows/plan"
)

// TestTopList compares the list that follows what changes with one of all groups,
// while weights rise and sink and groups come and go.
func TestTopList(t *testing.T) {
	p := compiled(t, `
kpis:
  - name: top
    title: {en: Top, zh: 前列}
    unit: count
    count: {}
    by: [content_id]
    windows: [5m]
    top: 3
    budget: 1000
`)
	target := slices.IndexFunc(p.Sums, func(s *plan.Sums) bool { return s.Top == 3 })
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := newSums(&clock{}, p, target, nil)
		w := s.windows[0]
		for i := range 500 {
			s.groups.admit(uint64(i+1), []string{fmt.Sprintf("c%03d", r.IntN(1000)*1000+i)})
		}
		other := s.others([]string{""}, make([]int64, s.width))[0].id
		weights := int64(1 + r.IntN(5))
		for n := range 400 {
			for range r.IntN(60) {
				id := uint32(r.IntN(501))
				row := w.totals.edit(id)
				switch {
				case r.IntN(2) == 0:
					row[0] = 0
				default:
					row[0] = r.Int64N(weights + int64(n%200))
				}
				w.changed.add(id)
			}
			got, want := w.top.listed(&w.totals, &s.groups, w.changed.ids), s.reading(&w.totals).listed(s.plan.Top)
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d, step %d: listed %v, want %v (other is %d)", seed, n, got, want, other)
			}
			w.changed.clear()
		}
	}
}
