package exposition

import (
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

var texts = []string{"", "plain", `regex \d+`, `\`, `\\`, `\n`, "two\nlines", `"quoted"`, `\"`, "tab\there", "\u200b", "完播率", "\x7f", "trailing\n"}

// Prometheus' own parser reads back what was given.
func TestParsesBack(t *testing.T) {
	for _, text := range texts {
		page := "# HELP m " + Help(text) + "\n# TYPE m gauge\nm" + Labels("a", text, "b", "x") + " 1\n"
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(page))
		if err != nil {
			t.Errorf("%q: %v in\n%s", text, err, page)
			continue
		}
		m := families["m"]
		if got := m.GetHelp(); got != text {
			t.Errorf("help %q reads %q", text, got)
		}
		if l := m.GetMetric()[0].GetLabel(); len(l) != 2 || l[0].GetValue() != text || l[1].GetValue() != "x" {
			t.Errorf("label %q reads %v", text, l)
		}
	}
}

func TestLabels(t *testing.T) {
	for want, pairs := range map[string][]string{"{}": nil, `{a="1"}`: {"a", "1"}, `{a="1",b="2"}`: {"a", "1", "b", "2"}} {
		if got := Labels(pairs...); got != want {
			t.Errorf("Labels(%q) = %s, want %s", pairs, got, want)
		}
	}
}
