package kpi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
)

// Bounds of a definition.
const (
	maxTop    = 10_000
	maxFields = 4
	maxBudget = 10_000_000

	defaultBudget  = 10_000
	contentsBudget = 1_000_000 // with content_id among the dimensions
)

func readWindows(m document.Mapping) []Window {
	at, ok := m.Get("windows")
	if !ok {
		m.Missing("has no windows", "list those to keep, such as windows: [5m, 1h, day]")
		return nil
	}
	items := at.Items()
	if len(items) == 0 && (at.List() || at.Null()) {
		at.Fail("", "is empty", "list the windows to keep, such as [5m, 1h, day]")
	}
	var windows []Window
	for _, n := range items {
		text := n.Text()
		if text == "" {
			continue
		}
		w, err := ParseWindow(text)
		switch {
		case err != nil:
			n.FailWith(err)
		case slices.Contains(windows, w):
			n.Fail(text, "is listed twice", "keep one")
		default:
			windows = append(windows, w)
		}
	}
	slices.SortFunc(windows, compareWindows)
	return windows
}

// readSets reads the dimension sets and their bounds.
func (k *KPI) readSets(m document.Mapping, op string) {
	k.Top = m.Integer("top", 1, maxTop, 0)
	if k.Top == 0 {
		k.By = []Set{{}}
	}
	contents := false
	for _, n := range m.List("by") {
		set, ok := readSet(n)
		if !ok {
			continue
		}
		if _, twice := k.SetOf(set...); twice {
			n.Fail(set.Key(), "is listed twice", "keep one; the order of its fields makes no difference")
			continue
		}
		k.By = append(k.By, set)
		contents = contents || slices.Contains(set, "content_id")
	}
	// The order in the file makes no difference to what is kept.
	slices.SortFunc(k.By, func(a, b Set) int { return strings.Compare(a.Key(), b.Key()) })
	budget := defaultBudget
	if contents {
		budget = contentsBudget
	}
	k.Budget = m.Integer("budget", max(1, k.Top), maxBudget, max(budget, k.Top))
	if k.Top == 0 {
		return
	}
	switch top, _ := m.Get("top"); {
	case k.Minus != nil:
		top.Fail("top", "does not go with minus", "rank a count or a sum")
	case op != "count" && op != "sum" && op != "distinct":
		top.Fail("top", "does not go with "+op, "rank a count or a sum")
	case !m.Has("by"):
		top.Fail("top", "has nothing to rank", "add by: [content_id], or another field")
	}
}

// Parameters are those of the API's questions about a KPI, beside by, window, the fields, and
// step, which a value tells from the field of that name.
var Parameters = []string{"at", "compare", "cursor", "format", "from", "kpi", "lang", "limit", "order", "to", "top"}

// ofCSV are the columns that every answer has as CSV, beside the labels of every series,
// parameters and the currency.
var ofCSV = []string{"as_of", "complete", "denominator", "end", "exactness", "high", "low", "n", "numerator", "revision", "start", "title_en", "title_zh", "value"}

// readSet reads one field, or a list of them.
func readSet(n document.Node) (Set, bool) {
	if n.Scalar() {
		field, ok := readDimension(n)
		return Set{field}, ok
	}
	fields := n.Items()
	if n.List() && (len(fields) == 0 || len(fields) > maxFields) {
		n.Fail(fmt.Sprintf("a set of %d fields", len(fields)), "is out of range", fmt.Sprintf("name 1 to %d fields; the total is always kept", maxFields))
		return nil, false
	}
	var set Set
	for _, f := range fields {
		field, ok := readDimension(f)
		if !ok {
			return nil, false
		}
		if slices.Contains(set, field) {
			f.Fail(field, "stands twice in its set", "keep one")
			return nil, false
		}
		set = append(set, field)
	}
	return set, len(set) > 0
}

// readDimension reads a field by which series can be told apart.
func readDimension(n document.Node) (string, bool) {
	field := n.Text()
	switch {
	case field == "":
	case field == "total":
		n.Fail("total", "is no field", "leave it out: the total is always kept, except with top")
	case field == "user_id" || field == "anonymous_id":
		n.Fail(field, "would make a series of every user", "count users with distinct: {field: user_id}")
	case identity(field) || number(field):
		n.Fail(field, "is no dimension", "name a text field such as "+strings.Join(Dimensions[:3], ", ")+", or a property")
	case !identifier(field) || strings.HasPrefix(field, "__") || len(field) > 64:
		n.Fail(strconv.Quote(field), "is no name of a label", "use letters, digits and _, a letter first, at most 64")
	case field == "by" || field == "window":
		n.Fail(field, "is a label of every series", "give the property another name")
	case slices.Contains(Parameters, field):
		n.Fail(field, "is a parameter of questions about KPIs: nobody could ask for its values", "give the property another name")
	case slices.Contains(ofCSV, field):
		n.Fail(field, "is a column of every answer as CSV", "give the property another name")
	default:
		misspelt(n, field)
		return field, true
	}
	return "", false
}
