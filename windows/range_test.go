package windows_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// TestRange holds ranges to what the single windows are answered, while time goes
// on between the pieces.
func TestRange(t *testing.T) {
	short := catalogue(t, small)
	for _, c := range []struct {
		name   string
		setup  setup
		pauses int
	}{
		{"short", setup{short, timing(2*time.Second, 30*time.Second, 40*time.Second)}, 60},
		{"wide", setup{short, timing(2*time.Second, 20*time.Minute, 21*time.Minute)}, 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 1))
			g := &generator{Rand: r, setup: c.setup, now: start, users: 7, contents: 9, pauses: c.pauses}
			p := newPipeline(t, c.setup, 3, newDisk())
			more := func() {
				n := len(g.log)
				for range r.IntN(20) {
					g.message()
				}
				p.feed(g.log[n:])
				if r.IntN(3) == 0 {
					p.checkpoint()
				}
			}
			for len(g.log) < 600 && !t.Failed() {
				more()
				if p.Merger.Head() == math.MinInt64 {
					continue
				}
				for _, k := range c.setup.catalogue.KPIs {
					q := merge.Question{KPI: k.Name, By: k.By[r.IntN(len(k.By))], Window: k.Windows[r.IntN(len(k.Windows))]}
					if len(q.By) > 0 && r.IntN(4) == 0 {
						q.Match = map[string]string{q.By[0]: q.By[0][:1] + "1"}
					}
					compareRange(t, p, q, momentsBefore(r, p, q.Window), func() {
						if r.IntN(4) == 0 {
							more()
						}
					})
				}
			}
		})
	}
}

// momentsBefore are those of consecutive windows, some of them ahead of what is
// closed.
func momentsBefore(r *rand.Rand, p *pipeline, w kpi.Window) (out []merge.Moment) {
	n := 1 + r.IntN(60)
	if w.IsDay() {
		day := p.Plan.Calendar.Day(p.Merger.Head()*1000-1) - int32(n)%5
		for i := range int32(n)%5 + 1 {
			out = append(out, merge.Moment{Day: day + i})
		}
		return out
	}
	step := int64(w.Step().Seconds())
	last := p.Merger.Head()
	if r.IntN(2) == 0 { // where it seals
		last = p.Merger.Sealed() + r.Int64N(20*step)
	}
	for i := range int64(n) {
		out = append(out, merge.Moment{End: (last/step + 2 - int64(n) + i) * step})
	}
	return out
}

func compareRange(t *testing.T, p *pipeline, q merge.Question, moments []merge.Moment, between func()) {
	t.Helper()
	r := merge.NewRange(p.Plan, q, moments)
	next := 0
	for p.Merger.Plan(r) {
		for got, err := range r.Answers(p.disk) {
			q.Moment = moments[next]
			next++
			want, err2 := p.ask(q)
			if err != nil || err2 != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("head %d, sealed %d: %s by %s %s %v at %v: %v, %v:\n got %s %s complete=%v\nwant %s %s complete=%v", p.Merger.Head(), p.Merger.Sealed(),
					q.KPI, q.By, q.Window, q.Match, q.Moment, err, err2, got.End, showGot(got.Samples), got.Complete, want.End, showGot(want.Samples), want.Complete)
				return
			}
		}
		between()
	}
	if next+len(r.Rest) != len(moments) {
		t.Errorf("%d of %d moments are planned, %d are left", next, len(moments), len(r.Rest))
	}
	for _, q.Moment = range r.Rest[:min(1, len(r.Rest))] {
		if _, err := p.Merger.Lookup(q, nil); err == nil {
			t.Errorf("%v is closed, and left", q)
		}
	}
}
