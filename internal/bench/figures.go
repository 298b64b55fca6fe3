package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A figure is one number that a trial gave. Less is better.
type figure struct {
	name  string
	value float64
}

type figures []figure

func (f figures) String() string {
	var out []string
	for _, x := range f {
		out = append(out, x.name+" "+short(x.value))
	}
	return strings.Join(out, ", ")
}

// add adds a number.
func (f *figures) add(name string, value float64) { *f = append(*f, figure{name, value}) }

// times adds the percentiles of answers' times, in ms.
func (f *figures) times(name string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []struct {
		name string
		at   float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		if n := len(took); n > 0 {
			f.add(fmt.Sprintf("%s %s, ms", name, p.name), float64(took[int(p.at*float64(n-1))].Microseconds())/1000)
		}
	}
}

// A table is what the command prints: by row and figure the numbers of each
// contender.
type table struct {
	contenders []contender
	lines      []*line
}

type line struct {
	row, figure string
	values      map[string][]float64 // by contender
}

func (t *table) add(row string, c contender, got figures) {
	for _, f := range got {
		i := slices.IndexFunc(t.lines, func(l *line) bool { return l.row == row && l.figure == f.name })
		if i < 0 {
			i = len(t.lines)
			t.lines = append(t.lines, &line{row, f.name, map[string][]float64{}})
		}
		l := t.lines[i]
		l.values[c.name] = append(l.values[c.name], f.value)
	}
}

// print writes Markdown: the least number of each contender, which the machine's
// other work disturbed the least, the median, and the ratio of the least to that
// of the first.
func (t *table) print(w io.Writer) {
	first := t.contenders[0]
	fmt.Fprintf(w, "| row | figure | %s: min, median |", first.name)
	for _, c := range t.contenders[1:] {
		fmt.Fprintf(w, " %s: min, median | ratio |", c.name)
	}
	fmt.Fprintf(w, "\n|---|---|---|%s\n", strings.Repeat("---|---|", len(t.contenders)-1))
	for _, l := range t.lines {
		fmt.Fprintf(w, "| %s | %s | %s |", l.row, l.figure, both(l.values[first.name]))
		for _, c := range t.contenders[1:] {
			fmt.Fprintf(w, " %s | %s |", both(l.values[c.name]), ratio(l.values[c.name], l.values[first.name]))
		}
		fmt.Fprintln(w)
	}
}

func both(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	return short(slices.Min(values)) + ", " + short(median(values))
}

func ratio(a, b []float64) string {
	if len(a) == 0 || len(b) == 0 || slices.Min(b) == 0 {
		return "-"
	}
	return fmt.Sprintf("**%.2f**", slices.Min(a)/slices.Min(b))
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// short writes three digits.
func short(v float64) string {
	for _, s := range []struct {
		from   float64
		digits int
	}{{100, 0}, {10, 1}, {1, 2}, {0.1, 3}} {
		if v >= s.from {
			return fmt.Sprintf("%.*f", s.digits, v)
		}
	}
	return cmp.Or(strings.TrimRight(fmt.Sprintf("%.4f", v), "0."), "0")
}
