package merge

import (
	"encoding/binary"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// churn is an aggregate: users who are away, by day. What partitions say of it are
// users who enter and leave a measure from a day on; a day's value is the sum of
// all days up to it.
type churn struct {
	*clock
	plan      *plan.Churn
	target    int
	columns   []string // of its blocks: the measures
	live      *churnLive
	revisions *revisions // that it tells
	dirty     bool
}

// churnLive is by measure the users who enter it, by day. before stands for all
// days that are sealed.
type churnLive struct {
	clock *clock
	days  []map[int32]int64
}

const before = math.MinInt32

// churnName is the set of the churn measures' blocks.
const churnName = "churn"

func newChurn(c *clock, p *plan.Plan, r *revisions) *churn {
	out := &churn{clock: c, plan: &p.Churn, target: p.ChurnTarget(), live: &churnLive{clock: c}, revisions: r}
	for _, m := range p.Churn.Measures {
		out.columns = append(out.columns, m.Key)
		out.live.days = append(out.live.days, map[int32]int64{})
	}
	return out
}

func (c *churn) advance(int64)   {}
func (c *churn) nextExit() int64 { return math.MaxInt64 }

func (c *churn) close(_ int64, as arrivals) {
	c.dirty = c.dirty || len(as) > 0
	c.live.take(as)
}

func (l *churnLive) take(as arrivals) {
	for _, a := range as {
		for _, d := range a.deltas {
			days := l.days[d.Column]
			if n := days[d.Group] + d.N; n != 0 {
				days[d.Group] = n
			} else {
				delete(days, d.Group)
			}
		}
	}
}

// on is how many users are in the measure on the day.
func (l *churnLive) on(measure int, day int32) (n int64) {
	for d, k := range l.days[measure] {
		if d <= day {
			n += k
		}
	}
	return n
}

// correct takes in active days that came late. They touch a day that is over where
// its number changes.
func (c *churn) correct(late arrivals) {
	if len(late) == 0 {
		return
	}
	type number struct {
		day     int32
		measure int
	}
	was := map[number]int64{}
	for _, day := range c.unsealedDays() {
		for i := range c.plan.Measures {
			was[number{day, i}] = c.live.on(i, day)
		}
	}
	c.close(c.head, late)
	for k, n := range was {
		if c.live.on(k.measure, k.day) != n {
			day := int64(k.day)
			c.revisions.touch(touch{labels: []string{}, kpis: c.plan.Measures[k.measure].Readers, length: aDay, lo: day, hi: day})
		}
	}
}

// unsealedDays are the days that are over and not sealed.
func (c *churn) unsealedDays() (out []int32) {
	for day := c.day(c.head) - 1; c.ends(day) > c.sealed; day-- {
		if c.over(day) {
			out = append(out, day)
		}
	}
	return out
}

func (c *churn) nextSeal() int64 { return c.ends(c.day(c.sealed)) }

func (c *churn) seal() []*history.Block {
	last := c.day(c.sealed - 1)
	c.dirty = true
	finished := []*history.Block{c.dayBlock(last)}
	// The days before the last cannot change any more.
	for _, days := range c.live.days {
		var sum int64
		for d, n := range days {
			if d < last {
				sum += n
				delete(days, d)
			}
		}
		if sum != 0 {
			days[before] = sum
		}
	}
	return finished
}

func (c *churn) dayBlock(day int32) *history.Block {
	out := history.Day(churnName, c.columns, day, c.ends(day))
	vals := make([]int64, len(c.plan.Measures))
	for i := range vals {
		vals[i] = c.live.on(i, day)
	}
	out.Add([]string{}, vals)
	return out
}

func (c *churn) present() live { return c.live }

func (c *churn) share() live {
	out := &churnLive{clock: c.clock, days: make([]map[int32]int64, len(c.live.days))}
	for i, days := range c.live.days {
		out.days[i] = maps.Clone(days)
	}
	return out
}

func (l *churnLive) preview(_ int64, late, as arrivals) {
	l.take(late)
	l.take(as)
}

func (l *churnLive) known() iter.Seq[[]string] { return slices.Values[[][]string](nil) }

func (l *churnLive) version(kpi.Window, *plan.Source) uint64 { return 0 }

func (l *churnLive) each(q *query, visit visit) {
	visit([]string{}, sample.Of(l.on(q.source.Column, q.day)))
}

func (c *churn) kept(q *query, _ reading) reading {
	return &labelReading{texts: [][]string{{}}, n: []int64{c.live.on(q.source.Column, q.day)}}
}

func (c *churn) stored(w window) (history.BlockID, *history.Open) {
	return storedIn(churnName, w, nil)
}

func (c *churn) column(q *query) []string { return c.columns[q.source.Column:][:1] }

// checkpoint: by measure the users by day.
func (c *churn) checkpoint(pages []page.Page, _ uint64) []page.Page {
	if !c.dirty {
		return pages
	}
	c.dirty = false
	var b []byte
	for _, days := range c.live.days {
		b = binary.AppendUvarint(b, uint64(len(days)))
		for _, day := range slices.Sorted(maps.Keys(days)) {
			b = binary.AppendVarint(b, int64(day))
			b = binary.AppendVarint(b, days[day])
		}
	}
	return append(pages, page.Page{Kind: page.Churn, A: uint32(c.target), Data: b})
}

func (c *churn) load(_ page.Kind, _ int, _ uint64, r *codec.Reader) {
	for i := range c.live.days {
		for range r.Count(2) {
			day := int32(r.Varint())
			c.live.days[i][day] = r.Varint()
		}
	}
}

func (c *churn) resume() {}
