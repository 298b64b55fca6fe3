package windows_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestVersions: as long as a closed window has the same version, its answer is the same,
// and what is sealed has no other one.
func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		name string
		setup
	}{
		{"whole", setup{catalogue(t), timing(2*time.Second, 20*time.Minute, 21*time.Minute)}},
		{"short", setup{catalogue(t, small), timing(2*time.Second, 30*time.Second, 40*time.Second)}},
		{"crowded", setup{catalogue(t, crowded), timing(2*time.Second, 5*time.Minute, 6*time.Minute)}},
	} {
		t.Run(tt.name, func(t *testing.T) { versions(t, tt.setup) })
	}
}

func versions(t *testing.T, s setup) {
	r := rand.New(rand.NewPCG(5, 1))
	g := &generator{Rand: r, setup: s, now: start, users: 5, contents: 25, pauses: 40}
	p := newPipeline(t, s, 3, newDisk())
	type known struct {
		version uint64
		samples []sample.Sample
	}
	before := map[string]known{}
	same, other, changed := 0, 0, 0
	for len(g.log) < 900 && !t.Failed() {
		n := len(g.log)
		for range r.IntN(20) {
			g.message()
		}
		p.feed(g.log[n:])
		if r.IntN(3) == 0 {
			p.checkpoint()
		}
		if p.Merger.Head() == math.MinInt64 {
			continue
		}
		for _, k := range s.catalogue.KPIs {
			q := merge.Question{KPI: k.Name, By: k.By[r.IntN(len(k.By))], Window: k.Windows[r.IntN(len(k.Windows))]}
			for _, q.Moment = range momentsBefore(r, p, q.Window) {
				version := p.Merger.Versions(q, []merge.Moment{q.Moment})[0]
				lookup, err := p.Merger.Lookup(q, nil)
				if err != nil {
					continue // not closed
				}
				answer, err := lookup.Answer(p.disk)
				if err != nil {
					t.Fatal(err)
				}
				if answer.Sealed != (version == 0) {
					t.Errorf("%v: version %d, sealed %v", q, version, answer.Sealed)
				}
				key, now := fmt.Sprint(q), known{version, answer.Samples}
				was, met := before[key]
				before[key] = now
				equal := reflect.DeepEqual(was.samples, now.samples)
				switch {
				case !met:
				case was.version != version:
					if other++; !equal {
						changed++
					}
				case equal:
					same++
				default:
					t.Errorf("%v: version %d:\n got %s\nwant %s", q, version, showGot(now.samples), showGot(was.samples))
				}
			}
		}
	}
	if same < 1000 || changed < 20 {
		t.Errorf("%d windows have the same version, %d another one, %d another answer", same, other, changed)
	}
}

// TestFoldedVersion: what is folded for the sake of a key that comes in time changes the
// windows that are closed, too.
func TestFoldedVersion(t *testing.T) {
	p := newPipeline(t, setup{catalogue(t, `{keep: [], kpis: [{name: plays, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [1m], budget: 2}]}`),
		timing(2*time.Second, 10*time.Minute, 11*time.Minute)}, 2, newDisk())
	q := merge.Question{KPI: "plays", By: kpi.Set{"content_id"}, Window: kpi.Window{Length: time.Minute}, Moment: merge.Moment{End: start/1000 + 10}}
	ask := func() (uint64, string) {
		answer, err := p.ask(q)
		if err != nil {
			t.Fatal(err)
		}
		return p.Merger.Versions(q, []merge.Moment{q.Moment})[0], showGot(answer.Samples)
	}
	p.play(0, "a", 1)
	p.play(1, "b", 2)
	p.play(20, "b", 1)
	version, before := ask()
	p.play(40, "c", 5)
	p.play(50, "b", 1)
	if now, after := ask(); now == version || after == before {
		t.Errorf("version %d says %s, version %d %s", version, before, now, after)
	}
}
