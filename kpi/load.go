package kpi

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

//go:embed catalogue.yaml
var defaults []byte

// A File is a user's file of definitions.
type File struct {
	Name string // as messages show it
	Data []byte
}

// Default is the embedded catalogue, its business days cut in zone.
func Default(zone *time.Location) (*Catalogue, error) { return Load(zone) }

// Load is the embedded catalogue with the changes of the files: their drops,
// then their definitions, which replace those of the same name. The error joins
// a *Problem for every mistake in any file.
func Load(zone *time.Location, files ...File) (*Catalogue, error) {
	base, err := Parse("catalogue.yaml", defaults)
	if err != nil {
		return nil, fmt.Errorf("parse the embedded catalogue: %w", err)
	}
	kept := map[string]*KPI{}
	for _, k := range base.KPIs {
		kept[k.Name] = k
	}
	embedded := slices.Sorted(maps.Keys(kept))

	var problems []error
	own := map[string]*KPI{}
	where := map[string]node{}
	for _, f := range files {
		d, err := Parse(f.Name, f.Data)
		cross := &report{file: f.Name}
		for i, name := range d.Drop {
			if name != "" && !slices.Contains(embedded, name) {
				at := d.drop[i]
				at.report = cross
				at.fail(name, "is not in the embedded catalogue", "drop one of "+strings.Join(embedded, ", "))
			}
			delete(kept, name)
		}
		for i, k := range d.KPIs {
			if first, twice := where[k.Name]; twice && k.Name != "" && first.report.file != f.Name {
				at := d.kpis[i]
				at.report = cross
				at.fail(k.Name, fmt.Sprintf("is defined in %s too (%s)", first.report.file, first.path), "keep one")
				continue
			}
			own[k.Name], where[k.Name] = k, d.kpis[i]
		}
		problems = append(problems, err, cross.err())
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	maps.Copy(kept, own)
	c := &Catalogue{KPIs: slices.Collect(maps.Values(kept)), Location: zone}
	slices.SortFunc(c.KPIs, func(a, b *KPI) int { return strings.Compare(a.Name, b.Name) })
	for _, k := range c.KPIs {
		k.ID = k.version(zone)
	}
	return c, nil
}
