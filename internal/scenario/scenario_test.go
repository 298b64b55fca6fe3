package scenario

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

var rewrite = flag.Bool("rewrite", false, "write what the scripts answer into them")

// The package behind metrics starts its goroutine with the first summary: not
// inside a bubble.
var _ = metrics.NewSet().NewSummaryExt("outside", 5*time.Minute, []float64{0.5})

func load(t *testing.T, path string) *Script {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(path, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scripts are all that there are.
func scripts(t *testing.T) []string {
	paths, err := filepath.Glob("testdata/*.test")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	return paths
}

// Whatever happens between the commands, a script has one result.
func TestScripts(t *testing.T) {
	for _, path := range scripts(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			for i, m := range Modes {
				t.Run(m.Name, func(t *testing.T) {
					dir := t.TempDir()
					synctest.Test(t, func(t *testing.T) {
						result, err := load(t, path).Run(dir, m)
						if err != nil {
							t.Fatal(err)
						}
						if *rewrite && i == 0 {
							if err := os.WriteFile(path, result.Rewritten(), 0o600); err != nil {
								t.Fatal(err)
							}
							result.Mismatches = nil
						}
						for _, text := range result.Mismatches {
							t.Error(text)
						}
					})
				})
			}
		})
	}
}
