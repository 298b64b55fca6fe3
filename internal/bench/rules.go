package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// manyRules is how many rules judge about 10,000 series, ten each, every
// second.
const manyRules = 1000

// judged is the load that rules are judged over: two minutes of event time.
var judged = load{events: 3_000_000, rate: 25_000}

// ruled has a service catch up with one rule, and with a thousand beside it.
func ruled(ctx context.Context, b *bench, c contender, dir string) (f figures, err error) {
	own := filepath.Join(dir, "crossed.yaml")
	few, many := filepath.Join(dir, "few.yml"), filepath.Join(dir, "many.yml")
	for name, text := range map[string]string{own: crossed, few: rulesOver(0), many: rulesOver(manyRules)} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	var cost [2]float64
	for i, rules := range []string{few, many, many, few} {
		at := []int{0, 1, 1, 0}[i]
		took, err := b.catchUp(ctx, c, filepath.Join(dir, fmt.Sprint(i)), map[string]any{"kpis": append(slices.Clip(c.kpis), own), "rules": []string{rules}})
		if err != nil {
			return nil, err
		}
		cost[at] += took / 2
	}
	f.add("one rule, core-µs an event", cost[0])
	f.add(fmt.Sprintf("%d rules, core-µs an event", manyRules), cost[1])
	f.add("rules, ms a second of event time", (cost[1]-cost[0])*judged.rate/1000)
	f.add("rules, % of the cost", 100*(cost[1]/cost[0]-1))
	return f, nil
}

// rulesOver is one rule, and so many over the series by content.
func rulesOver(n int) string {
	var out strings.Builder
	out.WriteString("groups:\n  - name: bench\n    interval: 1s\n    rules:\n      - {alert: Total, expr: 'kpi_plays{window=\"5m\"} > 1e12'}\n")
	for i := range n {
		fmt.Fprintf(&out, "      - {alert: Rule%d, expr: 'kpi_lately{by=\"content_id\",window=\"5m\",content_id=~\".*%03d\"} > 1e12'}\n", i, i)
	}
	return out.String()
}

// catchUp is what an event of the judged load costs, in core-µs.
func (b *bench) catchUp(ctx context.Context, c contender, dir string, settings map[string]any) (float64, error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return 0, err
	}
	if err := c.begin(ctx, dir, settings); err != nil {
		return 0, err
	}
	if _, err := b.filled(ctx, judged, dir); err != nil {
		return 0, err
	}
	s, err := c.serve(ctx, dir, settings)
	if err != nil {
		return 0, err
	}
	defer s.kill()
	from, err := s.spent(0)
	if err != nil {
		return 0, err
	}
	to, err := s.reach(ctx, judged.events)
	if err != nil {
		return 0, err
	}
	return perEvent(from, to), nil
}
