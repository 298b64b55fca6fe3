package queryable

import (
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A ledger of windows of plays by channel: those up to sealed change no more. It counts
// what it is asked for.
type ledger struct {
	catalogue         *kpi.Catalogue
	sealed, watermark int64
	version           uint64                  // of those that may change
	of                func(end int64) []int64 // plays by channel c0, c1 ...
	asked             []int64
}

func (l *ledger) Catalogue() *kpi.Catalogue { return l.catalogue }
func (l *ledger) Look() View                { return l }
func (l *ledger) Calendar() *kpi.Calendar   { return kpi.NewCalendar(time.UTC) }
func (l *ledger) Watermark() (int64, bool)  { return l.watermark, true }
func (l *ledger) Kept(kpi.Window) int64     { return 1 }

func (l *ledger) Live(q Question) *sample.Answer {
	const day = 24 * 60 * 60_000
	if q.Window == kpi.Today && l.watermark%day < q.Window.Step().Milliseconds() {
		return nil
	}
	return l.answer(q, l.watermark)
}

func (l *ledger) Versions(_ Question, ends []int64) []uint64 {
	out := make([]uint64, len(ends))
	for i, end := range ends {
		if end > l.sealed {
			out[i] = l.version
		}
	}
	return out
}

func (l *ledger) Windows(_ context.Context, q Question, ends []int64) iter.Seq2[*sample.Answer, error] {
	l.asked = append(l.asked, ends...)
	return func(yield func(*sample.Answer, error) bool) {
		for _, end := range ends {
			if !yield(l.answer(q, end), nil) {
				return
			}
		}
	}
}

func (l *ledger) answer(q Question, end int64) *sample.Answer {
	a := &sample.Answer{KPI: q.KPI, Window: q.Window, By: q.By, Sealed: end <= l.sealed}
	for i, n := range l.of(end) {
		if n > 0 {
			a.Samples = append(a.Samples, sample.Sample{Labels: []string{fmt.Sprint("c", i)}, Numerator: sample.Number{N: sample.Of(n), Scale: 1}})
		}
	}
	return a
}

// read is what a selector of some instants comes to: each series' samples in one text.
func (l *ledger) read(t *testing.T, c *Cache, from, to int64) (out []string) {
	t.Helper()
	q, err := New(l, c).Querier(from, to)
	if err != nil {
		t.Fatal(err)
	}
	matchers := []*labels.Matcher{labels.MustNewMatcher(labels.MatchEqual, "__name__", "kpi_plays"), labels.MustNewMatcher(labels.MatchEqual, "by", "channel"), labels.MustNewMatcher(labels.MatchEqual, "window", "1m")}
	set := q.Select(t.Context(), true, &storage.SelectHints{Start: from, End: to}, matchers...)
	for set.Next() {
		text := set.At().Labels().Get("channel")
		for it := set.At().Iterator(nil); it.Next() == chunkenc.ValFloat; {
			at, v := it.At()
			if math.IsNaN(v) {
				v = -1
			}
			text += fmt.Sprintf(" %d:%v", at/1000, v)
		}
		out = append(out, text)
	}
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCache: what is sealed is asked for once, what is not once a version, and answers are
// the same with a cache of any size as without one.
func TestCache(t *testing.T) {
	catalogue, err := kpi.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	ends := func(from, to int64) (list []int64) {
		for end := from; end <= to; end++ {
			list = append(list, end*1000)
		}
		return list
	}
	late := int64(0)
	l := &ledger{catalogue: catalogue, sealed: 60_000, watermark: 120_000, of: func(end int64) []int64 {
		n := end / 1000
		if n > 60 {
			n += late
		}
		return []int64{n, n % 3, n % 2 * 7, max(0, n-50)} // some come and go
	}}
	kept, small := NewCache(1<<20), NewCache(3000)
	for turn := range 3 {
		late, l.version = int64(turn), uint64(turn)+1
		want := l.read(t, nil, 41_000, 80_000)
		if len(want) != 4 {
			t.Fatal(want)
		}
		for name, c := range map[string]*Cache{"kept": kept, "small": small} {
			if got := l.read(t, c, 41_000, 80_000); !slices.Equal(got, want) {
				t.Errorf("%s, turn %d: got %q, want %q", name, turn, got, want)
			}
		}
	}
	l.asked = nil
	l.read(t, kept, 41_000, 80_000)
	if len(l.asked) > 0 {
		t.Errorf("asked for %d, of which nothing has changed", l.asked)
	}
	l.version++
	l.read(t, kept, 41_000, 80_000)
	if want := ends(61, 80); !slices.Equal(l.asked, want) {
		t.Errorf("asked for %d, want what is not sealed, %d", l.asked, want)
	}
	l.sealed = 100_000
	l.read(t, kept, 31_000, 80_000)
	l.asked = nil
	l.read(t, kept, 31_000, 100_000)
	if want := ends(81, 100); !slices.Equal(l.asked, want) {
		t.Errorf("asked for %d, want what was not read before, %d", l.asked, want)
	}
}

// TestCacheShared: whoever reads at the same time has what is there by the versions that it was
// told.
func TestCacheShared(t *testing.T) {
	catalogue, err := kpi.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCache(20_000)
	var readers sync.WaitGroup
	for version := range int64(4) {
		l := &ledger{catalogue: catalogue, sealed: 60_000, watermark: 120_000, version: uint64(version) + 1, of: func(end int64) []int64 {
			n := end / 1000
			if n > 60 {
				n += 1000 * version
			}
			return []int64{n, n % 3, n % 2 * 7, max(0, n-50)}
		}}
		readers.Go(func() {
			for turn := range int64(40) {
				from := 31_000 + 1000*(turn%20)
				if got, want := l.read(t, c, from, from+40_000), l.read(t, nil, from, from+40_000); !slices.Equal(got, want) {
					t.Errorf("version %d: got %q, want %q", version, got, want)
				}
			}
		})
	}
	readers.Wait()
}

// TestCacheRoom: no more is held than is told, also where each window has other series, and
// some are read again.
func TestCacheRoom(t *testing.T) {
	c, r := NewCache(1<<20), rand.New(rand.NewPCG(1, 2))
	target := &target{Question: Question{KPI: &kpi.KPI{}, By: kpi.Set{"content_id"}}, parts: []kpi.Part{kpi.ValuePart}, cache: c}
	key := target.key(target.parts)
	for end := range int64(600) {
		a := &sample.Answer{}
		for i := range 300 {
			if r.IntN(10) > 0 {
				a.Samples = append(a.Samples, sample.Sample{Labels: []string{fmt.Sprintf("v%03d", i)}, Numerator: sample.Number{N: sample.Of(1), Scale: 1}})
			}
		}
		_, names := c.find(key, []int64{end - r.Int64N(150), end - r.Int64N(150)})
		f := target.frame(a, target.parts, nil, &frame{names: names})
		if f.version = uint64(end); r.IntN(3) == 0 {
			c.remember(key, f)
		} else {
			c.keep(key, end-r.Int64N(min(end+1, 50)), f)
		}
		held, lists, known := 0, map[**name]bool{}, map[*name]bool{}
		for _, s := range c.young {
			all := slices.Clone(s.names)
			for _, f := range s.frames {
				held += frameSize + 8*len(f.values)
				if all = append(all, f.names...); !lists[&f.names[0]] {
					lists[&f.names[0]] = true
					held += listed * len(f.names)
				}
			}
			for _, n := range all {
				if !known[n] {
					known[n] = true
					held += nameSize + labelsSize
				}
			}
		}
		if held > c.size || c.size > c.room {
			t.Fatalf("window %d: %d bytes are held, %d told, of %d", end, held, c.size, c.room)
		}
	}
}
