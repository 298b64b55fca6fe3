package users

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// What a user attended with is found, whatever the label is that is looked at first.
func TestLabelRosters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, keyed := range []int{-1, 0} {
		track, d := &track{keyed: keyed}, rosters{}.at(rosterOf{})
		want := map[uint32][]uint32{}
		for range 2000 {
			label, ref := uint32(r.IntN(40)), uint32(1+r.IntN(500))
			if keyed < 0 {
				label = 0
			}
			d.attend(track, label, ref)
			if !slices.Contains(want[ref], label) {
				want[ref] = append(want[ref], label)
			}
		}
		for ref := range uint32(600) {
			var got []uint32
			d.of(track, uint32(r.IntN(40)), ref, func(label uint32) { got = append(got, label) })
			slices.Sort(got)
			slices.Sort(want[ref])
			if !slices.Equal(got, want[ref]) {
				t.Errorf("keyed %d, user %d: %v, want %v", keyed, ref, got, want[ref])
			}
		}
	}
}
