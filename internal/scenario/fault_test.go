package scenario

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// Failing any one operation of the store, whatever it is, loses nothing: the
// service tries again, or is started again, and answers the same.
func TestFaults(t *testing.T) {
	for _, name := range []string{"faults", "alert-silence", "alert-group"} {
		t.Run(name, func(t *testing.T) { fault(t, load(t, "testdata/"+name+".test")) })
	}
}

// fault plays a script once for each operation that can fail.
func fault(t *testing.T, script *Script) {
	injected := errors.New("injected")
	play := func(kind string, n int) (counts map[string]int) {
		counts = map[string]int{}
		var mu sync.Mutex // delivery writes beside the engine
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			result, err := script.Run(dir, Mode{Fault: func(op string) error {
				mu.Lock()
				defer mu.Unlock()
				if counts[op]++; op == kind && counts[op] == n {
					return injected
				}
				return nil
			}})
			if err != nil {
				t.Fatalf("%s, the %d. time: %v", kind, n, err)
			}
			for _, text := range result.Mismatches {
				t.Errorf("%s, the %d. time: %s", kind, n, text)
			}
		})
		return counts
	}
	counts := play("", 0)
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		for n := 1; n <= counts[kind]; {
			play(kind, n)
			if n++; n > 10 {
				n *= 2 // reads of pages: many, and alike
			}
		}
	}
}
