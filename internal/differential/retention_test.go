package differential

import (
	"fmt"
	"slices"
	"strings"
)

// retentions are operators of who comes back after a start.
func (g *generator) retentions() (out []string) {
	for _, name := range []string{"back", "again"} {
		start, ret := `type == "pay"`, `type in ["play", "pay"]`
		if g.IntN(2) == 0 {
			start, ret = g.filter(), g.filter()
		}
		text := fmt.Sprintf("{name: %s, retention: {start: '%s', return: '%s', first: %v, by: %s, after: [1, 2, %d]", name, start, ret,
			g.IntN(2) == 0, []string{"day", "24h"}[g.IntN(2)], []int{3, 7, 30, 59}[g.IntN(4)])
		if g.IntN(3) == 0 {
			text += fmt.Sprintf(", where: '%s'", g.filter())
		}
		out = append(out, text+"}}")
	}
	return out
}

// retention is a KPI over who comes back.
func (g *generator) retention(name string) string {
	and := func() string { return []string{"", "", ` and shop != "s1"`}[g.IntN(3)] }
	cohort := func() string { return fmt.Sprintf(`count: {where: 'fact == "cohort"%s'}`, and()) }
	after := 1 + g.IntN(2)
	returned := fmt.Sprintf(`count: {where: 'fact == "returned" and after == "%d"%s'}`, after, and())
	horizon := after + 1 + g.IntN(3)
	windows := slices.DeleteFunc(g.some(lengths, 3), func(w string) bool { return w == "today" || w == "day" })
	windows = append(windows, "day")
	measure := []string{
		cohort(),
		returned,
		cohort() + ", minus: {" + returned + "}",
		`count: {where: 'fact == "returned"'}, split: [after]`,
		"ratio: {numerator: {" + returned + "}, denominator: {" + cohort() + "}}",
		"ratio: {numerator: {" + returned + "}, denominator: {" + cohort() + "}}, final_only: true",
		"ratio: {numerator: {" + returned + "}, denominator: {from: events, count: {where: '" + g.filter() + "'}}}",
	}[g.IntN(7)]
	switch {
	case strings.Contains(measure, "split"):
		horizon = 60
	case strings.Contains(measure, "final_only"):
		windows = []string{"day"}
	}
	sets := g.some([]string{"channel", "device", "shop", "[channel, device]"}, 2)
	return fmt.Sprintf("{name: %s, from: %s, %s, by: [%s], windows: [%s], horizon: %d}", name, []string{"back", "again"}[g.IntN(2)], measure,
		strings.Join(sets, ", "), strings.Join(windows, ", "), horizon)
}
