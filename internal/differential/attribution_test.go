package differential

import (
	"fmt"
	"slices"
	"strings"
)

// attributions are operators of this kind, of which clicks alone know one, and a touch
// of one has one conversion.
const attributions = `  - {name: soon, attribution: {click: {within: 2m}, view: {within: 1m}}}
  - {name: clicks, attribution: {view: none, count: once, click: {where: 'type in ["click", "like", "refund"]', within: 6h}, conversion: 'type in ["pay", "order"]'}}
  - {name: watched, attribution: {where: 'channel != "c1" or type == "refund"', click: {within: 1h}, view: {where: 'type == "play" and watch_ms > 0', within: 36h}, count: once}}
  - {name: usual, attribution: {}}
`

// attribution is a KPI over what conversions are attributed to.
func (g *generator) attribution(name string) string {
	operator := []string{"soon", "clicks", "watched", "usual"}[g.IntN(4)]
	where := func(facts ...string) string {
		f := fmt.Sprintf(`where: 'fact == "%s"`, facts[g.IntN(len(facts))])
		return f + []string{"'", "'", ` and amount_minor > 100'`, ` and shop != "s1"'`}[g.IntN(4)]
	}
	all := []string{"conversion", "touched", "payment", "refund", "unattributed"}
	count := func() string { return "count: {" + where(all...) + "}" }
	lag := where("conversion", "touched")
	measure := []string{
		count(),
		count() + ", minus: {" + count() + "}",
		"sum: {field: amount_minor, " + where(all...) + "}",
		"sum: {field: amount_minor, " + where("payment") + "}, minus: {sum: {field: amount_minor, " + where("refund") + "}}",
		"ratio: {numerator: {" + count() + "}, denominator: {" + count() + "}}",
		"mean: {field: lag_ms, " + lag + "}, scale: 0.001",
		"quantile: {field: lag_ms, p: 50, " + lag + "}",
		"sum: {expr: 'min(lag_ms, 90000) + amount_minor * 2', " + lag + "}, unit: money",
		"count: {" + where(all[:4]...) + "}, split: [touch]",
		`count: {where: 'fact == "conversion" and touch == "click" and lag_ms < 60000'}`,
		"ratio: {numerator: {" + count() + "}, denominator: {from: events, count: {where: '" + g.filter() + "'}}}",
		"ratio: {numerator: {sum: {field: amount_minor, " + where("payment") + "}}, denominator: {from: events, sum: {field: amount_minor, where: 'type == \"ad_cost\"'}}}, unit: number",
		"ratio: {numerator: {from: events, sum: {field: amount_minor, where: 'type == \"ad_cost\"'}}, denominator: {" + count() + "}}",
	}[g.IntN(13)]
	sets := g.some([]string{"channel", "device", "shop", "currency", "[channel, device]"}, 2)
	windows := slices.DeleteFunc(g.some(lengths, 3), func(w string) bool { return w == "today" || w == "day" })
	windows = append(windows, "day")
	horizon := ""
	if g.IntN(2) == 0 {
		horizon = fmt.Sprintf(", horizon: %d", []int{1, 2, 7, 31}[g.IntN(4)])
		if slices.Contains(all[1:4], firstFact(measure)) && g.IntN(4) > 0 {
			horizon += ", maturity: lag_ms"
		}
	}
	return fmt.Sprintf("{name: %s, from: %s, %s, by: [%s], windows: [%s]%s}", name, operator, measure, strings.Join(sets, ", "), strings.Join(windows, ", "), horizon)
}
