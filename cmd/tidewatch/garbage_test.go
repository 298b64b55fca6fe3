package main

import "testing"

func TestGarbagePercent(t *testing.T) {
	for _, c := range []struct {
		alive uint64
		want  int
	}{
		{0, 100},
		{100 << 20, 100},
		{256 << 20, 100},
		{512 << 20, 50},
		{2 << 30, 30},
		{100 << 30, 30},
	} {
		if got := garbagePercent(c.alive); got != c.want {
			t.Errorf("garbagePercent(%d) = %d, want %d", c.alive, got, c.want)
		}
	}
}
