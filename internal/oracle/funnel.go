package oracle

import (
	"cmp"
	"maps"
	"math/big"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// funnel tells which steps users reached.
func funnel(f *kpi.Funnel) journey {
	j := journey{
		filters: []*kpi.Expr{f.Where},
		follows: func(e *event) bool { return stepOf(f, e) >= 0 },
		facts:   func(o *Oracle, _ telling, rows []*row, joins []join) []fact { return o.funnelOf(f, rows, joins) },
	}
	for _, step := range f.Steps {
		j.filters = append(j.filters, step.Where)
	}
	return j
}

// stepOf is the step that an event is, -1 for none.
func stepOf(f *kpi.Funnel, e *event) int {
	if !e.passes(f.Where) {
		return -1
	}
	return slices.IndexFunc(f.Steps, func(s kpi.Step) bool { return e.passes(s.Where) })
}

// A stride is a row that is a step.
type stride struct {
	*row
	step int
}

// funnelOf goes through the rows up to each join: from there on those of each value follow
// the rows of the other whose funnel goes on.
func (o *Oracle) funnelOf(f *kpi.Funnel, rows []*row, joins []join) (out []fact) {
	held := map[string][]*row{} // by value
	for _, r := range rows {
		held[r.texts[f.Hold]] = append(held[r.texts[f.Hold]], r)
	}
	for _, j := range joins {
		for _, r := range j.rows {
			if held[r.texts[f.Hold]] == nil {
				held[r.texts[f.Hold]] = []*row{}
			}
		}
	}
	for value, list := range held {
		told := int64(never) // up to there
		until := func(list []*row, second int64) []*row {
			return slices.DeleteFunc(slices.Clone(list), func(r *row) bool { return r.second > second })
		}
		for _, j := range joins {
			others := slices.DeleteFunc(slices.Clone(j.rows), func(r *row) bool { return r.texts[f.Hold] != value })
			mine := until(list, j.at)
			if !o.goesOnInstead(f, others, mine, j.at) {
				continue
			}
			for _, one := range o.funnelFacts(f, mine) {
				if one.at > told {
					out = append(out, one)
				}
			}
			told = j.at
			list = append(others, list[len(mine):]...)
		}
		for _, one := range o.funnelFacts(f, list) {
			if one.at > told {
				out = append(out, one)
			}
		}
	}
	return out
}

// goesOnInstead reports whether the funnel of another goes on in place of the user's own,
// behind a second.
func (o *Oracle) goesOnInstead(f *kpi.Funnel, others, own []*row, at int64) bool {
	last := func(rows []*row) (steps int, over, there bool) {
		all := walks(f, strides(f, rows))
		if len(all) == 0 {
			return 0, false, false
		}
		walked := all[len(all)-1]
		over = len(walked) == len(f.Steps)
		end := o.calendar.start(o.calendar.day(walked[0].time)+1) * 1000
		if !over {
			end = max(end, walked[0].time+f.Window.Milliseconds())
		}
		return len(walked), over, floorDiv(end, 1000) > at
	}
	steps, over, there := last(others)
	mine, isOver, mineThere := last(own)
	return there && (!mineThere || !over && (isOver || steps > mine))
}

// strides are the steps of rows, by time, those of one instant in their order.
func strides(f *kpi.Funnel, rows []*row) (list []stride) {
	for _, r := range rows {
		list = append(list, stride{r, stepOf(f, r.event)})
	}
	slices.SortStableFunc(list, func(a, b stride) int { return cmp.Or(cmp.Compare(a.time, b.time), a.step-b.step) })
	return list
}

// funnelFacts are those of the rows of one value.
func (o *Oracle) funnelFacts(f *kpi.Funnel, rows []*row) (out []fact) {
	days := map[int32][][]stride{} // the steps that funnels reached, by the day on which they opened
	for _, walked := range walks(f, strides(f, rows)) {
		day := o.calendar.day(walked[0].time)
		days[day] = append(days[day], walked)
	}
	for day, all := range days {
		out = append(out, cohort(f, day, all)...)
	}
	return out
}

// walks are the steps that each funnel reached, in that order.
func walks(f *kpi.Funnel, list []stride) (out [][]stride) {
	for len(list) > 0 {
		open := slices.IndexFunc(list, func(s stride) bool { return s.step == 0 })
		if open < 0 {
			break
		}
		list = list[open:]
		end := list[0].time + f.Window.Milliseconds()
		within := 1
		for within < len(list) && list[within].time < end {
			within++
		}
		places := reachedBy(f, list[:within])
		var walked []stride
		for _, place := range places {
			walked = append(walked, list[place])
		}
		out = append(out, walked)
		if len(walked) == len(f.Steps) {
			within = places[len(places)-1] + 1
		}
		list = list[within:]
	}
	return out
}

// reachedBy are the places of what reaches steps, of a list that begins with the first.
func reachedBy(f *kpi.Funnel, list []stride) (places []int) {
	if f.Mode == kpi.AnyOrder {
		for step := range f.Steps {
			if at := slices.IndexFunc(list, func(s stride) bool { return s.step == step }); at >= 0 {
				places = append(places, at)
			}
		}
		slices.Sort(places)
		return places
	}
	from := 0
	for step := range f.Steps {
		at := slices.IndexFunc(list[from:], func(s stride) bool { return s.step == step })
		if at < 0 || f.Mode == kpi.Strict && slices.ContainsFunc(list[from:from+at], func(s stride) bool { return s.step > step }) {
			break
		}
		places = append(places, from+at)
		from += at + 1
	}
	return places
}

// cohort is what is told of a day on which funnels opened.
func cohort(f *kpi.Funnel, day int32, all [][]stride) (out []fact) {
	say := func(kind string, r stride, step int, numbers map[string]int64) {
		one := &event{texts: maps.Clone(all[0][0].texts), numbers: map[string]*big.Int{}}
		delete(one.texts, "step")
		if one.texts["fact"] = kind; step >= 0 {
			one.texts["step"] = f.Steps[step].Name
		}
		for name, n := range numbers {
			one.numbers[name] = new(big.Int).Mul(big.NewInt(n), big.NewInt(kpi.Scale))
		}
		out = append(out, fact{one, 1, r.second, day})
	}
	enters := all[0][0]
	say("entered", enters, -1, nil)
	for step := range f.Steps {
		if step > 0 && f.Mode == kpi.AnyOrder {
			say("possible", enters, step, nil)
		}
		if walked, at := first(all, func(s stride) bool { return s.step == step }); walked != nil {
			numbers := map[string]int64{"since_first_ms": walked[at].time - walked[0].time}
			if at > 0 {
				numbers["since_previous_ms"] = walked[at].time - walked[at-1].time
			}
			say("reached", walked[at], step, numbers)
			if f.Mode != kpi.AnyOrder && step+1 < len(f.Steps) {
				say("possible", walked[at], step+1, nil)
			}
		}
	}
	for _, walked := range all {
		if last := walked[len(walked)-1]; len(walked) == len(f.Steps) {
			say("completed", last, -1, map[string]int64{"since_first_ms": last.time - walked[0].time})
			break
		}
	}
	return out
}

// first is the first funnel that reached something, and where.
func first(all [][]stride, that func(stride) bool) (walked []stride, at int) {
	for _, walked := range all {
		if at := slices.IndexFunc(walked, that); at >= 0 {
			return walked, at
		}
	}
	return nil, 0
}
