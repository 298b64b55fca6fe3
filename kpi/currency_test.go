package kpi

import (
	"strings"
	"testing"
)

// TestCurrencies: of all texts of three bytes those in the lists are codes.
func TestCurrencies(t *testing.T) {
	listed := map[string]bool{}
	for code := range strings.FieldsSeq(activeCurrencies + withdrawnCurrencies) {
		if listed[code] {
			t.Errorf("%s is listed twice", code)
		}
		listed[code] = true
	}
	text := make([]byte, 3)
	for i := range 1 << 24 {
		text[0], text[1], text[2] = byte(i>>16), byte(i>>8), byte(i)
		if IsCurrency(text) != listed[string(text)] {
			t.Fatalf("IsCurrency(%q) = %v", text, !listed[string(text)])
		}
	}
}
