package plan

import (
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// Rows are one kind of rows that are added up: their columns and filters.
type Rows struct {
	Schema stream.Schema
	// Sets are the sums that they are added to, by their places; Sums are these as the
	// rows have their columns.
	Sets []int
	Sums []*Sums
	// Origin are of facts, by text column, the column of the event whose text they
	// carry; -1 for what they have by themselves.
	Origin []int

	name     string // "" of events
	key      stream.HashKey
	filters  []*kpi.Expr    // nil passes every row
	filterOf map[string]int // their numbers, by their texts
	numbers  []*kpi.Expr    // computed ones, columns of a batch behind those decoded
	binned   []binned       // likewise columns of texts
	words    int            // 64-bit words of a row's mask
}

func newRows(name string, key stream.HashKey, currency string) *Rows {
	return &Rows{Schema: stream.Schema{Currency: currency}, name: name, key: key, filterOf: map[string]int{}}
}

// carry has the events hold what facts carry of them: all but the fields that they
// have by themselves.
func (r *Rows) carry(p *Plan, own func(field string) bool) {
	for _, name := range r.Schema.Text {
		at := -1
		if !own(name) && name != DayField {
			at = column(&p.Events.Schema.Text, name)
		}
		r.Origin = append(r.Origin, at)
	}
}

// OriginFields are the fields of events that facts carry.
func (r *Rows) OriginFields() (out []string) {
	for c, name := range r.Schema.Text {
		if r.Origin[c] >= 0 {
			out = append(out, name)
		}
	}
	return out
}

// OriginColumns are the columns of events that facts carry.
func (r *Rows) OriginColumns() (out []int) {
	for _, at := range r.Origin {
		if at >= 0 {
			out = append(out, at)
		}
	}
	return out
}

// About reports whether a column of events says what they are about.
func (r *Rows) About(column int) bool {
	return kpi.About(r.Schema.Text[slices.Index(r.Origin, column)])
}

// filter is the number of the filter, a new one if no equal one is there, with
// its columns in the schema.
func (r *Rows) filter(e *kpi.Expr) int {
	name := e.String()
	if i, ok := r.filterOf[name]; ok {
		return i
	}
	r.filterOf[name] = len(r.filters)
	r.filters = append(r.filters, e)
	r.read(e)
	return len(r.filters) - 1
}

// read has the schema hold what the expression reads.
func (r *Rows) read(e *kpi.Expr) {
	text, number := e.Fields()
	for _, f := range text {
		column(&r.Schema.Text, f)
	}
	for _, f := range number {
		column(&r.Schema.Number, f)
	}
}

func column(names *[]string, name string) int {
	i := slices.Index(*names, name)
	if i < 0 {
		*names = append(*names, name)
		i = len(*names) - 1
	}
	return i
}

func (r *Rows) finish() {
	r.words = (len(r.filters) + 63) / 64
	r.place()
}
