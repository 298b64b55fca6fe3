package api

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// maxExpression bounds a regular expression, in bytes.
const maxExpression = 1 << 10

// A labelFilter chooses among the values of a field: some by name, or by a regular expression.
type labelFilter struct {
	field  string
	values []string
	re     *regexp.Regexp
}

// readLabelFilter reads what is asked of a field: value, value,value or ~expression. A comma
// in a value is written \, a ~ \~ and a backslash \\.
func readLabelFilter(field string, texts []string) (*labelFilter, error) {
	f := &labelFilter{field: field}
	for _, text := range texts {
		if expr, ok := strings.CutPrefix(text, "~"); ok {
			if len(texts) > 1 {
				return nil, BadData("%s is given %d times, with a regular expression: give one, with | between what it may be", field, len(texts))
			}
			if len(expr) > maxExpression {
				return nil, BadData("%s: the regular expression has %d bytes, more than %d: name the values, with commas between", field, len(expr), maxExpression)
			}
			re, err := regexp.Compile("^(?s:" + expr + ")$")
			if _, alone := regexp.Compile(expr); alone != nil { // a ) of its own would end the group
				err = alone
			}
			if err != nil {
				return nil, BadData("%s=~%s is no regular expression: %v: it is RE2, and matches the whole value", field, expr, err)
			}
			f.re = re
			return f, nil
		}
		f.values = append(f.values, split(text)...)
	}
	slices.Sort(f.values)
	f.values = slices.Compact(f.values)
	return f, nil
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
func (f *labelFilter) one() (string, bool) {
	if f.re != nil || len(f.values) != 1 {
		return "", false
	}
	return f.values[0], true
}

func (f *labelFilter) matches(value string) bool {
	if f.re != nil {
		return f.re.MatchString(value)
	}
	_, ok := slices.BinarySearch(f.values, value)
	return ok
}

// labelFilters choose among series.
type labelFilters []*labelFilter

// matches reports whether the labels of a set do.
func (fs labelFilters) matches(by kpi.Set, labels []string) bool {
	for _, f := range fs {
		if i := slices.Index(by, f.field); i >= 0 && !f.matches(labels[i]) {
			return false
		}
	}
	return true
}

// samples keeps the samples that match.
func (fs labelFilters) samples(a *sample.Answer) {
	if len(fs) == 0 {
		return
	}
	a.Samples = slices.DeleteFunc(slices.Clone(a.Samples), func(s sample.Sample) bool { return !fs.matches(a.By, s.Labels) })
}

// series keeps the series that match.
func (fs labelFilters) series(a *RangeAnswer) {
	if len(fs) > 0 {
		a.Series = slices.DeleteFunc(slices.Clone(a.Series), func(s sample.Series) bool { return !fs.matches(a.By, s.Labels) })
	}
}

// missing warns of the values that were named, and that no labels have.
func (fs labelFilters) missing(by kpi.Set, all func(yield func(labels []string) bool)) (warnings []string) {
	for _, f := range fs {
		at := slices.Index(by, f.field)
		left := slices.Clone(f.values)
		for labels := range all {
			left = slices.DeleteFunc(left, func(v string) bool { return v == labels[at] })
		}
		for _, v := range left {
			warnings = append(warnings, fmt.Sprintf("%s %q: nothing is in what was asked for", f.field, v))
		}
	}
	return warnings
}
