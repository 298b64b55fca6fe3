package contribution

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

func of(t *testing.T, name string) *kpi.KPI {
	t.Helper()
	c, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return c.KPI(name)
}

func part(n, d int64, labels ...string) sample.Sample {
	number := func(n int64) sample.Number { return sample.Number{N: sample.Of(n), Scale: 1} }
	return sample.Sample{Labels: labels, Numerator: number(n), Denominator: number(d)}
}

func TestOf(t *testing.T) {
	count := func(n int64, labels ...string) sample.Sample { s := part(n, 0, labels...); return s }
	for _, tt := range []struct {
		name, kpi   string
		before, now Window
		want        string
	}{
		{"a count", "plays", Window{Whole: count(100), Parts: []sample.Sample{count(60, "a"), count(40, "b")}}, Window{Whole: count(50), Parts: []sample.Sample{count(10, "a"), count(40, "b")}}, "a 1.00 60 10"},
		{"what grew meanwhile offsets it", "plays", Window{Whole: count(100), Parts: []sample.Sample{count(60, "a"), count(40, "b")}}, Window{Whole: count(80), Parts: []sample.Sample{count(30, "a"), count(50, "b")}}, "a 1.50 60 30"},
		{"two of them", "plays", Window{Whole: count(90), Parts: []sample.Sample{count(30, "a"), count(30, "b"), count(30, "c")}}, Window{Whole: count(30), Parts: []sample.Sample{count(30, "b")}}, "a 0.50 30 -, c 0.50 30 -"},
		{"something appears", "plays", Window{Whole: count(10), Parts: []sample.Sample{count(10, "a")}}, Window{Whole: count(60), Parts: []sample.Sample{count(10, "a"), count(50, "b")}}, "b 1.00 - 50"},
		{"a ratio falls in one part", "completion_rate", Window{Whole: part(500, 1000), Parts: []sample.Sample{part(250, 500, "a"), part(250, 500, "b")}},
			Window{Whole: part(300, 1000), Parts: []sample.Sample{part(50, 500, "a"), part(250, 500, "b")}}, "a 1.00 0.5 0.1 of 500 500"},
		{"a ratio falls by the weights alone", "completion_rate", Window{Whole: part(460, 1000), Parts: []sample.Sample{part(450, 900, "good"), part(10, 100, "bad")}},
			Window{Whole: part(300, 1000), Parts: []sample.Sample{part(250, 500, "good"), part(50, 500, "bad")}}, "bad 0.90 0.1 0.1 of 100 500"},
		{"there is one value only", "plays", Window{Whole: count(100), Parts: []sample.Sample{count(100, "a")}}, Window{Whole: count(50), Parts: []sample.Sample{count(50, "a")}}, ""},
		{"nothing changed", "plays", Window{Whole: count(10), Parts: []sample.Sample{count(10, "a")}}, Window{Whole: count(10), Parts: []sample.Sample{count(10, "b")}}, ""},
		{"there was nothing", "completion_rate", Window{Whole: sample.Sample{Null: true}}, Window{Whole: part(1, 2), Parts: []sample.Sample{part(1, 2, "a")}}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			shown := func(v *float64) string {
				if v == nil {
					return "-"
				}
				return fmt.Sprintf("%.3g", *v)
			}
			for _, c := range Of(of(t, tt.kpi), "channel", tt.before, tt.now, 2) {
				text := fmt.Sprintf("%s %.2f %s %s", c.Value, c.Share, shown(c.Before), shown(c.Now))
				if c.BeforeN+c.N > 0 {
					text += fmt.Sprintf(" of %d %d", c.BeforeN, c.N)
				}
				got = append(got, text)
			}
			if got := strings.Join(got, ", "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
