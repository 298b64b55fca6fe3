package journey

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
)

// TestFifths: a fifth each by nearest rank, as far as equals let them.
func TestFifths(t *testing.T) {
	for _, tt := range []struct {
		values []int64
		want   [4]int64
	}{
		{[]int64{7}, [4]int64{7, 7, 7, 7}},
		{[]int64{1, 2}, [4]int64{1, 1, 2, 2}},
		{[]int64{10, 20, 30, 40, 50}, [4]int64{10, 20, 30, 40}},
		{[]int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, [4]int64{3, 5, 7, 9}},
		{[]int64{1, 1, 1, 1, 1, 1, 2, 9}, [4]int64{1, 1, 1, 2}},
	} {
		counts := map[int64]int64{}
		for _, v := range tt.values {
			counts[v]++
		}
		if got, some := fifths(counts); got != tt.want || !some {
			t.Errorf("%v: %v, want %v", tt.values, got, tt.want)
		}
	}
	if _, some := fifths(nil); some {
		t.Error("nobody has fifths")
	}
}

// A buyer is a user of TestQuintiles, with rows by day.
type buyer struct {
	days []int32
	rows []Row
}

// TestQuintiles: by however many books, and with rows that come late, each day has its
// customers in the segments that the fifths of all of them give, by what was known as the
// day began.
func TestQuintiles(t *testing.T) {
	calendar := zone(t)
	seen := map[Tiers]bool{}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 5))
		const first, days = int32(20_000), 60
		o := &kpi.RFM{Quintiles: true, Recency: kpi.RFMCuts{1, 3, 10, 100}, Frequency: kpi.RFMCuts{2, 3, 4, 5}, Monetary: []kpi.RFMCurrency{{Code: "CNY", Cuts: kpi.RFMCuts{1, 2, 10, 20}}}}
		books := make([]*Book, 1+r.IntN(3))
		rules := make([]*RFM, len(books))
		for i := range books {
			rules[i] = NewRFM(o, calendar)
			books[i] = NewBook(rules[i])
		}
		buyers := make([]buyer, 1+r.IntN(25))
		told := map[int32]map[uint8]int64{}
		of := map[int32]*rfmCuts{} // by day
		for day := first; day < first+days; day++ {
			var ranks []Ranks
			for i, b := range books {
				b.Close(calendar.Start(day) / 1000)
				ranks = append(ranks, rules[i].Ranks(b, day))
			}
			of[day] = fifthsOf(buyers, day)
			for i, b := range books {
				rules[i].Begin(b, day, ranks, day-3)
				if got, _ := rules[i].cutsOn(day); !alike(got, of[day]) {
					t.Fatalf("seed %d: cuts of day %d are %v, want %v", seed, day, got, of[day])
				}
			}
			for u := range buyers {
				for range r.IntN(10) / 8 {
					// Late on the day before, now and then.
					on := max(day-int32(r.IntN(8)/7), first)
					row := Row{Time: calendar.Start(on) + r.Int64N(80_000_000), Key: r.Uint64N(5), Numbers: NoNumbers, Kind: uint8([]int{0, 0, 0, 1, 2}[r.IntN(5)])}
					row.Numbers[0] = r.Int64N(9) * 100
					books[u%len(books)].Add(uint32(u), &row)
					place, _ := slices.BinarySearchFunc(buyers[u].rows, row.Time+1, func(a Row, at int64) int { return int(a.Time - at) })
					buyers[u].rows = slices.Insert(buyers[u].rows, place, row)
					buyers[u].days = slices.Insert(buyers[u].days, place, on)
				}
			}
			for i, b := range books {
				b.Close(calendar.Start(day+1) / 1000)
				for _, f := range b.TakeFacts() {
					if told[f.Day] == nil {
						told[f.Day] = map[uint8]int64{}
					}
					told[f.Day][f.Text] += f.N
				}
				for u := i; u < len(buyers); u += len(books) {
					got := rules[i].Tiers(b.Before(uint32(u), b.head), day)
					seen[got] = true
					if want := rankedBy(&buyers[u], day, of[day]); got != want {
						t.Fatalf("seed %d: day %d: %v, want %v", seed, day, got, want)
					}
				}
				b.Seal(calendar.Start(day-1) / 1000)
			}
		}
		// What is told of a day, rows that came late in it, adds up to who is where.
		in := map[uint8]int64{}
		for day := first; day < first+days; day++ {
			for segment, n := range told[day] {
				in[segment] += n
			}
			is := map[uint8]int64{}
			for u := range buyers {
				if tiers := rankedBy(&buyers[u], day, of[day]); tiers != (Tiers{}) {
					is[uint8(tiers.segment())]++
				}
			}
			for segment := range uint8(8) {
				if in[segment] != is[segment] {
					t.Fatalf("seed %d: day %d has %d in %s, want %d", seed, day, in[segment], kpi.RFMSegments[segment], is[segment])
				}
			}
		}
		// They are known again from a checkpoint.
		again := NewRFM(o, calendar)
		r2 := codec.NewReader(rules[0].AppendCuts(nil))
		if again.ReadCuts(r2); r2.Err() != nil || r2.Len() > 0 || len(again.days) != len(rules[0].days) {
			t.Fatalf("seed %d: %d days are read, %v", seed, len(again.days), r2.Err())
		}
		for i, d := range again.days {
			if was := rules[0].days[i]; d.day != was.day || !alike(d.cuts, was.cuts) {
				t.Fatalf("seed %d: %v is read as %v", seed, was, d)
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("only %d tiers occur", len(seen))
	}
}

