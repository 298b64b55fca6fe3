package alerts

import "testing"

// An amount of nothing is in the currency of the window before; what was in another one says so.
func TestChangeOfCurrency(t *testing.T) {
	for _, tt := range []struct {
		now       map[string]string
		before    string
		want, was string
	}{
		{map[string]string{"value": "0"}, "JPY", "JPY", ""},
		{map[string]string{"value": "0"}, "", "", ""},
		{map[string]string{"value": "5", "currency": "JPY"}, "CNY", "JPY", "CNY"},
		{map[string]string{"value": "5", "currency": "JPY"}, "JPY", "JPY", ""},
		{map[string]string{"no_data": "true"}, "JPY", "", "JPY"},
	} {
		c := &Change{Before: 7, Currency: tt.before}
		if c.annotate(tt.now); tt.now["currency"] != tt.want || tt.now["before_currency"] != tt.was {
			t.Errorf("says %v, want %q and %q", tt.now, tt.want, tt.was)
		}
	}
}
