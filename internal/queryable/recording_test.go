package queryable

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/internal/expression"
)

func TestCheckRecordings(t *testing.T) {
	chain := func(n int, format string) (texts []string) {
		texts = []string{"r0 = kpi_plays"}
		for i := range n {
			texts = append(texts, fmt.Sprintf("r%d = "+format, i+1, i))
		}
		return texts
	}
	for name, c := range map[string]struct {
		texts []string
		want  string
	}{
		"none":            {nil, ""},
		"of others":       {[]string{"a = b + c", "b = c", "c = kpi_plays"}, ""},
		"of itself":       {[]string{"a = sum(a)"}, "recording a reads itself"},
		"by way of other": {[]string{"a = b", "b = c", "c = b"}, "recording b reads itself"},
		"by the second":   {[]string{"a = kpi_plays", "a = b", "b = a"}, "recording a reads itself"},
		"a long chain":    {chain(999, "r%d"), ""},
		"too long a one":  {chain(1000, "r%d"), "recording r1000 is made of more than 1000 others"},
		"doubled":         {chain(60, "r%[2]d + r%[2]d"), "recording r9 is made of more than 1000 others"},
	} {
		var list []Recording
		for _, text := range c.texts {
			name, expr, _ := strings.Cut(text, " = ")
			e, err := expression.Parse(expr)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, Recording{Name: name, Expr: e})
		}
		if err := CheckRecordings(list); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
