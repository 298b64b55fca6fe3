package scenario

import (
	"cmp"
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

func TestMain(m *testing.M) {
	// Each of the thousands of starts throws its tables away: that is seldom collected.
	debug.SetGCPercent(400)
	os.Exit(func() int {
		// In memory, if there is any: on a disk, most of a run is to wait for it.
		dir, err := begin(cmp.Or(os.Getenv("TMPDIR"), "/dev/shm"))
		if err != nil {
			dir, err = begin("")
		}
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		os.Setenv("TMPDIR", dir)
		os.Setenv("GOTMPDIR", dir) // before TMPDIR for T.TempDir
		return m.Run()
	}())
}

// begin makes a folder for all runs and plays a script there, which shows that it
// has room. What the libraries make once and keep (goroutines, pools of encoders)
// must not be made inside a bubble: this run outside makes it.
func begin(in string) (dir string, err error) {
	if dir, err = os.MkdirTemp(in, "scenario"); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	first := filepath.Join(dir, "first")
	if err := os.Mkdir(first, 0o700); err != nil {
		return "", err
	}
	s, err := Parse("first", []byte("receiver ops\nevent 10:00:00 play user_id=u1\ntick to=11:00:00\nrestart\nlive plays\n"))
	if err != nil {
		return "", err
	}
	_, err = s.Run(first, Mode{})
	return dir, err
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
