package stream

import "testing"

// TestJudgeCurrency: a sender is told what the engine will say of an amount without a
// currency.
func TestJudgeCurrency(t *testing.T) {
	const line = `{"id":"1","time":1700000000000,"type":"ad_cost","amount_minor":5}`
	for currency, want := range map[string]Reason{"": ReasonNoCurrency, "CNY": ReasonNone} {
		body, err := NewChecker(Schema{Text: []string{"currency"}, Currency: currency}, HashKey{}).Judge([]byte(line))
		if err != nil || len(body.Reasons) != 1 || body.Reasons[0] != want {
			t.Errorf("currency %q: %v, %v, want %v", currency, body.Reasons, err, want)
		}
	}
}
