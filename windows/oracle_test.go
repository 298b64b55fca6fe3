package windows_test

import (
	"flag"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// small are definitions with short windows, a list, money by currency,
// fractions, a Present of each kind and users by sets.
const small = `
keep: []
kpis:
  - {name: users, title: {en: a, zh: a}, distinct: {field: user_id, where: &active 'type not in ["impression", "ad_cost"]'}, by: [channel, [channel, device]], windows: [10s, 2m, 10m, 1h, today, day]}
  - {name: players, title: {en: a, zh: a}, distinct: {field: user_id, where: 'type == "play"'}, by: [device], windows: [5m, today, day]}
  - {name: plays, title: {en: a, zh: a}, count: {where: 'type == "play" and watch_ms > 0'}, by: [channel, [device, channel]], windows: [10s, 2m, 10m, 1h, today, day]}
  - {name: ctr, title: {en: a, zh: a}, ratio: {numerator: {count: {where: 'type == "click"'}}, denominator: {count: {where: 'type == "impression"'}}}, by: [channel], windows: [1m, 30m, day]}
  - {name: gmv, title: {en: a, zh: a}, unit: money, sum: {field: amount_minor, where: 'type == "pay" and amount_minor != nil'}, by: [channel, currency], windows: [10s, 10m, today, day]}
  - {name: score, title: {en: a, zh: a}, sum: {field: score_x, where: 'score_x != nil and (watch_ms == nil or watch_ms * 0.5 <= 3000)'}, by: [device], windows: [2m, day]}
  - {name: longest, title: {en: a, zh: a}, max: {field: watch_ms, where: 'type == "play"'}, by: [channel], windows: [10s, 2m, 1h, today, day]}
  - {name: cheapest, title: {en: a, zh: a}, min: {field: amount_minor}, by: [device, currency], windows: [2m, day]}
  - {name: highest, title: {en: a, zh: a}, max: {field: score_x}, by: [[channel, device]], windows: [10s, 10m, today, day]}
  - {name: mean_watch, title: {en: a, zh: a}, mean: {field: watch_ms, where: 'type == "play"'}, by: [channel], windows: [10s, 10m, today, day]}
  - {name: mean_score, title: {en: a, zh: a}, scale: 0.5, mean: {field: score_x}, by: [device], windows: [2m]}
  - {name: net, title: {en: a, zh: a}, count: {where: 'type == "play"'}, minus: {count: {where: 'type == "like"'}}, by: [channel], windows: [10s, 10m, today, day]}
  - {name: per_play, title: {en: a, zh: a}, scale: 1000, ratio: {numerator: {sum: {field: watch_ms}}, denominator: {count: {where: 'type == "play"'}}}, minus: {sum: {field: score_x}}, by: [channel], windows: [2m, 1h, day]}
  - {name: still, title: {en: a, zh: a}, distinct: {field: user_id}, minus: {distinct: {field: user_id, where: 'type == "play"'}}, by: [device], windows: [5m, today, day]}
  - {name: per_user, title: {en: a, zh: a}, ratio: {numerator: {count: {where: *active}}, denominator: {distinct: {field: user_id, where: *active}}}, by: [channel], windows: [2m, day]}
  - {name: top, title: {en: a, zh: a}, count: {where: 'type == "play"'}, by: [content_id], windows: [2m, 10m, today, day], top: 3}
  - {name: risk, title: {en: a, zh: a}, at_risk: {churn_gap: 10, where: *active}, windows: [day]}
  - {name: churned, title: {en: a, zh: a}, churned: {churn_gap: 10, where: *active}, windows: [day]}
  - {name: states, title: {en: a, zh: a}, from: mine, split: [state], count: {where: 'fact == "stage"'}, by: [channel, [device, channel]], windows: [day]}
  - {name: mau, title: {en: a, zh: a}, from: mine, level: {where: 'fact == "within" and of == "30"'}, by: [channel], windows: [day]}
  - {name: sticky, title: {en: a, zh: a}, from: mine, final_only: true, ratio: {numerator: {level: {where: 'fact == "active_days"'}}, denominator: {level: {where: 'fact == "possible_days"'}}}, by: [device], windows: [day]}
  - {name: ness, title: {en: a, zh: a}, from: mine, split: [of, days], level: {where: 'fact == "frequency"'}, windows: [day]}
  - {name: calendar, title: {en: a, zh: a}, from: mine, level: {where: 'fact == "week"'}, minus: {level: {where: 'fact == "month" and channel == "a"'}}, by: [device], windows: [day]}
  - {name: back, title: {en: a, zh: a}, from: mine, horizon: 1, final_only: true, ratio: {numerator: {count: {where: 'fact == "retention" and after == "1"'}}, denominator: {count: {where: 'fact == "retention" and after == "0"'}}}, by: [channel], windows: [day]}
  - {name: curve, title: {en: a, zh: a}, from: mine, horizon: 3, split: [after], count: {where: 'fact == "retention"'}, by: [device], windows: [day]}
  - {name: churn_rate, title: {en: a, zh: a}, from: mine, ratio: {numerator: {count: {where: 'fact == "churning"'}}, denominator: {level: {where: 'fact == "before"'}}}, by: [channel], windows: [day]}
  - {name: resurrection, title: {en: a, zh: a}, from: mine, ratio: {numerator: {count: {where: 'fact == "stage" and state == "resurrecting"'}}, denominator: {level: {where: 'fact == "away"'}}}, windows: [day]}
  - {name: less, title: {en: a, zh: a}, from: mine, level: {where: 'fact == "declining"'}, by: [channel], windows: [day]}
  - {name: signals, title: {en: a, zh: a}, from: mine, horizon: 1, split: [state, holdout], count: {where: 'fact == "signal"'}, by: [channel], windows: [day]}
  - {name: recall, title: {en: a, zh: a}, from: mine, horizon: 14, split: [state, holdout], ratio: {numerator: {count: {where: 'fact == "recall" and of == "14"'}}, denominator: {count: {where: 'fact == "signal"'}}}, windows: [day]}
  - {name: visits, title: {en: a, zh: a}, from: visit, horizon: 1, count: {}, by: [channel, [device, channel]], windows: [1m, 10m, 1h, day]}
  - {name: visit_length, title: {en: a, zh: a}, from: visit, mean: {field: duration_ms}, by: [device], windows: [10m, day]}
  - {name: visit_p80, title: {en: a, zh: a}, from: visit, horizon: 2, quantile: {field: duration_ms, p: 80}, by: [channel], windows: [10m, 1h, day]}
  - {name: visit_depth, title: {en: a, zh: a}, from: visit, scale: 10, ratio: {numerator: {sum: {field: events}}, denominator: {count: {where: 'fact == "session"'}}}, by: [channel], windows: [2m, day]}
  - {name: long_visits, title: {en: a, zh: a}, from: visit, count: {where: 'events > 2 and duration_ms >= 5000'}, minus: {count: {where: 'channel == "c1"'}}, windows: [5m, day]}
  - {name: refund_rate, title: {en: a, zh: a}, from: purchases, horizon: 5, ratio: {numerator: {count: {where: 'fact == "refunded"'}}, denominator: {count: {where: 'fact == "paid"'}}}, by: [channel], windows: [10m, day]}
  - {name: kept, title: {en: a, zh: a}, from: purchases, horizon: 30, unit: money, sum: {field: amount_minor, where: 'fact == "payment"'}, minus: {sum: {field: amount_minor, where: 'fact == "refund"'}}, by: [device, currency], windows: [1h, day]}
  - {name: costs, title: {en: a, zh: a}, horizon: 3, unit: money, sum: {field: amount_minor, where: 'type == "ad_cost"'}, by: [channel, currency], windows: [10s, 1h, today, day]}
  - {name: cost_of_like, title: {en: a, zh: a}, horizon: 1, unit: number, ratio: {numerator: {sum: {field: amount_minor, where: 'type in ["ad_cost", "settle"]'}}, denominator: {count: {where: 'type == "like"'}}}, by: [device], windows: [2m, day]}
  - {name: dearest, title: {en: a, zh: a}, horizon: 2, max: {field: amount_minor, where: 'type == "ad_cost"'}, by: [channel], windows: [day]}
  - {name: settled_p50, title: {en: a, zh: a}, horizon: 2, quantile: {field: score_x, p: 50, where: 'type == "settle" or type == "like"'}, by: [device], windows: [day]}
  - {name: repurchase, title: {en: a, zh: a}, from: purchases, ratio: {numerator: {level: {where: 'fact == "repeat_payer"'}}, denominator: {level: {where: 'fact == "payer"'}}}, windows: [day]}
  - {name: unmatched, title: {en: a, zh: a}, from: purchases, split: [event], count: {where: 'fact == "unmatched"'}, by: [channel], windows: [10m, day]}
  - {name: lost, title: {en: a, zh: a}, from: purchases, horizon: 3, count: {where: 'fact == "created"'}, minus: {count: {where: 'fact == "cancelled"'}}, by: [device], windows: [10m, day]}
  - {name: ranked, title: {en: a, zh: a}, from: ranks, split: [segment], level: {}, windows: [day]}
  - {name: ways, title: {en: a, zh: a}, from: way, horizon: 1, split: [step], count: {where: 'fact == "reached"'}, by: [channel], windows: [10s, 10m, 1h, day]}
  - {name: way_rates, title: {en: a, zh: a}, from: way, horizon: 1, split: [step], ratio: {numerator: {count: {where: 'fact == "reached" and since_previous_ms >= 0'}}, denominator: {count: {where: 'fact == "possible"'}}}, by: [device], windows: [10m, day]}
  - {name: way_time, title: {en: a, zh: a}, from: way, horizon: 1, mean: {field: since_first_ms, where: 'fact == "completed"'}, windows: [10m, day]}
  - {name: comers, title: {en: a, zh: a}, from: comer, count: {where: 'fact == "cohort"'}, by: [channel], windows: [2m, 1h, day]}
  - {name: comers_back, title: {en: a, zh: a}, from: comer, horizon: 3, split: [after], count: {where: 'fact == "returned"'}, by: [device], windows: [10m, 1h, day]}
  - {name: comers_d1, title: {en: a, zh: a}, from: comer, horizon: 1, final_only: true, ratio: {numerator: {count: {where: 'fact == "returned" and after == "1"'}}, denominator: {count: {where: 'fact == "cohort"'}}}, by: [channel], windows: [day]}
  - {name: likers_d1, title: {en: a, zh: a}, from: liker, horizon: 2, ratio: {numerator: {count: {where: 'fact == "returned" and after == "1"'}}, denominator: {count: {where: 'fact == "cohort"'}}}, by: [channel], windows: [1h, day]}
  - {name: bids, title: {en: a, zh: a}, from: bid, split: [step], mean: {field: since_previous_ms, where: 'fact == "reached"'}, by: [channel], windows: [2m, day]}
  - {name: bought, title: {en: a, zh: a}, from: bid, horizon: 2, ratio: {numerator: {count: {where: 'fact == "completed"'}}, denominator: {count: {where: 'fact == "entered"'}}}, by: [device], windows: [1h, day]}
operators:
  - {name: ranks, rfm: {recency: [1, 2, 3, 9], frequency: [2, 3, 4, 6], monetary: {CNY: [1, 3, 5, 9], USD: [1, 2, 4, 5]}}}
  - {name: way, funnel: {steps: [{name: seen, where: 'type == "play"'}, 'type == "like"', 'type in ["pay", "click"]'], window: 90s, mode: strict, hold: device}}
  - {name: bid, funnel: {where: *active, steps: ['type in ["play", "like"]', 'type == "pay"', 'type == "click"'], window: 30h, mode: any}}
  - {name: comer, retention: {start: 'type in ["play", "pay"]', return: 'type in ["pay", "like"]', first: true, after: [1, 2, 3]}}
  - {name: liker, retention: {start: 'type == "like"', return: *active, by: 24h, after: [1, 2]}}
  - {name: purchases, orders: {where: 'region != "r1" or type == "refund"'}}
  - {name: mine, days: {churn_gap: 10, where: *active}}
  - {name: visit, sessions: {gap: 1m, where: *active, end: 'type == "share"'}}
`

func catalogue(t testing.TB, files ...string) *kpi.Catalogue {
	t.Helper()
	return catalogueIn(t, "Asia/Shanghai", files...)
}

func catalogueIn(t testing.TB, name string, files ...string) *kpi.Catalogue {
	t.Helper()
	zone, err := time.LoadLocation(name)
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
	c.SetAcceptLate(map[string]time.Duration{"ad_cost": 72 * time.Hour, "settle": 31 * time.Hour})
	c.Holdout = 400_000
	c.ForgetAfter = 64 // less than any operator remembers: rows outlast it
	return c
}

func timing(disorder, lateness, dedup time.Duration) stream.Timing {
	return stream.Timing{Disorder: disorder, Lateness: lateness, DedupWindow: dedup}
}

var seeds = flag.Uint64("seeds", 2, "number of random logs to try in each setup")

// TestOracle feeds random logs to pipelines that are split, crashed and
// redistributed at random, and compares every number with the oracle's.
func TestOracle(t *testing.T) {
	percent := debug.SetGCPercent(400) // every answer is garbage at once
	t.Cleanup(func() { debug.SetGCPercent(percent) })
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
		// Days begin between two steps of today.
		{"between", setup{catalogueIn(t, "Asia/Kathmandu", small), timing(2*time.Second, 30*time.Second, 40*time.Second)}, 500, 12},
		{"wide", setup{short, timing(5*time.Second, 30*time.Hour, 31*time.Hour)}, 300, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range *seeds {
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
	drive(t, g, messages, func(where string, runs []*pipeline, o *oracle.Oracle, whole bool) bool {
		return compareState(t, where, runs, o, r, whole)
	})
}

// compareState compares pipelines with the oracle at one moment: everything
// they keep if whole is set, at random else.
func compareState(t *testing.T, where string, runs []*pipeline, o *oracle.Oracle, r *rand.Rand, whole bool) bool {
	t.Helper()
	seconds := o.Seconds()
	for i, p := range runs {
		l := p.Sequencer.Ledger
		for word, n := range l.Words() {
			if want := o.Ledger()[word]; n != want {
				t.Errorf("run %d %s: ledger %s = %d, want %d", i, where, word, n, want)
			}
		}
		if got, want := p.Merger.Head(), o.Head(); got != want && len(seconds) > 0 {
			t.Errorf("run %d %s: head = %d, want %d", i, where, got, want)
		}
	}
	if len(seconds) == 0 || t.Failed() {
		return !t.Failed()
	}
	c := runs[0].catalogue
	calendar := kpi.NewCalendar(c.Location)
	closed := oracle.View{Before: o.Head()}
	// A larger catalogue is asked no more often at one moment.
	all := 0
	for _, k := range c.KPIs {
		all += len(k.By) * len(k.Windows)
	}
	tries := 1
	if whole {
		tries = 1 + 4000/all
	}
	for _, k := range c.KPIs {
		for _, by := range k.By {
			for _, w := range k.Windows {
				if !whole && r.IntN(all) >= 50 {
					continue
				}
				q := merge.Question{KPI: k.Name, By: by, Window: w}
				if w.IsDay() {
					today, first := calendar.Day(o.Head()*1000-1), calendar.Day(seconds[0]*1000)
					compareLive(t, where, runs, q, o.Day(k, by, today, closed))
					for range tries {
						q.Moment = merge.Moment{Day: first + r.Int32N(today-first+1)}
						in := closed
						if end := calendar.Start(q.Moment.Day+1) / 1000; end > o.Head() { // today
							in = oracle.View{Before: end, Waiting: true}
						}
						compareAnswers(t, where, runs, q, o.Day(k, by, q.Moment.Day, in))
					}
					continue
				}
				compareLive(t, where, runs, q, o.Sliding(k, by, w, stepUp(o.Head(), w), closed))
				for range tries {
					at := seconds[r.IntN(len(seconds))]
					switch length := max(int64(w.Length.Seconds()), 600); r.IntN(3) {
					case 0: // near the end of a window with it
						at += length
					case 1:
						at += r.Int64N(length + 1)
					}
					end := stepUp(at, w) + (r.Int64N(4)-1)*int64(w.Step().Seconds())
					q.Moment = merge.Moment{End: end}
					compareAnswers(t, where, runs, q, o.Sliding(k, by, w, end, oracle.View{Before: max(end, o.Head()), Waiting: end > o.Head()}))
				}
			}
		}
	}
	// What is in already, before its slices close.
	reach := o.Head() + r.Int64N(6)
	live := make([]*merge.Live, len(runs))
	for i, p := range runs {
		if p.told != "" && r.IntN(8) == 0 {
			if got := showLive(c, p.published); got != p.told {
				t.Errorf("run %d %s: what was published has changed:\n got %s\nwant %s", i, where, got, p.told)
			}
			p.told = ""
		}
		live[i] = p.peek(reach, true)
		if p.told == "" {
			p.published, p.told = live[i], showLive(c, live[i])
		}
	}
	where = fmt.Sprintf("%s, preview of %d", where, reach)
	in := oracle.View{Before: math.MaxInt64, Waiting: true}
	for _, k := range c.KPIs {
		by, w := k.By[r.IntN(len(k.By))], k.Windows[r.IntN(len(k.Windows))]
		var want []oracle.Sample
		if w.IsDay() {
			want = o.Day(k, by, calendar.Day(reach*1000-1), in)
		} else {
			want = o.Sliding(k, by, w, stepUp(reach, w), in)
		}
		q := merge.Question{KPI: k.Name, By: by, Window: w}
		for i, p := range runs {
			compareAnswer(t, fmt.Sprintf("run %d %s", i, where), p, q, live[i].Ask(q), want)
		}
	}
	return !t.Failed()
}

// compareLive compares what is closed of the live windows.
func compareLive(t *testing.T, where string, runs []*pipeline, q merge.Question, want []oracle.Sample) {
	t.Helper()
	for i, p := range runs {
		compareAnswer(t, fmt.Sprintf("run %d %s", i, where), p, q, p.Merger.Live().Ask(q), want)
	}
}

// stepUp is the first end of a kept window at or after a second.
func stepUp(second int64, w kpi.Window) int64 {
	step := int64(w.Step().Seconds())
	return (second + step - 1) / step * step
}

func compareAnswers(t *testing.T, where string, runs []*pipeline, q merge.Question, want []oracle.Sample) {
	t.Helper()
	for i, p := range runs {
		got, err := p.ask(q)
		if err != nil {
			t.Errorf("run %d %s: ask %v: %v", i, where, q, err)
			continue
		}
		compareAnswer(t, fmt.Sprintf("run %d %s", i, where), p, q, got, want)
	}
}

func compareAnswer(t *testing.T, where string, p *pipeline, q merge.Question, got *sample.Answer, want []oracle.Sample) {
	t.Helper()
	k := got.KPI
	if k.Top > 0 {
		want = want[:min(len(want), k.Top)]
	}
	same := slices.EqualFunc(got.Samples, want, func(g sample.Sample, w oracle.Sample) bool {
		return slices.Equal(g.Labels, w.Labels) && g.Null == w.Null && equal(k, &g, &w) &&
			(w.Null || g.Currency == w.Currency) && (!got.Complete || g.Revision == w.Revision || w.Guess && g.Revision < w.Revision)
	})
	if !same {
		t.Errorf("%s, head %d, sealed %d: %s by %s %s %+v:\n got %s\nwant %s", where, p.Merger.Head(), p.Merger.Sealed(),
			q.KPI, q.By, q.Window, q.Moment, showGot(got.Samples), showWant(want))
	}
}

// equal reports whether the numbers of a sample are those of the log, as far as the
// sample says that they are exact.
func equal(k *kpi.KPI, g *sample.Sample, w *oracle.Sample) bool {
	num, den := w.Shown(k)
	value := rational(g.Numerator)
	if (k.Ratio() || k.Quantile()) && rational(g.Denominator).Cmp(den) != 0 {
		return false
	}
	switch g.Limit {
	case sample.ByGrid:
		off := new(big.Rat).Sub(value, num)
		return off.Abs(off).Cmp(new(big.Rat).Mul(num, big.NewRat(1, 100))) <= 0
	case sample.AtMost:
		return num.Cmp(rational(g.Bound)) <= 0
	case sample.AtLeast:
		return num.Cmp(rational(g.Bound)) >= 0
	}
	return w.Null && k.Quantile() || value.Cmp(num) == 0
}

func rational(n sample.Number) *big.Rat {
	r, _ := new(big.Rat).SetString(n.String())
	return r
}

// showLive is all that live windows show.
func showLive(c *kpi.Catalogue, l *merge.Live) string {
	var b strings.Builder
	for _, k := range c.KPIs {
		for _, by := range k.By {
			for _, w := range k.Windows {
				fmt.Fprintf(&b, "%s by %s %s: %s\n", k.Name, by, w, showGot(l.Ask(merge.Question{KPI: k.Name, By: by, Window: w}).Samples))
			}
		}
	}
	return b.String()
}

func showGot(samples []sample.Sample) string {
	out := ""
	for _, s := range samples {
		out += fmt.Sprintf("%q %s/%s null=%v %s r%d; ", s.Labels, s.Numerator.N, s.Denominator.N, s.Null, s.Currency, s.Revision)
	}
	return out
}

func showWant(samples []oracle.Sample) string {
	out := ""
	for _, s := range samples {
		out += fmt.Sprintf("%q %s/%s null=%v %s r%d; ", s.Labels, s.Numerator, s.Denominator, s.Null, s.Currency, s.Revision)
	}
	return out
}
