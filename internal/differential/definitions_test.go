package differential

import (
	"fmt"
	"slices"
	"strings"
)

// fields are what events are told apart by.
var fields = []string{"channel", "device", "region", "shop", "content_id"}

// odd are labels that look like other things.
var odd = []string{`""`, `"a b"`, `"\"quoted\""`, `"back\\slash"`, `"line\nbreak"`, `"抖音"`, `"(none)x"`, `"a,b"`, `"x=y&z"`, `"\ud83d\ude00"`, `7`, `"é"`,
	`"nul\u0000l"`, `"l\u0000nul"`}

// text is the value of a field, "" for none.
func (g *generator) text(field string) string {
	most := map[string]int{"channel": 3, "device": 2, "region": 3, "shop": 4, "content_id": 9}[field]
	switch i := g.IntN(most + 1); {
	case i == 0:
		return ""
	case g.IntN(6) == 0:
		if field != "shop" && field != "channel" {
			return odd[1+g.IntN(len(odd)-1)]
		}
		return odd[g.IntN(len(odd))]
	default:
		return fmt.Sprintf(`"%c%d"`, field[0], i)
	}
}

// filters are conditions, some of which nobody would write.
var filters = []string{
	`type == "play"`, `type == "play" and watch_ms > 0`, `type in ["click", "like"]`, `type == "impression"`, `type == "pay"`,
	`type not in ["impression", "ad_cost"]`, `type != "play" or watch_ms >= duration_ms * 0.99`,
	`watch_ms * 0.5 <= 3000 and not (duration_ms == nil)`, `price != nil`, `price > 0.25 or shop == "s1"`, `not (price > 1)`,
	`min(watch_ms, duration_ms) >= 4000`, `channel != "c1"`, `shop in ["s1", "s2", "7"]`, `type == "message" and direction == "inbound"`,
	`max(watch_ms, 0) - duration_ms < 0`, `watch_ms == duration_ms`, `user_id == nil`, `type == "ad_cost"`, `type in ["ad_cost", "refund", "click"] and shop != "s1"`,
}

var lengths = []string{"10s", "45s", "1m", "2m", "5m", "10m", "30m", "1h", "6h", "24h", "36h", "7d", "today", "today", "day", "day"}

// definitions are some KPIs, and what makes a user active: all that is about active
// days has one notion of it.
func (g *generator) definitions() (out []string, active string) {
	active = g.filter()
	for i := range 3 + g.IntN(5) {
		out = append(out, g.definition(fmt.Sprintf("k%d", i), active))
	}
	if g.IntN(2) == 0 {
		out = append(out, fmt.Sprintf("{name: present, distinct: {field: user_id, where: '%s'}, by: [channel], windows: [day]}", active))
	}
	return out, active
}

