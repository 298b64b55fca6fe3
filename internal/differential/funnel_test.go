package differential

import (
	"fmt"
	"slices"
	"strings"
)

// funnels are operators of three steps.
func (g *generator) funnels() (out []string) {
	for _, name := range []string{"way", "path"} {
		steps := []string{`type == "play"`, `type in ["click", "like"]`, `type in ["pay", "order"]`}
		if g.IntN(2) == 0 {
			for i := range steps {
				steps[i] = g.filter()
			}
		}
		text := fmt.Sprintf("{name: %s, funnel: {steps: ['%s', {name: next, where: '%s'}, '%s'], window: %s, mode: %s", name, steps[0], steps[1], steps[2],
			[]string{"1m", "7m", "1h", "25h", "3d", "60d"}[g.IntN(6)], []string{"sequential", "strict", "any"}[g.IntN(3)])
		if held := g.IntN(4); held < 3 {
			text += ", hold: " + []string{"content_id", "channel", "shop"}[held]
		}
		if g.IntN(3) == 0 {
			text += fmt.Sprintf(", where: '%s'", g.filter())
		}
		out = append(out, text+"}}")
	}
	return out
}

// funnel is a KPI over funnels.
func (g *generator) funnel(name string) string {
	count := func(fact string) string {
		return fmt.Sprintf(`count: {where: 'fact == "%s"%s'}`, fact, []string{"", "", ` and shop != "s1"`}[g.IntN(3)])
	}
	ratio := func(num, den string) string {
		return fmt.Sprintf("ratio: {numerator: {%s}, denominator: {%s}}", num, den)
	}
	measure := []string{
		count("reached") + ", split: [step]",
		count("possible") + ", split: [step]",
		ratio(count("reached"), count("possible")) + ", split: [step]",
		ratio(count("completed"), count("entered")),
		count("entered") + ", minus: {" + count("completed") + "}",
		"quantile: {field: since_first_ms, p: 50, where: 'fact == \"completed\"'}, scale: 0.001",
		"mean: {field: since_previous_ms, where: 'fact == \"reached\"'}, split: [step]",
		"sum: {expr: 'since_first_ms - since_previous_ms', where: 'fact == \"reached\" and step in [\"next\", \"3\"]'}",
	}[g.IntN(8)]
	sets := g.some([]string{"channel", "device", "shop", "content_id", "[channel, device]"}, 2)
	windows := slices.DeleteFunc(g.some(lengths, 3), func(w string) bool { return w == "today" || w == "day" })
	horizon := ""
	if g.IntN(2) == 0 {
		horizon = fmt.Sprintf(", horizon: %d", 1+g.IntN(4))
		if slices.Contains([]string{"reached", "completed"}, firstFact(measure)) {
			horizon += ", maturity: since_first_ms"
		}
	}
	return fmt.Sprintf("{name: %s, from: %s, %s, by: [%s], windows: [%s]%s}", name, []string{"way", "path"}[g.IntN(2)], measure,
		strings.Join(sets, ", "), strings.Join(append(windows, "day"), ", "), horizon)
}
