package kpi

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

//go:embed catalogue.yaml
var defaults []byte

// A File is a user's file of definitions.
type File struct {
	Name string // as messages show it
	Data []byte
}

// A place is where a definition stands.
type place struct {
	file *document.Document
	name string
	path string
}

// Default is the embedded catalogue, its business days cut in zone.
func Default(zone *time.Location) (*Catalogue, error) { return Load(zone) }

// Load is the embedded catalogue with the changes of the files: their drops,
// then their definitions, which replace those of the same name. The error joins
// a *document.Problem for every mistake in any file.
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
	where := map[string]place{}
	var warnings []*document.Problem
	for _, f := range files {
		d, file := parse(f.Name, f.Data)
		for i, name := range d.Drop {
			if name != "" && !slices.Contains(embedded, name) {
				d.drop[i].Fail(name, "is not in the embedded catalogue", "drop one of "+strings.Join(embedded, ", "))
			}
			delete(kept, name)
		}
		for i, k := range d.KPIs {
			if first, twice := where[k.Name]; twice && k.Name != "" && first.file != file {
				d.kpis[i].Fail(k.Name, fmt.Sprintf("is defined in %s too (%s)", first.name, first.path), "keep one")
				continue
			}
			own[k.Name], where[k.Name] = k, place{file, f.Name, d.kpis[i].Path()}
		}
		problems = append(problems, file.Err())
		warnings = append(warnings, d.Warnings...)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	maps.Copy(kept, own)
	c := &Catalogue{KPIs: slices.Collect(maps.Values(kept)), Location: zone, Warnings: warnings}
	slices.SortFunc(c.KPIs, func(a, b *KPI) int { return strings.Compare(a.Name, b.Name) })
	for _, k := range c.KPIs {
		k.ID = k.version(zone)
	}
	return c, nil
}
