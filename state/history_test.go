package state

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

var minute = kpi.Window{Length: time.Minute}

func TestRing(t *testing.T) {
	dir := t.TempDir()
	o := Options{Kept: map[kpi.Window]time.Duration{minute: 10 * time.Minute}} // 5 blocks and one
	s := open(t, dir, o)
	put := func(index int64) {
		t.Helper()
		b := Block{ID: BlockID{Set: "ctr", Window: minute, Index: index}, First: index * 120, Step: 1, Count: 120}
		other := b
		other.ID.Set = "plays"
		if err := s.PutBlocks([]Block{b, other}); err != nil {
			t.Fatal(err)
		}
	}
	for index := int64(-9); index < 20; index++ {
		put(index)
		put(index) // again, as after a crash
		for old := int64(-9); old < 25; old++ {
			b, ok, err := s.Block(BlockID{Set: "ctr", Window: minute, Index: old})
			if err != nil {
				t.Fatal(err)
			}
			if want := old <= index && old > index-6; ok != want || ok && b.First != old*120 {
				t.Fatalf("block %d after %d: %t, want %t", old, index, ok, want)
			}
		}
	}
	if err := errors.Join(s.SyncHistory(), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, o)
	for _, set := range []string{"ctr", "plays"} {
		if _, ok, err := s.Block(BlockID{Set: set, Window: minute, Index: 19}); !ok || err != nil {
			t.Errorf("%s after reopening: %t, %v", set, ok, err)
		}
	}
	for _, id := range []BlockID{{Set: "ct", Window: minute, Index: 19}, {Set: "ctr", Window: kpi.Day, Index: 19}} {
		if _, ok, err := s.Block(id); ok || err != nil {
			t.Errorf("block %v: %t, %v; want none", id, ok, err)
		}
	}
}

