package kpi

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
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

// Fingerprint is the same of files with the same contents in the same order.
func Fingerprint(files []File) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%d\n%s", len(f.Data), f.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
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
	l := newLoading(base)
	var documents []*document.Document
	for _, f := range files {
		d, file := parse(f.Name, f.Data)
		documents = append(documents, file)
		l.choose(d)
		l.takeOperators(f.Name, d)
		l.takeSeasons(f.Name, d)
		l.takeKPIs(f.Name, d)
		l.files = append(l.files, f.Name)
	}
	c := &Catalogue{KPIs: l.kpis(), Files: Fingerprint(files), Location: zone, ForgetAfter: ForgetAfter, Seasons: l.seasons}
	for _, o := range base.Operators {
		if now := l.operators[o.Name]; now != o && o.Journey != nil {
			c.handOver(o, now, l.defined[o.Name].node, l.own)
		}
	}
	c.bindOperators(l.operators, l.mappings)
	if err := embeddedFile.Err(); err != nil {
		return nil, fmt.Errorf("parse the embedded catalogue: %w", err)
	}
	c.shareActivity(l.where)
	c.documents, c.own = documents, map[*KPI]document.Mapping{}
	for _, k := range l.own {
		c.own[k] = l.mappings[k]
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

// A loading is the embedded catalogue with what the files up to one change.
type loading struct {
	files    []string        // names of those taken in
	embedded map[string]*KPI // all of the embedded catalogue
	kept     map[string]*KPI // what no file drops of them
	keep     []string        // what any file keeps of them, nil if none says
	own      map[string]*KPI
	mappings map[*KPI]document.Mapping

	operators map[string]*Operator
	seasons   []*Season
	// Where files define KPIs, operators and seasons.
	where, defined, named map[string]place
}

func newLoading(base *Definitions) *loading {
	l := &loading{embedded: map[string]*KPI{}, own: map[string]*KPI{}, mappings: map[*KPI]document.Mapping{}, operators: map[string]*Operator{},
		seasons: slices.Clone(base.Seasons), where: map[string]place{}, defined: map[string]place{}, named: map[string]place{}}
	for i, k := range base.KPIs {
		k.Place = i
		l.embedded[k.Name], l.mappings[k] = k, base.kpis[i]
	}
	l.kept = maps.Clone(l.embedded)
	for _, o := range base.Operators {
		l.operators[o.Name] = o
	}
	return l
}

// choose takes in what a file keeps and drops.
func (l *loading) choose(d *Definitions) {
	check := func(word, name string, at document.Node) {
		if name != "" && l.embedded[name] == nil {
			names := slices.Sorted(maps.Keys(l.embedded))
			at.Fail(name, "is not in the embedded catalogue", spelling.Meant(spelling.Nearest(name, names), word+" one of "+strings.Join(names, ", ")))
		}
	}
	for i, name := range d.Drop {
		check("drop", name, d.drop[i])
		delete(l.kept, name)
	}
	for i, name := range d.Keep {
		check("keep", name, d.keep[i])
	}
	if d.Keep != nil {
		l.keep = append(slices.Concat(l.keep, d.Keep), "") // never nil
	}
}

func (l *loading) takeOperators(file string, d *Definitions) {
	for i, o := range d.Operators {
		if first, twice := l.defined[o.Name]; twice {
			d.operators[i].Fail(o.Name, fmt.Sprintf("is defined twice, first in %s (%s)", first.file, first.node.Path()), "keep one")
			continue
		}
		if b := l.operators[o.Name]; b != nil && b.Kind() != o.Kind() {
			d.operators[i].Fail(o.Name, "is an operator of another kind in the embedded catalogue", "give it another name")
			continue
		}
		l.operators[o.Name], l.defined[o.Name] = o, place{file, d.operators[i]}
	}
}

func (l *loading) takeSeasons(file string, d *Definitions) {
	for i, s := range d.Seasons {
		if first, twice := l.named[s.Name]; twice {
			d.seasons[i].Fail(s.Name, fmt.Sprintf("is defined twice, first in %s (%s)", first.file, first.node.Path()), "keep one, with the days of both")
		}
		l.named[s.Name] = place{file, d.seasons[i]}
		l.seasons = append(slices.DeleteFunc(l.seasons, func(other *Season) bool { return other.Name == s.Name }), s)
	}
}

func (l *loading) takeKPIs(file string, d *Definitions) {
	for i, k := range d.KPIs {
		first, twice := l.where[k.Name]
		if twice && k.Name != "" && slices.Contains(l.files, first.file) {
			d.kpis[i].Fail(k.Name, fmt.Sprintf("is defined in %s too (%s)", first.file, first.node.Path()), "keep one")
			continue
		}
		k.Place = len(l.embedded) + len(l.own)
		if b := l.embedded[k.Name]; b != nil {
			k.Place, k.Group = b.Place, cmp.Or(k.Group, b.Group)
		}
		l.own[k.Name], l.where[k.Name] = k, place{file, d.kpis[i].Node}
		l.mappings[k] = d.kpis[i]
	}
}

// kpis are those that are left and those that files define, by name.
func (l *loading) kpis() []*KPI {
	if l.keep != nil {
		maps.DeleteFunc(l.kept, func(name string, _ *KPI) bool { return !slices.Contains(l.keep, name) })
	}
	maps.Copy(l.kept, l.own)
	return slices.SortedFunc(maps.Values(l.kept), func(a, b *KPI) int { return strings.Compare(a.Name, b.Name) })
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
