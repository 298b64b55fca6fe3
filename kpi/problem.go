package kpi

import (
	"errors"
	"strconv"
	"strings"
)

// A Problem is one mistake in a definition, told to its author: where it
// stands, the value, the rule that it breaks, and the remedy.
type Problem struct {
	File string // empty outside a file
	Line int    // 0 outside a file
	Path string // "kpis[2].windows[0]"; empty outside a file
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

// Problems lists the problems that an error of this package joins.
func Problems(err error) []*Problem {
	var all []*Problem
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			all = append(all, Problems(e)...)
		}
	} else if p, ok := errors.AsType[*Problem](err); ok {
		all = append(all, p)
	}
	return all
}
