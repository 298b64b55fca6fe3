package kpi

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

//go:embed catalogue.yaml
var defaults []byte

// A File is a user's file of definitions.
type File struct {
	Name string // as messages show it
	Data []byte
}

// A place is where a definition of the user's stands.
type place struct {
	file string
	node document.Node
}

// Default is the embedded catalogue, its business days cut in zone.
func Default(zone *time.Location) (*Catalogue, error) { return Load(zone) }

// Load is the embedded catalogue with the changes of the files: what they keep of
// it and what they drop, then their definitions, which replace those of the same
// name. The error joins a *document.Problem for every mistake in any file.
func Load(zone *time.Location, files ...File) (*Catalogue, error) {
	base, embeddedFile := parse("catalogue.yaml", defaults)
	kept := map[string]*KPI{}
	for i, k := range base.KPIs {
		k.Place = i
		kept[k.Name] = k
	}
	before := maps.Clone(kept)
	embedded := slices.Sorted(maps.Keys(kept))

	own, where := map[string]*KPI{}, map[string]place{}
	mappings := map[*KPI]document.Mapping{}
	for i, k := range base.KPIs {
		mappings[k] = base.kpis[i]
	}
	operators, defined := map[string]*Operator{}, map[string]place{}
	for _, o := range base.Operators {
		operators[o.Name] = o
	}
	seasons, named := slices.Clone(base.Seasons), map[string]place{}
	var keep []string // what any file keeps
	var documents []*document.Document
	for i, f := range files {
		d, file := parse(f.Name, f.Data)
		documents = append(documents, file)
		known := func(word, name string, at document.Node) {
			if name != "" && !slices.Contains(embedded, name) {
				at.Fail(name, "is not in the embedded catalogue", spelling.Meant(spelling.Nearest(name, embedded), word+" one of "+strings.Join(embedded, ", ")))
			}
		}
		for i, name := range d.Drop {
			known("drop", name, d.drop[i])
			delete(kept, name)
		}
		for i, name := range d.Keep {
			known("keep", name, d.keep[i])
		}
		if d.Keep != nil {
			keep = append(slices.Concat(keep, d.Keep), "") // never nil
		}
		for i, o := range d.Operators {
			if first, twice := defined[o.Name]; twice {
				d.operators[i].Fail(o.Name, fmt.Sprintf("is defined twice, first in %s (%s)", first.file, first.node.Path()), "keep one")
				continue
			}
			if b := operators[o.Name]; b != nil && b.Kind() != o.Kind() {
				d.operators[i].Fail(o.Name, "is an operator of another kind in the embedded catalogue", "give it another name")
				continue
			}
			operators[o.Name], defined[o.Name] = o, place{f.Name, d.operators[i]}
		}
		for i, s := range d.Seasons {
			if first, twice := named[s.Name]; twice {
				d.seasons[i].Fail(s.Name, fmt.Sprintf("is defined twice, first in %s (%s)", first.file, first.node.Path()), "keep one, with the days of both")
			}
			named[s.Name] = place{f.Name, d.seasons[i]}
			seasons = append(slices.DeleteFunc(seasons, func(other *Season) bool { return other.Name == s.Name }), s)
		}
		earlier := files[:i]
		for i, k := range d.KPIs {
			first, twice := where[k.Name]
			if twice && k.Name != "" && slices.ContainsFunc(earlier, func(f File) bool { return f.Name == first.file }) {
				d.kpis[i].Fail(k.Name, fmt.Sprintf("is defined in %s too (%s)", first.file, first.node.Path()), "keep one")
				continue
			}
			k.Place = len(before) + len(own)
			if b := before[k.Name]; b != nil {
				k.Place, k.Group = b.Place, cmp.Or(k.Group, b.Group)
			}
			own[k.Name], where[k.Name] = k, place{f.Name, d.kpis[i].Node}
			mappings[k] = d.kpis[i]
		}
	}
	if keep != nil {
		maps.DeleteFunc(kept, func(name string, _ *KPI) bool { return !slices.Contains(keep, name) })
	}
	maps.Copy(kept, own)
	c := &Catalogue{KPIs: slices.Collect(maps.Values(kept)), Location: zone, ForgetAfter: ForgetAfter, Seasons: seasons}
	slices.SortFunc(c.KPIs, func(a, b *KPI) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range base.Operators {
		if now := operators[o.Name]; now != o && o.Journey != nil {
			c.handOver(o, now, defined[o.Name].node, own)
		}
	}
	c.bindOperators(operators, mappings)
	if err := embeddedFile.Err(); err != nil {
		return nil, fmt.Errorf("parse the embedded catalogue: %w", err)
	}
	c.shareActivity(where)
	c.documents, c.own = documents, map[*KPI]document.Mapping{}
	for _, k := range own {
		c.own[k] = mappings[k]
	}
	var problems []error
	for _, file := range documents {
		problems = append(problems, file.Err())
		c.Warnings = append(c.Warnings, file.Warnings()...)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	c.identify()
	return c, nil
}

// handOver gives the embedded KPIs over an operator to the one that replaces it, which
// stands at a node: their days are open for as much longer, or shorter, as more becomes
// known of them. What they ask for and it never tells is a problem.
func (c *Catalogue) handOver(embedded, now *Operator, at document.Node, own map[string]*KPI) {
	c.KPIs = slices.DeleteFunc(c.KPIs, func(k *KPI) bool {
		if own[k.Name] == k || k.From == nil || k.From.Name != now.Name {
			return false
		}
		horizon := k.Horizon + now.horizon() - embedded.horizon()
		for _, measure := range k.Facts() {
			kinds := now.kinds()
			kind := kinds[kinds.of(measure.Where)]
			for field, texts := range kind.fields {
				for _, text := range measure.Where.Texts(field) {
					if !slices.Contains(texts, text) {
						at.Fail(now.Name, fmt.Sprintf("has no %s %s, which %s asks for", field, text, k.Name), fmt.Sprintf("add it, or drop: [%s]", k.Name))
						return true
					}
				}
			}
			if asked := measure.Where.Texts(kind.waits); asked != nil {
				horizon = kind.waitsFor(asked)
			}
		}
		if k.Horizon > 0 {
			k.Horizon = min(max(horizon, 1), maxHorizon)
		}
		return false
	})
}

// SetCurrency takes amounts whose event names no currency as in this one, or
// with "" has them quarantined. The IDs of the KPIs follow.
func (c *Catalogue) SetCurrency(code string) {
	c.Currency = code
	c.identify()
}

func (c *Catalogue) identify() {
	for _, k := range c.KPIs {
		k.ID = k.version(c)
	}
}

// shareActivity holds all KPIs over days to one notion of an active day: that of the
// embedded ones, or else of the first.
func (c *Catalogue) shareActivity(where map[string]place) {
	var embedded, own []*KPI
	for _, k := range c.KPIs {
		switch _, isOwn := where[k.Name]; {
		case k.From == nil || k.From.Days == nil:
		case isOwn:
			own = append(own, k)
		default:
			embedded = append(embedded, k)
		}
	}
	all := slices.Concat(embedded, own)
	for _, k := range own {
		want := all[0].From.Days.Where
		if k.From.Days.Where.String() == want.String() {
			continue
		}
		remedy := "write the same where"
		if want != nil {
			remedy = fmt.Sprintf("write where: '%s'", strings.ReplaceAll(want.String(), "'", "''"))
		}
		if len(embedded) > 0 {
			remedy += ", or have all by yours, with operators: [{name: days, days: {where: ...}}]"
		}
		where[k.Name].node.Fail("where of "+k.activity(), "is not that of "+all[0].Name+": all KPIs over active days share one notion of them", remedy)
	}
}

// activity is the key of the definition that says what an active day is.
func (k *KPI) activity() string {
	if k.From.Name != "" {
		return "operator " + k.From.Name
	}
	return k.Numerator.Where.FactKind()
}
