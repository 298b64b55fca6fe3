package scenario

import (
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"testing/synctest"
)

var (
	rewrite = flag.Bool("rewrite", false, "write what the scripts answer into them")
	judged  = flag.Bool("oracle", true, "hold every answer to the oracle")
)

// What the libraries make once and keep (goroutines, pools of encoders) must not
// be made inside a bubble: one run outside makes it.
func TestMain(m *testing.M) {
	// Each of the thousands of starts throws its tables away: that is seldom collected.
	debug.SetGCPercent(400)
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "scenario")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		s, err := Parse("first", []byte("receiver ops\nevent 10:00:00 play user_id=u1\ntick to=11:00:00\nrestart\nlive plays\n"))
		if err != nil {
			panic(err)
		}
		if _, err := s.Run(dir, Mode{}); err != nil {
			panic(err)
		}
		return m.Run()
	}())
}

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
				m.Oracle = m.Oracle && *judged
				t.Run(m.Name, func(t *testing.T) {
					if !*rewrite {
						t.Parallel()
					}
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
