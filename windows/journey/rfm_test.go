package journey

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
)

// newRFM are rules whose tiers are all within reach, with so many per cent of hysteresis.
func newRFM(c *kpi.Calendar, hysteresis int) *RFM {
	return NewRFM(&kpi.RFM{
		Hysteresis: hysteresis,
		Recency:    kpi.RFMCuts{1, 3, 10, 100}, Frequency: kpi.RFMCuts{2, 3, 4, 5},
		Monetary: []kpi.RFMCurrency{{Code: "CNY", Cuts: kpi.RFMCuts{1, 2, 10, 20}}, {Code: "JPY", Cuts: kpi.RFMCuts{100, 200, 1000, 2000}}},
	}, c)
}

// tiersBy ranks a user by the rows of some days, from scratch, with cuts that are looser by
// so many per cent. The orders of a user are told apart by their keys until they count no
// more.
func tiersBy(days []int32, rows []Row, day int32, loose int64) (t Tiers) {
	type order struct {
		first, last, net int64
		currency         uint8
	}
	var orders []*order
	byKey := map[uint64]*order{}
	for i, r := range rows {
		if days[i] > day {
			break
		}
		o := byKey[r.Key]
		if o != nil && int64(days[i])-o.first >= 365 || r.Key == 0 {
			o = nil
		}
		if o == nil && r.Kind%2 == 1 {
			continue
		}
		if o == nil {
			o = &order{first: int64(days[i]), currency: r.Kind / 2}
			byKey[r.Key], orders = o, append(orders, o)
		}
		if r.Kind%2 == 0 {
			o.last = int64(days[i])
		}
		if o.currency == r.Kind/2 {
			o.net += r.Numbers[0] * (1 - 2*int64(r.Kind%2))
		}
	}
	orders = slices.DeleteFunc(orders, func(o *order) bool { return int64(day)-o.first >= 365 })
	if len(orders) == 0 {
		return Tiers{}
	}
	last, sums := int64(0), [3]int64{}
	for _, o := range orders {
		last = max(last, o.last)
		sums[o.currency] += max(o.net, 0)
	}
	count := func(cuts []int64, reached func(cut int64) bool) (n uint8) {
		for _, cut := range cuts {
			if reached(cut) {
				n++
			}
		}
		return n
	}
	t.R = 1 + count([]int64{1, 3, 10, 100}, func(cut int64) bool { return 100*(int64(day)-last) <= cut*(100+loose) })
	t.F = 1 + count([]int64{2, 3, 4, 5}, func(cut int64) bool { return 100*int64(len(orders)) >= cut*(100-loose) })
	t.M = 1 + count([]int64{100, 200, 1000, 2000}, func(cut int64) bool { return 100*max(sums[0], sums[1]) >= cut*(100-loose) })
	return t
}

// tiersEach ranks a user at the end of each day from one on, up to another.
func tiersEach(days []int32, rows []Row, from, to int32, hysteresis int64) (out []Tiers) {
	var had Tiers
	for day := from; day < to; day++ {
		is, least := tiersBy(days, rows, day, 0), tiersBy(days, rows, day, hysteresis)
		had = Tiers{max(is.R, min(had.R, least.R)), max(is.F, min(had.F, least.F)), max(is.M, min(had.M, least.M))}
		out = append(out, had)
	}
	return out
}

