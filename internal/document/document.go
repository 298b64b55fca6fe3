// Package document reads the YAML files that people write: definitions of
// KPIs, the configuration, rules, receivers, maps. It knows YAML and how to
// tell somebody about a mistake; what the keys mean is its callers'.
//
// What holds:
//
//  1. A file is one document. Aliases stand for what they name, and merge keys
//     (<<) bring the entries that the mapping itself does not have, the first
//     of several winning, as YAML defines them; so callers see plain mappings,
//     lists and scalars.
//  2. Reading never stops at a mistake: each becomes a [Problem] with its line
//     and its path, and Err has all of them, in the order of the file.
//  3. What works but is hardly meant is a warning, a Problem too, and kept apart.
package document

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// A Document is a file as it is being read.
type Document struct {
	name     string
	root     *yaml.Node // without aliases and merge keys
	problems []*Problem
	warnings []*Problem
}

// Parse reads a file. Of one that is not YAML there is a problem, and its root
// is null.
func Parse(name string, data []byte) *Document {
	d := &Document{name: name, root: null(1)}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := decoder.Decode(&first); {
	case errors.Is(err, io.EOF):
		return d
	case err != nil:
		d.syntax(data, err)
		return d
	}
	x := expansion{document: d, left: maxAliased}
	d.root = x.node(first.Content[0], "")
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		d.syntax(data, err)
	default:
		d.fail(second.Line, "", "", "begins a second document", "put all into one, without a line of ---")
	}
	return d
}

func null(line int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null", Line: line}
}

// complaint is how the YAML library words a mistake.
var complaint = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntax notes why the data is no YAML. The library tells where that begins which the mistake
// is in, and not the first line.
func (d *Document) syntax(data []byte, err error) {
	line, text := told(err)
	d.fail(cmp.Or(broken(data), line), "", "", "is no YAML, "+text, "correct the syntax there")
}

// longest is how many lines a file may have in which a mistake is looked for line by line.
const longest = 1000

// broken is the line of the mistake in a text that is no YAML, the first of those with which it
// is none however it goes on; 0 of a text that is too long to look.
func broken(data []byte) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	if len(lines) > longest {
		return 0
	}
	for n, end := len(lines), len(data); n > 0; n-- {
		if end -= len(lines[n-1]); isYAML(data[:end]) {
			return n
		}
	}
	return 0
}

func isYAML(data []byte) bool {
	for decoder := yaml.NewDecoder(bytes.NewReader(data)); ; {
		if err := decoder.Decode(new(yaml.Node)); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// told is what the YAML library says of a mistake; line 0 when it does not say
// where.
func told(err error) (line int, text string) {
	if err == nil {
		return 0, ""
	}
	m := complaint.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(m[1])
	return line, m[2]
}

func (d *Document) fail(line int, path, value, rule, remedy string) {
	d.problems = append(d.problems, &Problem{File: d.name, Line: line, Path: path, Value: value, Rule: rule, Remedy: remedy})
}

// Add notes a problem that a parser behind this one found.
func (d *Document) Add(p *Problem) {
	p.File = d.name
	d.problems = append(d.problems, p)
}

// Warn notes a warning that a parser behind this one found.
func (d *Document) Warn(p *Problem) {
	p.File = d.name
	d.warnings = append(d.warnings, p)
}

// Root is the value of the whole file, null when it is empty.
func (d *Document) Root() Node { return Node{at: d.root, document: d} }

// Line is where the value at a path stands, or the last of what is around it
// that is there; 0 when nothing is.
func (d *Document) Line(path string) int { return d.Root().lineOf(path) }

// Faulty reports whether there is a problem already.
func (d *Document) Faulty() bool { return len(d.problems) > 0 }

// Err joins all problems, in the order of the file; nil without any.
func (d *Document) Err() error { return Join(d.problems) }

// Warnings are what is hardly meant, in the order of the file.
func (d *Document) Warnings() []*Problem {
	order(d.warnings)
	return d.warnings
}

// Extend adds elements to a list of the document's, for another parser.
func (d *Document) Extend(key string, elements []any) error {
	list := &yaml.Node{}
	if err := list.Encode(elements); err != nil || d.root.Kind != yaml.MappingNode || len(elements) == 0 {
		return err
	}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		switch is := d.root.Content[i+1]; {
		case d.root.Content[i].Value != key:
		case is.Kind == yaml.SequenceNode:
			is.Content = append(is.Content, list.Content...)
			return nil
		case is.ShortTag() == "!!null":
			d.root.Content[i+1] = list
			return nil
		}
	}
	d.root.Content = append(d.root.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, list)
	return nil
}

// Bytes is the document as YAML without what was removed, for another parser.
func (d *Document) Bytes() ([]byte, error) {
	if d.Root().Null() {
		return nil, nil
	}
	return yaml.Marshal(d.root)
}

// maxAliased bounds what aliases may repeat, in values: a file of a few lines
// can name more than any memory holds.
const maxAliased = 100_000

// An expansion replaces aliases and merge keys by what they stand for.
type expansion struct {
	document *Document
	open     []*yaml.Node // with an anchor, around what is being expanded
	aliased  int          // aliases around it
	left     int
}

func (x *expansion) node(n *yaml.Node, path string) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return x.alias(n, path)
	}
	if x.aliased > 0 {
		if x.left--; x.left == -1 {
			x.document.fail(n.Line, path, "", fmt.Sprintf("repeats too much: aliases stand for more than %d values", maxAliased), "write fewer")
		}
	}
	out := &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value, Line: n.Line, Column: n.Column}
	if n.Anchor != "" {
		x.open = append(x.open, n)
		defer func() { x.open = x.open[:len(x.open)-1] }()
	}
	switch n.Kind {
	case yaml.ScalarNode:
		if n.ShortTag() == "!!null" {
			return null(n.Line) // empty, it may be written anew as a text
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			out.Content = append(out.Content, x.node(item, fmt.Sprintf("%s[%d]", path, i)))
		}
	case yaml.MappingNode:
		out.Content = x.entries(n, path)
	}
	return out
}

