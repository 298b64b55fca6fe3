package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who gives unit tests of rules to the wrong command is told the right one.
func TestUnitTests(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rules.test.yml")
	for _, text := range []string{"rule_files: [rules.yml]\ntests: []\n", "evaluation_interval: 1m\ntests:\n  - interval: 1m\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := (&TestCmd{Files: []string{name}}).Run(); err == nil || !strings.HasSuffix(err.Error(), "run tidewatch rules test "+name) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
