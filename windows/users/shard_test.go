package users

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// Users come and go, and are found in their rows, of which there are no more than were
// needed at once.
func TestRowsAgain(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := Partition{}
		s := newShard(1)
		p.shards[0] = s
		rows, most := map[uint64]uint32{}, 0
		for range 20_000 {
			// Hashes meet in few places of the table, and some have one tag.
			hash := 1 + r.Uint64N(40) | r.Uint64N(3)<<48
			if at, known := rows[hash]; known {
				if got, fresh := s.find(hash); got != at || fresh {
					t.Fatalf("seed %d: user %x is in row %d, new %v, want %d", seed, hash, got, fresh, at)
				}
				if r.IntN(3) == 0 {
					s.release(at, 7)
					p.vacate(at)
					delete(rows, hash)
				}
			} else if _, known := s.lookUp(hash); known {
				t.Fatalf("seed %d: user %x is found behind the end", seed, hash)
			} else {
				at, _ := s.find(hash)
				if slices.Contains(slices.Collect(maps.Values(rows)), at) {
					t.Fatalf("seed %d: row %d has two users", seed, at)
				}
				rows[hash] = at
			}
			most = max(most, len(rows))
		}
		if s.n != most || s.n-s.gone != len(rows) {
			t.Errorf("seed %d: %d rows, %d of them in use, want %d and %d", seed, s.n, s.n-s.gone, most, len(rows))
		}
		used := 0
		for _, e := range s.table {
			if e != 0 {
				used++
			}
		}
		if used != len(rows) {
			t.Errorf("seed %d: the table has %d users, want %d", seed, used, len(rows))
		}
	}
}
