package journey

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// dayCuts are the cuts of a business day, and of those behind it as long as none of theirs
// are known.
type dayCuts struct {
	day  int32
	cuts *rfmCuts
}

// Daily reports whether the cuts are found for each day, by Begin.
func (f *RFM) Daily() bool { return f.daily }

// cutsOn are the cuts of a day, and since when they hold.
func (f *RFM) cutsOn(day int32) (cuts *rfmCuts, since int32) {
	for _, d := range slices.Backward(f.days) {
		if d.day <= day {
			return d.cuts, d.day
		}
	}
	return &f.cuts, math.MinInt32
}

// keepOn are the cuts that a tier is kept by on a day, and since when they hold.
func (f *RFM) keepOn(day int32) (cuts *rfmCuts, since int32) {
	if f.loose != nil {
		return f.loose, math.MinInt32
	}
	return f.cutsOn(day)
}

// Ranks are how many customers there are of each number of days since their last payment,
// of each number of orders, and by currency of each amount in it.
type Ranks []map[int64]int64

// Where what stands among Ranks.
const (
	byRecency = iota
	byFrequency
	byAmount // of the first currency with cuts
)

func (f *RFM) newRanks() Ranks {
	r := make(Ranks, byAmount+len(f.codes))
	for i := range r {
		r[i] = map[int64]int64{}
	}
	return r
}

// Ranks are those of a book's users as a day begins, once what is before it is closed.
func (f *RFM) Ranks(b *Book, day int32) Ranks {
	out := f.newRanks()
	b.visit(func(items []Item) {
		t := tallyOf(items, day)
		if t.orders == 0 {
			return
		}
		out[byRecency][int64(day-t.last)]++
		out[byFrequency][t.orders]++
		for currency := range f.codes {
			if t.paid>>currency&1 == 1 {
				out[byAmount+currency][t.amounts[currency]]++
			}
		}
	})
	return out
}

// Begin has a day begin for a book's users, which stood so as it did, by all books
// together. What differs by its cuts on the days from it on is told. Cuts are kept that may
// still be asked for, from a day on.
func (f *RFM) Begin(b *Book, day int32, all []Ranks, oldest int32) {
	old := f.days
	fresh := append(slices.Clip(old), dayCuts{day, f.quintiles(all)})
	at, sum := f.calendar.Start(day)/1000-1, map[Fact]int64{}
	b.visit(func(items []Item) {
		for len(items) > 0 && !counts(&items[0], day) {
			items = items[1:]
		}
		f.days = old
		f.before = f.stretches(f.before[:0], items, day, Tiers{})
		f.days = fresh
		f.after = f.stretches(f.after[:0], items, day, Tiers{})
		f.tellChange(at, func(fact Fact, n int64) { sum[fact] += n })
	})
	for fact, n := range sum {
		if n != 0 {
			b.tell(fact, n)
		}
	}
	for len(fresh) > 1 && fresh[1].day <= oldest {
		fresh = fresh[1:]
	}
	f.days = fresh
}

// quintiles are the cuts by which a fifth of the customers each has a tier, as far as
// equals let them: a tier is left behind by more than what a fifth, two, three and four of
// them have at most.
func (f *RFM) quintiles(all []Ranks) *rfmCuts {
	sum := f.newRanks()
	for _, ranks := range all {
		for i := range ranks {
			for value, n := range ranks[i] {
				sum[i][value] += n
			}
		}
	}
	out := rfmCuts{recency: f.cuts.recency, frequency: f.cuts.frequency, monetary: slices.Clone(f.cuts.monetary)}
	if points, some := fifths(sum[byRecency]); some {
		for i, days := range points {
			out.recency[i] = int32(days)
		}
	}
	beyond := func(cuts *[4]int64, of map[int64]int64) {
		if points, some := fifths(of); some {
			for i, most := range points {
				cuts[i] = most + 1
			}
		}
	}
	beyond(&out.frequency, sum[byFrequency])
	for currency := range out.monetary {
		beyond(&out.monetary[currency], sum[byAmount+currency])
	}
	return &out
}

// fifths are what a fifth, two, three and four of a number of values are at most, by
// nearest rank.
func fifths(counts map[int64]int64) (points [4]int64, some bool) {
	var n, passed int64
	for _, of := range counts {
		n += of
	}
	k := 0
	for _, value := range slices.Sorted(maps.Keys(counts)) {
		for passed += counts[value]; k < len(points) && 5*passed >= int64(k+1)*n; k++ {
			points[k] = value
		}
	}
	return points, n > 0
}

// visit shows the items of each user as of what is closed.
func (b *Book) visit(show func(items []Item)) {
	for p := range uint32(b.n) {
		b.pause(1)
		if u := b.user(p); !u.gone && len(u.now) > 0 {
			show(u.now)
		}
	}
}

// AppendCuts writes the cuts of days: a list of days, varints, each with its cuts of
// recency, of frequency and of each currency, four varints each.
func (f *RFM) AppendCuts(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(f.days)))
	for _, d := range f.days {
		b = binary.AppendVarint(b, int64(d.day))
		for _, cut := range d.cuts.recency {
			b = binary.AppendVarint(b, int64(cut))
		}
		for _, cuts := range append([][4]int64{d.cuts.frequency}, d.cuts.monetary...) {
			for _, cut := range cuts {
				b = binary.AppendVarint(b, cut)
			}
		}
	}
	return b
}

// ReadCuts reads what AppendCuts wrote.
func (f *RFM) ReadCuts(r *codec.Reader) {
	f.days = nil
	four := func() (cuts [4]int64) {
		for i := range cuts {
			cuts[i] = r.Varint()
		}
		return cuts
	}
	for range r.Count(9) {
		d := dayCuts{int32(r.Varint()), &rfmCuts{}}
		for i, cut := range four() {
			d.cuts.recency[i] = int32(cut)
		}
		d.cuts.frequency = four()
		for range f.codes {
			d.cuts.monetary = append(d.cuts.monetary, four())
		}
		f.days = append(f.days, d)
	}
}
