package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
)

// Failing any one operation of the store, whatever it is, loses nothing: the
// service tries again, or is started again, and answers the same.
func TestFaults(t *testing.T) {
	dir := t.TempDir()
	script := load(t, "testdata/faults.test")
	injected := errors.New("injected")
	for n := 1; ; n++ {
		if err := os.Mkdir(filepath.Join(dir, strconv.Itoa(n)), 0o700); err != nil {
			t.Fatal(err)
		}
		failed := ""
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			result, err := script.Run(filepath.Join(dir, strconv.Itoa(n)), Mode{Fault: func(op string) error {
				if calls++; calls == n {
					failed = op
					return injected
				}
				return nil
			}})
			if err != nil {
				t.Fatalf("operation %d (%s): %v", n, failed, err)
			}
			for _, text := range result.Mismatches {
				t.Errorf("operation %d (%s): %s", n, failed, text)
			}
		})
		if failed == "" {
			t.Logf("%d operations failed in turn", n-1)
			break
		}
	}
}
