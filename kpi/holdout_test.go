package kpi

import (
	"fmt"
	"slices"
	"testing"
)

// TestHeldOut: the share is as asked for, the same in every build, and part of every
// larger one.
func TestHeldOut(t *testing.T) {
	const users = 100_000
	var tenth, half int
	for i := range users {
		id := fmt.Sprint("u", i)
		if HeldOut(id, 0) {
			t.Fatalf("%s is held out of nothing", id)
		}
		if HeldOut(id, 100_000) {
			tenth++
			if !HeldOut(id, 500_000) {
				t.Errorf("%s is in a tenth, and not in a half", id)
			}
		}
		if HeldOut(id, 500_000) {
			half++
		}
	}
	if tenth < users/10-300 || tenth > users/10+300 || half < users/2-500 || half > users/2+500 {
		t.Errorf("%d and %d of %d, want a tenth and a half", tenth, half, users)
	}
	var of []string
	for i := range 40 {
		if id := fmt.Sprint("u", i); HeldOut(id, 100_000) {
			of = append(of, id)
		}
	}
	if want := []string{"u4", "u33", "u38"}; !slices.Equal(of, want) {
		t.Errorf("%v are held out, as ever are %v", of, want)
	}
}
