package windows_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows"
)

// small are definitions with short windows, a list, money by currency,
// fractions, a Present of each kind and users by sets.
const small = `
drop: [active_users, dau, plays, completion_rate, play_5s_rate, engagement_rate, top_contents, ctr, cvr_simple, gmv_paid, orders, at_risk_users, churned_users]
kpis:
  - {name: users, title: {en: a, zh: a}, distinct: {field: user_id, where: &active 'type not in ["impression", "ad_cost"]'}, by: [channel, [channel, device]], windows: [10s, 2m, 10m, 1h, day]}
  - {name: players, title: {en: a, zh: a}, distinct: {field: user_id, where: 'type == "play"'}, by: [device], windows: [5m, day]}
  - {name: plays, title: {en: a, zh: a}, count: {where: 'type == "play" and watch_ms > 0'}, by: [channel, [device, channel]], windows: [10s, 2m, 10m, 1h, day]}
  - {name: ctr, title: {en: a, zh: a}, ratio: {numerator: {count: {where: 'type == "click"'}}, denominator: {count: {where: 'type == "impression"'}}}, by: [channel], windows: [1m, 30m, day]}
  - {name: gmv, title: {en: a, zh: a}, unit: money, sum: {field: amount_minor, where: 'type == "pay" and amount_minor != nil'}, by: [channel, currency], windows: [10s, 10m, day]}
  - {name: score, title: {en: a, zh: a}, sum: {field: score_x, where: 'score_x != nil and (watch_ms == nil or watch_ms * 0.5 <= 3000)'}, by: [device], windows: [2m, day]}
  - {name: per_user, title: {en: a, zh: a}, ratio: {numerator: {count: {where: *active}}, denominator: {distinct: {field: user_id, where: *active}}}, by: [channel], windows: [2m, day]}
  - {name: top, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [2m, 10m, day], top: 3}
  - {name: risk, title: {en: a, zh: a}, at_risk: {churn_gap: 10, where: *active}, windows: [day]}
  - {name: churned, title: {en: a, zh: a}, churned: {churn_gap: 10, where: *active}, windows: [day]}
`

func catalogue(t testing.TB, files ...string) *kpi.Catalogue {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	var in []kpi.File
	for i, f := range files {
		in = append(in, kpi.File{Name: fmt.Sprintf("%d.yaml", i), Data: []byte(f)})
	}
	c, err := kpi.Load(zone, in...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func timing(disorder, lateness, dedup time.Duration) stream.Timing {
	return stream.Timing{Disorder: disorder, Lateness: lateness, DedupWindow: dedup}
}

// TestOracle feeds random logs to pipelines that are split, crashed and
// redistributed at random, and compares every number with the oracle's.
func TestOracle(t *testing.T) {
	short, whole := catalogue(t, small), catalogue(t)
	for _, c := range []struct {
		name     string
		setup    setup
		messages int
		pauses   int
	}{
		{"short", setup{short, timing(2*time.Second, 30*time.Second, 40*time.Second)}, 500, 60},
		{"strict", setup{short, timing(0, 0, 0)}, 400, 60},
		{"fractions", setup{short, timing(500*time.Millisecond, 90500*time.Millisecond, 91*time.Second)}, 400, 40},
		{"defaults", setup{whole, timing(2*time.Second, 10*time.Minute, 602*time.Second)}, 500, 60},
		{"days", setup{whole, timing(2*time.Second, 10*time.Minute, 602*time.Second)}, 400, 4},
		{"wide", setup{short, timing(5*time.Second, 30*time.Hour, 31*time.Hour)}, 300, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(4) {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					t.Parallel()
					compareWithOracle(t, c.setup, seed, c.messages, c.pauses)
				})
			}
		})
	}
}

func compareWithOracle(t *testing.T, s setup, seed uint64, messages, pauses int) {
	r := rand.New(rand.NewPCG(seed, 1))
	g := &generator{Rand: r, setup: s, now: start, users: 7, contents: 9, pauses: pauses}
	o := oracleOf(s)
	type run struct {
		*pipeline
		counts  []int // of partitions, changing at every crash
		crashes int   // one in so many rounds
	}
	var runs []*run
	for _, x := range []run{{counts: []int{1}}, {counts: []int{3}}, {counts: []int{8, 1, 3}, crashes: 3}, {counts: []int{2, 3}, crashes: 1}} {
		x.pipeline = newPipeline(t, s, x.counts[0], newDisk())
		runs = append(runs, &x)
	}
	for done := 0; done < messages; {
		n := 1 + r.IntN(40)
		for range n {
			g.message()
			o.Read(message(g.log[len(g.log)-1]))
		}
		if done+n >= messages { // nothing waits for a crossing
			g.log = append(g.log, stream.Raw{Sequence: uint64(len(g.log) + 1), Stamp: g.now + 400, Tick: true, Data: fmt.Appendf(nil, `{"to":%d}`, g.now+8000)})
			o.Read(message(g.log[len(g.log)-1]))
		}
		todo := g.log[done:]
		done = len(g.log)
		for _, x := range runs {
			for rest := todo; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				x.feed(rest[:n])
				rest = rest[n:]
			}
			if r.IntN(3) == 0 {
				x.checkpoint()
			}
			for x.crashes > 0 && r.IntN(x.crashes) == 0 {
				x.counts = append(x.counts[1:], x.counts[0])
				d := x.disk
				x.pipeline = recovered(t, s, x.counts[0], d, g.log, r)
				x.feed(g.log[d.position:])
				if r.IntN(2) == 0 {
					x.checkpoint()
				}
				if r.IntN(3) == 0 {
					break
				}
			}
		}
		for i, x := range runs {
			if !compareState(t, fmt.Sprintf("run %d after %d messages", i, done), x.pipeline, o, r, done >= messages) {
				return
			}
		}
	}
}

