package journey

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
)

func zone(t testing.TB) *kpi.Calendar {
	t.Helper()
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return kpi.NewCalendar(loc)
}

// start is midnight in Shanghai, Unix seconds.
const start = 1_773_504_000

// net is what a book told, facts that were taken back left out.
type net map[Fact]int64

func (n net) take(b *Book) {
	for _, f := range b.TakeFacts() {
		if n[f.Fact] += f.N; n[f.Fact] == 0 {
			delete(n, f.Fact)
		}
	}
}

// TestOrderOfArrival: rows that come late, within what is not sealed, come to the
// same as rows in order, whatever is closed, sealed and restored meanwhile; and
// nothing is left of users whose sessions are over.
func TestOrderOfArrival(t *testing.T) {
	calendar := zone(t)
	funnel := func(mode kpi.FunnelMode) Rules {
		return NewFunnel(&kpi.Funnel{Steps: make([]kpi.Step, 5), Window: 3 * time.Minute, Mode: mode}, calendar)
	}
	for name, of := range map[string]struct {
		rules Rules
		keys  uint64
	}{
		"sessions":                 {NewSessions(&kpi.Sessions{Gap: time.Minute}, calendar), 3},
		"orders":                   {NewOrders(calendar), 3},
		"sequential funnel":        {funnel(kpi.Sequential), 1},
		"sequential funnel, held":  {funnel(kpi.Sequential), 3},
		"strict funnel":            {funnel(kpi.Strict), 1},
		"strict funnel, held":      {funnel(kpi.Strict), 3},
		"funnel in any order":      {funnel(kpi.AnyOrder), 1},
		"held funnel in any order": {funnel(kpi.AnyOrder), 3},
		"rfm":                      {newRFM(calendar, 0), 3},
		"rfm with hysteresis":      {newRFM(calendar, 50), 3},
		"attribution": {NewAttribution(&kpi.Attribution{
			Click: kpi.Touch{Within: 3 * time.Minute}, View: &kpi.Touch{Within: time.Minute}, Once: true,
		}, calendar), 3},
		"retention":            {NewRetention(&kpi.Retention{After: []int{1, 3}}, calendar), 1},
		"rolling retention":    {NewRetention(&kpi.Retention{After: []int{1, 3}, Rolling: true}, calendar), 1},
		"retention of the new": {NewRetention(&kpi.Retention{After: []int{1, 3}, First: true}, calendar), 1},
		"plays":                {NewPlays(&kpi.Plays{Gap: time.Minute}, calendar), 3},
	} {
		rules := of.rules
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(40) {
				r := rand.New(rand.NewPCG(seed, 7))
				ordered, told := NewBook(rules), net{}
				shuffled, again := NewBook(rules), net{}
				shuffled.every = 1 + r.IntN(5)
				var now int64 = start
				for range 300 {
					now += r.Int64N(20)
					if r.IntN(30) == 0 {
						now += r.Int64N(40 * 86400)
					}
					// Rows of the last minute, in order and not.
					var rows []lateRow
					for range r.IntN(5) {
						rows = append(rows, lateRow{uint32(r.IntN(3)) << 24, Row{
							Time: (now-r.Int64N(60))*1000 + 250*r.Int64N(4), Key: r.Uint64N(of.keys), Numbers: [kpi.RowNumbers]int64{r.Int64N(900), stream.Missing, r.Int64N(900)}, Kind: uint8(r.IntN(5)),
						}})
					}
					for _, row := range rows {
						shuffled.Add(row.ref, &row.Row)
					}
					slices.SortStableFunc(rows, func(a, b lateRow) int { return int(a.Time - b.Time) })
					for _, row := range rows {
						ordered.Add(row.ref, &row.Row)
					}
					head := now - r.Int64N(60)
					shuffled.Close(max(head, shuffled.head))
					shuffled.Seal(now - 120)
					again.take(shuffled)
					if r.IntN(20) == 0 {
						shuffled = restored(t, rules, shuffled)
					}
				}
				end := now + 402*86400
				for _, b := range []*Book{ordered, shuffled} {
					b.Close(end)
					b.Seal(end)
				}
				told.take(ordered)
				again.take(shuffled)
				if len(told) == 0 || !equalNets(told, again) {
					t.Fatalf("seed %d: in order %d facts, else %d", seed, len(told), len(again))
				}
				if ordered.Users() != 0 || shuffled.Users() != 0 {
					t.Errorf("seed %d: %d and %d users are left", seed, ordered.Users(), shuffled.Users())
				}
			}
		})
	}
}

