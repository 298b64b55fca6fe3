package state

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"
)

// Pages of which chunks lie in any order are gathered as readRef reads them, and those of
// which something is missing or another are left to it.
func TestGather(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	r := rand.New(rand.NewPCG(1, 2))
	var pages []entry
	var content [][]byte
	order := r.Perm(600)
	for n := 0; len(order) > 3; n++ {
		data := random(r, r.IntN(3*chunkSize))
		e := entry{PageID{B: uint64(n)}, ref{length: len(data), sum: xxh3.Hash(data)}}
		var pairs []pair
		for chunk := range slices.Chunk(data, chunkSize) {
			e.slots = append(e.slots, uint32(order[0]))
			pairs = append(pairs, pair{slotKey(uint32(order[0])), chunk})
			order = order[1:]
		}
		switch {
		case n%7 == 3 && len(pairs) > 0:
			pairs = pairs[1:]
		case n%7 == 5 && len(pairs) > 0:
			pairs[0].value = append([]byte{pairs[0].value[0] ^ 1}, pairs[0].value[1:]...)
		case n%7 == 6 && len(pairs) > 0:
			pairs[0].value = pairs[0].value[1:]
		}
		if err := s.epochs.write("pages", pairs); err != nil {
			t.Fatal(err)
		}
		pages, content = append(pages, e), append(content, data)
	}
	found := map[int]bool{}
	gather(s.epochs, pages, func(i int, data []byte) {
		if found[i] || !bytes.Equal(data, content[i]) {
			t.Errorf("page %d is another", i)
		}
		found[i] = true
	})
	for i := range pages {
		_, err := readRef(s.epochs, pages[i].ref)
		if whole := err == nil && len(content[i]) > 0; found[i] != whole {
			t.Errorf("page %d: gathered %v, read %v", i, found[i], err)
		}
	}
	few := []entry{pages[0], pages[len(pages)-1]}
	few[0].slots, few[1].slots = []uint32{0}, []uint32{1000 * lookUpCost}
	gather(s.epochs, few, func(int, []byte) { t.Error("few pages that lie apart are gathered") })
}