func alike(a, b *rfmCuts) bool {
	return a.recency == b.recency && a.frequency == b.frequency && slices.Equal(a.monetary, b.monetary)
}

// standsOf are the days since the last payment, the orders and the amount in the currency
// with cuts of a user as of a day, by rows up to another one, -1 of none.
func standsOf(u *buyer, day, upTo int32) (since, orders, amount int64) {
	t := buyerTally{byKey: map[uint64]*buyerOrder{}}
	for i, r := range u.rows {
		if u.days[i] <= upTo {
			t.add(r, int64(u.days[i]))
		}
	}
	since, amount = math.MaxInt64, -1
	for _, o := range t.orders {
		orders++
		since = min(since, int64(day)-o.last)
		if o.currency == 0 {
			amount = max(amount, 0) + max(o.net, 0)
		}
	}
	return since, orders, amount
}

type buyerOrder struct {
	last, net int64
	currency  uint8
}

type buyerTally struct {
	orders []*buyerOrder
	byKey  map[uint64]*buyerOrder
}

func (t *buyerTally) add(r Row, day int64) {
	o := t.byKey[r.Key]
	if r.Key == 0 {
		o = nil
	}
	if o == nil {
		if r.Kind%2 == 1 {
			return
		}
		o = &buyerOrder{currency: r.Kind / 2}
		t.byKey[r.Key], t.orders = o, append(t.orders, o)
	}
	if r.Kind%2 == 0 {
		o.last = day
	}
	if o.currency == r.Kind/2 {
		o.net += r.Numbers[0] * (1 - 2*int64(r.Kind%2))
	}
}

// fifthsOf are the cuts of a day, by sorting all; the fixed ones without customers.
func fifthsOf(buyers []buyer, day int32) *rfmCuts {
	var since, orders, amounts []int64
	for i := range buyers {
		s, o, a := standsOf(&buyers[i], day, day-1)
		if o == 0 {
			continue
		}
		since, orders = append(since, s), append(orders, o)
		if a >= 0 {
			amounts = append(amounts, a)
		}
	}
	out := &rfmCuts{[4]int32{1, 3, 10, 100}, [4]int64{2, 3, 4, 5}, [][4]int64{{100, 200, 1000, 2000}}}
	if len(since) == 0 {
		return out
	}
	point := func(values []int64, k int) int64 {
		slices.Sort(values)
		return values[int(math.Ceil(float64(k*len(values))/5))-1]
	}
	for k := range 4 {
		out.recency[k] = int32(point(since, k+1))
		out.frequency[k] = point(orders, k+1) + 1
		if len(amounts) > 0 {
			out.monetary[0][k] = point(amounts, k+1) + 1
		}
	}
	return out
}

// rankedBy are a user's tiers at the end of a day by cuts.
func rankedBy(u *buyer, day int32, cuts *rfmCuts) Tiers {
	since, orders, amount := standsOf(u, day, day)
	if orders == 0 {
		return Tiers{}
	}
	out := Tiers{1, 1, 1}
	for k := range 4 {
		if since <= int64(cuts.recency[k]) {
			out.R++
		}
		if orders >= cuts.frequency[k] {
			out.F++
		}
		if amount >= cuts.monetary[0][k] {
			out.M++
		}
	}
	return out
}

// BenchmarkBegin is what a customer with some orders costs as a day begins.
func BenchmarkBegin(b *testing.B) {
	calendar := kpi.NewCalendar(time.UTC)
	rules := NewRFM(&kpi.RFM{Quintiles: true, Recency: kpi.RFMCuts{7, 14, 30, 90}, Frequency: kpi.RFMCuts{2, 3, 5, 10}, Monetary: []kpi.RFMCurrency{{Code: "CNY", Cuts: kpi.RFMCuts{50, 200, 500, 2000}}}}, calendar)
	book := NewBook(rules)
	const customers, first, days = 50_000, int32(20_000), 90
	r := rand.New(rand.NewPCG(1, 2))
	for user := range uint32(customers) {
		for order := range 1 + r.Uint64N(8) {
			row := Row{Time: calendar.Start(first + r.Int32N(days)), Key: order + 1, Numbers: NoNumbers}
			row.Numbers[0] = 1000 + r.Int64N(500_000)
			book.Add(user, &row)
		}
	}
	day := first + days
	book.Close(calendar.Start(day) / 1000)
	book.TakeFacts()
	b.ReportAllocs()
	for b.Loop() {
		rules.Begin(book, day, []Ranks{rules.Ranks(book, day)}, day-2)
		book.TakeFacts()
		day++
		book.Close(calendar.Start(day) / 1000)
		book.TakeFacts()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/customers, "ns/customer")
}
