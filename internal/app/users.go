package app

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/users"
)

// visitRows is how many users a partition looks at between two batches.
const visitRows = 32 << 10

// A segment is a group of users.
type segment struct {
	name string
	in   users.Segments
}

// segments are all groups.
var segments = func() []segment {
	out := []segment{{"at_risk", users.AtRisk}, {"churned", users.Churned}, {"declining", users.Declining}, {"new", users.New}, {"loyal", users.Loyal}}
	for i, name := range kpi.RFMSegments {
		out = append(out, segment{name, users.CustomerSegments[i]})
	}
	return out
}()

// Segments are the groups of users that are known.
func (e *engine) Segments() (names []string) {
	if e.plan.Days == nil {
		return nil
	}
	for _, s := range segments {
		if e.plan.RFM() >= 0 || !slices.Contains(kpi.RFMSegments, s.name) {
			names = append(names, s.name)
		}
	}
	return names
}

// UserFields are the fields by which users are told apart.
func (e *engine) UserFields() []string {
	if e.plan.Days == nil {
		return nil
	}
	return e.plan.Days.OriginFields()
}

// ByChannel reports whether rosters are kept by channel.
func (e *engine) ByChannel() bool { return e.plan.Days != nil && e.plan.Days.Channels >= 0 }

// List is the users in a segment, in the order of their rows.
func (e *engine) List(ctx context.Context, q api.UserQuery) (*api.UserList, error) {
	s := selectionOf(q)
	out := &api.UserList{}
	for from := uint32(q.From); ; {
		found, next, more, err := e.selectUsers(ctx, s, from, q.Limit-len(out.Users)+1, &out.AsOf)
		if err != nil {
			return nil, err
		}
		names := e.names() // as of behind the visit: what memory let go of is in them
		for i := range found {
			if len(out.Users) == q.Limit {
				out.Next = uint64(found[i].Ref)
				return out, nil
			}
			if p := &found[i]; names.complete(p) {
				out.Users = append(out.Users, *e.describe(p))
			} else {
				out.Nameless++
			}
		}
		if !more {
			if len(out.Users) == 0 && q.From == 0 {
				out.Warnings = e.unseen(q.Match)
			}
			return out, nil
		}
		if from = next; len(out.Users) == q.Limit {
			out.Next = uint64(next)
			return out, nil
		}
	}
}

func selectionOf(q api.UserQuery) users.Selection {
	s := users.Selection{Texts: q.Match}
	for _, known := range segments {
		if known.name == q.Segment {
			s.In = known.in
		}
	}
	if d := q.Active; d != nil {
		s.Active = &users.DayRange{From: d.From, To: d.To}
	}
	if d := q.Inactive; d != nil {
		s.Inactive = &users.DayRange{From: d.From, To: d.To}
	}
	return s
}

// lookAt is visit for a selection; its days must be known.
func (e *engine) lookAt(ctx context.Context, s users.Selection, asOf *time.Time, visit func(i int, p *users.Partition)) error {
	oldest := int32(math.MinInt32)
	err := e.visit(ctx, asOf, true, func(i int, p *users.Partition) {
		if i == 0 && p.Head() != math.MinInt64 {
			oldest = p.OldestDay()
		}
		visit(i, p)
	})
	if err != nil {
		return err
	}
	for _, r := range []*users.DayRange{s.Active, s.Inactive} {
		if r != nil && r.From < oldest {
			return api.BadData("active days are known from %s on, of the last 64 days: %s is before", e.plan.Calendar.Format(oldest), e.plan.Calendar.Format(r.From))
		}
	}
	return nil
}

// selectUsers has all partitions look at some of their users, from a ref on. What
// is found is ascending, and all there is before next.
func (e *engine) selectUsers(ctx context.Context, s users.Selection, from uint32, most int, asOf *time.Time) (found []users.Person, next uint32, more bool, err error) {
	type share struct {
		found []users.Person
		next  uint32
		more  bool
	}
	shares := make([]share, len(e.lane.Partitions))
	err = e.lookAt(ctx, s, asOf, func(i int, p *users.Partition) {
		shares[i].found, shares[i].next, shares[i].more = p.Select(s, from, visitRows, most)
	})
	if err != nil {
		return nil, 0, false, err
	}
	for _, a := range shares {
		if found = append(found, a.found...); a.more && (!more || a.next < next) {
			next, more = a.next, true
		}
	}
	slices.SortFunc(found, func(a, b users.Person) int { return cmp.Compare(a.Ref, b.Ref) })
	if more {
		found = slices.DeleteFunc(found, func(p users.Person) bool { return p.Ref >= next })
	}
	return found, next, more, nil
}

