package app

import (
	"os"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/config"
)

// The rules that come with the service are about what the default catalogue keeps, and
// each has a runbook in both languages, as have those about itself that name one.
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
	runbooks := map[string]string{} // by rule
	for _, r := range d.Rules.Status().Rules {
		runbooks[r.Name] = r.Of.Annotations["runbook_url"]
	}
	text, err := os.ReadFile("../../deploy/rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	own, err := alerts.LoadRules("rules.yml", text, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range own.Groups {
		for _, r := range g.Rules {
			if url := r.Annotations["runbook_url"]; url != "" {
				runbooks[r.Alert] = url
			}
		}
	}
	for _, name := range []string{"../../docs/runbooks.md", "../../docs/runbooks.zh-CN.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for rule, url := range runbooks {
			if !strings.Contains(string(text), "\n## "+rule+"\n") {
				t.Errorf("%s has nothing on %s", name, rule)
			}
			if want := "#" + strings.ToLower(rule); !strings.HasSuffix(url, want) {
				t.Errorf("%s leads to %q, want ...%s", rule, url, want)
			}
		}
		if got := strings.Count(string(text), "\n## "); got != len(runbooks) || got == 0 {
			t.Errorf("%s has %d headings, there are %d rules", name, got, len(runbooks))
		}
	}
}