// compareState compares a pipeline with the oracle at one moment: at many ends
// if all is set.
func compareState(t *testing.T, where string, p *pipeline, o *oracle.Oracle, r *rand.Rand, all bool) bool {
	t.Helper()
	l := p.sequencer.Ledger()
	for word, n := range l.Words() {
		if want := o.Ledger()[word]; n != want {
			t.Errorf("%s: ledger %s = %d, want %d", where, word, n, want)
		}
	}
	seconds := o.Seconds()
	if len(seconds) == 0 {
		return !t.Failed()
	}
	if got, want := p.merger.Head(), o.Head(); got != want {
		t.Errorf("%s: head = %d, want %d", where, got, want)
		return false
	}
	calendar := kpi.NewCalendar(p.catalogue.Location)
	tries := 3
	if all {
		tries = 40
	}
	for _, k := range p.catalogue.KPIs {
		for _, by := range k.By {
			for _, w := range k.Windows {
				ask := func(m windows.Moment, want []oracle.Sample, what string) {
					t.Helper()
					compareAnswer(t, fmt.Sprintf("%s: %s by %s %s (sealed %d)", where, k.Name, by, what, p.merger.Sealed()), p, windows.Question{KPI: k.Name, By: by, Window: w, Moment: m}, want)
				}
				if w.IsDay() {
					today := calendar.Day(o.Head()*1000 - 1)
					ask(windows.Moment{Live: true}, o.Day(k, by, today, oracle.View{Before: o.Head()}), "today")
					first := calendar.Day(seconds[0] * 1000)
					for range tries {
						day := first + r.Int32N(today-first+1)
						ask(windows.Moment{Day: day}, o.Day(k, by, day, oracle.View{Before: o.Head()}), "on "+calendar.Format(day))
					}
					continue
				}
				step := int64(w.Step().Seconds())
				up := func(t int64) int64 { return (t + step - 1) / step * step }
				ask(windows.Moment{Live: true}, o.Sliding(k, by, w, up(o.Head()), oracle.View{Before: o.Head()}), "live "+w.String())
				for range tries {
					at := seconds[r.IntN(len(seconds))]
					switch r.IntN(3) {
					case 0: // near the end of a window with it
						at += int64(w.Length.Seconds())
					case 1:
						at += r.Int64N(int64(w.Length.Seconds()) + 1)
					}
					end := up(at) + (r.Int64N(4)-1)*step
					ask(windows.Moment{End: end}, o.Sliding(k, by, w, end, oracle.View{Before: max(end, o.Head()), Waiting: end > o.Head()}), fmt.Sprintf("%s to %d", w, end))
				}
			}
		}
	}
	// What is in already, before its slices close.
	reach := o.Head() + r.Int64N(6)
	p.merger.SetPreview(p.peek(reach))
	for _, k := range p.catalogue.KPIs {
		by := k.By[r.IntN(len(k.By))]
		w := k.Windows[r.IntN(len(k.Windows))]
		var want []oracle.Sample
		if w.IsDay() {
			want = o.Day(k, by, calendar.Day(reach*1000-1), oracle.View{Before: reach, Waiting: true})
		} else {
			step := int64(w.Step().Seconds())
			want = o.Sliding(k, by, w, (reach+step-1)/step*step, oracle.View{Before: reach, Waiting: true})
		}
		compareAnswer(t, fmt.Sprintf("%s: %s by %s %s, preview of %d", where, k.Name, by, w, reach), p, windows.Question{KPI: k.Name, By: by, Window: w, Moment: windows.Moment{Live: true}}, want)
	}
	p.merger.SetPreview(nil)
	return !t.Failed()
}

func compareAnswer(t *testing.T, where string, p *pipeline, q windows.Question, want []oracle.Sample) {
	t.Helper()
	got, err := p.merger.Ask(q, p.disk, nil)
	var ahead windows.AheadError
	if errors.As(err, &ahead) {
		got, err = p.merger.Ask(q, p.disk, p.peek(ahead.Head))
	}
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	k := p.catalogue.KPI(q.KPI)
	same := slices.EqualFunc(got.Samples, want, func(g windows.Sample, w oracle.Sample) bool {
		return slices.Equal(g.Labels, w.Labels) && g.Numerator.N == w.Numerator && (!k.Ratio() || g.Denominator.N == w.Denominator) &&
			g.Null == w.Null && (w.Null || g.Currency == w.Currency) && (!got.Complete || g.Revision == w.Revision)
	})
	if !same {
		t.Errorf("%s:\n got %s\nwant %s", where, showGot(got.Samples), showWant(want))
	}
}

func showGot(samples []windows.Sample) string {
	out := ""
	for _, s := range samples {
		out += fmt.Sprintf("%q %d/%d null=%v %s r%d; ", s.Labels, s.Numerator.N, s.Denominator.N, s.Null, s.Currency, s.Revision)
	}
	return out
}

func showWant(samples []oracle.Sample) string {
	out := ""
	for _, s := range samples {
		out += fmt.Sprintf("%q %d/%d null=%v %s r%d; ", s.Labels, s.Numerator, s.Denominator, s.Null, s.Currency, s.Revision)
	}
	return out
}

var _ = math.MaxInt64
