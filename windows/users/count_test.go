package users

import (
	"math/rand/v2"
	"testing"
)

// TestCountDays: counting without branches finds whom looking at one after the
// other does.
func TestCountDays(t *testing.T) {
	const today = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	s := newShard(1)
	for i := range 1000 {
		row := s.row(s.push(uint64(i) + 1))
		switch r.IntN(10) {
		case 0: // not active in a slice that closed
		case 1:
			s.leaveTo(uint32(i), r.Uint64())
		default:
			row.last = uint16(today + 1 - r.IntN(100))
			row.first = row.last - uint16(r.IntN(100))
			row.activity = r.Uint64()&r.Uint64() | 1
		}
	}
	ranges := []DayRange{{0, today + 9}, {1, 0}, {today, today}, {today - 63, today - 63}}
	for range 40 {
		from := today - int32(r.IntN(70))
		ranges = append(ranges, DayRange{from, from + int32(r.IntN(70))})
	}
	found := 0
	for _, active := range ranges {
		for _, inactive := range ranges {
			from, to := r.IntN(s.n), s.n-r.IntN(s.n/2)
			want := 0
			for row := from; row < to; row++ {
				d := s.row(uint32(row)).days()
				if d.activity != 0 && d.first <= today && active.has(&d) && !inactive.has(&d) {
					want++
				}
			}
			if got := s.countDays(from, to, today, active, inactive); got != want {
				t.Fatalf("active in %v, not in %v, rows %d to %d: got %d, want %d", active, inactive, from, to, got, want)
			}
			found += want
		}
	}
	if found == 0 {
		t.Error("nobody was to be found")
	}
}