// TestRFM: the segment on each day, by what is told of it, and the tiers, are those of
// the payments and refunds until then, and with hysteresis of the days before.
func TestRFM(t *testing.T) {
	calendar := zone(t)
	seen := map[Tiers]bool{}
	kept := 0 // days on which a tier outlasted its cut
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 3))
		hysteresis := []int{0, 10, 50}[seed%3]
		rules := newRFM(calendar, hysteresis)
		b := NewBook(rules)
		day := int32(20_000)
		var days []int32
		var rows []Row
		for range 1 + r.IntN(14) {
			if r.IntN(3) > 0 {
				day += r.Int32N([]int32{3, 20, 200, 400}[r.IntN(4)])
			}
			row := Row{Time: calendar.Start(day) + int64(len(rows)), Key: r.Uint64N(5), Numbers: NoNumbers, Kind: uint8([]int{0, 0, 0, 1, 2, 3, 4, 5}[r.IntN(8)])}
			row.Numbers[0] = r.Int64N(9) * 100
			days, rows = append(days, day), append(rows, row)
		}
		const firstDay = 19_999
		wanted := tiersEach(days, rows, firstDay, days[len(days)-1]+400, int64(hysteresis))
		told := map[int32]map[int]int64{}
		for at, day := 0, int32(19_999); day < days[len(days)-1]+400; day++ {
			for at < len(rows) && days[at] == day {
				b.Add(0, &rows[at])
				at++
			}
			head := calendar.Start(day+1) / 1000
			b.Close(head)
			for _, f := range b.TakeFacts() {
				if f.Day < day {
					t.Fatalf("seed %d: on day %d day %d changes", seed, day, f.Day)
				}
				if told[f.Day] == nil {
					told[f.Day] = map[int]int64{}
				}
				told[f.Day][int(f.Text)] += f.N
			}
			want := wanted[day-firstDay]
			if want != tiersBy(days, rows, day, 0) {
				kept++
			}
			if got := rules.Tiers(b.Before(0, head), day); got != want {
				t.Fatalf("seed %d: on day %d of %v %v, want %v", seed, day, days, got, want)
			}
			seen[want] = true
		}
		in := map[int]int64{}
		for day := int32(19_999); day < days[len(days)-1]+400; day++ {
			for segment, n := range told[day] {
				in[segment] += n
			}
			want := wanted[day-firstDay]
			for segment, name := range kpi.RFMSegments {
				if is := want.Segment() == name; in[segment] != 1 && is || in[segment] != 0 && !is {
					t.Fatalf("seed %d: on day %d of %v %d are told in %s, want %v", seed, day, days, in[segment], name, is)
				}
			}
		}
		b.Seal(calendar.Start(day+400) / 1000)
		if b.Users() != 0 {
			t.Errorf("seed %d: %d users are left", seed, b.Users())
		}
	}
	if len(seen) < 100 || kept < 1000 {
		t.Errorf("only %d tiers occur, and on %d days one outlasts its cut", len(seen), kept)
	}
}

// TestStanding: no standing is another's once it is packed.
func TestStanding(t *testing.T) {
	seen := map[uint32]standing{}
	all := []Tiers{{}}
	for n := range uint8(125) {
		all = append(all, Tiers{1 + n/25, 1 + n/5%5, 1 + n%5})
	}
	for _, before := range all {
		for _, then := range all {
			s := standing{19_000 + int32(len(seen)), before, then}
			packed := s.pack()
			if got := standingOf([]Item{{Rows: packed}}); got != s {
				t.Fatalf("%v is unpacked as %v", s, got)
			}
			seen[packed] = s
		}
	}
	if len(seen) != len(all)*len(all) {
		t.Errorf("%d of %d are packed differently", len(seen), len(all)*len(all))
	}
}

// TestRFMLate: a late refund is told as if it had come in time: with hysteresis the days
// behind it differ, too.
func TestRFMLate(t *testing.T) {
	calendar := zone(t)
	day := calendar.Day(start * 1000)
	row := func(d int32, hour int64, kind uint8, key uint64, amount int64) Row {
		return Row{Time: calendar.Start(day+d) + hour*3600_000, Kind: kind, Key: key, Numbers: [kpi.RowNumbers]int64{amount, 0}}
	}
	// 10 yuan make M 4; 8 keep it, and 4 do not.
	rows := []Row{row(0, 10, 0, 1, 1000), row(1, 10, 1, 1, 200), row(2, 10, 0, 2, 0)}
	late := row(1, 9, 1, 1, 400)
	tell := func(rows ...Row) (map[Fact]int64, Tiers) {
		b := NewBook(newRFM(calendar, 50))
		out := map[Fact]int64{}
		for _, r := range rows {
			b.Add(0, &r)
			b.Close(calendar.Start(day+3) / 1000)
			for _, f := range b.TakeFacts() {
				f.At = 0
				if out[f.Fact] += f.N; out[f.Fact] == 0 {
					delete(out, f.Fact)
				}
			}
		}
		return out, b.rules.(*RFM).Tiers(b.Before(0, b.head), day+2)
	}
	inTime, want := tell(rows[0], late, rows[1], rows[2])
	behind, got := tell(rows[0], rows[1], rows[2], late)
	if !maps.Equal(inTime, behind) || got != want || want != (Tiers{5, 2, 3}) {
		t.Errorf("late %v, %v; in time %v, %v", behind, got, inTime, want)
	}
	if _, kept := tell(rows...); kept != (Tiers{5, 2, 4}) {
		t.Errorf("without the late refund %v", kept)
	}
}