// Another retention moves the blocks; what it covers stays.
func TestRearrange(t *testing.T) {
	dir := t.TempDir()
	put := 0
	for _, step := range []struct{ kept, want int }{{10, 6}, {30, 6}, {30, 11}, {4, 3}, {4, 3}, {20, 3}} {
		s := open(t, dir, Options{Kept: map[kpi.Window]time.Duration{minute: time.Duration(step.kept) * time.Minute}})
		if put == 0 {
			for ; put < 20; put++ {
				if err := s.PutBlocks([]Block{{ID: BlockID{Set: "ctr", Window: minute, Index: int64(put)}}}); err != nil {
					t.Fatal(err)
				}
			}
		} else if step.want > 6 {
			for range 5 {
				if err := s.PutBlocks([]Block{{ID: BlockID{Set: "ctr", Window: minute, Index: int64(put)}}}); err != nil {
					t.Fatal(err)
				}
				put++
			}
		}
		for index := range put + 5 {
			_, ok, err := s.Block(BlockID{Set: "ctr", Window: minute, Index: int64(index)})
			if want := index < put && index >= put-step.want; err != nil || ok != want {
				t.Errorf("kept %d min, block %d of %d: %t, %v; want %t", step.kept, index, put, ok, err, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKept(t *testing.T) {
	s := open(t, t.TempDir(), Options{Kept: map[kpi.Window]time.Duration{{Length: 2 * time.Hour}: 48 * time.Hour}})
	for _, c := range []struct {
		window kpi.Window
		kept   time.Duration
		ring   int64
	}{
		{minute, 6 * time.Hour, 181},
		{kpi.Window{Length: 5 * time.Minute}, 72 * time.Hour, 433},
		{kpi.Window{Length: time.Hour}, 90 * 24 * time.Hour, 1081},
		{kpi.Window{Length: 2 * time.Hour}, 48 * time.Hour, 25},
		{kpi.Window{Length: 24 * time.Hour}, 400 * 24 * time.Hour, 481},
		{kpi.Day, 400 * 24 * time.Hour, 14},
	} {
		if kept, ring := s.Kept(c.window), s.ring(c.window); kept != c.kept || ring != c.ring {
			t.Errorf("%s: kept %s in %d blocks, want %s in %d", c.window, kept, ring, c.kept, c.ring)
		}
	}
	for end, want := range map[int64]int64{-1: -1, 0: 0, 119: 0, 120: 1} {
		if got := IndexOf(minute, end); got != want {
			t.Errorf("IndexOf(1m, %d) = %d, want %d", end, got, want)
		}
	}
}

func TestDamagedBlock(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	b := block(rand.New(rand.NewPCG(1, 1)))
	if err := s.PutBlocks([]Block{b}); err != nil {
		t.Fatal(err)
	}
	data, err := s.history.get("block", s.blockKey(b.ID))
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1]++
	if err := s.history.write("damage", []pair{{s.blockKey(b.ID), data}}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Block(b.ID); ok || !errors.Is(err, ErrDamaged) {
		t.Errorf("Block: %t, %v; want ErrDamaged", ok, err)
	}
}

// block is a random block, with what is awkward in it.
func block(r *rand.Rand) Block {
	b := Block{
		ID:    BlockID{Set: "by=channel", Window: kpi.Window{Length: time.Duration(r.Uint64N(5)) * time.Minute}, Index: r.Int64N(100) - 50},
		First: r.Int64() - r.Int64(), Step: r.Int64N(100), Count: r.IntN(200), Columns: []string{}, Runs: []Run{},
	}
	for range r.IntN(4) {
		b.Columns = append(b.Columns, strings.Repeat("m", r.IntN(5)))
	}
	for range r.IntN(20) {
		run := Run{Labels: []string{}, Points: []Point{}}
		for range r.IntN(3) {
			run.Labels = append(run.Labels, strings.Repeat("抖", r.IntN(3)))
		}
		end := b.First
		for range r.IntN(50) {
			end += r.Int64N(3) * b.Step
			p := Point{End: end, Revision: r.Uint32() >> r.IntN(32), Null: r.IntN(5) == 0}
			if !p.Null {
				p.Values = make([]int64, len(b.Columns))
				for i := range p.Values {
					p.Values[i] = int64(r.Uint64() >> r.IntN(64))
				}
			}
			run.Points = append(run.Points, p)
		}
		b.Runs = append(b.Runs, run)
	}
	return b
}

func TestBlockRoundTrip(t *testing.T) {
	for seed := range uint64(2000) {
		want := block(rand.New(rand.NewPCG(seed, 0)))
		data, err := want.Append([]byte("before"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeBlock(data[len("before"):])
		if err != nil || !reflect.DeepEqual(*got, want) {
			t.Fatalf("seed %d: %v: got\n%+v\nwant\n%+v", seed, err, got, want)
		}
	}
}

func TestBadBlock(t *testing.T) {
	for _, p := range []Point{{Values: []int64{1, 2}}, {}, {Null: true, Values: []int64{1}}} {
		b := Block{Columns: []string{"plays"}, Runs: []Run{{Points: []Point{p}}}}
		if _, err := b.Append(nil); err == nil {
			t.Errorf("Append of %+v: no error", p)
		}
	}
}

// What decodes, encodes again to what decodes the same; nothing panics.
func FuzzBlock(f *testing.F) {
	for seed := range uint64(10) {
		b := block(rand.New(rand.NewPCG(seed, 0)))
		body, err := b.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = DecodeBlock(body)
		_, _ = DecodeBlock(seal(blockMagic, body))
		b, err := decodeBody(body)
		if err != nil {
			return
		}
		again, err := b.encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeBody(again)
		if err != nil || !reflect.DeepEqual(got, b) {
			t.Fatalf("%v: got\n%+v\nwant\n%+v", err, got, b)
		}
	})
}

func FuzzManifest(f *testing.F) {
	m := Manifest{Epoch: 3, Lanes: map[string]Lane{"0": {Position: 1}}}
	raw, err := encodeManifest(&m, &table{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[len(manifestMagic)+8:])
	b := bucket{entries: []entry{{id: PageID{A: 1}, ref: ref{slots: []uint32{3, 4}, length: 100_000, sum: 9}}}}
	f.Add(b.encode())
	f.Fuzz(func(_ *testing.T, body []byte) {
		_, _, _ = decodeManifest(seal(manifestMagic, body))
		_, _ = decodeBucket(body, ref{})
	})
}
