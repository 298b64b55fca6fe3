package users

import (
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A follower has what an operator follows of the partition's users.
type follower struct {
	*plan.Journey
	book  *journey.Book
	texts *carry.Texts
	rows  *factRows
	blank uint64 // the hash of a key that is as good as none

	carried []int // by text column: its place among the carried, or one of these:
	numbers []func(*journey.Fact) int64
}

// Text columns that are not carried.
const (
	journeyFact = -1 - iota
	journeyDay
)

func newFollower(p *plan.Plan, j *plan.Journey) *follower {
	f := &follower{Journey: j, book: journey.NewBook(journey.NewSessions(j.Operator.Sessions)), texts: carry.New(j.OriginColumns()), rows: newFactRows(p, j.Rows), blank: p.Text("")}
	place := 0
	for c, name := range j.Schema.Text {
		switch {
		case j.Origin[c] >= 0:
			f.carried = append(f.carried, place)
			place++
		case name == plan.DayField:
			f.carried = append(f.carried, journeyDay)
		default:
			f.carried = append(f.carried, journeyFact)
		}
	}
	for _, name := range j.Schema.Number {
		switch name {
		case kpi.DurationField:
			f.numbers = append(f.numbers, func(t *journey.Fact) int64 { return t.Duration })
		case kpi.EventsField:
			f.numbers = append(f.numbers, func(t *journey.Fact) int64 { return t.Rows * kpi.Scale })
		}
	}
	return f
}

// follow gives a row to the operators that follow it.
func (p *Partition) follow(b *stream.Batch, u *sighting) {
	for _, leg := range u.legs {
		f := p.followers[leg.Journey]
		key := b.Text[f.Key].Hash[u.row]
		if key == f.blank {
			key = 0
		}
		f.book.Add(u.ref(), journey.Row{
			Time: b.Time[u.row], Key: key, Dwell: b.Number[f.Dwell][u.row],
			Texts: f.texts.Of(b, u.row), Ends: leg.Ends,
		})
	}
}

// closeJourneys adds up what becomes known by the slices before head, and by what came
// late.
func (p *Partition) closeJourneys(head int64) {
	for _, f := range p.followers {
		f.book.Close(head)
		told := f.book.TakeFacts()
		for i := range told {
			t := &told[i]
			day := p.plan.Calendar.Day(t.Begin)
			f.rows.begin(placement{t.At, day, t.N})
			var texts []carry.Text
			if t.Texts != 0 {
				texts = f.texts.At(t.Texts)
			}
			for c, place := range f.carried {
				switch {
				case place == journeyFact:
					f.rows.say(c, f.rows.text(kpi.FactSession))
				case place == journeyDay:
					f.rows.say(c, f.rows.text(strconv.Itoa(int(day))))
				default:
					f.rows.say(c, texts[place])
				}
			}
			for c, number := range f.numbers {
				f.rows.number(c, number(&t.Fact))
			}
		}
		f.rows.addTo(p)
	}
}

// sealJourneys lets go of what is behind a second.
func (p *Partition) sealJourneys(sealed int64) {
	for _, f := range p.followers {
		f.book.Seal(sealed)
		if f.texts.Full() {
			used := make([]bool, f.texts.Numbers())
			f.book.Mark(used)
			f.texts.Keep(used)
		}
	}
}

func (p *Partition) resumeJourneys() {
	for _, f := range p.followers {
		f.book.Resume(p.sealed, p.head)
	}
}
