package users

import (
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// customers tell apart the users who paid, by RFM.
type customers struct {
	rules *journey.RFM
	book  *journey.Book
}

// newCustomers is nil where no KPI is from an operator that does so.
func newCustomers(p *plan.Plan, followers []*follower) *customers {
	place := p.RFM()
	if place < 0 {
		return nil
	}
	f := followers[place]
	return &customers{rules: f.rules.(*journey.RFM), book: f.book}
}

// tiers are a user's as of the end of a day, or of what is closed of it. What was sealed
// since is in them, too.
func (p *Partition) tiers(ref uint32, day int32) journey.Tiers {
	if p.customers == nil {
		return journey.Tiers{}
	}
	return p.customers.rules.Tiers(p.orders(ref, day), day)
}

// orders are a customer's as of the end of a day, as tiers are.
func (p *Partition) orders(ref uint32, day int32) []journey.Item {
	return p.customers.book.Before(ref, p.plan.Calendar.Start(day+1)/1000)
}

// explain says what the tiers of a person follow from.
func (p *Partition) explain(who *Person) {
	if p.customers != nil {
		who.Payments = p.customers.rules.Payments(p.orders(who.Ref, who.AsOf), who.AsOf)
	}
}

// rank says what RFM makes of a person.
func (p *Partition) rank(who *Person) {
	who.RFM = p.tiers(who.Ref, who.AsOf)
	who.Segments = who.Segments&^allCustomers | customerSegment(who.RFM)
}

// CustomerSegments are those by RFM, by their places among kpi.RFMSegments.
var CustomerSegments = func() (out []Segments) {
	for i := range kpi.RFMSegments {
		out = append(out, Loyal<<(i+1))
	}
	return out
}()

const allCustomers = ^(AtRisk | Churned | Declining | New | Loyal)

// customerSegment is that of a user with these tiers.
func customerSegment(t journey.Tiers) Segments {
	for i, name := range kpi.RFMSegments {
		if t.Segment() == name {
			return CustomerSegments[i]
		}
	}
	return 0
}
