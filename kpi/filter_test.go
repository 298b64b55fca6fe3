package kpi

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/internal/document"
)

func TestParseExpr(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{`type == "play"`, `type == "play"`},
		{`'play' == type`, `type == "play"`},
		{`type == "b" or type == "a" || type in ["a", "c"]`, `type in ["a", "b", "c"]`},
		{`type in ["a"]`, `type == "a"`},
		{`type != "a"`, `type != nil and not (type == "a")`},
		{`type not in ["b", "a"]`, `type != nil and not (type in ["a", "b"])`},
		{`not (type in ["b", "a"])`, `not (type in ["a", "b"])`},
		{`!(type == "a") && channel == "x"`, `channel == "x" and not (type == "a")`},
		{`not not (type == "a")`, `type == "a"`},
		{`watch_ms > 0 and type == "play"`, `type == "play" and watch_ms > 0`},
		{`type == "play" and watch_ms > 0 and type == "play"`, `type == "play" and watch_ms > 0`},
		{`0 < watch_ms`, `watch_ms > 0`},
		{`1 < x < 5`, `x < 5 and x > 1`},
		{`x >= -0.5`, `x >= -0.5`},
		{`x - -2 > 1`, `x + 2 > 1`},
		{`2 + x > y - 3`, `x + 2 > y - 3`},
		{`-x > 1`, `x * -1 > 1`},
		{`x * 0.99 <= y`, `x * 0.99 <= y`},
		{`0.99 * (x + y) <= (z - (x - y)) * 2`, `(x + y) * 0.99 <= (z - (x - y)) * 2`},
		{`x - y - z > 0`, `x - y - z > 0`},
		{`x > 24 * 3600 * 1000`, `x > 86400000`},
		{`watch_ms >= min(5000, duration_ms)`, `watch_ms >= min(duration_ms, 5000)`},
		{`x > max(1, 2, y)`, `x > max(y, 2)`},
		{`watch_ms == duration_ms`, `duration_ms == watch_ms`},
		{`x in [2, 1]`, `x == 1 or x == 2`},
		{`x not in [2, 1]`, `x != 1 and x != 2`},
		{`completed == true`, `completed == "true"`},
		{`completed in [true, "yes"]`, `completed in ["true", "yes"]`},
		{`region == nil`, `not (region != nil)`},
		{`nil != region`, `region != nil`},
		{`$env["my-prop"] == "x"`, `$env["my-prop"] == "x"`},
		{`标签 == "美食"`, `$env["标签"] == "美食"`},
		{`$env["in"] > 1`, `$env["in"] > 1`},
		{`(a == "1" or b > 2) and (c > 1 or d > 1)`, `(a == "1" or b > 2) and (c > 1 or d > 1)`},
		{`a == "1" and b > 1 or c > 1`, `c > 1 or a == "1" and b > 1`},
		{`x == 9000000000000`, `x == 9000000000000`},
		{`x == 0.000001`, `x == 0.000001`},
		{`sentiment == "negative" or sentiment < 0`, `sentiment == "negative" or sentiment < 0`},
	} {
		e, err := ParseExpr(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if got := e.String(); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
		}
		again, err := ParseExpr(e.String())
		if err != nil || again.String() != e.String() {
			t.Errorf("%s: read back: %v, %v", e, again, err)
		}
	}
}

func TestParseExprRefuses(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{` `, `is empty: leave where out to count every event`},
		{`score < 20%`, `"score < 20%" does not parse at column 11, unexpected token EOF: for 20% write 0.2`},
		{`score < 0.5 % or type == "play"`, `"score < 0.5 % or type == \"play\"" does not parse at column 15, unexpected token Operator("or"): for 0.5% write 0.005`},
		{`type = "play"`, `"type = \"play\"" does not parse at column 6, unexpected token Operator("="): compare with ==`},
		{`type matches "p.*"`, `"matches" is not supported in a filter: compare whole texts with == or in`},
		{`type not contains "p"`, `"contains" is not supported in a filter: compare whole texts with == or in`},
		{`x / 2 > 1`, `"/" is not supported in a filter: multiply by the inverse: x * 0.5 for x / 2`},
		{`x in 1..5`, `".." is not supported in a filter: compare with both ends: x >= 1 and x <= 9`},
		{`x > 1 ? true : false`, `"?:" is not supported in a filter: combine conditions with and, or, not`},
		{`len(type) > 1`, `"len" is not supported in a filter: use == != < <= > >= in, and or not, + - *, min and max`},
		{`f(x)`, `"f" is not supported in a filter: use == != < <= > >= in, and or not, + - *, min and max`},
		{`let y = 1; y > 0`, `"let" is not supported in a filter: use == != < <= > >= in, and or not, + - *, min and max`},
		{`completed`, `completed alone is no condition: compare it, as in completed == true or completed != nil`},
		{`true`, `true alone is no condition: compare a field with it, or leave where out to count every event`},
		{`x + 1`, `x + 1 is no condition: compare it, as in x > 0; not needs parentheses: not (x > 0)`},
		{`not x > 1`, `not stands before a value: put the comparison in parentheses: not (x > 1)`},
		{`1 < 2`, `1 < 2 compares constants: compare a field with a constant`},
		{`1 + 1 < 2`, `a comparison has no field in it: compare a field with a constant`},
		{`x < nil`, `x < nil orders by nil: test a missing field with == nil`},
		{`x < "a"`, `x < "a" orders texts: compare texts with == or in`},
		{`a == b`, `a and b may be texts, which cannot be compared with each other: for numbers test their difference with 0`},
		{`x in []`, `x in [] has an empty list: name at least one value`},
		{`x in [1, "a"]`, `x in [1, "a"] mixes values in its list: name texts only, or numbers only`},
		{`x in ["a", 1]`, `1 is no text in a list of texts: name texts only, or numbers only`},
		{`x in y`, `y is no list: write in ["a", "b"]`},
		{`watch_ms == "5"`, `watch_ms "5" compares a number with a text: write the number without quotes`},
		{`channel > 3`, `channel is a text, not a number: compare it with a text in quotes: channel == "..."`},
		{`user_id == "u1"`, `user_id cannot be filtered on: it says whose the event is; events of users who are known have user_id != nil`},
		{`props.vertical == "food"`, `props.vertical reads into a value: properties stand beside the other fields: write vertical`},
		{`x > 0.0000001`, `0.0000001 has more than 6 decimals: round it`},
		{`x > 9000000000001`, `a constant is beyond ±9000000000000: no number of an event is larger: use a smaller one`},
		{`x * y > 1`, `x * y multiplies two fields: multiply by a constant`},
		{`min(x) > 1`, `min(x) has fewer than two arguments: write min(a, b)`},
		{`x + 1 == "a"`, `x + 1 is no field: compare a field of the event with a constant`},
		{"x > 1" + strings.Repeat(" or y>1", 400), `a filter has more than 1000 parts: make the distinction in a property of the event`},
		{"x" + strings.Repeat("+y", 2000) + " > 1", `a filter has more than 1000 parts: make the distinction in a property of the event`},
		{strings.Repeat("x", 9000), `a filter of 9000 bytes is longer than 8192: make the distinction in a property of the event`},
	} {
		_, err := ParseExpr(tt.in)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%.80s\n got %v\nwant %s", tt.in, err, tt.want)
		}
	}
}

