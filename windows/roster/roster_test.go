package roster

import (
	"math/rand/v2"
	"testing"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// TestSet holds sets, written and read, to a map.
func TestSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []uint32{1, 300, 70_000} {
		some := func(n int) (*Set, map[uint32]bool) {
			s, want := &Set{}, map[uint32]bool{}
			for range n {
				ref := r.Uint32N(256)<<24 | r.Uint32N(rows)
				s.Add(ref)
				want[ref] = true
			}
			s.Pack()
			s, err := Read(codec.NewReader(s.Append(nil)))
			if err != nil {
				t.Fatal(err)
			}
			return s, want
		}
		a, inA := some(5000)
		b, inB := some(5000)
		without := 0
		for ref := range inA {
			if !inB[ref] {
				without++
			}
			if !a.Has(ref) {
				t.Errorf("%x is missing", ref)
			}
		}
		if got := a.Without(b); got != without {
			t.Errorf("got %d users who are not in the other set, want %d", got, without)
		}
		both := a.Clone()
		both.Join(b)
		if got, want := both.Len(), without+len(inB); got != want {
			t.Errorf("got %d users in either, want %d", got, want)
		}
		if got, want := a.Len(), len(inA); got != want {
			t.Errorf("got %d users, want %d: the clone is the set", got, want)
		}
	}
}

// TestPack: what is nearly all becomes runs where they are long.
func TestPack(t *testing.T) {
	set := func(missing int) *Set {
		s := &Set{}
		for n := range uint32(1 << 20) {
			if n%uint32(missing) != 0 {
				s.numbers.Add(n)
			}
		}
		s.Pack()
		return s
	}
	for missing, want := range map[int]bool{50: false, 10_000: true} {
		s := set(missing)
		if runs := s.numbers.HasRunCompression(); runs != want {
			t.Errorf("one of %d is missing: runs %t, want %t", missing, runs, want)
		}
		if got, want := s.Len(), 1<<20-(1<<20+missing-1)/missing; got != want {
			t.Errorf("one of %d is missing: got %d users, want %d", missing, got, want)
		}
	}
}

// BenchmarkRead reads a set of 49 of 50 out of a million users.
func BenchmarkRead(b *testing.B) {
	s, r := &Set{}, rand.New(rand.NewPCG(1, 2))
	for n := range uint32(1_000_000) {
		if r.IntN(50) != 0 {
			s.numbers.Add(n)
		}
	}
	s.Pack()
	data := s.Append(nil)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Read(codec.NewReader(data)); err != nil {
			b.Fatal(err)
		}
	}
}

// TestResolve: a user counts once, whatever numbers were the user's.
func TestResolve(t *testing.T) {
	s := &Set{}
	for _, ref := range []uint32{1, 2, 3} {
		s.Add(ref)
	}
	s.Resolve([]Merge{{From: 1, Into: 2}, {From: 3, Into: 9}, {From: 4, Into: 8}})
	for ref, want := range map[uint32]bool{1: false, 2: true, 3: false, 9: true, 4: false, 8: false} {
		if got := s.Has(ref); got != want {
			t.Errorf("%d: got %t, want %t", ref, got, want)
		}
	}
}

// TestReadDamaged: what is no set is refused.
func TestReadDamaged(t *testing.T) {
	s := &Set{}
	s.Add(7)
	data := s.Append(nil)
	more := append(append([]byte{data[0] + 1}, data[1:]...), 0)
	for name, bad := range map[string][]byte{"empty": nil, "no set": {0}, "short": data[:len(data)-1], "long": more} {
		if _, err := Read(codec.NewReader(bad)); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

// TestUserBytes: a set takes no more than UserBytes a user and what each 65,536 numbers
// have beside.
func TestUserBytes(t *testing.T) {
	const numbers = 1 << 20
	const beside = 16 * (numbers >> 16)
	for _, every := range []uint32{1, 2, 15, 16, 17, 1000} {
		s := &Set{}
		for n := uint32(0); n < numbers; n += every {
			s.Add(n>>8 | n&0xff<<24)
		}
		if got := len(s.Append(nil)); got > UserBytes*s.Len()+beside {
			t.Errorf("%d users take %d B", s.Len(), got)
		}
	}
}