// visit has the partitions visited, between two batches. asOf tells up to where
// slices were closed then.
func (e *engine) visit(ctx context.Context, asOf *time.Time, long bool, visit func(i int, p *users.Partition)) error {
	head := int64(math.MinInt64)
	_, err := e.put(ctx, &ask{long: long, visit: func(i int, p *users.Partition) {
		if i == 0 {
			head = p.Head() // of all of them
		}
		visit(i, p)
	}})
	if err == nil && head != math.MinInt64 {
		*asOf = time.Unix(head, 0)
	}
	return err
}

// A naming is what an id may be in the stream: that of a user, or an anonymous one.
type naming struct{ user, anonymous string }

// namings are those of an id, the likeliest first. With pseudonyms it may be either the
// pseudonym or the id that it stands for: before those who came by another way with the
// id itself.
func (e *engine) namings(id string) []naming {
	itself := naming{id, id}
	if e.pseudonymise == nil {
		return []naming{itself}
	}
	p := e.pseudonymise()
	return []naming{{p.User(id), p.Anonymous(id)}, itself}
}

// Find explains a user. An id is that of a user, else an anonymous one, which may be a
// user's.
func (e *engine) Find(ctx context.Context, id string) (*api.UserDetails, error) {
	who, asOf, err := e.who(ctx, id, (*users.Partition).Find)
	if err != nil || who == nil {
		return nil, err
	}
	return e.details(who, asOf), nil
}

// who is the person with an id by what partitions find by its hash, nil without one.
func (e *engine) who(ctx context.Context, id string, find func(p *users.Partition, hash uint64) (users.Person, bool)) (who *users.Person, asOf time.Time, err error) {
	for _, n := range e.namings(id) {
		user, anonymous := e.key.User([]byte(n.user)), e.key.Anonymous([]byte(n.anonymous))
		who, owner, asOf, err := e.find(ctx, user, anonymous, find)
		if err == nil && who == nil && owner != anonymous {
			who, _, asOf, err = e.find(ctx, owner, owner, find)
		}
		if err != nil {
			return nil, asOf, err
		}
		if who == nil {
			continue
		}
		switch who.Hash {
		case user:
			who.Name = n.user
		case anonymous:
			who.Name = n.anonymous
		default:
			e.names().complete(who)
		}
		return who, asOf, nil
	}
	return nil, asOf, nil
}

// find looks for somebody with one hash, else with another, and says whose an anonymous
// id of that other is.
func (e *engine) find(ctx context.Context, user, anonymous uint64, find func(p *users.Partition, hash uint64) (users.Person, bool)) (found *users.Person, owner uint64, asOf time.Time, err error) {
	type share struct {
		user, anonymous *users.Person
		owner           uint64
	}
	shares := make([]share, len(e.lane.Partitions))
	err = e.visit(ctx, &asOf, false, func(i int, p *users.Partition) {
		found := func(hash uint64) *users.Person {
			if who, ok := find(p, hash); ok {
				return &who
			}
			return nil
		}
		shares[i] = share{found(user), found(anonymous), p.Canonical(anonymous)}
	})
	owner = anonymous
	for _, s := range shares {
		if found = cmp.Or(found, s.user); s.owner != anonymous {
			owner = s.owner
		}
	}
	for _, s := range shares {
		found = cmp.Or(found, s.anonymous)
	}
	return found, owner, asOf, err
}