// TestRFMPast: what closed since changes nothing of a day that is over, as long as that is
// not sealed.
func TestRFMPast(t *testing.T) {
	calendar := zone(t)
	rules := newRFM(calendar, 0)
	b := NewBook(rules)
	day := calendar.Day(start * 1000)
	pay := Row{Time: start * 1000, Key: 1, Numbers: [kpi.RowNumbers]int64{1500, 0}}
	next := pay
	next.Time = calendar.Start(day+1) + 1
	next.Kind = 1 // a refund
	other := next
	other.Kind, other.Key = 0, 2
	for _, r := range []Row{pay, next, other} {
		b.Add(0, &r)
	}
	end := calendar.Start(day+1) / 1000
	b.Close(end + 60)
	for head, want := range map[int64]Tiers{end: {5, 1, 4}, end + 60: {5, 1, 1}} {
		if got := rules.Tiers(b.Before(0, head), day); got != want {
			t.Errorf("before %d: %v, want %v", head-end, got, want)
		}
	}
	if got, want := rules.Tiers(b.Before(0, end+60), day+1), (Tiers{5, 2, 4}); got != want {
		t.Errorf("a day later: %v, want %v", got, want)
	}
	// Of an order that left with the day the tiers of that day are known for one more.
	last := day + kpi.RFMDays
	b.Close(calendar.Start(last) / 1000)
	b.Seal(calendar.Start(last) / 1000)
	if got, want := rules.Tiers(b.Before(0, b.head), last-1), (Tiers{1, 2, 4}); got != want {
		t.Errorf("on the last day %v, want %v", got, want)
	}
	if got, want := rules.Tiers(b.Before(0, b.head), last), (Tiers{1, 1, 4}); got != want {
		t.Errorf("on the day behind it %v, want %v", got, want)
	}
}

// TestRFMOfMaxOrders: of too many orders the oldest counts no more.
func TestRFMOfMaxOrders(t *testing.T) {
	calendar := zone(t)
	rules := newRFM(calendar, 0)
	b := NewBook(rules)
	for i := range int64(kpi.MaxOrders + 1) {
		amount := int64(0)
		if i == 0 {
			amount = 5000
		}
		b.Add(0, &Row{Time: start*1000 + i, Key: uint64(i + 1), Numbers: [kpi.RowNumbers]int64{amount, 0}})
	}
	day := calendar.Day(start * 1000)
	b.Close(start + 2)
	items := b.Before(0, start+2)
	if got, want := rules.Tiers(items, day), (Tiers{5, 5, 1}); got != want || len(items) != kpi.MaxOrders {
		t.Errorf("%v of %d orders, want %v", got, len(items), want)
	}
}

// TestSegments: a segment is by which of the tiers are high.
func TestSegments(t *testing.T) {
	for tiers, want := range map[Tiers]string{
		{3, 3, 3}: "important_value", {5, 2, 3}: "important_development", {2, 5, 4}: "important_keeping", {1, 1, 5}: "important_recall",
		{3, 4, 2}: "general_value", {3, 2, 1}: "general_development", {2, 3, 2}: "general_keeping", {2, 2, 2}: "general_recall", {}: "",
	} {
		if got := tiers.Segment(); got != want {
			t.Errorf("%v is %q, want %q", tiers, got, want)
		}
	}
}
