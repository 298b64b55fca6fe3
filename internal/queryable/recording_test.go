package queryable

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

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

// TestRecordingsAreFound: by whoever looks for names and labels, and who selects one without
// naming it is told.
func TestRecordingsAreFound(t *testing.T) {
	store := NewStore(
		Series{labels.FromStrings("__name__", "kpi_plays", "channel", "a"), []Point{NewPoint(second(0), 7)}},
		Series{labels.FromStrings("__name__", "kpi_plays", "channel", "b"), []Point{NewPoint(second(0), 3)}},
	)
	expr, err := expression.Parse("kpi_plays / 2")
	if err != nil {
		t.Fatal(err)
	}
	engine := expression.NewEngine(1000)
	recorded := WithRecordings(store, engine, []Recording{{Name: "half:plays", Expr: expr, Labels: labels.FromStrings("of", "two"), Every: 15 * time.Second}})
	q, err := recorded.Querier(second(0), second(60))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ selector, label, want string }{
		{`{__name__="half:plays"}`, "", "__name__ channel of"},
		{`{__name__="half:plays"}`, "channel", "a b"},
		{`{__name__="half:plays",channel="b"}`, "channel", "b"},
		{`{__name__="half:plays"}`, "of", "two"},
		{`{__name__="half:plays"}`, "__name__", "half:plays"},
		{`{__name__=~"ha.*"}`, "__name__", "half:plays"},
		{`{__name__=~".*plays"}`, "__name__", "half:plays kpi_plays"},
		{`{__name__=~".*plays",channel="a"}`, "__name__", "kpi_plays"},
		{`{__name__=~".*x"}`, "__name__", ""},
		{`{channel="a"}`, "__name__", "kpi_plays"},
	} {
		m, err := expression.Language.ParseMetricSelector(tt.selector)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		if tt.label == "" {
			got, _, err = q.LabelNames(t.Context(), nil, m...)
		} else {
			got, _, err = q.LabelValues(t.Context(), tt.label, nil, m...)
		}
		if text := strings.Join(got, " "); err != nil || text != tt.want {
			t.Errorf("%s: %s is %s, %v, want %s", tt.selector, tt.label, text, err, tt.want)
		}
	}
	for expr, want := range map[string]string{
		`{__name__=~"ha.*"}`:    "half:plays is a recording, which is found by its name alone: write it out",
		`{__name__=~".*plays"}`: "",
		`half:plays`:            "",
		`{channel="nobody"}`:    "",
	} {
		query, err := engine.NewInstantQuery(t.Context(), recorded, nil, expr, time.UnixMilli(second(0)))
		if err != nil {
			t.Fatal(err)
		}
		result := query.Exec(t.Context())
		warnings, _ := result.Warnings.AsStrings("", 0, 0)
		if got := strings.Join(warnings, " "); got != want || result.Err != nil {
			t.Errorf("%s: warned of %q, %v, want %q", expr, got, result.Err, want)
		}
		query.Close()
	}
}
