package merge

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestInOrder: cells stand as a plain sort has them, whatever their labels have in common.
func TestInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n, labels := r.IntN(4*manyCells), 1+r.IntN(3)
		cells := make([]cell, n)
		for i := range cells {
			for l := range labels {
				cells[i].labels = append(cells[i].labels, []string{"same", fmt.Sprint("content", r.IntN(n)), fmt.Sprint(r.IntN(1<<20), "behind")}[(l+labels)%3])
			}
			cells[i].hidden, cells[i].n = fmt.Sprint(i), sample.Of(int64(i))
		}
		want := slices.Clone(cells)
		slices.SortFunc(want, byLabels)
		if inOrder(cells); !reflect.DeepEqual(cells, want) {
			t.Fatalf("%d cells of %d labels are %v, want %v", n, labels, cells, want)
		}
	}
}
