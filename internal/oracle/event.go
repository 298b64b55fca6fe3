package oracle

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/kpi"
)

// An event is what a line says. A field is a text, a number, or both: 3 reads
// "3" as a text.
type event struct {
	id, user string
	// alias is the anonymous id that is the user's from here on, "" for none.
	alias   string
	time    int64 // Unix ms
	texts   map[string]string
	numbers map[string]*big.Int // in millionths
}

// reads are the fields that definitions read as texts and as numbers. What
// nobody reads may be anything.
type reads struct {
	texts, numbers map[string]bool
	currency       string // of amounts that name none
}

func readsOf(c *kpi.Catalogue) reads {
	r := reads{map[string]bool{}, map[string]bool{}, c.Currency}
	for _, k := range c.KPIs {
		own := func(string) bool { return false } // what facts have by themselves
		read := func(texts, numbers []string) {
			for _, f := range texts {
				if !own(f) {
					r.texts[f] = true
				}
			}
			for _, f := range numbers {
				if f != "" && (!own(f) || f == "amount_minor") {
					r.numbers[f] = true
				}
			}
		}
		for _, operator := range []*kpi.Operator{k.From, k.Also} {
			if operator != nil {
				for _, where := range filters(operator) {
					read(where.Fields())
				}
				if operator.Journey != nil {
					read(operator.Journey.Key(), nil)
				}
			}
		}
		for _, m := range k.Measures() {
			own = func(field string) bool { return k.From != nil && !m.Events && k.From.Own(field) }
			read(m.Where.Fields())
			_, numbers := m.Number.Fields()
			read(nil, append(numbers, m.Field))
		}
		own = func(field string) bool { return k.From != nil && k.From.Own(field) }
		for _, set := range k.By {
			read(set, nil)
		}
	}
	return r
}

// followed reports whether an operator looks at the event.
func (e *event) followed(o *kpi.Operator) bool {
	if o.Days != nil {
		return e.passes(o.Days.Where)
	}
	return journeyOf(o).follows(e)
}

// filters are those of an operator.
func filters(o *kpi.Operator) []*kpi.Expr {
	if o.Days != nil {
		return []*kpi.Expr{o.Days.Where}
	}
	return journeyOf(o).filters
}

func lines(data []byte) [][]byte {
	var array []json.RawMessage
	if json.Unmarshal(data, &array) == nil {
		var out [][]byte
		for _, element := range array {
			out = append(out, element)
		}
		return out
	}
	var out [][]byte
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// Kinds of values.
var (
	integer  = regexp.MustCompile(`^-?\d+$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`) // of ISO 4217 the oracle knows this much
)

// ids are fields that hold a text or a whole number.
var ids = []string{"session_id", "channel", "region", "device", "content_id", "creator_id", "campaign_id", "variant", "order_id", "direction", "currency"}

// envelope is what stands at the top level only.
var envelope = []string{"id", "time", "type", "user_id", "anonymous_id", "props"}

// decode reads a line, or says why it is no event.
func (r reads) decode(line []byte) (*event, string) {
	var value any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if len(line) > 256<<10 {
		return nil, "too_large"
	}
	if !json.Valid(line) || !utf8.Valid(line) || d.Decode(&value) != nil {
		return nil, "not_json"
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, "not_an_object"
	}
	maps.DeleteFunc(object, func(_ string, v any) bool { return v == nil })
	e := &event{texts: map[string]string{}, numbers: map[string]*big.Int{}}
	var reason string
	if e.id, reason = name(object, "id", "missing_id"); reason != "" {
		return nil, reason
	}
	if e.id != "0" && none(e.id) {
		return nil, "placeholder_id"
	}
	if e.time, reason = readTime(object["time"]); reason != "" {
		return nil, reason
	}
	typ, reason := name(object, "type", "missing_type")
	if reason != "" {
		return nil, reason
	}
	if _, text := object["type"].(string); !text {
		return nil, "wrong_type"
	}
	if e.user, reason = user(object, typ); reason != "" {
		return nil, reason
	}
	if typ == "identify" {
		known, _ := name(object, "user_id", "")
		anonymous, _ := name(object, "anonymous_id", "")
		switch {
		case known == "" || anonymous == "":
			return nil, "missing_user"
		case none(anonymous):
			return nil, "placeholder_id"
		}
		e.alias = "anonymous " + anonymous
	}
	fields := map[string]any{}
	switch props := object["props"].(type) {
	case map[string]any:
		maps.Copy(fields, props)
	case nil:
	default:
		return nil, "wrong_type"
	}
	maps.DeleteFunc(fields, func(name string, v any) bool { return v == nil || slices.Contains(envelope, name) })
	maps.Copy(fields, object)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if slices.Contains(envelope, name) && name != "type" {
			continue
		}
		if reason := r.field(e, name, fields[name]); reason != "" {
			return nil, reason
		}
	}
	if known, is := strings.CutPrefix(e.user, "user "); is {
		e.texts["user_id"] = known
	}
	for _, field := range []string{"order_id", "session_id"} {
		if none(e.texts[field]) {
			delete(e.texts, field)
		}
	}
	if _, named := fields["currency"]; fields["amount_minor"] != nil && !named {
		if r.currency == "" {
			return nil, "no_currency"
		}
		e.texts["currency"] = r.currency
	}
	return e, ""
}