func (e *engine) details(p *users.Person, asOf time.Time) *api.UserDetails {
	out := &api.UserDetails{User: *e.describe(p), AsOf: asOf}
	out.AtRiskAfter, out.ChurnedAfter = int(p.Patience), e.plan.Days.Gap-1
	out.ActiveDays, out.Gaps, out.Identities = []string{}, []int{}, p.Identities
	out.LastTouch = map[string]*api.Touch{}
	for i := range p.Touches {
		out.LastTouch[p.Touches[i].Attribution] = touchOf(&p.Touches[i])
	}
	days := p.Dates()
	for i, day := range days {
		out.ActiveDays = append(out.ActiveDays, e.plan.Calendar.Format(day))
		if i > 0 {
			out.Gaps = append(out.Gaps, int(day-days[i-1]))
		}
	}
	return out
}

// touchOf is what a conversion would go to, nil for nothing.
func touchOf(t *users.Touch) *api.Touch {
	if t.Kind == "" {
		return nil
	}
	out := &api.Touch{Touch: t.Kind, Time: api.Time{Time: time.UnixMilli(t.At)}}
	for _, name := range slices.Sorted(maps.Keys(t.Texts)) {
		field := api.Field{Name: name}
		if text := t.Texts[name]; text != "" {
			field.Value = &text
		}
		out.Fields = append(out.Fields, field)
	}
	return out
}

func (e *engine) describe(p *users.Person) *api.User {
	date := e.plan.Calendar.Format
	u := &api.User{State: string(p.State), FirstSeen: date(p.First), LastSeen: date(p.Last),
		DaysAway: int(p.AsOf - p.Last), ActiveDays28: p.Active(28), Segments: []string{}}
	if e.key.User([]byte(p.Name)) == p.Hash {
		u.UserID = p.Name
	} else {
		u.AnonymousID = p.Name
	}
	if p.Since != 0 {
		u.Since = new(date(p.Since))
	}
	if usual, known := users.UsualGap(p.Activity); known {
		u.UsualGapDays = new(int(usual))
	}
	for _, s := range segments {
		if p.Segments&s.in != 0 {
			u.Segments = append(u.Segments, s.name)
		}
	}
	if t := p.RFM; t.R > 0 {
		u.RFM = &api.RFM{R: int(t.R), F: int(t.F), M: int(t.M), Segment: t.Segment()}
	}
	if paid := p.Payments; paid != nil {
		u.RFM.Payments = &api.Payments{DaysSincePayment: int(p.AsOf - paid.Last), PaidOrders: paid.Orders, NetPaid: map[string]int64{}}
		for _, net := range paid.Net {
			u.RFM.NetPaid[net.Currency] = net.Amount
		}
	}
	if p.SeenAt != 0 {
		u.FirstEventTime.Time = time.UnixMilli(p.SeenAt)
	}
	for i, name := range e.UserFields() {
		field := api.Field{Name: name}
		if i < len(p.Texts) && p.Texts[i] != "" {
			field.Value = &p.Texts[i]
		}
		u.Fields = append(u.Fields, field)
	}
	return u
}

// manySegments is how many pages of names are remembered.
const manySegments = 256

// names reads those that an epoch has, each page once.
type names struct {
	epoch    *state.Epoch
	segments map[state.PageID][]string
	log      zerolog.Logger
}

func (e *engine) names() *names {
	return &names{e.store.Current(), map[state.PageID][]string{}, e.log}
}

// complete finds the name of a user who is without, and reports whether there is one.
func (n *names) complete(p *users.Person) bool {
	if p.Name != "" {
		return true
	}
	row := p.Ref & 0xffffff
	list := n.segment(state.PageID{Kind: uint16(page.Names), A: p.Ref >> 24, B: uint64(row / users.SegmentRows)})
	if i := int(row % users.SegmentRows); i < len(list) {
		p.Name = list[i]
	}
	return p.Name != ""
}

func (n *names) segment(id state.PageID) []string {
	list, known := n.segments[id]
	if known || n.epoch == nil {
		return list
	}
	data, _, err := n.epoch.Page(id)
	if err == nil {
		list, err = users.ReadNames(data)
	}
	if err != nil || len(list) == 0 {
		n.log.Error().Err(err).Uint32("shard", id.A).Uint64("segment", id.B).Msg("names of users are lost")
	}
	if len(n.segments) == manySegments {
		clear(n.segments)
	}
	n.segments[id] = list
	return list
}
