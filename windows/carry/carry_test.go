package carry

import (
	"fmt"
	"slices"
	"testing"
)

// TestKeep: what is kept has its number and texts, whatever is forgotten and met again
// in its place; and of what is forgotten nothing is left.
func TestKeep(t *testing.T) {
	texts := New([]int{3, 1}, func(column int) bool { return column == 1 })
	of := func(i int) []Text {
		out := []Text{{uint64(i%7 + 1), fmt.Sprint("a", i%7)}, {}}
		if i%5 > 0 {
			out[1] = Text{uint64(i + 100), fmt.Sprint("b", i)}
		}
		return out
	}
	numbers := map[int]Number{}
	for round := range 4 {
		for i := 100 * round; i < 100*round+150; i++ {
			if numbers[i] == (Number{}) {
				numbers[i] = texts.Number(of(i))
			}
		}
		used := texts.Used()
		for i, n := range numbers {
			if i%3 == 0 {
				used.Mark(n)
			} else {
				delete(numbers, i)
			}
		}
		texts.Keep(used, nil)
		for i, n := range numbers {
			if got := texts.At(n); !slices.Equal(got, of(i)) || texts.Text(n, 1) != of(i)[1] || texts.Number(of(i)) != n {
				t.Fatalf("%d has the number %d of %v", i, n, got)
			}
		}
	}
	texts.Keep(texts.Used(), nil)
	for _, h := range texts.halves {
		if len(h.words) != 1 || h.numbers.Len() != 0 || h.places.Len() != 0 {
			t.Errorf("%d words and %d combinations are left", len(h.words), h.numbers.Len())
		}
	}
	if texts.At(Number{}) != nil {
		t.Error("there is a combination of none")
	}
}