// name reads an id, or another short text that an event must have.
func name(object map[string]any, field, missing string) (string, string) {
	text := ""
	switch v := object[field].(type) {
	case nil:
	case string:
		text = v
	case json.Number:
		if text = v.String(); !integer.MatchString(text) {
			return "", "wrong_type"
		}
	default:
		return "", "wrong_type"
	}
	switch {
	case text == "":
		return "", missing
	case len(text) > 256:
		return "", "too_large"
	}
	return text, ""
}

// user is who it was: users and anonymous ids do not mix.
func user(object map[string]any, typ string) (string, string) {
	const missing = "missing_user"
	known, reason := name(object, "user_id", missing)
	if reason != "" && reason != missing {
		return "", reason
	}
	anonymous, reason := name(object, "anonymous_id", missing)
	id := known
	if id == "" {
		id = anonymous
	}
	switch {
	case reason != "" && reason != missing:
		return "", reason
	case none(id) && (typ == "ad_cost" || typ == "settle"):
		return "", ""
	case none(id):
		return "", "placeholder_id"
	case known != "":
		return "user " + known, ""
	case anonymous != "":
		return "anonymous " + anonymous, ""
	case typ == "ad_cost" || typ == "settle":
		return "", ""
	}
	return "", missing
}

// none reports whether an id stands for none.
func none(id string) bool {
	return id != "" && strings.TrimSpace(id) == "" || slices.Contains([]string{"null", "undefined", "none", "0", "00000000-0000-0000-0000-000000000000"}, strings.ToLower(id))
}

func readTime(value any) (ms int64, reason string) {
	switch v := value.(type) {
	case nil:
		return 0, "missing_time"
	case json.Number:
		n, ok := new(big.Int).SetString(v.String(), 10)
		switch {
		case !ok:
			return 0, "bad_time"
		case n.Cmp(big.NewInt(100_000_000_000)) < 0:
			return 0, "time_in_seconds"
		case !n.IsInt64():
			return 0, "bad_time"
		}
		ms = n.Int64()
	case string:
		if v == "" {
			return 0, "missing_time"
		}
		t, err := time.Parse(time.RFC3339, strings.ToUpper(v))
		if err != nil {
			return 0, "bad_time"
		}
		ms = t.UnixMilli()
	default:
		return 0, "wrong_type"
	}
	if year := time.UnixMilli(ms).UTC().Year(); year < 1973 || year > 2105 {
		return 0, "bad_time"
	}
	return ms, ""
}

// field takes a value in, or says why the event cannot have it.
func (r reads) field(e *event, name string, value any) string {
	text, number, kind := "", (*big.Rat)(nil), "nested"
	switch v := value.(type) {
	case string:
		text, kind = v, "text"
	case bool:
		text, kind = strconv.FormatBool(v), "flag"
	case json.Number:
		text, kind = v.String(), "number"
		number, _ = new(big.Rat).SetString(text)
	}
	whole := kind == "number" && integer.MatchString(text)
	switch {
	case kpi.Integer(name) || name == "score":
		if kind != "number" {
			return "wrong_type"
		}
	case name == "sentiment":
		if kind != "text" && kind != "number" {
			return "wrong_type"
		}
	case name == "completed":
		if kind != "flag" {
			return "wrong_type"
		}
	case slices.Contains(ids, name):
		if kind != "text" && !whole {
			return "wrong_type"
		}
	}
	judged := r.numbers[name] || kpi.Integer(name) || name == "score" || name == "sentiment"
	if number != nil && judged {
		if number.Cmp(big.NewRat(kpi.MaxNumber, 1)) > 0 || number.Cmp(big.NewRat(-kpi.MaxNumber, 1)) < 0 || kpi.Integer(name) && !number.IsInt() {
			return "bad_number"
		}
		e.numbers[name] = millionths(number)
	}
	if kind == "nested" {
		return ""
	}
	if r.texts[name] || slices.Contains(ids, name) || name == "sentiment" && kind == "text" {
		if len(text) > 256 {
			return "too_large"
		}
		if name == "currency" && !currency.MatchString(text) {
			return "bad_currency"
		}
	}
	e.texts[name] = text
	return ""
}

// millionths drops what is smaller.
func millionths(r *big.Rat) *big.Int {
	scaled := new(big.Rat).Mul(r, big.NewRat(kpi.Scale, 1))
	return new(big.Int).Quo(scaled.Num(), scaled.Denom())
}