func equalNets(a, b net) bool {
	if len(a) != len(b) {
		return false
	}
	for f, n := range a {
		if b[f] != n {
			return false
		}
	}
	return true
}

// restored is a book as its pages have it.
func restored(t *testing.T, rules Rules, b *Book) *Book {
	t.Helper()
	texts := carry.New(nil, nil)
	l := Loader{Book: NewBook(rules), Texts: carry.NewReading(texts, func(string) uint64 { return 0 })}
	l.every = b.every
	for _, s := range b.slices {
		s.saved = 0 // as in a journal of all sections
	}
	b.Begin()
	l.Fresh(codec.NewReader(b.EncodeFresh(nil, texts, func(uint32, uint32) {})), func(_, second uint32) bool { return int64(second) >= b.sealed })
	for shard := range 3 {
		if data := b.EncodeShard(shard, texts); data != nil {
			if err := l.Shard(shard, 1, data); err != nil {
				t.Fatal(err)
			}
		}
	}
	l.Late(codec.NewReader(b.EncodeLate(nil, texts)), func(uint32) bool { return true })
	l.Resume(b.sealed, b.head, func(uint32) bool { return false })
	return l.Book
}

// TestPages: what is cut off or names what is not there is an error.
func TestPages(t *testing.T) {
	b, texts := NewBook(NewOrders(zone(t))), carry.New(nil, nil)
	for i := range int64(5) {
		b.Add(0, &Row{Time: start*1000 + i, Key: uint64(i), Numbers: NoNumbers, Kind: Pay})
	}
	b.Begin()
	fresh := b.EncodeFresh(nil, texts, func(uint32, uint32) {})
	b.Close(start + 1)
	b.Seal(start + 1)
	shard := b.EncodeShard(0, texts)
	loader := func() Loader {
		return Loader{Book: NewBook(NewOrders(zone(t))), Texts: carry.NewReading(carry.New(nil, nil), func(string) uint64 { return 0 })}
	}
	whole := func(data []byte) error {
		r := codec.NewReader(data)
		loader().Fresh(r, func(uint32, uint32) bool { return true })
		return r.Err()
	}
	if err := cmp.Or(loader().Shard(0, 1, shard), whole(fresh)); err != nil {
		t.Fatal(err)
	}
	smallest := NewBook(NewOrders(zone(t)))
	for i := range int64(5) {
		smallest.Add(0, &Row{Time: start*1000 + i, Numbers: NoNumbers, Kind: Pay})
	}
	smallest.Begin()
	if err := whole(smallest.EncodeFresh(nil, texts, func(uint32, uint32) {})); err != nil {
		t.Errorf("rows without a key, numbers and texts: %v", err)
	}
	if loader().Shard(0, 0, shard) == nil {
		t.Error("a user that the shard does not have is read")
	}
	for n := range shard {
		if loader().Shard(0, 1, shard[:n]) == nil {
			t.Errorf("%d of %d bytes of a shard are read", n, len(shard))
		}
	}
	for n := range fresh {
		if whole(fresh[:n]) == nil {
			t.Errorf("%d of %d bytes of rows are read", n, len(fresh))
		}
	}
}

