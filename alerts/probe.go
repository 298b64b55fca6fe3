package alerts

import (
	"context"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/expression"
	"github.com/tidewatch/tidewatch/internal/spelling"
	"github.com/tidewatch/tidewatch/kpi"
)

// A probe reads a template of a rule for what it asks for and will not get, in
// whichever branch that stands: an alert whose text is an error is found out at
// the worst time.
type probe struct {
	trees map[string]*parse.Tree
	// labels are those of the series; nil when they are not known.
	labels []string
	// catalogue is nil where it is not known.
	catalogue *kpi.Catalogue
	// fail and warn say what was found.
	fail, warn func(value, rule, remedy string)
}

// probe reads all templates of a rule.
func (r *ruleReader) probe(rule *Rule, b *binding, ofGroup map[string]string) {
	for _, of := range []struct {
		path  string
		texts map[string]string
	}{{".labels.", rule.Labels}, {".annotations.", rule.Annotations}} {
		for _, name := range slices.Sorted(maps.Keys(of.texts)) {
			said := false
			note := func(add func(*document.Problem)) func(value, rule, remedy string) {
				return func(value, broken, remedy string) {
					p := &document.Problem{Value: value, Rule: broken, Remedy: remedy}
					rule.place(p, of.path+name)
					p.Line = r.Line(p.Path)
					add(p)
					said = true
				}
			}
			p := &probe{trees: map[string]*parse.Tree{}, catalogue: r.catalogue, fail: note(r.Add), warn: note(r.Warn)}
			if b != nil {
				p.labels = b.kpi.Labels(b.by)
			}
			text := of.texts[name]
			if err := expander(context.Background(), text, rule.Alert, templateData{}, 0, nil).ParseTest(); err != nil {
				if ofGroup[name] == text { // what stands in a rule, Prometheus' parser has tried
					p.fail("", err.Error(), "correct the template")
				}
				continue
			}
			p.read(text, "__alert_"+rule.Alert)
			if said || b == nil {
				continue
			}
			if _, err := expand(context.Background(), text, rule.Alert, b.example(), 0); err != nil {
				p.warn("", "gives an error for a value of 0.5: "+err.Error(), "correct the template")
			}
		}
	}
}

// example is what a template could be filled in with.
func (b *binding) example() templateData {
	d := templateData{labels: map[string]string{}, externalURL: "http://127.0.0.1:8080", value: 0.5}
	for _, name := range b.kpi.Labels(b.by) {
		d.labels[name] = "example"
	}
	return d
}

func (p *probe) read(text, name string) {
	main := parse.New(name)
	main.Mode = parse.SkipFuncCheck // which functions there are, has been asked
	if _, err := main.Parse(variables+text, "", "", p.trees); err != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(p.trees)) {
		tree := p.trees[name]
		p.node(tree.Root, tree == main, tree == main)
	}
}

// node reads a node: dot says whether . is the data of the alert, dollar
// whether $ is.
func (p *probe) node(n parse.Node, dot, dollar bool) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n != nil {
			for _, item := range n.Nodes {
				p.node(item, dot, dollar)
			}
		}
	case *parse.ActionNode:
		p.node(n.Pipe, dot, dollar)
	case *parse.IfNode:
		p.branch(&n.BranchNode, dot, dot, dollar)
	case *parse.WithNode:
		p.branch(&n.BranchNode, false, dot, dollar)
	case *parse.RangeNode:
		p.branch(&n.BranchNode, false, dot, dollar)
	case *parse.TemplateNode:
		if p.trees[n.Name] == nil {
			p.fail(n.String(), "names a template that is not in this text", "define it in the same text, or write it out")
		}
		p.node(n.Pipe, dot, dollar)
	case *parse.PipeNode:
		if n != nil {
			for _, command := range n.Cmds {
				p.node(command, dot, dollar)
			}
		}
	case *parse.CommandNode:
		p.query(n.Args)
		for _, arg := range n.Args {
			p.node(arg, dot, dollar)
		}
	case *parse.ChainNode:
		p.node(n.Node, dot, dollar)
	case *parse.IdentifierNode:
		p.function(n.Ident)
	case *parse.FieldNode:
		if dot {
			p.field(n.String(), n.Ident)
		}
	case *parse.VariableNode:
		p.variable(n, dollar)
	}
}

// branch reads an if, with or range: . may be another within it.
func (p *probe) branch(n *parse.BranchNode, within, dot, dollar bool) {
	p.node(n.Pipe, dot, dollar)
	p.node(n.List, within, dollar)
	p.node(n.ElseList, dot, dollar)
}

// query reads the expression that a template asks, where it is written out.
func (p *probe) query(call []parse.Node) {
	if len(call) != 2 || call[0].String() != "query" {
		return
	}
	text, ok := call[1].(*parse.StringNode)
	if !ok {
		return
	}
	expr, err := expression.Parse(text.Text)
	if err != nil {
		p.fail("query "+text.String(), "asks what cannot be read: "+err.Error(), "correct the expression")
		return
	}
	expression.Selectors(expr, func(v *parser.VectorSelector, _ bool) {
		if name := nameOf(v); p.catalogue != nil && strings.HasPrefix(name, kpi.SeriesPrefix) {
			if wrong := p.catalogue.NoSeries(name); wrong != nil {
				p.warn("query "+text.String(), "has no answer: "+wrong.Value+" "+wrong.Rule, wrong.Remedy)
			}
		}
	})
}

func (p *probe) function(name string) {
	switch name {
	case "graphLink", "tableLink":
		p.warn(name+"()", "leads to a page of Prometheus, which is not here", "every notification carries the annotation link")
	}
}

// ofData is what the variables of a template are in the alert's data.
var ofData = map[string]string{"$labels": "Labels", "$externalLabels": "ExternalLabels", "$externalURL": "ExternalURL", "$value": "Value"}

func (p *probe) variable(n *parse.VariableNode, dollar bool) {
	if n.Ident[0] == "$" && len(n.Ident) > 1 && dollar {
		p.field(n.String(), n.Ident[1:])
	}
	if of, ok := ofData[n.Ident[0]]; ok {
		p.field(n.String(), append([]string{of}, n.Ident[1:]...))
	}
}

// field reads a path into the alert's data.
func (p *probe) field(shown string, path []string) {
	switch path[0] {
	case "Labels", "ExternalLabels":
		if len(path) > 2 {
			p.fail(shown, "reads into a label", "a label is a text: write no more than "+strings.TrimSuffix(shown, "."+strings.Join(path[2:], ".")))
		} else if len(path) == 2 && path[0] == "Labels" && p.labels != nil && !slices.Contains(p.labels, path[1]) {
			p.missing(shown, path[1])
		}
	case "ExternalURL", "Value":
		if len(path) > 1 {
			p.fail(shown, "reads into what is no mapping", "write $value, $externalURL or $labels.NAME")
		}
	default:
		p.fail(shown, "is not there", "write $labels.NAME, $value, or .Labels, .Value, .ExternalURL")
	}
}

// missing warns of a label that no series of the rule has.
func (p *probe) missing(shown, name string) {
	p.warn(shown, "is a label that the rule's series do not have", spelling.Meant(spelling.Nearest(name, p.labels), "they have "+strings.Join(p.labels, ", ")))
}