func (g *generator) definition(name, active string) string {
	if g.IntN(5) == 0 {
		return g.facts(name)
	}
	if g.IntN(6) == 0 {
		return g.sessions(name)
	}
	if g.IntN(6) == 0 {
		return g.orders(name)
	}
	if g.IntN(8) == 0 {
		return g.plays(name)
	}
	if g.IntN(6) == 0 {
		return g.customers(name)
	}
	if g.IntN(6) == 0 {
		return g.attribution(name)
	}
	if g.IntN(6) == 0 {
		return g.funnel(name)
	}
	if g.IntN(6) == 0 {
		return g.retention(name)
	}
	if g.IntN(6) == 0 {
		return fmt.Sprintf("{name: %s, %s: {churn_gap: %d, where: '%s'}, windows: [day]}", name,
			[]string{"at_risk", "churned"}[g.IntN(2)], []int{4, 10, 30, 60}[g.IntN(4)], active)
	}
	measure, top := "", false
	switch g.IntN(6) {
	case 0:
		measure = fmt.Sprintf("quantile: {%s, p: %s, where: '%s'}", g.addend(), []string{"50", "90", "99.9", "0.01"}[g.IntN(4)], g.filter())
		if g.IntN(3) == 0 {
			measure += ", scale: 0.001"
		}
	case 1:
		if g.IntN(3) == 0 {
			measure = g.difference()
			break
		}
		measure = fmt.Sprintf("ratio: {numerator: {%s}, denominator: {%s}}", g.measure(), g.measure())
		if strings.Contains(measure, "amount_minor") {
			measure += ", unit: number"
		}
	case 2:
		measure = fmt.Sprintf("%s: {%s, where: '%s'}", []string{"max", "min"}[g.IntN(2)], g.extremum(), g.filter())
	default:
		measure = g.measure()
		top = g.IntN(4) == 0
	}
	windows := g.some(lengths, 4)
	text := fmt.Sprintf("{name: %s, %s, windows: [%s]", name, measure, strings.Join(windows, ", "))
	open := slices.Contains(windows, "day") && !top && !strings.Contains(measure, "distinct") && g.IntN(2) == 0
	if open {
		text += fmt.Sprintf(", horizon: %d", 1+g.IntN(5))
	}
	if !open && g.IntN(3) == 0 && strings.Contains(measure, `"play"`) && !strings.Contains(measure, "distinct") && !strings.Contains(measure, "max:") && !strings.Contains(measure, "min:") {
		text += ", also: " + []string{"plays", "parts"}[g.IntN(2)]
	}
	sets := g.some([]string{"channel", "device", "shop", "content_id", "[channel, device]", "[shop, region]", "currency", "[channel, currency]"}, 3)
	text += ", by: [" + strings.Join(sets, ", ") + "]"
	budgeted := g.IntN(6) == 0
	switch {
	case top:
		text += fmt.Sprintf(", top: %d", 1+g.IntN(4))
	case budgeted:
		text += fmt.Sprintf(", budget: %d", 2+g.IntN(4))
	}
	return text + "}"
}

func (g *generator) filter() string {
	f := filters[g.IntN(len(filters))]
	if g.IntN(4) == 0 {
		f = "(" + f + []string{") and (", ") or ("}[g.IntN(2)] + filters[g.IntN(len(filters))] + ")"
	}
	return f
}

func (g *generator) measure() string {
	switch g.IntN(6) {
	case 5:
		return "sum: {field: amount_minor, where: 'type == \"ad_cost\"'}"
	case 0:
		return fmt.Sprintf("sum: {%s, where: '%s'}", g.addend(), g.filter())
	case 1:
		return "sum: {field: amount_minor, where: 'type == \"pay\"'}"
	case 2, 3:
		return fmt.Sprintf("distinct: {field: user_id, where: '%s'}", g.filter())
	}
	return fmt.Sprintf("count: {where: '%s'}", g.filter())
}

// facts is a KPI over facts.
func (g *generator) facts(name string) string {
	level := func(where string) string { return fmt.Sprintf("level: {where: 'fact == %s'}", where) }
	count := func(where string) string { return fmt.Sprintf("count: {where: 'fact == %s'}", where) }
	ratio := func(num, den string) string {
		return fmt.Sprintf("ratio: {numerator: {%s}, denominator: {%s}}%s", num, den, []string{"", ", final_only: true"}[g.IntN(2)])
	}
	after := 1 + g.IntN(3)
	measure := []string{
		count(`"stage"`) + ", split: [state]",
		count(`"stage" and state != "dormant"`),
		count(`"churning"`),
		fmt.Sprintf("%s, horizon: %d", ratio(count(fmt.Sprintf(`"retention" and after == "%d"`, after)), count(`"retention" and after == "0"`)), after),
		count(`"retention"`) + fmt.Sprintf(", split: [after], horizon: %d", after),
		level(`"within" and of == "7"`),
		level(`"week" and channel != "c1"`) + ", minus: {" + level(`"month"`) + "}",
		level(`"frequency"`) + ", split: [of, days]",
		level(`"declining"`),
		ratio(level(`"active_days"`), level(`"possible_days"`)),
		ratio(count(`"stage" and state == "resurrecting"`), level(`"away"`)),
		ratio(level(`"at_risk"`), level(`"before"`)),
		level(`"churned"`),
		fmt.Sprintf("%s, split: [state, holdout], horizon: %d", count(`"signal"`), after),
		count(`"recall"`) + ", split: [state, of, holdout], horizon: 30",
		fmt.Sprintf("horizon: 7, %s", ratio(count(`"recall" and state == "at_risk" and of == "7"`), count(`"signal" and state == "at_risk"`))),
		fmt.Sprintf("horizon: 7, %s", ratio(count(`"recall" and holdout == "yes" and of == "7"`), count(`"signal" and holdout == "yes"`))),
	}[g.IntN(17)]
	sets := g.some([]string{"channel", "device", "shop", "[channel, device]"}, 2)
	return fmt.Sprintf("{name: %s, from: mine, %s, by: [%s], windows: [day]}", name, measure, strings.Join(sets, ", "))
}

