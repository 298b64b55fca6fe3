package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/roster"
)

var minute = kpi.Window{Length: time.Minute}

func TestRing(t *testing.T) {
	dir := t.TempDir()
	o := Options{Kept: map[kpi.Window]time.Duration{minute: 10 * time.Minute}} // 5 blocks and one
	s := open(t, dir, o)
	put := func(index int64) {
		t.Helper()
		b := emptyBlock("ctr", index)
		b.First = index * 120
		if err := s.PutBlocks([]*history.Block{b, emptyBlock("plays", index)}); err != nil {
			t.Fatal(err)
		}
	}
	for index := int64(-9); index < 20; index++ {
		put(index)
		put(index) // again, as after a crash
		for old := int64(-9); old < 25; old++ {
			b, err := s.Block(history.BlockID{Set: "ctr", Window: minute, Index: old})
			if err != nil {
				t.Fatal(err)
			}
			if want := old <= index && old > index-6; (b != nil) != want || want && b.First != old*120 {
				t.Fatalf("block %d after %d: %t, want %t", old, index, b != nil, want)
			}
		}
	}
	if err := errors.Join(s.Commit(Commit{}), s.Close()); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, dir, o)
	for _, set := range []string{"ctr", "plays"} {
		if b, err := s.Block(history.BlockID{Set: set, Window: minute, Index: 19}); b == nil || err != nil {
			t.Errorf("%s after reopening: %v, %v", set, b, err)
		}
	}
	for _, id := range []history.BlockID{{Set: "ct", Window: minute, Index: 19}, {Set: "ctr", Window: kpi.Day, Index: 19}} {
		if b, err := s.Block(id); b != nil || err != nil {
			t.Errorf("block %v: %v, %v; want none", id, b, err)
		}
	}
}

// reopen opens a store and goes on from its current epoch.
func reopen(t *testing.T, dir string, o Options) *Store {
	t.Helper()
	s := open(t, dir, o)
	if err := s.begin(); err != nil {
		t.Fatal(err)
	}
	return s
}

