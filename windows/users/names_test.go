package users

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// Every name is in memory or in a committed page, through checkpoints and restarts.
func TestNames(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var n names
	committed, written := map[uint64][]byte{}, map[uint64][]byte{}
	rows, most := 0, 0
	name := func(row int) string { return fmt.Sprintf("user %d", row*row) }
	read := func(number uint64) ([]string, error) {
		if committed[number] == nil {
			return nil, fmt.Errorf("segment %d is not there", number)
		}
		return ReadNames(committed[number])
	}
	for range 60 {
		for range random.IntN(700) {
			n.set(rows, []byte(name(rows)))
			rows++
		}
		var list []string
		for row := range rows {
			got := string(n.of(row))
			if row%SegmentRows == 0 {
				list, _ = read(uint64(row / SegmentRows))
			}
			if got == "" {
				if row%SegmentRows >= len(list) {
					t.Fatalf("row %d of %d is neither in memory nor in a page", row, rows)
				}
				got = list[row%SegmentRows]
			}
			if got != name(row) {
				t.Fatalf("row %d is %q, want %q", row, got, name(row))
			}
		}
		most = max(most, len(n.ends))
		maps.Copy(committed, written) // by now
		clear(written)
		before := n.paged
		for _, p := range n.pages(3) {
			if p.A != 3 || p.B < uint64(before/SegmentRows) {
				t.Fatalf("page %d of shard %d is written although rows before %d are", p.B, p.A, before)
			}
			written[p.B] = p.Data
		}
		if random.IntN(5) == 0 { // a restart behind the commit
			maps.Copy(committed, written)
			clear(written)
			if err := n.load(rows, read); err != nil {
				t.Fatal(err)
			}
		}
	}
	if most > 4*SegmentRows {
		t.Errorf("%d names were in memory at once", most)
	}
	if n.pages(3); len(n.pages(3)) > 0 || len(n.ends) >= SegmentRows {
		t.Errorf("%d names stay in memory when no more come", len(n.ends))
	}
	if err := n.load(rows+1, read); err == nil {
		t.Error("a page that lacks a name is taken")
	}
}

// A row has the name that it was given last, through checkpoints, and what it was called
// before stays nowhere.
func TestRenamed(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var n names
	var want []string
	for step := range 6000 {
		row := len(want)
		if row > 0 && random.IntN(3) > 0 {
			row = random.IntN(row)
		}
		name := strings.Repeat("n", random.IntN(9)) + strconv.Itoa(step)
		if random.IntN(4) == 0 {
			name = ""
		}
		if paged := n.set(row, []byte(name)); paged != (row < n.paged) {
			t.Fatalf("row %d of %d in pages: %t", row, n.paged, paged)
		}
		if row == len(want) {
			want = append(want, name)
		}
		want[row] = name
		if random.IntN(100) > 0 {
			continue
		}
		for row := n.first; row < len(want); row++ {
			if got := string(n.of(row)); got != want[row] {
				t.Fatalf("row %d is %q, want %q", row, got, want[row])
			}
		}
		for i := range n.ends {
			row := n.first + i
			if inText := string(n.text[n.begin(i):n.ends[i]]); inText != want[row] && strings.Trim(inText, "\x00") != "" {
				t.Fatalf("row %d is %q, and was %q, which is still there", row, want[row], inText)
			}
		}
		n.turn()
		for _, p := range n.pages(0) {
			list, err := ReadNames(p.Data)
			from := int(p.B) * SegmentRows
			if err != nil || !slices.Equal(list, want[from:from+len(list)]) {
				t.Fatalf("page %d: %q, %v, want %q", p.B, list, err, want[from:from+len(list)])
			}
		}
	}
	if n.first == 0 {
		t.Error("no page is full")
	}
}

// What a name costs that is another does not grow with how many are in no page.
func TestRenamedTail(t *testing.T) {
	var n names
	const rows, renamed = 200_000, 500
	for row := range rows {
		n.set(row, []byte("a user's name"))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for row := range renamed {
		n.set(row*7, []byte("another name"))
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / renamed; each > 10_000 {
		t.Errorf("%d bytes are allocated for each of %d names among %d", each, renamed, rows)
	}
}

// However few are looked through at a time, the same users are found, and each by
// itself.
func TestSelect(t *testing.T) {
	catalogue, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	key := stream.HashKey{1, 2}
	pl, err := plan.New(catalogue, key)
	if err != nil {
		t.Fatal(err)
	}
	timing := stream.Timing{Lateness: time.Minute, DedupWindow: time.Minute}
	p, labels, filter, sequencer := NewPartition(pl, timing, 0, 1), NewLabels(pl), pl.Events.NewFilter(), stream.NewSequencer(timing, pl.Acceptance)
	decoder, b := stream.NewDecoder(pl.Events.Schema, key), new(stream.Batch)
	b.Reset(pl.Events.Schema)
	const users = 1000
	at := int64(1_800_000_000_000)
	var data []byte
	for u := range users {
		data = fmt.Appendf(data, `{"id":"%d","time":%d,"type":"play","user_id":"u%d","channel":"c%d"}`+"\n", u, at, u, u%4)
	}
	decoder.Append(b, stream.Raw{Sequence: 1, Stamp: at, Data: data})
	decoder.Append(b, stream.Raw{Sequence: 2, Stamp: at + 5000, Data: fmt.Appendf(nil, `{"id":"x","time":%d,"type":"play","user_id":"open","channel":"c0"}`, at+5000)})
	filter.Apply(b)
	crossings := sequencer.Pass(b, nil)
	labels.Assign(b)
	p.Process(b, crossings)
	for _, texts := range []map[string]string{nil, {"channel": "c1"}} {
		want := users
		if texts != nil {
			want /= 4
		}
		for _, rows := range []int{1, 7, 100_000} {
			seen := map[string]bool{}
			for from, more := uint32(0), true; more; {
				var found []Person
				found, from, more = p.Select(Selection{In: New, Texts: texts}, from, rows, 1000)
				for _, one := range found {
					if seen[one.Name] {
						t.Fatalf("%s is found twice", one.Name)
					}
					seen[one.Name] = true
					again, ok := p.Find(key.User([]byte(one.Name)))
					if !ok || again.Ref != one.Ref {
						t.Fatalf("%s is found as %+v, %t, in the list as %+v", one.Name, again, ok, one)
					}
				}
			}
			if len(seen) != want {
				t.Errorf("%d users of %v are found by %d, want %d", len(seen), texts, rows, want)
			}
		}
	}
	if _, ok := p.Find(key.User([]byte("open"))); ok {
		t.Error("a user is found whose slice is not closed")
	}
}
