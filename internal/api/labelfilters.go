package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// maxPattern bounds a regular expression, in bytes.
const maxPattern = 1 << 10

// A pattern chooses among the values of a field: some by name, or by a regular expression.
type pattern struct {
	field  string
	values []string
	re     *regexp.Regexp
}

// readPattern reads what is asked of a field: value, value,value or ~expression. A comma
// in a value is written \, a ~ \~ and a backslash \\.
func readPattern(field string, texts []string) (*pattern, error) {
	p := &pattern{field: field}
	for _, text := range texts {
		if expr, ok := strings.CutPrefix(text, "~"); ok {
			if len(texts) > 1 {
				return nil, BadData("%s is given %d times, with a regular expression: give one, with | between what it may be", field, len(texts))
			}
			if len(expr) > maxPattern {
				return nil, BadData("%s: the regular expression has %d bytes, more than %d: name the values, with commas between", field, len(expr), maxPattern)
			}
			re, err := regexp.Compile("^(?s:" + expr + ")$")
			if _, alone := regexp.Compile(expr); alone != nil { // a ) of its own would end the group
				err = alone
			}
			if err != nil {
				return nil, BadData("%s=~%s is no regular expression: %v: it is RE2, and matches the whole value", field, expr, err)
			}
			p.re = re
			return p, nil
		}
		p.values = append(p.values, split(text)...)
	}
	slices.Sort(p.values)
	p.values = slices.Compact(p.values)
	return p, nil
}

// split is a text at its commas, but for those behind a backslash.
func split(text string) (out []string) {
	var b strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			if r != ',' && r != '\\' && r != '~' {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
			escaped = false
		case r == '\\':
			escaped = true
		case r == ',':
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteRune(r)
		}
	}
	if escaped {
		b.WriteByte('\\')
	}
	return append(out, b.String())
}

// one is the value, if there is but one.
func (p *pattern) one() (string, bool) {
	if p.re != nil || len(p.values) != 1 {
		return "", false
	}
	return p.values[0], true
}

func (p *pattern) matches(value string) bool {
	if p.re != nil {
		return p.re.MatchString(value)
	}
	_, ok := slices.BinarySearch(p.values, value)
	return ok
}

// patterns choose among series.
type patterns []*pattern

// matches reports whether the labels of a set do.
func (ps patterns) matches(by kpi.Set, labels []string) bool {
	for _, p := range ps {
		if i := slices.Index(by, p.field); i >= 0 && !p.matches(labels[i]) {
			return false
		}
	}
	return true
}

// samples keeps the samples that match.
func (ps patterns) samples(a *sample.Answer) {
	if len(ps) == 0 {
		return
	}
	a.Samples = slices.DeleteFunc(slices.Clone(a.Samples), func(s sample.Sample) bool { return !ps.matches(a.By, s.Labels) })
}

// series keeps the series that match.
func (ps patterns) series(a *RangeAnswer) {
	if len(ps) > 0 {
		a.Series = slices.DeleteFunc(slices.Clone(a.Series), func(s sample.Series) bool { return !ps.matches(a.By, s.Labels) })
	}
}

// missing warns of the values that were named, and that no labels have.
func (ps patterns) missing(by kpi.Set, all func(yield func(labels []string) bool)) (warnings []string) {
	for _, p := range ps {
		at := slices.Index(by, p.field)
		left := slices.Clone(p.values)
		for labels := range all {
			left = slices.DeleteFunc(left, func(v string) bool { return v == labels[at] })
		}
		for _, v := range left {
			warnings = append(warnings, fmt.Sprintf("%s %q: nothing is in what was asked for", p.field, v))
		}
	}
	return warnings
}
