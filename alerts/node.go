package alerts

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/kpi"
)

// A document is a YAML file on its way to a foreign parser: what that parser
// would not accept, or would not place, is found and taken out first.
type document struct {
	file     string
	root     *yaml.Node // nil for an empty file
	problems []*kpi.Problem
	// taken holds the keys that the foreign parser is not to see.
	taken map[*yaml.Node]bool
}

func parseDocument(file string, data []byte) (*document, error) {
	d := &document{file: file, taken: map[*yaml.Node]bool{}}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	switch err := dec.Decode(&first); {
	case errors.Is(err, io.EOF):
		return d, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, &kpi.Problem{File: file, Line: second.Line, Rule: "a second document", Remedy: "put all into one document, without a line of ---"}
	}
	if first.Kind == yaml.DocumentNode && len(first.Content) == 1 {
		d.root = first.Content[0]
	}
	return d, nil
}

// fault notes a mistake at a node.
func (d *document) fault(n *yaml.Node, path, value, rule, remedy string) {
	d.problems = append(d.problems, &kpi.Problem{File: d.file, Line: n.Line, Path: path, Value: value, Rule: rule, Remedy: remedy})
}

// A field is a key of a mapping with its value.
type field struct {
	name       string
	path       string
	key, value *yaml.Node
}

// fields are the keys of a mapping. A key that is given twice, or is none, is
// a fault.
func (d *document) fields(n *yaml.Node, path string) []field {
	n = deref(n)
	if n.Kind != yaml.MappingNode {
		if n.Tag != "!!null" {
			d.fault(n, path, describe(n), "is no mapping", "write keys with their values")
		}
		return nil
	}
	seen := map[string]bool{}
	var out []field
	for i := 0; i+1 < len(n.Content); i += 2 {
		f := field{name: n.Content[i].Value, key: n.Content[i], value: deref(n.Content[i+1])}
		f.path = strings.TrimPrefix(path+"."+f.name, ".")
		if seen[f.name] {
			d.fault(f.key, f.path, "", "is given twice", "keep one")
			d.take(f)
			continue
		}
		seen[f.name] = true
		out = append(out, f)
	}
	return out
}

// items are the elements of a list.
func (d *document) items(f field) []*yaml.Node {
	if f.value.Kind != yaml.SequenceNode {
		if f.value.Tag != "!!null" {
			d.fault(f.value, f.path, describe(f.value), "is no list", "write one - for each element")
			d.take(f)
		}
		return nil
	}
	return f.value.Content
}

// take hides a field from the foreign parser.
func (d *document) take(f field) { d.taken[f.key] = true }

// rest is the document without what was taken.
func (d *document) rest() ([]byte, error) {
	if d.root == nil {
		return nil, nil
	}
	d.strip(d.root)
	return yaml.Marshal(d.root)
}

func (d *document) strip(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		var kept []*yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !d.taken[n.Content[i]] {
				kept = append(kept, n.Content[i], n.Content[i+1])
			}
		}
		n.Content = kept
	}
	for _, c := range n.Content {
		d.strip(c)
	}
}

// err is all problems, in the order of their lines.
func (d *document) err() error {
	slices.SortStableFunc(d.problems, func(a, b *kpi.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Error(), b.Error()))
	})
	errs := make([]error, len(d.problems))
	for i, p := range d.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

func deref(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// describe is a node as its author knows it.
func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}