func TestParseNumber(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		whole    bool
	}{
		{`watch_ms`, `watch_ms`, true},
		{`min(duration_ms, watch_ms)`, `min(duration_ms, watch_ms)`, true},
		{`min(watch_ms, duration_ms) * 2 - 5`, `min(duration_ms, watch_ms) * 2 - 5`, true},
		{`watch_ms * 0.5`, `watch_ms * 0.5`, false},
		{`watch_ms + 0.5`, `watch_ms + 0.5`, false},
		{`max(price, 0)`, `max(price, 0)`, false},
		{`-$env["net price"]`, `$env["net price"] * -1`, false},
	} {
		e, err := ParseNumber(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if got := e.String(); got != tt.want || e.Whole() != tt.whole {
			t.Errorf("%s gives %s, whole %t; want %s, %t", tt.in, got, e.Whole(), tt.want, tt.whole)
		}
	}
	for _, tt := range []struct{ in, want string }{
		{` `, `is empty: name a field, or compute a number from some`},
		{`1 + 2`, `"1 + 2" has no field in it: count the events, or name a field`},
		{`watch_ms > 3`, `watch_ms > 3 is a condition, not a number: use + - *, min and max of fields and constants`},
		{`watch_ms +`, `"watch_ms +" does not parse at column 10, unexpected token EOF: write numbers joined by + - *, min and max`},
		{`watch_ms / 2`, `"/" is not supported in a number: multiply by the inverse: x * 0.5 for x / 2`},
		{`round(price)`, `"round" is not supported in a number: use + - *, min and max of fields and constants`},
		{`price * amount`, `price * amount multiplies two fields: multiply by a constant`},
		{`channel`, `channel is a text, not a number: compare it with a text in quotes: channel == "..."`},
	} {
		if _, err := ParseNumber(tt.in); err == nil || err.Error() != tt.want {
			t.Errorf("%s\n got %v\nwant %s", tt.in, err, tt.want)
		}
	}
}

func TestExprFields(t *testing.T) {
	e, err := ParseExpr(`type == "a" and (score > 1 or watch_ms >= min(duration_ms, 5)) and watch_ms != nil and score != nil and vertical == nil`)
	if err != nil {
		t.Fatal(err)
	}
	text, number := e.Fields()
	if want := []string{"score", "type", "vertical"}; !slices.Equal(text, want) {
		t.Errorf("text %q, want %q", text, want)
	}
	if want := []string{"duration_ms", "score", "watch_ms"}; !slices.Equal(number, want) {
		t.Errorf("number %q, want %q", number, want)
	}
}

func FuzzParseExpr(f *testing.F) {
	f.Add(`type == "play" and watch_ms >= min(5000, duration_ms * 0.99)`)
	f.Add(`not (a in ["x", 'y']) or $env["b-c"] != nil and 1 < d - 2 <= 3`)
	f.Fuzz(func(t *testing.T, text string) {
		e, err := ParseExpr(text)
		if err != nil {
			if _, ok := errors.AsType[*document.Problem](err); !ok {
				t.Fatalf("%T is no document.Problem", err)
			}
			return
		}
		again, err := ParseExpr(e.String())
		if len(e.String()) > maxFilter {
			return
		}
		if err != nil {
			t.Fatalf("%q gives %s: %v", text, e, err)
		}
		if again.String() != e.String() {
			t.Fatalf("%q gives %s, which gives %s", text, e, again)
		}
	})
}