// sessions is a KPI over sessions.
func (g *generator) sessions(name string) string {
	filters := []string{"fact == \"session\"", "events > 1", "duration_ms < 20000", "channel != \"c1\" and events * 2 >= 3", "not (shop == \"s1\")"}
	where := func() string { return "where: '" + filters[g.IntN(len(filters))] + "'" }
	count := func() string { return "count: {" + where() + "}" }
	measure := []string{
		"count: {}",
		count(),
		count() + ", minus: {" + count() + "}",
		"sum: {field: events, " + where() + "}",
		"mean: {field: duration_ms}, scale: 0.001",
		"mean: {expr: 'max(duration_ms, 3000) + events * 0.5', " + where() + "}",
		"ratio: {numerator: {" + count() + "}, denominator: {count: {}}}",
		"quantile: {field: duration_ms, p: 90, " + where() + "}",
	}[g.IntN(8)]
	sets := g.some([]string{"channel", "device", "shop", "content_id", "[channel, device]"}, 2)
	windows := slices.DeleteFunc(g.some(lengths, 4), func(w string) bool { return w == "today" })
	if g.IntN(2) == 0 && !slices.Contains(windows, "day") || len(windows) == 0 {
		windows = append(windows, "day")
	}
	text := fmt.Sprintf("{name: %s, from: %s, %s, by: [%s], windows: [%s]", name, []string{"visits", "stays"}[g.IntN(2)], measure, strings.Join(sets, ", "), strings.Join(windows, ", "))
	if slices.Contains(windows, "day") && g.IntN(2) == 0 {
		text += fmt.Sprintf(", horizon: %d", 1+g.IntN(3))
	}
	if g.IntN(8) == 0 {
		text += fmt.Sprintf(", budget: %d", 2+g.IntN(4))
	}
	return text + "}"
}

// plays is a KPI over plays alone.
func (g *generator) plays(name string) string {
	filters := []string{"position_ms >= duration_ms * 0.5", "watch_ms > 0", "end == \"completed\"", "end in [\"replaced\", \"silent\"] and watch_ms < 60000", "shop != \"s1\" and duration_ms > 0"}
	where := func() string { return "where: '" + filters[g.IntN(len(filters))] + "'" }
	measure := []string{
		"count: {}, split: [end]",
		"count: {" + where() + "}",
		"mean: {field: watch_ms, " + where() + "}",
		"quantile: {field: position_ms, p: 60}",
		"ratio: {numerator: {count: {" + where() + "}}, denominator: {count: {}}}",
		"ratio: {numerator: {count: {" + where() + "}}, denominator: {from: events, count: {where: '" + g.filter() + "'}}}",
	}[g.IntN(6)]
	sets := g.some([]string{"channel", "device", "content_id", "[channel, device]"}, 2)
	windows := slices.DeleteFunc(g.some(lengths, 3), func(w string) bool { return w == "today" || w == "day" })
	windows = append(windows, "day")
	return fmt.Sprintf("{name: %s, from: %s, %s, by: [%s], windows: [%s]}", name, []string{"plays", "parts"}[g.IntN(2)], measure, strings.Join(sets, ", "), strings.Join(windows, ", "))
}

