package document

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/internal/spelling"
)

// A Node is a value of a document, with its place. Whoever reads it as what it
// is not has noted a problem, and gets what there is.
type Node struct {
	at       *yaml.Node
	path     string
	document *Document
}

// Path is where the node stands: "kpis[2].windows[0]".
func (n Node) Path() string { return n.path }

// Line is the line of the file in which the node stands.
func (n Node) Line() int { return n.at.Line }

// lineOf is the line of what stands at a path within the node.
func (n Node) lineOf(path string) int {
	for child := range n.children() {
		if rest, ok := strings.CutPrefix(path, child.path); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return child.lineOf(path)
		}
	}
	if n.path == "" {
		return 0
	}
	return n.at.Line
}

// children are the elements of a list, or the values of a mapping.
func (n Node) children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for i := 0; i < len(n.at.Content); i++ {
			path := fmt.Sprintf("%s[%d]", n.path, i)
			if n.Mapped() {
				path = join(n.path, n.at.Content[i].Value)
				i++
			}
			if !yield(Node{at: n.at.Content[i], path: path, document: n.document}) {
				return
			}
		}
	}
}

// Value is the text of a scalar.
func (n Node) Value() string { return n.at.Value }

// Null reports whether there is nothing: "key:" or "key: null".
func (n Node) Null() bool { return n.Scalar() && n.at.ShortTag() == "!!null" }

// Scalar reports whether the node is a text, a number, yes or no, or null.
func (n Node) Scalar() bool { return n.at.Kind == yaml.ScalarNode }

// List reports whether the node is a list.
func (n Node) List() bool { return n.at.Kind == yaml.SequenceNode }

// Mapped reports whether the node is a mapping.
func (n Node) Mapped() bool { return n.at.Kind == yaml.MappingNode }

// Bytes is the node as YAML, for another parser.
func (n Node) Bytes() ([]byte, error) { return yaml.Marshal(n.at) }

// Shown is the value as a message quotes it.
func (n Node) Shown() string { return describe(n.at) }

func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return strconv.Quote(n.Value)
}

// Fail notes a problem with the node.
func (n Node) Fail(value, rule, remedy string) {
	n.document.fail(n.at.Line, n.path, value, rule, remedy)
}

// FailWith notes a problem found by something that knows no files.
func (n Node) FailWith(err error) {
	p := As(err)
	n.Fail(p.Value, p.Rule, p.Remedy)
}

// Warn notes what is hardly meant.
func (n Node) Warn(value, rule, remedy string) {
	n.document.Warn(&Problem{Line: n.at.Line, Path: n.path, Value: value, Rule: rule, Remedy: remedy})
}

// Text is a scalar that is not empty.
func (n Node) Text() string {
	if !n.Scalar() || n.Null() || n.at.Value == "" {
		n.Fail(n.Shown(), "is no text", "give a text, or leave the key out")
		return ""
	}
	return n.at.Value
}

// Decode reads the value into another parser's type.
func (n Node) Decode(into any) error { return n.at.Decode(into) }

// Integer is a whole number between low and high.
func (n Node) Integer(low, high int) (int, bool) {
	v, err := strconv.Atoi(n.at.Value)
	if !n.Scalar() || n.at.ShortTag() != "!!int" || err != nil || v < low || v > high {
		n.Fail(n.Shown(), fmt.Sprintf("is no whole number from %d to %d", low, high), "give one")
		return 0, false
	}
	return v, true
}

// Bool is yes or no.
func (n Node) Bool() (yes, ok bool) {
	if n.at.Decode(&yes) != nil || n.Null() {
		n.Fail(n.Shown(), "is neither yes nor no", "write true or false")
		return false, false
	}
	return yes, true
}

// Items are the elements of a list; null has none.
func (n Node) Items() []Node {
	if !n.List() {
		if !n.Null() {
			n.Fail(n.Shown(), "is no list", "write one - for each element, or [a, b]")
		}
		return nil
	}
	return slices.Collect(n.children())
}

// A Mapping is a node's entries, by key.
type Mapping struct {
	Node
	Keys   []string // in the order of the file, merged ones last
	values map[string]Node
	// strange is set when a key was refused: one that is missing may be it.
	strange bool
}

// Entries reads a mapping of any keys; null has none.
func (n Node) Entries() Mapping { return n.entries("write keys with their values") }

func (n Node) entries(remedy string) Mapping {
	m := Mapping{Node: n, values: map[string]Node{}}
	if !n.Mapped() {
		if !n.Null() {
			n.Fail(n.Shown(), "is no mapping", remedy)
			m.strange = true
		}
		return m
	}
	for value := range n.children() {
		key := n.at.Content[2*len(m.Keys)].Value
		m.Keys = append(m.Keys, key)
		m.values[key] = value
	}
	return m
}

// Mapping reads a mapping whose keys are among known. Others are problems, and
// not in it.
func (n Node) Mapping(known ...string) Mapping {
	m := n.entries("give keys among " + strings.Join(known, ", "))
	m.Keys = slices.DeleteFunc(m.Keys, func(key string) bool {
		if slices.Contains(known, key) {
			return false
		}
		m.Unknown(key, known...)
		delete(m.values, key)
		return true
	})
	return m
}

// Unknown notes a key that is none of those known.
func (m *Mapping) Unknown(key string, known ...string) {
	remedy := spelling.Meant(spelling.Nearest(key, known), "the keys are "+strings.Join(known, ", "))
	rule := "is no key here"
	if value := m.values[key]; m.at.Style&yaml.FlowStyle != 0 && value.at != nil && value.Null() {
		rule = "is no key here, and has no value"
		remedy = "a text with a comma in it stands in quotes; " + remedy
	}
	m.FailKey(key, rule, remedy)
}

// FailKey notes a problem with a key rather than with its value.
func (m *Mapping) FailKey(key, rule, remedy string) {
	m.strange = true
	line := m.at.Line
	if i := m.index(key); i >= 0 {
		line = m.at.Content[i].Line
	}
	m.document.fail(line, join(m.path, key), "", rule, remedy)
}

// index is the place of a key among the node's content, -1 without it.
func (m *Mapping) index(key string) int {
	for i := 0; i+1 < len(m.at.Content); i += 2 {
		if m.at.Content[i].Value == key {
			return i
		}
	}
	return -1
}

// Get is the value of a key.
func (m Mapping) Get(key string) (Node, bool) {
	n, ok := m.values[key]
	return n, ok
}

// Has reports whether the key is there.
func (m Mapping) Has(key string) bool {
	_, ok := m.values[key]
	return ok
}

// Text is the text of a key, "" when the key is absent.
func (m Mapping) Text(key string) string {
	if n, ok := m.values[key]; ok {
		return n.Text()
	}
	return ""
}

// Integer is a whole number between low and high; absent when the key is.
func (m Mapping) Integer(key string, low, high, absent int) int {
	if n, ok := m.values[key]; ok {
		if v, ok := n.Integer(low, high); ok {
			return v
		}
	}
	return absent
}

// List are the elements of a key's list, nil when the key is absent.
func (m Mapping) List(key string) []Node {
	if n, ok := m.values[key]; ok {
		return n.Items()
	}
	return nil
}

// Missing notes that something is not there, unless under a strange key.
func (m Mapping) Missing(rule, remedy string) {
	if !m.strange {
		m.Fail("", rule, remedy)
	}
}

// Remove hides a key from the parser behind this one.
func (m *Mapping) Remove(key string) {
	if i := m.index(key); i >= 0 {
		m.at.Content = slices.Delete(m.at.Content, i, i+2)
	}
}
