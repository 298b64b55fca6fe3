package differential

import (
	"flag"
	"fmt"
	"testing"
)

var (
	cases = flag.Int("cases", 6, "how many random cases to try")
	first = flag.Uint64("seed", 1, "the seed of the first")
)

// TestDifferential compares random cases with the oracle.
func TestDifferential(t *testing.T) {
	for i := range *cases {
		seed := *first + uint64(i)
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			c := generate(seed)
			found, err := c.play(t.TempDir())
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if found == nil {
				return
			}
			small := c.shrink(t, found)
			t.Errorf("%s: %s\nmake differential N=1 SEED=%d; as a scenario:\n%s", found.player, &found.Difference, seed, small.script(found))
		})
	}
}
