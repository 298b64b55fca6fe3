package users

import (
	"cmp"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// A follower has what an operator follows of the partition's users.
type follower struct {
	*plan.Journey
	rules journey.Rules
	book  *journey.Book
	texts *carry.Texts
	rows  *factRows
	blank uint64 // the hash of a key that is as good as none

	columns []func(*journey.Fact) carry.Text // by text column
	numbers []func(*journey.Fact) int64      // by number column
}

func newFollower(p *plan.Plan, j *plan.Journey) *follower {
	rules := rulesOf(j.Operator, p.Calendar)
	f := &follower{Journey: j, rules: rules, book: journey.NewBook(rules), texts: carry.New(j.OriginColumns(), j.About), rows: newFactRows(p, j.Rows), blank: p.Text("")}
	place := 0
	for c, name := range j.Schema.Text {
		if j.Origin[c] < 0 {
			f.columns = append(f.columns, f.own(name))
			continue
		}
		f.columns = append(f.columns, f.carried(name, place))
		place++
	}
	for _, name := range j.Schema.Number {
		f.numbers = append(f.numbers, numberOf(j.Operator, name))
	}
	return f
}

func rulesOf(o *kpi.Operator, c *kpi.Calendar) journey.Rules {
	switch j := o.Journey.(type) {
	case *kpi.Sessions:
		return journey.NewSessions(j, c)
	case *kpi.Orders:
		return journey.NewOrders(c)
	case *kpi.Plays:
		return journey.NewPlays(j, c)
	case *kpi.RFM:
		return journey.NewRFM(j, c)
	case *kpi.Attribution:
		return journey.NewAttribution(j, c)
	case *kpi.Funnel:
		return journey.NewFunnel(j, c)
	case *kpi.Retention:
		return journey.NewRetention(j, c)
	}
	panic("users: no rules for operator " + o.Name)
}

// own is a text that facts have by themselves.
func (f *follower) own(name string) func(*journey.Fact) carry.Text {
	kinds := f.Operator.Journey.FactNames()
	switch name {
	case kpi.FactField:
		names := f.ready(kinds)
		return func(t *journey.Fact) carry.Text { return names[t.Kind] }
	case plan.DayField:
		return func(t *journey.Fact) carry.Text { return f.rows.dayText(t.Day) }
	}
	var texts [][]carry.Text // by kind
	for _, kind := range kinds {
		texts = append(texts, f.ready(f.Operator.FactText(kind, name)))
	}
	return func(t *journey.Fact) carry.Text {
		switch of := texts[t.Kind]; len(of) {
		case 0:
			return carry.Text{}
		case 1:
			return of[0]
		default:
			return of[t.Text]
		}
	}
}

// ready are texts that facts have by themselves.
func (f *follower) ready(texts []string) (out []carry.Text) {
	for _, text := range texts {
		out = append(out, f.rows.text(text))
	}
	return out
}

// carried is a text that has a place among those that facts carry.
func (f *follower) carried(name string, place int) func(*journey.Fact) carry.Text {
	return func(t *journey.Fact) carry.Text {
		number := t.Texts
		if name == kpi.CurrencyField {
			number = cmp.Or(t.Money, t.Texts)
		}
		return f.texts.Text(number, place)
	}
}

// numberOf is a number that facts of some kinds have.
func numberOf(o *kpi.Operator, name string) func(*journey.Fact) int64 {
	var places []int // by kind
	for _, kind := range o.Journey.FactNames() {
		places = append(places, slices.Index(o.FactNumbers(kind), name))
	}
	return func(t *journey.Fact) int64 {
		if places[t.Kind] < 0 {
			return stream.Missing
		}
		return t.Numbers[places[t.Kind]]
	}
}

// follow gives a row to the operators that follow it.
func (p *Partition) follow(b *stream.Batch, u *sighting) {
	for _, leg := range u.legs {
		f := p.followers[leg.Journey]
		f.read(&p.chunk.leg, b, u.row, leg)
		f.book.Add(u.ref(), &p.chunk.leg)
	}
}

// read has a row be what an operator reads of an event.
func (f *follower) read(into *journey.Row, b *stream.Batch, row int, leg plan.Leg) {
	into.Time, into.Key, into.Texts, into.Kind = b.Time[row], f.keyOf(b, row), f.texts.Of(b, row), leg.Kind
	columns := f.Kinds[leg.Kind].Numbers
	for i := range into.Numbers {
		into.Numbers[i] = stream.Missing
		if i < len(columns) {
			into.Numbers[i] = b.Number[columns[i]][row]
		}
	}
}

// touches are the last ones of a user.
func (p *Partition) touches(ref uint32) (out []Touch) {
	for _, f := range p.followers {
		rules, is := f.rules.(*journey.Attribution)
		if !is {
			continue
		}
		t := Touch{Attribution: f.Operator.Name}
		if last, is := rules.Last(f.book.Before(ref, p.head), p.head*1000); is {
			t.Kind, t.At, t.Texts = last.Kind, last.At, map[string]string{}
			for i, field := range f.OriginFields() {
				if field != kpi.CurrencyField { // of payments
					t.Texts[field] = f.texts.Text(last.Texts, i).Text
				}
			}
		}
		out = append(out, t)
	}
	return out
}

// keyOf is what tells apart what goes on at the same time: of one text 0 if there is
// none.
func (f *follower) keyOf(b *stream.Batch, row int) (key uint64) {
	for _, column := range f.Key {
		h := b.Text[column].Hash[row]
		if h == f.blank {
			h = 0
		}
		if len(f.Key) == 1 {
			return h
		}
		key = plan.Mix(key, h)
	}
	return key
}

// closeJourneys closes the slices before head.
func (p *Partition) closeJourneys(head int64) {
	for i, f := range p.followers {
		if rfm, is := f.rules.(*journey.RFM); is && rfm.Daily() {
			p.beginDays(i, rfm, head)
		}
		f.book.Close(head)
	}
}

// addJourneys adds up what became known by the slices that closed, and by what came late.
func (p *Partition) addJourneys() {
	for _, f := range p.followers {
		told := f.book.TakeFacts()
		for i := range told {
			f.tell(&told[i].Fact, told[i].N)
			if p.pause(uint32(i)); i%manyFacts == manyFacts-1 {
				f.rows.addTo(p)
			}
		}
		f.rows.addTo(p)
	}
}

// tell makes a row of a fact that is told n times.
func (f *follower) tell(t *journey.Fact, n int64) {
	f.rows.begin(placement{t.At, t.Day, n})
	for c, text := range f.columns {
		f.rows.say(c, text(t))
	}
	for c, number := range f.numbers {
		f.rows.number(c, number(t))
	}
}

// stray takes in an event without a user, a settlement: it is of no order that is known.
func (p *Partition) stray(b *stream.Batch, row int, slice int64, legs []plan.Leg) {
	for _, leg := range legs {
		f := p.followers[leg.Journey]
		if _, is := f.rules.(*journey.Orders); !is || leg.Kind != journey.Settle {
			continue
		}
		r := &p.chunk.leg
		f.read(r, b, row, leg)
		f.rules.Row(nil, r, func(t journey.Fact, n int64) { f.tell(&t, n) })
		f.book.Drop()
		f.rows.addTo(p)
	}
}

// manyFacts are added up at a time.
const manyFacts = 4096

// sealJourneys lets go of what is behind a second.
func (p *Partition) sealJourneys(sealed int64) {
	for _, f := range p.followers {
		f.book.Seal(sealed)
		// A look at all users is worth it where there are many texts, and many may go.
		if f.texts.Full() && f.book.Dropped() > (f.texts.Numbers()+f.book.Users())/2 {
			used := f.texts.Used()
			f.book.MarkTexts(&used)
			f.texts.Keep(used, p.pause)
		}
	}
}

func (p *Partition) resumeJourneys() {
	for _, f := range p.followers {
		f.book.Resume(p.sealed, p.head, func(ref uint32) bool { return p.shards[ref>>24].row(ref & 0xffffff).isElsewhere() })
	}
}
