package kpi

import "testing"

func TestImplies(t *testing.T) {
	for _, tt := range []struct {
		e, o string
		want bool
	}{
		{`type == "survey_nps" and score >= 9 and score <= 10`, `type == "survey_nps" and score >= 0 and score <= 10`, true},
		{`type == "survey_nps" and score <= 6`, `type == "survey_nps" and score != nil`, true},
		{`type == "survey_nps" and score <= 6`, `type == "survey_nps" and score >= 0`, false},
		{`type == "like"`, `type == "play"`, false},
		{`type == "a"`, `type in ["a", "b"]`, true},
		{`type in ["a", "b"]`, `type == "a"`, false},
		{`x == 3`, `x >= 3`, true},
		{`x == 3`, `x > 3`, false},
		{`x > 3`, `x > 3`, true},
		{`x >= 3`, `x > 3`, false},
		{`x < 3`, `x <= 3`, true},
		{`x <= 3`, `x < 3`, false},
		{`x <= 2.5`, `x < 3`, true},
		{`x > 3`, `y > 3`, false},
		{`x > y`, `y != nil`, true},
		{`not (x > 3)`, `x != nil`, false},
		{`x > 3 or y > 3`, `x != nil`, false},
		{`x + y > 3`, `x + y > 2`, true},
		{`x != 3`, `x != 3`, true},
		{`x > 4`, `x != 3`, false}, // it does, but is not seen to
	} {
		e, err := ParseExpr(tt.e)
		if err != nil {
			t.Fatal(err)
		}
		o, err := ParseExpr(tt.o)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.implies(o); got != tt.want {
			t.Errorf("%s implies %s: %t, want %t", e, o, got, tt.want)
		}
		if !e.implies(nil) || (*Expr)(nil).implies(o) {
			t.Errorf("%s or %s and no filter", e, o)
		}
	}
}