// TestPayers: the days on which somebody is a payer are those with so many orders among
// the last days.
func TestPayers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	calendar := zone(t)
	for range 500 {
		var days []int32
		for range r.IntN(7) {
			days = append(days, 20_000+r.Int32N(80))
		}
		slices.Sort(days)
		b := NewBook(NewOrders(calendar))
		for i, day := range days {
			b.Add(0, &Row{Time: calendar.Start(day) + int64(i), Key: uint64(i % 5), Numbers: NoNumbers, Kind: Pay})
		}
		b.Close(calendar.Start(20_200) / 1000)
		told := [2]map[int32]int64{{}, {}}
		for _, f := range b.TakeFacts() {
			if f.Kind == payer || f.Kind == repeatPayer {
				told[f.Kind-payer][f.Day] += f.N
			}
		}
		paid := map[uint64]bool{} // an order is paid once, however often
		var orders []int32
		for i, day := range days {
			if key := uint64(i % 5); key == 0 || !paid[key] {
				orders = append(orders, day)
				paid[key] = true
			}
		}
		for times := range 2 {
			var in int64
			for day := int32(20_000); day < 20_150; day++ {
				in += told[times][day]
				n := 0
				for _, d := range orders {
					if d <= day && d > day-kpi.OrderDays {
						n++
					}
				}
				if (in == 1) != (n > times) || in < 0 || in > 1 {
					t.Fatalf("%v, %d times: on day %d it says %d, there are %d", days, times, day, in, n)
				}
			}
		}
	}
}

// TestRestartAroundTheEnd: who is restored between the end of an order and the moment at
// which that is sealed is forgotten, too.
func TestRestartAroundTheEnd(t *testing.T) {
	calendar := zone(t)
	b := NewBook(NewOrders(calendar))
	day := calendar.Day(start * 1000)
	b.Add(0, &Row{Time: start * 1000, Key: 1, Numbers: NoNumbers, Kind: Pay})
	end := calendar.Start(day+kpi.OrderDays+1) / 1000
	b.Close(end + 60)
	b.Seal(end - 60)
	b = restored(t, NewOrders(calendar), b)
	b.Close(end + 86400)
	b.Seal(end + 86400)
	if b.Users() != 0 {
		t.Errorf("%d users are left", b.Users())
	}
}

// TestMaxOrders: of too many orders the oldest is forgotten.
func TestMaxOrders(t *testing.T) {
	b := NewBook(NewOrders(zone(t)))
	for i := range int64(kpi.MaxOrders + 1) {
		b.Add(0, &Row{Time: start*1000 + i, Key: uint64(i + 1), Numbers: NoNumbers, Kind: Pay})
	}
	for _, key := range []uint64{1, 2} {
		b.Add(0, &Row{Time: start*1000 + 5000, Key: key, Numbers: NoNumbers, Kind: Refund})
	}
	b.Close(start + 10)
	n := map[uint8]int64{}
	for _, f := range b.TakeFacts() {
		n[f.Kind] += f.N
	}
	if n[paid] != kpi.MaxOrders+1 || n[unmatched] != 1 || n[refund] != 1 {
		t.Errorf("%d paid, %d unmatched, %d refunded", n[paid], n[unmatched], n[refund])
	}
}

// TestWords: kinds of rows and facts are places among the words of definitions.
func TestWords(t *testing.T) {
	for kind, event := range map[uint8]string{Order: "order", Pay: "pay", Refund: "refund", Cancel: "cancel", Settle: "settle"} {
		if kpi.OrderEvents[kind] != event {
			t.Errorf("%d is %s, want %s", kind, kpi.OrderEvents[kind], event)
		}
	}
	for kind, fact := range map[uint8]string{
		created: "created", cancelled: "cancelled", paid: "paid", payment: "payment", refunded: "refunded", refund: "refund",
		settlement: "settlement", unmatched: "unmatched", payer: "payer", repeatPayer: "repeat_payer",
	} {
		if kpi.OrderFacts[kind] != fact {
			t.Errorf("%d is %s, want %s", kind, kpi.OrderFacts[kind], fact)
		}
	}
	for kind, fact := range map[uint8]string{conversion: "conversion", touched: "touched", touchPayment: "payment", touchRefund: "refund", unattributed: "unattributed"} {
		if kpi.AttributionFacts[kind] != fact {
			t.Errorf("%d is %s, want %s", kind, kpi.AttributionFacts[kind], fact)
		}
	}
	for kind, touch := range map[uint8]string{click: "click", view: "view"} {
		if kpi.Touches[kind] != touch {
			t.Errorf("%d is %s, want %s", kind, kpi.Touches[kind], touch)
		}
	}
}
