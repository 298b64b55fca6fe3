package stream

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/kpi"
)

// read is an event as the rules read it from encoding/json, in the simplest
// way. It shares nothing with the scanner.
type read struct {
	reason          Reason
	time            int64
	id              string
	user, anonymous string
	texts           map[string]string
	numbers         map[string]int64
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

var rfc3339 = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

func reference(line []byte, s Schema) (r read) {
	line = bytes.Trim(line, blanks)
	refuse := func(reason Reason) read { return read{reason: reason} }
	switch {
	case len(line) > MaxEvent:
		return refuse(ReasonTooLarge)
	case !json.Valid(line) || !utf8.Valid(line) || depth(line) > 100:
		return refuse(ReasonNotJSON)
	case line[0] != '{':
		return refuse(ReasonNotAnObject)
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var event map[string]any
	if err := d.Decode(&event); err != nil {
		return refuse(ReasonNotJSON)
	}
	for k, v := range event {
		if v == nil {
			delete(event, k)
		}
	}

	// Strings and integers are texts; text is false for anything else.
	text := func(v any) (string, bool) {
		switch v := v.(type) {
		case string:
			return v, true
		case json.Number:
			return string(v), wholeNumber.MatchString(string(v))
		}
		return "", false
	}
	name := func(key string, missing Reason) (string, Reason) {
		if v, ok := event[key]; ok {
			s, ok := text(v)
			switch {
			case !ok:
				return "", ReasonWrongType
			case len(s) > MaxText:
				return "", ReasonTooLarge
			case s != "":
				return s, ReasonNone
			}
		}
		return "", missing
	}
	var reason Reason
	if r.id, reason = name("id", ReasonMissingID); reason != 0 {
		return refuse(reason)
	}
	if r.id != "0" && none(r.id) {
		return refuse(ReasonPlaceholderID)
	}
	if r.time, reason = referenceTime(event["time"]); reason != 0 {
		return refuse(reason)
	}
	typ, reason := name("type", ReasonMissingType)
	if reason != 0 {
		return refuse(reason)
	}
	if _, ok := event["type"].(string); !ok {
		return refuse(ReasonWrongType)
	}
	user, reason := name("user_id", ReasonMissingUser)
	anonymous, reason2 := name("anonymous_id", ReasonMissingUser)
	for _, reason := range []Reason{reason, reason2} {
		if reason != ReasonNone && reason != ReasonMissingUser {
			return refuse(reason)
		}
	}
	r.user, r.anonymous = user, anonymous
	if user+anonymous == "" && typ != "ad_cost" && typ != "settle" {
		return refuse(ReasonMissingUser)
	}
	id := user
	if id == "" {
		id = anonymous
	}
	if none(id) {
		if typ != "ad_cost" && typ != "settle" {
			return refuse(ReasonPlaceholderID)
		}
		r.user, r.anonymous = "", ""
	}
	if typ == "identify" {
		switch {
		case user == "" || anonymous == "":
			return refuse(ReasonMissingUser)
		case none(anonymous):
			return refuse(ReasonPlaceholderID)
		}
	}
	if r.user == "" {
		delete(event, "user_id")
	}
	if v, ok := event["props"]; ok {
		props, ok := v.(map[string]any)
		if !ok {
			return refuse(ReasonWrongType)
		}
		for k, v := range props {
			if _, there := event[k]; !there && v != nil && !slices.Contains(envelope[:], k) {
				event[k] = v
			}
		}
	}

	_, hasAmount := event["amount_minor"]
	_, hasCurrency := event["currency"]
	withoutCurrency := hasAmount && !hasCurrency
	if withoutCurrency && s.Currency != "" {
		event["currency"] = s.Currency
	}
	r.texts, r.numbers = map[string]string{}, map[string]int64{}
	var names []string
	texts := strings.Fields("session_id channel region device content_id creator_id campaign_id variant order_id direction")
	integers := strings.Fields("watch_ms duration_ms position_ms dwell_ms response_ms amount_minor")
	names = append(append(append(names, envelope[1:]...), texts...), integers...)
	names = append(names, "score", "sentiment", "completed", "currency")
	names = append(append(names, s.Text...), s.Number...)
	done := map[string]bool{}
	for _, key := range names {
		v, ok := event[key]
		if !ok || done[key] {
			continue
		}
		done[key] = true
		number, isNumber := v.(json.Number)
		str, isText := v.(string)
		flag, isFlag := v.(bool)
		var value *big.Rat
		if isNumber {
			value = referenceNumber(string(number))
		}
		inBounds := isNumber && new(big.Rat).Abs(value).Cmp(big.NewRat(kpi.MaxNumber, 1)) <= 0
		isInteger := kpi.Integer(key)
		bounded := slices.Contains(s.Text, key)
		switch {
		case slices.Contains(texts, key):
			if _, ok := text(v); !ok {
				return refuse(ReasonWrongType)
			}
			bounded = true
		case isInteger, key == "score":
			if !isNumber {
				return refuse(ReasonWrongType)
			}
			if !inBounds || isInteger && !value.IsInt() {
				return refuse(ReasonBadNumber)
			}
		case key == "sentiment":
			switch {
			case isText:
				bounded = true
			case !isNumber:
				return refuse(ReasonWrongType)
			case !inBounds:
				return refuse(ReasonBadNumber)
			}
		case key == "completed":
			if !isFlag {
				return refuse(ReasonWrongType)
			}
		case key == "currency":
			code, ok := text(v)
			switch {
			case !ok:
				return refuse(ReasonWrongType)
			case len(code) > MaxText:
				return refuse(ReasonTooLarge)
			case !kpi.IsCurrency([]byte(code)):
				return refuse(ReasonBadCurrency)
			}
		}
		if isNumber {
			str, isText = string(number), true
		}
		if isFlag {
			str, isText = map[bool]string{true: "true", false: "false"}[flag], true
		}
		if isNumber && slices.Contains(s.Number, key) {
			if !inBounds {
				return refuse(ReasonBadNumber)
			}
			if !isInteger {
				value.Mul(value, big.NewRat(kpi.Scale, 1))
			}
			r.numbers[key] = new(big.Int).Quo(value.Num(), value.Denom()).Int64()
		}
		if bounded && isText {
			if len(str) > MaxText {
				return refuse(ReasonTooLarge)
			}
			if slices.Contains(s.Text, key) {
				r.texts[key] = str
			}
		}
	}
	if withoutCurrency && s.Currency == "" {
		return refuse(ReasonNoCurrency)
	}
	return r
}

func referenceTime(v any) (ms int64, reason Reason) {
	switch v := v.(type) {
	case nil:
		return 0, ReasonMissingTime
	case json.Number:
		if !wholeNumber.MatchString(string(v)) {
			return 0, ReasonBadTime
		}
		n, _ := new(big.Int).SetString(string(v), 10)
		if n.Cmp(big.NewInt(100_000_000_000)) < 0 {
			return 0, ReasonTimeInSeconds
		}
		if !n.IsInt64() {
			return 0, ReasonBadTime
		}
		ms = n.Int64()
	case string:
		if v == "" {
			return 0, ReasonMissingTime
		}
		v = strings.ToUpper(v)
		t, err := time.Parse(time.RFC3339, v)
		if err != nil || !rfc3339.MatchString(v) { // Parse takes more than that
			return 0, ReasonBadTime
		}
		ms = t.UnixMilli()
	default:
		return 0, ReasonWrongType
	}
	if t := time.UnixMilli(ms).UTC(); t.Year() < 1973 || t.Year() > 2105 {
		return 0, ReasonBadTime
	}
	return ms, ReasonNone
}

// depth is how deep valid JSON is nested.
func depth(line []byte) (most int) {
	d := json.NewDecoder(bytes.NewReader(line))
	for level := 0; ; {
		token, err := d.Token()
		if err != nil {
			return most
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
		case json.Delim('}'), json.Delim(']'):
			level--
		}
		most = max(most, level)
	}
}

// referenceNumber is the exact value, but for exponents beyond what the length
// of the mantissa can make up for.
func referenceNumber(s string) *big.Rat {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	value, _ := new(big.Rat).SetString(mantissa)
	e, ok := new(big.Int).SetString(exponent, 10)
	if !ok {
		return value
	}
	most := big.NewInt(int64(len(mantissa)) + 100)
	power := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), minInt(new(big.Int).Abs(e), most), nil))
	if e.Sign() < 0 {
		power.Inv(power)
	}
	return value.Mul(value, power)
}

func minInt(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// none reports whether an id stands for none.
func none(id string) bool {
	word := strings.ToLower(id)
	return id != "" && strings.TrimSpace(id) == "" || slices.Contains([]string{"null", "none", "undefined", "0", "00000000-0000-0000-0000-000000000000"}, word)
}
