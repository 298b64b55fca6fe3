package merge

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestRevisionsEnd: what touches overlap in is one revision, and once all windows
// are sealed nothing is left of them.
func TestRevisionsEnd(t *testing.T) {
	p := compiled(t, `
kpis:
  - {name: short, title: {en: a, zh: a}, count: {where: 'type == "a"'}, by: [shop], windows: [10s, day]}
  - {name: wide, title: {en: a, zh: a}, count: {where: 'type == "b"'}, by: [shop], windows: [2h]}
`)
	m := New(p, stream.Timing{Lateness: time.Minute})
	midnight := time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC).Unix()
	m.head = midnight + 5
	m.sealed = m.head - 60
	r := m.revisionsBy(kpi.Set{"shop"}, 0, false)
	for _, second := range []int64{midnight - 2, midnight - 8, midnight - 2} {
		r.touch(touch{labels: []string{"a"}, kpis: []int{0}, length: covering, lo: second, hi: second})
	}
	r.correct(nil)
	for end, want := range map[int64]int64{midnight - 8: 0, midnight - 7: 1, midnight: 1, midnight + 5: 1, midnight + 6: 0} {
		q := &query{window: window{Window: kpi.Window{Length: 10 * time.Second}, end: end}, source: &plan.Source{}}
		var got int64
		r.kept(q, nil).each(q, func(_ []string, n sample.Int) { got = n.Saturated() })
		if got != want {
			t.Errorf("the window until midnight%+ds was restated %d times, want %d", end-midnight, got, want)
		}
	}
	if len(r.days) != 1 {
		t.Errorf("%d days were restated, want one", len(r.days))
	}
	m.head += 1000
	m.seal(m.head)
	for _, w := range r.windows {
		if len(w.rows) != 0 || len(w.due) != 0 || w.block != nil {
			t.Errorf("%s: %d rows, %d due, block %v are left", w.Window, len(w.rows), len(w.due), w.block)
		}
	}
	blocks := 0
	for _, b := range m.blocks {
		if b.Set == r.plan.Name {
			blocks++
		}
	}
	if len(r.days) != 0 || blocks != 3 {
		t.Errorf("%d days are left and there are %d blocks, want none, one of the day and two, before midnight and after", len(r.days), blocks)
	}
}
