package kpi

// Field names that the product gives a meaning to. Any other name, at the top
// level of an event or in its props, is a property: usable as a dimension, in
// a filter and in a sum.
var integers = map[string]bool{
	"watch_ms": true, "duration_ms": true, "position_ms": true, "dwell_ms": true,
	"response_ms": true, "amount_minor": true,
}

// texts are the fields that are never numbers. A comment's sentiment may be a
// label or a score, so it is not among them.
var texts = map[string]bool{
	"type": true, "session_id": true, "channel": true, "region": true, "device": true,
	"content_id": true, "creator_id": true, "campaign_id": true, "variant": true,
	"currency": true, "order_id": true, "direction": true, "completed": true,
}

// identity fields say which event this is, and whose: they are no columns.
var identity = map[string]bool{
	"id": true, "time": true, "user_id": true, "anonymous_id": true, "props": true,
}

// MaxNumber bounds the numbers of an event: a larger one is quarantined.
const MaxNumber = 9_000_000_000_000

// Scale is one unit of a decimal number field: fractions are kept in
// millionths, further digits are dropped.
const Scale = 1_000_000

// Integer reports whether the field holds whole numbers, kept unscaled; an
// event with a fraction in it is quarantined. Other numbers are kept in
// millionths.
func Integer(field string) bool { return integers[field] }

// Money reports whether the field holds minor units of a currency: its sums
// are kept by currency.
func Money(field string) bool { return field == "amount_minor" }

// number reports whether the field is never a text.
func number(field string) bool { return integers[field] || field == "score" }

// Dimensions are the fields that are dimensions without further ado.
var Dimensions = []string{"channel", "region", "device", "content_id", "creator_id", "campaign_id", "variant"}