// Tables are compacted once there are enough of them, and hold what they held.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	for run := range int64(historyUpkeep.tables + 1) {
		s := reopen(t, dir, Options{}) // what the run before had in memory is a table then
		if err := s.history.reclaim(historyUpkeep); err != nil {
			t.Fatal(err)
		}
		want := int(run) % historyUpkeep.tables
		if got := s.history.db.Levels()[0].NumTables; got != want {
			t.Errorf("run %d: %d new tables, want %d", run, got, want)
		}
		for index := range run {
			if b, err := s.Block(emptyBlock("ctr", index).BlockID); b == nil || err != nil {
				t.Errorf("run %d: block %d: %v, %v", run, index, b, err)
			}
		}
		if err := s.PutBlocks([]*history.Block{emptyBlock("ctr", run)}); err != nil {
			t.Fatal(err)
		}
		if err := s.SyncHistory(); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(Commit{}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func emptyBlock(set string, index int64) *history.Block {
	return &history.Block{BlockID: history.BlockID{Set: set, Window: minute, Index: index}}
}

// Another retention moves the blocks; what it covers stays.
func TestRearrange(t *testing.T) {
	dir := t.TempDir()
	put := 0
	for _, step := range []struct{ kept, want int }{{10, 6}, {30, 6}, {30, 11}, {4, 3}, {4, 3}, {20, 3}} {
		s := reopen(t, dir, Options{Kept: map[kpi.Window]time.Duration{minute: time.Duration(step.kept) * time.Minute}})
		if put == 0 {
			for ; put < 20; put++ {
				if err := s.PutBlocks([]*history.Block{emptyBlock("ctr", int64(put))}); err != nil {
					t.Fatal(err)
				}
			}
		} else if step.want > 6 {
			for range 5 {
				if err := s.PutBlocks([]*history.Block{emptyBlock("ctr", int64(put))}); err != nil {
					t.Fatal(err)
				}
				put++
			}
		}
		for index := range put + 5 {
			b, err := s.Block(history.BlockID{Set: "ctr", Window: minute, Index: int64(index)})
			if want := index < put && index >= put-step.want; err != nil || (b != nil) != want {
				t.Errorf("kept %d min, block %d of %d: %t, %v; want %t", step.kept, index, put, b != nil, err, want)
			}
		}
		if err := errors.Join(s.Commit(Commit{}), s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever interrupts a rearrangement, the next start leaves the blocks of one
// generation.
func TestRearrangeIsFinished(t *testing.T) {
	injected := errors.New("injected")
	for _, tt := range []struct {
		fault string
		kept  time.Duration // at the next start
	}{
		{"drop former blocks", 30 * time.Minute},
		{"write history layout", 10 * time.Minute},
	} {
		dir := t.TempDir()
		kept := func(d time.Duration, fault string) Options {
			return Options{Kept: map[kpi.Window]time.Duration{minute: d}, Fault: func(op string) error {
				if op == fault {
					return injected
				}
				return nil
			}}
		}
		s := open(t, dir, kept(10*time.Minute, ""))
		if err := s.PutBlocks([]*history.Block{emptyBlock("ctr", 1), emptyBlock("ctr", 2)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(dir, kept(30*time.Minute, tt.fault)); !errors.Is(err, injected) {
			t.Fatalf("%s: opened %v, %v; want the fault", tt.fault, s, err)
		}
		s = open(t, dir, kept(tt.kept, ""))
		keys, err := s.history.keys("blocks", []byte{keyOfBlocks})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if key[1] != s.generation {
				t.Errorf("%s: generation %d is in use, %q is left", tt.fault, s.generation, key)
			}
		}
		if len(keys) != 2 {
			t.Errorf("%s: %d blocks are left, want 2", tt.fault, len(keys))
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
		{kpi.Day, 400 * 24 * time.Hour, 401}, // a block is a day
	} {
		if kept, ring := s.Kept(c.window), s.ring(c.window); kept != c.kept || ring != c.ring {
			t.Errorf("%s: kept %s in %d blocks, want %s in %d", c.window, kept, ring, c.kept, c.ring)
		}
	}
}

func TestDamagedBlock(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	b := block(rand.New(rand.NewPCG(1, 1)))
	if err := s.PutBlocks([]*history.Block{b}); err != nil {
		t.Fatal(err)
	}
	data, err := s.history.get("block", s.blockKey(b.BlockID))
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1]++
	if err := s.history.write("damage", []pair{{s.blockKey(b.BlockID), data}}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Block(b.BlockID); got != nil || !errors.Is(err, ErrDamaged) {
		t.Errorf("Block: %v, %v; want ErrDamaged", got, err)
	}
}

// block is a random block, with what is awkward in it.
func block(r *rand.Rand) *history.Block {
	b := &history.Block{
		BlockID: history.BlockID{Set: "by=channel", Window: kpi.Window{Length: time.Duration(r.Uint64N(5)) * time.Minute}, Index: r.Int64N(100) - 50},
		First:   r.Int64() - r.Int64(), Step: r.Int64N(100), Count: r.IntN(200), Columns: []string{}, Series: []history.Series{},
	}
	for range r.IntN(4) {
		b.Columns = append(b.Columns, strings.Repeat("m", r.IntN(5)))
	}
	for range r.IntN(20) {
		s := history.Series{Labels: []string{}, Points: []history.Point{}}
		for range r.IntN(3) {
			s.Labels = append(s.Labels, strings.Repeat("抖", r.IntN(3)))
		}
		end := b.First
		for range r.IntN(50) {
			end += r.Int64N(3) * b.Step
			p := history.Point{End: end}
			if r.IntN(5) > 0 {
				p.Values = make([]int64, len(b.Columns))
				for i := range p.Values {
					p.Values[i] = int64(r.Uint64() >> r.IntN(64))
				}
			}
			s.Points = append(s.Points, p)
		}
		b.Series = append(b.Series, s)
	}
	for range r.IntN(3) {
		users := &roster.Set{}
		for n := r.IntN(40); n > 0; n-- {
			users.Add(r.Uint32N(256)<<24 | r.Uint32N(3))
		}
		users.Pack()
		read, _ := roster.Read(codec.NewReader(users.Append(nil))) // as it is in a block that was read
		b.Rosters = append(b.Rosters, history.Roster{Label: strings.Repeat("抖", r.IntN(3)), Shares: []*roster.Set{read}})
	}
	return b
}

func decodeBlock(data []byte) (*history.Block, error) {
	packed, err := openBlock(data)
	if err != nil {
		return nil, err
	}
	return packed.unpack(nil)
}

func TestBlockRoundTrip(t *testing.T) {
	for seed := range uint64(2000) {
		want := block(rand.New(rand.NewPCG(seed, 0)))
		data, err := encodeBlock(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeBlock(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v: got\n%+v\nwant\n%+v", seed, err, got, want)
		}
	}
}

// TestBlockColumns: a block can be read with some of its columns, the others cost
// nothing, even if they are damaged.
func TestBlockColumns(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		whole := block(r)
		for i := range whole.Columns {
			whole.Columns[i] = fmt.Sprint("column ", i)
		}
		data, err := encodeBlock(whole)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := openBlock(data)
		if err != nil {
			t.Fatal(err)
		}
		columns := []string{"no such column"}
		for _, name := range whole.Columns {
			if r.IntN(2) == 0 {
				columns = append(columns, name)
			}
		}
		got, err := packed.unpack(columns)
		if err != nil || len(got.Columns) != len(columns)-1 {
			t.Fatalf("seed %d: %v: columns %q of %q, want %q", seed, err, got.Columns, whole.Columns, columns)
		}
		for _, name := range columns[1:] {
			at, from := got.Column(name), whole.Column(name)
			for i, s := range whole.Series {
				for j, p := range s.Points {
					q := got.Series[i].Points[j]
					if q.End != p.End || (q.Values == nil) != (p.Values == nil) || p.Values != nil && q.Values[at] != p.Values[from] {
						t.Fatalf("seed %d: %s at %d: got %v, want %v", seed, name, p.End, q, p)
					}
				}
			}
		}
	}
}

// TestWholeBlock: a block in which all columns are packed together is read, too.
func TestWholeBlock(t *testing.T) {
	for seed := range uint64(200) {
		want := block(rand.New(rand.NewPCG(seed, 2)))
		want.Rosters = nil // none was written so
		body, err := appendFrame(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		for c := range want.Columns {
			body = appendColumn(body, want, c)
		}
		head := binary.AppendVarint(nil, want.Index)
		head = binary.AppendVarint(head, int64(want.Window.Length))
		head = codec.AppendText(head, want.Set)
		got, err := decodeBlock(seal(wholeMagic, zstdEncoder.EncodeAll(body, head)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v: got\n%+v\nwant\n%+v", seed, err, got, want)
		}
	}
}

func TestBadBlock(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	for _, values := range [][]int64{{}, {1, 2}} {
		b := &history.Block{Columns: []string{"plays"}, Series: []history.Series{{Points: []history.Point{{Values: values}}}}}
		if err := s.PutBlocks([]*history.Block{b}); err == nil {
			t.Errorf("PutBlocks with values %v: no error", values)
		}
	}
}

// What decodes, encodes again to what decodes the same; nothing panics.
func FuzzBlock(f *testing.F) {
	for seed := range uint64(10) {
		data, err := encodeBlock(block(rand.New(rand.NewPCG(seed, 0))))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data[len(blockMagic)+8:])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = decodeBlock(body)
		_, _ = decodeBlock(seal(wholeMagic, body))
		b, err := decodeBlock(seal(blockMagic, body))
		if err != nil {
			return
		}
		again, err := encodeBlock(b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decodeBlock(again)
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
