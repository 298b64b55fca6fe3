package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// steps is a scripted sequence of commits, with the model after each.
func steps() (commits []Commit, models []model) {
	r := rand.New(rand.NewPCG(9, 10))
	models = []model{{}}
	for n := range 8 {
		c, after := models[n].change(r, 6, 150_000)
		commits, models = append(commits, c), append(models, after)
	}
	return commits, models
}

// Failing any one operation, whatever it is, loses nothing: the commit is
// refused, may be tried again, and what is found later is what was committed.
func TestFaults(t *testing.T) {
	commits, models := steps()
	injected := errors.New("injected")
	opening := 0
	open(t, t.TempDir(), Options{Fault: func(string) error { opening++; return nil }})
	for n := 1; ; n++ {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(n))
		calls, failed := 0, ""
		s := open(t, dir, Options{Fault: func(op string) error {
			if calls++; calls == n+opening {
				failed = op
				return injected
			}
			return nil
		}})
		current := model(nil)
		for i, c := range commits {
			if err := s.Commit(c); err == nil {
				current = models[i+1]
				continue
			} else if !errors.Is(err, injected) {
				t.Fatalf("operation %d (%s), commit %d: %v", n, failed, i, err)
			}
			if err := current.matches(s.Current()); err != nil {
				t.Fatalf("operation %d (%s), after commit %d failed: %v", n, failed, i, err)
			}
			if err := s.Commit(c); err != nil {
				t.Fatalf("operation %d (%s), commit %d again: %v", n, failed, i, err)
			}
			current = models[i+1]
		}
		checkSlots(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir, Options{})
		for i, e := range epochs(t, s) {
			if err := models[len(commits)-i].matches(e); err != nil {
				t.Fatalf("operation %d (%s), found later: %v", n, failed, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if failed == "" {
			break
		}
	}
}

// A process that dies before any operation leaves the last epoch that it
// committed, or the one whose manifest it was syncing or had synced.
func TestCrashes(t *testing.T) {
	_, models := steps()
	for n := 1; ; n++ {
		dir := filepath.Join(t.TempDir(), strconv.Itoa(n))
		out, err := child(t, "crash", dir, "STATE_TEST_AT="+strconv.Itoa(n))
		committed := strings.Count(out, "committed")
		s := open(t, dir, Options{})
		found := epochs(t, s)
		var newest *Epoch
		if len(found) > 0 {
			newest = found[0]
		}
		match := models[committed].matches(newest)
		synced := func(op string) bool { return strings.HasSuffix(out, op+"\n") }
		if match != nil && slices.ContainsFunc([]string{"sync manifest", "write witness", "sync history"}, synced) {
			match = models[committed+1].matches(newest)
		}
		if match != nil {
			t.Fatalf("crash at operation %d after %d commits: %v", n, committed, match)
		}
		if committed > 1 && len(found) != 2 {
			t.Fatalf("crash at operation %d after %d commits: %d epochs", n, committed, len(found))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			break
		}
	}
}

// crashAt commits the steps and dies at the operation that the environment
// names.
func crashAt(dir string) {
	at, _ := strconv.Atoi(os.Getenv("STATE_TEST_AT"))
	calls := 0
	s, err := Open(dir, Options{Fault: func(op string) error {
		if calls++; calls == at {
			fmt.Println(op)
			os.Exit(1)
		}
		return nil
	}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	commits, _ := steps()
	for _, c := range commits {
		if err := s.Commit(c); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		fmt.Println("committed")
	}
	os.Exit(0)
}
