package journey

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// TestLateBehindJoin: what a user gets by a join is there for a row of the instant at which
// the next second begins, be it late or not, and rows that come late then find their way past
// it.
func TestLateBehindJoin(t *testing.T) {
	calendar := kpi.NewCalendar(time.UTC)
	const head = int64(start)
	play := func(late bool) net {
		from := NewBook(NewOrders(calendar))
		from.Add(1, &Row{Time: (head - 5) * 1000, Key: 7, Numbers: NoNumbers, Kind: Pay})
		b, told := NewBook(NewOrders(calendar)), net{}
		b.every = 1
		b.Add(0, &Row{Time: (head - 4) * 1000, Key: 8, Numbers: NoNumbers, Kind: Pay})
		from.Close(head)
		b.Close(head)
		b.Join(0, from.Leave(1, head*1000-1))
		refund := &Row{Time: head * 1000, Key: 7, Numbers: NoNumbers, Kind: Refund}
		if late {
			b.Close(head + 1)
			b.Add(0, refund)
		} else {
			b.Add(0, refund)
		}
		b.Close(head + 2)
		told.take(b)
		b.Seal(head)
		b.Add(0, &Row{Time: head*1000 + 500, Key: 8, Numbers: NoNumbers, Kind: Refund})
		b.Close(head + 3)
		told.take(b)
		b.Leave(0, (head+3)*1000-1)
		return told
	}
	if onTime, late := play(false), play(true); len(onTime) == 0 || !equalNets(onTime, late) {
		t.Errorf("on time %v, late %v", onTime, late)
	}
}

// TestRobot: many rows of one user that come late together change what they would have changed
// one by one on time, with as few marks as rows.
func TestRobot(t *testing.T) {
	calendar := kpi.NewCalendar(time.UTC)
	for name, rules := range map[string]Rules{"sessions": NewSessions(&kpi.Sessions{Gap: time.Minute}, calendar), "orders": NewOrders(calendar)} {
		r := rand.New(rand.NewPCG(1, 2))
		ordered, told := NewBook(rules), net{}
		shuffled, again := NewBook(rules), net{}
		var late []Row
		for i := range int64(20_000) {
			row := Row{Time: start*1000 + i*20, Key: r.Uint64N(200), Numbers: NoNumbers, Kind: uint8(r.IntN(2))}
			ordered.Add(0, &row)
			if i%50 == 0 {
				late = append(late, row)
				continue
			}
			shuffled.Add(0, &row)
		}
		head := int64(start + 500)
		ordered.Close(head)
		shuffled.Close(head)
		r.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
		for i := range late {
			if shuffled.Add(0, &late[i]); i%100 == 99 {
				shuffled.Close(head)
			}
		}
		told.take(ordered)
		again.take(shuffled)
		if len(told) == 0 || !equalNets(told, again) {
			t.Errorf("%s: in order %d facts, else %d", name, len(told), len(again))
		}
		items, rows := 0, int32(0)
		u := shuffled.user(0)
		for _, m := range u.marks() {
			items, rows = items+len(m.items), rows+m.rows
		}
		if rows+u.tail != u.unsealed || u.unsealed != 20_000 || items > int(2*u.unsealed) {
			t.Errorf("%s: %d rows in stretches and %d behind them, of %d; %d items", name, rows, u.tail, u.unsealed, items)
		}
	}
}

// BenchmarkLate takes in rows that come late of a user who has 100,000 that are not sealed, as
// a robot has, at any time of them: what changes a session does so up to its end, while the
// last click is that of the next row again.
func BenchmarkLate(b *testing.B) {
	calendar := kpi.NewCalendar(time.UTC)
	b.Run("sessions", func(b *testing.B) { benchmarkLate(b, NewSessions(&kpi.Sessions{Gap: time.Minute}, calendar)) })
	b.Run("attribution", func(b *testing.B) {
		benchmarkLate(b, NewAttribution(&kpi.Attribution{Click: kpi.Touch{Within: time.Hour}}, calendar))
	})
}

func benchmarkLate(b *testing.B, rules Rules) {
	const rows, perSecond = 100_000, 200
	book := NewBook(rules)
	kind := Going
	if _, is := rules.(*Attribution); is {
		kind = Clicking
	}
	at := func(i int) int64 { return start*1000 + int64(i)*1000/perSecond }
	for i := range rows {
		book.Add(0, &Row{Time: at(i), Numbers: NoNumbers, Kind: kind})
	}
	head := int64(start + rows/perSecond)
	book.Close(head)
	for i := 0; b.Loop(); i++ {
		book.Add(0, &Row{Time: at(i * 7919 % rows), Numbers: NoNumbers, Kind: kind})
		book.Close(head)
		book.TakeFacts()
	}
}
