package windows_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

const crowded = `
keep: []
kpis:
  - {name: plays, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [10s, 2m, 10m, day], budget: 5}
  - {name: players, title: {en: a, zh: a}, distinct: {field: user_id, where: 'type == "play"'}, by: [content_id], windows: [10s, 2m, day], budget: 4}
  - {name: likes, title: {en: a, zh: a}, count: {where: 'type == "like"'}, by: [content_id], windows: [10s, 2m, 10m], budget: 2}
  - {name: short, title: {en: a, zh: a}, count: {where: 'type == "like"'}, by: [content_id], windows: [10s], budget: 3}
  - {name: few_players, title: {en: a, zh: a}, distinct: {field: user_id, where: 'type == "play"'}, by: [content_id], windows: [10s, 2m], budget: 3}
`

// TestBudget lets many contents compete for few places. Totals stay exact, and
// who gets a place depends on the stream alone.
func TestBudget(t *testing.T) {
	s := setup{catalogue(t, crowded), timing(2*time.Second, 30*time.Second, 40*time.Second)}
	for seed := range *seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 2))
			g := &generator{Rand: r, setup: s, now: start, users: 5, contents: 25, pauses: 60}
			folded := false
			drive(t, g, 300, func(where string, runs []*pipeline, o *oracle.Oracle, _ bool) bool {
				seconds := o.Seconds()
				for range 30 {
					if len(seconds) == 0 {
						break
					}
					w := s.catalogue.KPI("plays").Windows[r.IntN(3)]
					end := min(stepUp(seconds[r.IntN(len(seconds))]+r.Int64N(120), w), o.Head()/int64(w.Step().Seconds())*int64(w.Step().Seconds()))
					want := o.Sliding(s.catalogue.KPI("plays"), kpi.Set{}, w, end, oracle.View{Before: o.Head()})
					folded = compareBudget(t, where, runs, merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: end}}, want[0].Numerator.Int64(), 5) || folded
					want = o.Sliding(s.catalogue.KPI("likes"), kpi.Set{}, w, end, oracle.View{Before: o.Head()})
					compareBudget(t, where, runs, merge.Question{KPI: "likes", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: end}}, want[0].Numerator.Int64(), 2)
					if w.Length == 10*time.Second { // which late events have left
						want = o.Sliding(s.catalogue.KPI("short"), kpi.Set{}, w, end, oracle.View{Before: o.Head()})
						compareBudget(t, where, runs, merge.Question{KPI: "short", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: end}}, want[0].Numerator.Int64(), 3)
					}
					if w.Length != 10*time.Minute {
						compareBudget(t, where, runs, merge.Question{KPI: "players", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: end}}, -1, 4)
						compareBudget(t, where, runs, merge.Question{KPI: "few_players", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: end}}, -1, 3)
					}
				}
				return !t.Failed()
			})
			if !folded {
				t.Error("nothing was folded into the rest")
			}
		})
	}
}

// compareBudget compares the runs with each other, and their sum with a total
// unless it is negative. It reports whether there is a rest.
func compareBudget(t *testing.T, where string, runs []*pipeline, q merge.Question, total int64, budget int) bool {
	t.Helper()
	var first []sample.Sample
	rest := false
	for i, p := range runs {
		got, err := p.ask(q)
		if err != nil {
			t.Errorf("run %d %s: ask %v: %v", i, where, q, err)
			return false
		}
		if i == 0 {
			first = got.Samples
			var sum int64
			for _, s := range first {
				sum += s.Numerator.Whole()
				rest = rest || s.Labels[0] == kpi.Other
			}
			if total >= 0 && sum != total {
				t.Errorf("%s, %v: sum %d, want the total %d", where, q, sum, total)
			}
			if n := len(first); n > budget+1 || n > budget && !rest {
				t.Errorf("%s, %v: %d series, want at most %d and the rest", where, q, n, budget)
			}
		} else if !reflect.DeepEqual(got.Samples, first) {
			t.Errorf("run %d %s, head %d sealed %d: %+v\n got %s\nwant %s", i, where, p.Merger.Head(), p.Merger.Sealed(), q, showGot(got.Samples), showGot(first))
		}
	}
	return rest
}

// play feeds plays of a content in a second after start, each in a message of its
// own.
func (p *pipeline) play(second int64, content string, times int) {
	for range times {
		id, at := p.position+1, start+1000*second
		p.feed([]stream.Raw{{Sequence: id, Stamp: at, Data: fmt.Appendf(nil, `{"id":%d,"time":%d,"type":"play","user_id":"u","content_id":%q}`, id, at, content)}})
	}
}

// TestBudgetLateStar: with all places taken, a content that outdoes the
// smallest takes its place, and the bound says how much it may lack. What it
// lacks it lacks after a crash, too.
func TestBudgetLateStar(t *testing.T) {
	s := setup{catalogue(t, crowded), timing(0, time.Minute, time.Minute)}
	p := newPipeline(t, s, 1, newDisk())
	second := int64(0)
	play := func(content string, times int) { p.play(second, content, times) }
	for i, n := range []int{3, 4, 5, 6, 7} {
		play(fmt.Sprintf("c%d", i), n)
	}
	second++
	play("star", 2)
	second++
	play("star", 6)
	second++
	play("c1", 1)
	second++
	play("c1", 1)
	check := func(p *pipeline) {
		t.Helper()
		q := merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: s.catalogue.KPI("plays").Windows[1]}
		got := p.Merger.Live().Ask(q)
		const want = `["__other__"] 5/0 null=false  r1; ["c1"] 5/0 null=false  r1; ["c2"] 5/0 null=false  r1; ["c3"] 6/0 null=false  r1; ["c4"] 7/0 null=false  r1; ["star"] 6/0 null=false  r1; `
		if s := showGot(got.Samples); s != want {
			t.Errorf("got  %s\nwant %s", s, want)
		}
		if bound := got.Samples[0].Bound; bound.String() != "5" {
			t.Errorf("bound = %s, want 5: what the rest has", bound)
		}
	}
	check(p)
	p.checkpoint()
	check(recovered(t, s, 3, p.disk))
}

