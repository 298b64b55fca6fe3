package kpi

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// columns are the fields that a definition can name.
var columns = namesOf(func(f Field) bool { return f.Kind != KindIdentity })

// misspelt warns of a field without a meaning that reads like one with one. It
// may be a property.
func misspelt(n document.Node, field string) {
	if kinds[field] != KindProperty {
		return
	}
	if near := spelling.Nearest(field, columns); near != "" {
		n.Warn(strconv.Quote(field), "is no known field, and read as a property", "did you mean "+near+"?")
	}
}

// misspeltIn warns of fields, and of types of events, in a filter.
func misspeltIn(n document.Node, e *Expr) {
	text, number := e.Fields()
	all := slices.Concat(text, number)
	slices.Sort(all)
	for _, field := range slices.Compact(all) {
		misspelt(n, field)
	}
	e.walk(func(e *Expr) {
		if e.Op != TextEq || e.Args[0].Field != "type" {
			return
		}
		for _, typ := range e.Args[1:] {
			if slices.Contains(EventTypes, typ.Text) {
				continue
			}
			if near := spelling.Nearest(typ.Text, EventTypes); near != "" {
				n.Warn(fmt.Sprintf("type %q", typ.Text), "is no known one, and read as one of yours", "did you mean "+near+"?")
			}
		}
	})
}
