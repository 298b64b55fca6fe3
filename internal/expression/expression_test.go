package expression

import (
	"testing"
	"time"
)

func TestSteps(t *testing.T) {
	for text, want := range map[string]int64{
		"a":                                     0,
		"rate(a[5m])":                           0,
		"rate(a[1h:])":                          61,
		"rate(a[1h:1s])":                        3601,
		"rate(a[1h:1m]) + rate(a[2h:1m])":       61 + 121,
		"max_over_time(rate(a[1h:1m])[2h:10m])": 13 + 181,
		"max_over_time(rate(a[1h:1m] @ 7)[2h:10m])": 13 + 61,
		"sum_over_time(a[290y:1ms])":                290*365*86_400_000 + 1,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Steps(e, 0); got != want {
			t.Errorf("%s: got %d, want %d", text, got, want)
		}
	}
	e, err := Parse("rate(a[1h:1m]) + rate(a[1h:1m] @ end())")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Steps(e, 24*time.Hour), int64(25*60+1+61); got != want {
		t.Errorf("over a day: got %d, want %d", got, want)
	}
}