func (x *expansion) alias(n *yaml.Node, path string) *yaml.Node {
	switch {
	case slices.Contains(x.open, n.Alias):
		x.document.fail(n.Line, path, "*"+n.Value, "stands for what it is a part of", "write the value out")
		return null(n.Line)
	case x.left < 0:
		return null(n.Line) // it has been said
	}
	x.aliased++
	out := x.node(n.Alias, path)
	x.aliased--
	out.Line = n.Line
	return out
}

// entries are the pairs of a mapping: its own, then those that are merged in.
func (x *expansion) entries(n *yaml.Node, path string) []*yaml.Node {
	var out, merged []*yaml.Node
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = x.alias(key, path)
		}
		at := join(path, key.Value)
		switch {
		case key.Kind != yaml.ScalarNode:
			x.fail(key, path, describe(key), "is no key", "write a word")
			continue
		case seen[key.Value]:
			x.fail(key, at, "", "is given twice", "keep one")
			continue
		}
		seen[key.Value] = true
		if key.ShortTag() == "!!merge" {
			merged = x.merge(x.node(value, path), at)
			continue
		}
		out = append(out, &yaml.Node{Kind: yaml.ScalarNode, Style: key.Style, Tag: key.Tag, Value: key.Value, Line: key.Line}, x.node(value, at))
	}
	for i := 0; i < len(merged); i += 2 {
		if name := merged[i].Value; !seen[name] {
			seen[name] = true
			out = append(out, merged[i], merged[i+1])
		}
	}
	return out
}

// merge are the pairs that the value of a merge key brings, the first of a key
// being the one that counts.
func (x *expansion) merge(value *yaml.Node, path string) []*yaml.Node {
	switch value.Kind {
	case yaml.MappingNode:
		return value.Content
	case yaml.SequenceNode:
		var out []*yaml.Node
		for _, item := range value.Content {
			if item.Kind != yaml.MappingNode {
				x.fail(item, path, describe(item), "is no mapping to merge", "name mappings, as in <<: [*a, *b]")
				continue
			}
			out = append(out, item.Content...)
		}
		return out
	}
	x.fail(value, path, describe(value), "is no mapping to merge", "name a mapping, as in <<: *a")
	return nil
}

// fail notes a mistake where it is written, not where it is repeated.
func (x *expansion) fail(n *yaml.Node, path, value, rule, remedy string) {
	if x.aliased == 0 {
		x.document.fail(n.Line, path, value, rule, remedy)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func order(problems []*Problem) {
	slices.SortStableFunc(problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
}
