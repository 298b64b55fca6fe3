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

// TestMinorUnits: what has other minor units than hundredths is a code.
func TestMinorUnits(t *testing.T) {
	for _, codes := range minorDigits {
		for code := range strings.FieldsSeq(codes) {
			if !IsCurrency([]byte(code)) {
				t.Errorf("%s is no currency", code)
			}
		}
	}
	for code, want := range map[string]int64{"CNY": 100, "JPY": 1, "KWD": 1000, "CLF": 10_000} {
		if got := MinorUnits(code); got != want {
			t.Errorf("%s has %d minor units, want %d", code, got, want)
		}
	}
}
