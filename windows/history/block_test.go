package history

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestIndex checks the bounds of blocks against their definition.
func TestIndex(t *testing.T) {
	for _, length := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour, 24 * time.Hour} {
		w := kpi.Window{Length: length}
		for _, from := range []int64{-5, 1_700_000_000} {
			for second := from; second < from+20; second++ {
				next := NewOpen("", w, nil, Index(w, second)).Until()
				if next <= second || Index(w, next) != Index(w, next-1)+1 || Index(w, next-1) != Index(w, second) {
					t.Errorf("%s: after %d a block begins with %d", length, second, next)
				}
			}
		}
	}
}