// orders is a KPI over orders.
func (g *generator) orders(name string) string {
	facts := []string{"created", "cancelled", "paid", "payment", "refunded", "refund", "settlement", "unmatched"}
	where := func() string {
		f := fmt.Sprintf(`where: 'fact == "%s"`, facts[g.IntN(len(facts))])
		return f + []string{"'", "'", ` and amount_minor > 100'`, ` and shop != "s1"'`}[g.IntN(4)]
	}
	count := func() string { return "count: {" + where() + "}" }
	horizon := ""
	if g.IntN(2) == 0 {
		horizon = fmt.Sprintf(", horizon: %d", []int{1, 3, 30}[g.IntN(3)])
	}
	if g.IntN(4) == 0 {
		return fmt.Sprintf("{name: %s, from: orders, windows: [day], %s}", name, []string{
			`level: {where: 'fact == "payer"'}`,
			`level: {where: 'fact == "payer"'}, minus: {level: {where: 'fact == "repeat_payer"'}}`,
			`ratio: {numerator: {level: {where: 'fact == "repeat_payer"'}}, denominator: {level: {where: 'fact == "payer"'}}}, final_only: true`,
		}[g.IntN(3)])
	}
	measure := []string{
		count(),
		count() + ", minus: {" + count() + "}",
		"sum: {field: amount_minor, " + where() + "}",
		"sum: {field: amount_minor, " + where() + "}, minus: {sum: {field: amount_minor, " + where() + "}}",
		"ratio: {numerator: {" + count() + "}, denominator: {" + count() + "}}",
		"count: {where: 'fact == \"unmatched\"'}, split: [event]",
		"ratio: {numerator: {" + count() + "}, denominator: {from: events, count: {where: '" + g.filter() + "'}}}",
		"sum: {field: amount_minor, " + where() + "}, minus: {from: events, sum: {field: amount_minor, where: '" + g.filter() + "'}}",
	}[g.IntN(8)]
	sets := g.some([]string{"channel", "device", "shop", "currency", "[channel, device]"}, 2)
	windows := slices.DeleteFunc(g.some(lengths, 3), func(w string) bool { return w == "today" || w == "day" })
	windows = append(windows, "day")
	return fmt.Sprintf("{name: %s, from: orders, %s, by: [%s], windows: [%s]%s}", name, measure, strings.Join(sets, ", "), strings.Join(windows, ", "), horizon)
}

// customers is a KPI over the segments of RFM.
func (g *generator) customers(name string) string {
	level := func(segments string) string {
		return fmt.Sprintf(`level: {where: 'fact == "customer"%s'}`, segments)
	}
	return fmt.Sprintf("{name: %s, from: %s, windows: [day], %s}", name, []string{"ranks", "steady", "others", "fifths"}[g.IntN(4)], []string{
		level("") + ", split: [segment]",
		level(""),
		level("") + `, minus: {` + level(` and segment in ["general_recall", "important_recall"]`) + "}",
		`ratio: {numerator: {` + level(` and segment == "important_value"`) + "}, denominator: {" + level("") + "}}, final_only: true",
	}[g.IntN(4)])
}

// difference is that of two shares.
func (g *generator) difference() string {
	op, all := []string{"count: {", "distinct: {field: user_id, "}[g.IntN(2)], g.filter()
	share := func(only string) string { return fmt.Sprintf("{%swhere: '(%s) and %s'}}", op, all, only) }
	return fmt.Sprintf("ratio: {numerator: %s, denominator: {%swhere: '%s'}}}, minus: %s%s",
		share("price > 0.5"), op, all, share("price <= 0.5"), []string{"", ", scale: 100"}[g.IntN(2)])
}

// addend is what a sum takes of an event.
func (g *generator) addend() string {
	return []string{
		"field: watch_ms", "field: price", "field: duration_ms", "expr: 'min(watch_ms, duration_ms)'", "expr: 'watch_ms - duration_ms * 2'",
		"expr: 'max(price * 0.5, watch_ms) + price'", "expr: '-watch_ms'",
	}[g.IntN(7)]
}

// extremum is what a largest or smallest number is of.
func (g *generator) extremum() string {
	if g.IntN(4) == 0 {
		return "field: amount_minor"
	}
	return g.addend()
}

// some are up to n of the choices, each once.
func (g *generator) some(choices []string, n int) []string {
	var out []string
	for range 1 + g.IntN(n) {
		if c := choices[g.IntN(len(choices))]; !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}
