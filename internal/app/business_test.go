package app

import (
	"os"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/internal/config"
)

// The rules that come with the service are about what the default catalogue keeps, and
// each has a runbook in both languages.
func TestBusinessRules(t *testing.T) {
	c := config.Default()
	c.Rules = []string{"../../alerts/default.yml", "../../deploy/business.yml"}
	d, err := LoadDefinitions(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range d.Warnings {
		t.Error(w)
	}
	rules := d.Rules.Status().Rules
	for _, name := range []string{"../../docs/runbooks.md", "../../docs/runbooks.zh-CN.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			if !strings.Contains(string(text), "\n## "+r.Name+"\n") {
				t.Errorf("%s has nothing on %s", name, r.Name)
			}
			if want := "#" + strings.ToLower(r.Name); !strings.HasSuffix(r.Of.Annotations["runbook_url"], want) {
				t.Errorf("%s leads to %q, want ...%s", r.Name, r.Of.Annotations["runbook_url"], want)
			}
		}
		if got := strings.Count(string(text), "\n## "); got != len(rules) || got == 0 {
			t.Errorf("%s has %d headings, there are %d rules", name, got, len(rules))
		}
	}
}
