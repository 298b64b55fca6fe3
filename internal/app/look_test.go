package app

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Who looks first, and all who do so with him, wait for what is in, also behind a backlog; who
// goes on looking does not, nor who has waited in vain for long.
func TestLook(t *testing.T) {
	for _, behind := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := newSight()
			s.behind.Store(behind)
			s.passed.Store(3)
			look := func() (seen uint64, took time.Duration) {
				began := time.Now()
				s.await()
				return s.shown.Load(), time.Since(began)
			}
			go func() {
				<-s.wanted
				time.Sleep(40 * time.Millisecond)
				s.reveals(&parcel{passed: s.passed.Load()})
			}()
			var first sync.WaitGroup
			for range 3 {
				first.Go(func() {
					if seen, took := look(); seen != 3 || took != 40*time.Millisecond {
						t.Errorf("behind a backlog %v: the first look sees %d of 3 after %s", behind, seen, took)
					}
				})
			}
			first.Wait()
			s.passed.Store(4)
			time.Sleep(looking / 2)
			if seen, took := look(); seen != 3 || took != 0 {
				t.Errorf("behind a backlog %v: the next look sees %d of 3 after %s", behind, seen, took)
			}
			time.Sleep(lookingBehind)
			if _, took := look(); took != patience { // nobody shows it
				t.Errorf("behind a backlog %v: a look that nobody answers takes %s", behind, took)
			}
			began := time.Now()
			for range 30 {
				look()
			}
			if took := time.Since(began); took != firstLooks-patience {
				t.Errorf("behind a backlog %v: 30 looks behind it take %s", behind, took)
			}
		})
	}
}
