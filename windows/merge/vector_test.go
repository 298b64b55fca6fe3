package merge

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSearch holds search to its definition, over vectors of few and of most
// seconds.
func TestSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		var vs []*vector
		gap := 1 + r.Int64N(4)
		for at := -r.Int64N(50); len(vs) < r.IntN(60); at += 1 + r.Int64N(gap) {
			vs = append(vs, &vector{at: at})
		}
		seconds := []int64{math.MinInt64, math.MaxInt64}
		for s := int64(-55); s < 250; s++ {
			seconds = append(seconds, s)
		}
		for _, from := range seconds {
			want := slices.IndexFunc(vs, func(v *vector) bool { return v.at >= from })
			if want < 0 {
				want = len(vs)
			}
			if got := search(vs, from); got != want {
				t.Fatalf("search(%d) = %d, want %d of %d", from, got, want, len(vs))
			}
		}
	}
}
