package oracle

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// An event is what a line says. A field is a text, a number, or both: 3 reads
// "3" as a text.
type event struct {
	id, user string
	time     int64 // Unix ms
	texts    map[string]string
	numbers  map[string]int64 // in millionths
}

func lines(data []byte) [][]byte {
	var out [][]byte
	for line := range bytes.Lines(data) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, line)
		}
	}
	return out
}

// decode reads a line, nil if it is no event. It knows the rules that a test
// breaks on purpose: JSON, what is required, seconds for a time, texts for
// numbers, amounts without a currency unless there is one for them.
func decode(line []byte, currency string) *event {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var object map[string]any
	if d.Decode(&object) != nil || object == nil || d.More() {
		return nil
	}
	e := &event{texts: map[string]string{}, numbers: map[string]int64{}}
	props, _ := object["props"].(map[string]any)
	for name, value := range props {
		e.set(name, value)
	}
	for name, value := range object {
		if _, number := value.(json.Number); kpi.Integer(name) && !number && value != nil {
			return nil
		}
		e.set(name, value)
	}
	e.id = e.texts["id"]
	if user := e.texts["user_id"]; user != "" {
		e.user = "user " + user
	} else if user := e.texts["anonymous_id"]; user != "" {
		e.user = "anonymous " + user
	}
	typ := e.texts["type"]
	at, ok := readTime(object["time"])
	if !ok || e.id == "" || typ == "" || e.user == "" && typ != "ad_cost" && typ != "settle" {
		return nil
	}
	e.time = at
	if _, amount := e.numbers["amount_minor"]; amount && e.texts["currency"] == "" {
		if currency == "" {
			return nil
		}
		e.texts["currency"] = currency
	}
	return e
}

func (e *event) set(name string, value any) {
	switch v := value.(type) {
	case string:
		e.texts[name] = v
	case bool:
		e.texts[name] = strconv.FormatBool(v)
	case json.Number:
		e.texts[name] = v.String()
		r, _ := new(big.Rat).SetString(v.String())
		r.Mul(r, big.NewRat(kpi.Scale, 1))
		e.numbers[name] = new(big.Int).Quo(r.Num(), r.Denom()).Int64()
	}
}

func readTime(value any) (ms int64, ok bool) {
	switch v := value.(type) {
	case json.Number:
		ms, err := v.Int64()
		return ms, err == nil && ms >= 100_000_000_000
	case string:
		t, err := time.Parse(time.RFC3339, v)
		return t.UnixMilli(), err == nil
	}
	return 0, false
}
