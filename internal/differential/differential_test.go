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
			anything(seed).hold(t)
		})
	}
}

// hold plays the case; one that goes wrong is made smaller and shown.
func (c *trial) hold(t *testing.T) {
	found, err := c.play(t.TempDir())
	if err != nil {
		t.Fatalf("seed %d: %v", c.seed, err)
	}
	if found != nil {
		small := c.shrink(t, found)
		t.Errorf("%s: %s\nmake differential N=1 SEED=%d; as a scenario:\n%s", found.player, &found.Difference, c.seed, small.script(found))
	}
}
