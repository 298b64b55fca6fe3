package users

import (
	"math"

	"github.com/tidewatch/tidewatch/windows/journey"
)

// beginDays has the days begin that do before head: as each does, all partitions say how
// their customers stand, and go on by the same cuts.
func (p *Partition) beginDays(number int, rfm *journey.RFM, head int64) {
	calendar, f := p.plan.Calendar, p.followers[number]
	if f.book.Loading() {
		return // what began was read with the rest
	}
	today := calendar.Day(head * 1000)
	first, oldest := today, int32(math.MinInt32)
	if p.head != math.MinInt64 {
		first = calendar.Day(p.head*1000) + 1
	}
	if p.sealed != math.MinInt64 {
		oldest = calendar.Day(p.sealed*1000) - 2
	}
	for day := first; day <= today; day++ {
		begins := calendar.Start(day)
		if begins == calendar.Start(day+1) {
			continue // the zone skipped the date
		}
		f.book.Close(begins / 1000)
		round := uint64(day)<<8 | uint64(number)
		rfm.Begin(f.book, day, p.Exchange.Share(round, p.of, rfm.Ranks(f.book, day)), oldest)
	}
}

// appendCuts writes the cuts of each operator that finds them by day.
func (p *Partition) appendCuts(b []byte) []byte {
	for _, f := range p.followers {
		if rfm, is := f.rules.(*journey.RFM); is && rfm.Daily() {
			b = rfm.AppendCuts(b)
		}
	}
	return b
}
