package document

import (
	"errors"
	"strconv"
	"strings"
)

// A Problem is one mistake, told to the author of a file: where it stands, the
// value, the rule that it breaks, and the remedy.
type Problem struct {
	File string // empty outside a file
	Line int    // 0 for what stands nowhere in it
	Path string // "kpis[2].windows[0]"; empty for the whole
	// Value is the value as it was given; empty when something is missing.
	Value  string
	Rule   string // "is longer than 60d"
	Remedy string // "give a length of at most 60d"
}

// Error is "file:line: path: value rule: remedy".
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
		if p.Line > 0 {
			b.WriteString(strconv.Itoa(p.Line) + ":")
		}
		b.WriteByte(' ')
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	if p.Value != "" {
		b.WriteString(p.Value + " ")
	}
	b.WriteString(p.Rule + ": " + p.Remedy)
	return b.String()
}

// Join is one error of all problems, by line; nil without any.
func Join(problems []*Problem) error {
	order(problems)
	all := make([]error, len(problems))
	for i, p := range problems {
		all[i] = p
	}
	return errors.Join(all...)
}

// As is the problem that an error is, or one that says no more than the error.
func As(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	return &Problem{Rule: err.Error(), Remedy: "correct the value"}
}
