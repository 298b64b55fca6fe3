package kpi

import "slices"

// A Field is a field of an event that the product gives a meaning to. Any other
// name, at the top level of an event or in its props, is a property: usable as
// a dimension, in a filter and in a sum.
type Field struct {
	Name string
	Kind Kind
	// Envelope is set for what makes an event one: such a field is read at the
	// top level only.
	Envelope bool
	// Dimension is set for what is a dimension without further ado.
	Dimension bool
	// About is set for what an event is about, of which there is much.
	About bool
}

// Kind is what a field holds.
type Kind uint8

// The kinds.
const (
	KindProperty Kind = iota // anything
	KindIdentity             // which event this is, and whose: no column
	KindText                 // a string or an integer, never a number
	KindInteger              // a whole number
	KindNumber               // a number, kept in millionths
	KindLabel                // a string or a number
	KindFlag                 // true or false, a text in filters
	KindCurrency             // a code of ISO 4217
)

// Fields are all fields with a meaning, in the order in which an event is
// checked.
var Fields = []Field{
	{Name: "id", Kind: KindIdentity, Envelope: true},
	{Name: "time", Kind: KindIdentity, Envelope: true},
	{Name: "type", Kind: KindText, Envelope: true},
	{Name: "user_id", Kind: KindIdentity, Envelope: true},
	{Name: "anonymous_id", Kind: KindIdentity, Envelope: true},
	{Name: "props", Kind: KindIdentity, Envelope: true},
	{Name: "session_id", Kind: KindText},
	{Name: "channel", Kind: KindText, Dimension: true},
	{Name: "region", Kind: KindText, Dimension: true},
	{Name: "device", Kind: KindText, Dimension: true},
	{Name: "content_id", Kind: KindText, Dimension: true, About: true},
	{Name: "creator_id", Kind: KindText, Dimension: true, About: true},
	{Name: "campaign_id", Kind: KindText, Dimension: true},
	{Name: "variant", Kind: KindText, Dimension: true},
	{Name: "order_id", Kind: KindText},
	{Name: "direction", Kind: KindText},
	{Name: "watch_ms", Kind: KindInteger},
	{Name: "duration_ms", Kind: KindInteger},
	{Name: "position_ms", Kind: KindInteger},
	{Name: "dwell_ms", Kind: KindInteger},
	{Name: "response_ms", Kind: KindInteger},
	{Name: AmountField, Kind: KindInteger},
	{Name: "score", Kind: KindNumber},
	{Name: "sentiment", Kind: KindLabel}, // a word, or a score
	{Name: "completed", Kind: KindFlag},
	{Name: CurrencyField, Kind: KindCurrency},
}

// An amount of money is in minor units of its event's currency.
const (
	AmountField   = "amount_minor"
	CurrencyField = "currency"
)

// Dimensions are the fields that are dimensions without further ado.
var Dimensions = namesOf(func(f Field) bool { return f.Dimension })

func namesOf(which func(Field) bool) (names []string) {
	for _, f := range Fields {
		if which(f) {
			names = append(names, f.Name)
		}
	}
	return names
}

var kinds = func() map[string]Kind {
	m := map[string]Kind{}
	for _, f := range Fields {
		m[f.Name] = f.Kind
	}
	return m
}()

// KindOf is what a field holds; KindProperty for a name without a meaning.
func KindOf(field string) Kind { return kinds[field] }

// About reports whether a field says what an event is about.
func About(field string) bool {
	return slices.ContainsFunc(Fields, func(f Field) bool { return f.Name == field && f.About })
}

// MaxNumber bounds the numbers of an event: a larger one is quarantined.
const MaxNumber = 9_000_000_000_000

// Scale is one unit of a decimal number field: fractions are kept in
// millionths, further digits are dropped.
const Scale = 1_000_000

// Integer reports whether the field holds whole numbers, kept unscaled; an
// event with a fraction in it is quarantined. Other numbers are kept in
// millionths.
func Integer(field string) bool { return kinds[field] == KindInteger }

// Reference reports whether the field tells apart what an event is part of: a text that
// stands for none is as good as no text.
func Reference(field string) bool { return field == "order_id" || field == "session_id" }

// Money reports whether the field holds minor units of a currency: its sums
// are kept by currency.
func Money(field string) bool { return field == AmountField }

// textual reports whether the field is never a number.
func textual(field string) bool {
	return slices.Contains([]Kind{KindText, KindFlag, KindCurrency}, kinds[field])
}

// number reports whether the field is never a text.
func number(field string) bool { return kinds[field] == KindInteger || kinds[field] == KindNumber }

// identity reports whether the field is no column.
func identity(field string) bool { return kinds[field] == KindIdentity }
