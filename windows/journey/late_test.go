package journey

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

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
