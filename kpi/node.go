package kpi

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A node is a value of a YAML file with its path. Reading it never stops at a
// mistake: it notes a Problem in the file's report and answers what there is.
type node struct {
	*yaml.Node
	line   int
	path   string
	report *report
}

// A report gathers the problems of one file.
type report struct {
	file     string
	problems []*Problem
}

func (r *report) node(n *yaml.Node, path string) node {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return node{Node: n, line: line, path: path, report: r}
}

func (n node) fail(value, rule, remedy string) {
	n.failWith(&Problem{Value: value, Rule: rule, Remedy: remedy})
}

// failWith notes a problem found by something that knows no files.
func (n node) failWith(err error) {
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		p = &Problem{Rule: err.Error(), Remedy: "correct the value"}
	}
	p.File, p.Line, p.Path = n.report.file, n.line, n.path
	n.report.problems = append(n.report.problems, p)
}

func (n node) null() bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// shown is the value as a message quotes it.
func (n node) shown() string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.null():
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// A mapping is a node's entries, by key in the order of the file.
type mapping struct {
	at     node
	keys   []string
	values map[string]node
	// strange is set when a key was refused: one that is missing may be it.
	strange bool
}

// mapping reads a mapping whose keys are among known.
func (n node) mapping(known ...string) mapping {
	m := mapping{at: n, values: map[string]node{}}
	if n.Kind != yaml.MappingNode {
		n.fail(n.shown(), "is no mapping", "give keys among "+strings.Join(known, ", "))
		m.strange = true
		return m
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.report.node(n.Content[i], n.path)
		value := n.report.node(n.Content[i+1], strings.TrimPrefix(n.path+"."+key.Value, "."))
		_, twice := m.values[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || !slices.Contains(known, key.Value):
			key.fail(key.shown(), "is no key here", "the keys are "+strings.Join(known, ", "))
			m.strange = true
		case twice:
			key.fail(strconv.Quote(key.Value), "is given twice", "keep one")
		default:
			m.keys = append(m.keys, key.Value)
			m.values[key.Value] = value
		}
	}
	return m
}

// missing notes that something is not there, unless under a strange key.
func (m mapping) missing(rule, remedy string) {
	if !m.strange {
		m.at.fail("", rule, remedy)
	}
}

func (m mapping) has(key string) bool {
	_, ok := m.values[key]
	return ok
}

// text reads a string, "" when the key is absent.
func (m mapping) text(key string) string {
	n, ok := m.values[key]
	if !ok {
		return ""
	}
	return n.text()
}

// integer reads a whole number between low and high; absent when the key is.
func (m mapping) integer(key string, low, high, absent int) int {
	n, ok := m.values[key]
	if !ok {
		return absent
	}
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < low || v > high {
		n.fail(n.shown(), fmt.Sprintf("is no whole number from %d to %d", low, high), "give one")
		return absent
	}
	return v
}

// list reads a list, nil when the key is absent.
func (m mapping) list(key string) []node {
	n, ok := m.values[key]
	if !ok {
		return nil
	}
	return n.list()
}

func (n node) list() []node {
	if n.Kind != yaml.SequenceNode {
		n.fail(n.shown(), "is no list", "write [a, b]")
		return nil
	}
	var items []node
	for i, c := range n.Content {
		items = append(items, n.report.node(c, fmt.Sprintf("%s[%d]", n.path, i)))
	}
	return items
}

// text reads a scalar that is not empty.
func (n node) text() string {
	if n.Kind != yaml.ScalarNode || n.null() || n.Value == "" {
		n.fail(n.shown(), "is no text", "give a text, or leave the key out")
		return ""
	}
	return n.Value
}
