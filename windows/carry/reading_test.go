package carry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// TestReading: others read what was written, by itself and by places of a table, whichever
// columns say what an event is about; and what is cut off is an error.
func TestReading(t *testing.T) {
	for name, columns := range map[string][]int{"both": {4, 0, 2, 5, 1}, "about": {0, 1}, "rest": {5, 4}, "none": nil} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			about := func(column int) bool { return column < 3 }
			from, to := New(columns, about), New(columns, about)
			to.Number(make([]Text, len(columns))) // numbers of its own
			var all [][]Text
			for range 200 {
				texts := make([]Text, len(columns))
				for i := range texts {
					if r.IntN(3) > 0 {
						text := []string{"", fmt.Sprint(i, " ", r.IntN(5))}[min(1, r.IntN(9))]
						texts[i] = Text{xxh3.HashString(text), text}
					}
				}
				if all = append(all, texts); r.IntN(9) == 0 {
					all[len(all)-1] = nil
				}
			}
			var table Table
			table.Reset(from)
			var alone, places []byte
			for _, texts := range all {
				n := Number{}
				if texts != nil {
					n = from.Number(texts)
				}
				alone, places = from.Append(alone, n), table.AppendPlace(places, n)
			}
			head := table.Append(nil)
			read := func(alone, head, places []byte) error {
				d := NewReading(to, xxh3.HashString)
				one, two := codec.NewReader(alone), codec.NewReader(slices.Concat(head, places))
				of := d.Table(two)
				for _, want := range all {
					n, m := d.Read(one), of.Number(two)
					if one.Err() != nil || two.Err() != nil {
						break
					}
					if got := to.At(n); n != m || !slices.Equal(got, want) {
						t.Fatalf("%v is read as %v, by its places as %v", want, got, to.At(m))
					}
				}
				if one.Err() == nil {
					return two.Err()
				}
				return one.Err()
			}
			if err := read(alone, head, places); err != nil {
				t.Fatal(err)
			}
			for range min(len(alone), 50) {
				if read(alone[:r.IntN(len(alone))], head, places) == nil || read(alone, head, places[:r.IntN(len(places))]) == nil {
					t.Fatal("what is cut off is read")
				}
			}
			if beyond := slices.Repeat([]byte{0xff, 0x7f}, len(places)); len(places) > 0 && read(alone, head, beyond) == nil {
				t.Error("a place that is not there is read")
			}
		})
	}
}
