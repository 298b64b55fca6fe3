package main

import "testing"

func TestGarbagePercent(t *testing.T) {
	for _, c := range []struct {
		alive, rate float64
		want        int
	}{
		{0, 0, 100},
		{100 << 20, 0, 100},
		{256 << 20, 0, 100},
		{512 << 20, 0, 50},
		{2 << 30, 10 << 20, 12},
		{2 << 30, 64 << 20, 62},
		{2 << 30, 200 << 20, 100},
		{100 << 30, 200 << 20, 10},
	} {
		if got := garbagePercent(c.alive, c.rate); got != c.want {
			t.Errorf("garbagePercent(%g, %g) = %d, want %d", c.alive, c.rate, got, c.want)
		}
	}
}