// TestFoldAfterCorrection: what came late to a group that was folded later, each
// in an epoch of its own, is there once after a recovery.
func TestFoldAfterCorrection(t *testing.T) {
	s := setup{catalogue(t, crowded), timing(0, 10*time.Minute, 10*time.Minute)}
	p := newPipeline(t, s, 2, newDisk())
	play := func(second int64, content string, times int) { p.play(second, content, times) }
	q := merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: s.catalogue.KPI("plays").Windows[1]}
	check := func(want string) {
		t.Helper()
		p.checkpoint()
		if got := showGot(p.Merger.Live().Ask(q).Samples); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		p = recovered(t, s, 3, p.disk)
		if got := showGot(p.Merger.Live().Ask(q).Samples); got != want {
			t.Errorf("recovered: got %s\nwant %s", got, want)
		}
	}
	for i, n := range []int{3, 6, 7, 8, 9} {
		play(0, fmt.Sprintf("c%d", i), n)
	}
	play(1, "c1", 1)
	check(`["c0"] 3/0 null=false  r1; ["c1"] 6/0 null=false  r1; ["c2"] 7/0 null=false  r1; ["c3"] 8/0 null=false  r1; ["c4"] 9/0 null=false  r1; `)
	play(0, "c0", 1)
	play(2, "star", 9)
	check(`["c0"] 4/0 null=false  r1; ["c1"] 7/0 null=false  r1; ["c2"] 7/0 null=false  r1; ["c3"] 8/0 null=false  r1; ["c4"] 9/0 null=false  r1; `)
	play(3, "c1", 1)
	check(`["__other__"] 4/0 null=false  r1; ["c1"] 7/0 null=false  r1; ["c2"] 7/0 null=false  r1; ["c3"] 8/0 null=false  r1; ["c4"] 9/0 null=false  r1; ["star"] 9/0 null=false  r1; `)
	play(0, "c2", 1)
	play(4, "c1", 1)
	check(`["__other__"] 4/0 null=false  r1; ["c1"] 8/0 null=false  r1; ["c2"] 8/0 null=false  r1; ["c3"] 8/0 null=false  r1; ["c4"] 9/0 null=false  r1; ["star"] 9/0 null=false  r1; `)
}

// restatedAndFolded is a pipeline in which c0 was restated and lost its place in
// the crossing that is still to come.
func restatedAndFolded(t *testing.T) (setup, *pipeline) {
	t.Helper()
	s := setup{catalogue(t, crowded), timing(0, 10*time.Minute, 10*time.Minute)}
	p := newPipeline(t, s, 2, newDisk())
	for i, n := range []int{3, 5, 7, 8, 9} {
		p.play(0, fmt.Sprintf("c%d", i), n)
	}
	p.play(20, "c4", 1)
	p.play(0, "c0", 1)     // restated
	p.play(10, "star", 20) // takes the place of c0
	return s, p
}

// TestRestatedThenFolded: a key that was restated, lost its place and got one again
// keeps the revisions of its windows, after a crash as before it.
func TestRestatedThenFolded(t *testing.T) {
	s, p := restatedAndFolded(t)
	p.play(20, "c0", 6) // takes the place of c1
	p.play(21, "c4", 1)
	p.play(5, "c0", 1)
	p.play(22, "c4", 1)
	p.checkpoint()
	again := recovered(t, s, 3, p.disk)
	for _, p := range []*pipeline{p, again} {
		p.play(700, "c4", 1) // seals it all
	}
	w := s.catalogue.KPI("plays").Windows[0]
	for end := start / 1000; end < start/1000+60; end++ {
		end := stepUp(end, w)
		compareBudget(t, "recovered", []*pipeline{p, again}, merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: end}}, -1, 5)
	}
	q := merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: start/1000 + 10}, Match: map[string]string{"content_id": "c0"}}
	for _, p := range []*pipeline{p, again} {
		a, err := p.ask(q)
		if err != nil {
			t.Fatal(err)
		}
		if got := showGot(a.Samples); got != `["c0"] 1/0 null=false  r3; ` {
			t.Errorf("got %s, want two revisions", got)
		}
	}
}

// TestRestatedFoldedAndLateAgain: a group that late rows restate, fold and admit
// anew within one crossing has one revision of it.
func TestRestatedFoldedAndLateAgain(t *testing.T) {
	s, p := restatedAndFolded(t)
	p.play(15, "c0", 6) // takes the place of c1
	p.play(21, "c4", 1)
	p.checkpoint()
	w := s.catalogue.KPI("plays").Windows[1]
	q := merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: w, Moment: merge.Moment{End: stepUp(start/1000+16, w)}}
	for name, p := range map[string]*pipeline{"at once": p, "recovered": recovered(t, s, 3, p.disk)} {
		a, err := p.ask(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range a.Samples {
			if sample.Revision > 2 {
				t.Errorf("%s: %v has revision %d, want one more than before the crossing", name, sample.Labels, sample.Revision)
			}
		}
	}
}
