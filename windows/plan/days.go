package plan

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
)

// Days are the facts that follow from the users' active days.
type Days struct {
	*Rows
	// Name is that of the operator, of several the first one's.
	Name string
	// Users is the user set whose active days they are, Channels the one by channel of
	// the same users, -1 if no KPI counts these.
	Users, Channels int
	// Gaps are the days away after which a user has churned, ascending. Gap is that
	// of lists and signals: of the first KPI that depends on one, else the least.
	Gaps []int
	Gap  int
	// Holdout is the share of users, in millionths, who are held out of webhooks.
	Holdout int
	// Kinds are the facts that any KPI asks for, Afters those of retention.
	Kinds  map[string]bool
	Afters []int
}

// days are the facts of active days, with what the KPI asks of them.
func (p *Plan) days(k *kpi.KPI) *Days {
	if p.Days == nil {
		p.Days = &Days{Rows: newRows("facts", p.key, ""), Name: cmp.Or(k.From.Name, "days"), Holdout: p.Catalogue.Holdout, Kinds: map[string]bool{}}
	}
	d := p.Days
	where := k.From.Days.Where
	d.Users = p.userSet(keeping{KPI: &kpi.KPI{}}, where, (&kpi.Measure{Op: kpi.Distinct, Where: where}).Key())
	if gap := k.From.Days.Gap; !slices.Contains(d.Gaps, gap) {
		d.Gaps = append(d.Gaps, gap)
		slices.Sort(d.Gaps)
	}
	for _, m := range k.Facts() {
		kind := m.Where.FactKind()
		d.Kinds[kind] = true
		if d.Gap == 0 && slices.Contains([]string{kpi.FactAtRisk, kpi.FactChurned, kpi.FactChurning}, kind) {
			d.Gap = k.From.Days.Gap
		}
		if kind == kpi.FactRetention {
			d.ask(m.Where.Texts(kpi.AfterField), k.Horizon)
		}
	}
	return d
}

// ask has retention after these days told, after all up to the horizon if none is
// named.
func (d *Days) ask(afters []string, horizon int) {
	for after := range horizon + 1 {
		if afters == nil || slices.Contains(afters, strconv.Itoa(after)) {
			d.Afters = append(d.Afters, after)
		}
	}
}

// finish derives what needs all KPIs over the facts.
func (d *Days) finish(p *Plan) {
	d.carry(p, func(field string) bool { return slices.Contains(kpi.FactFields, field) })
	d.Rows.finish()
	if d.Gap == 0 {
		d.Gap = d.Gaps[0]
	}
	of := p.Users[d.Users]
	of.Roster = true
	d.Channels = slices.IndexFunc(p.Users, func(u *Users) bool { return u.Filter == of.Filter && slices.Equal(u.Set, kpi.Set{"channel"}) })
	if d.Channels >= 0 {
		p.Users[d.Channels].Roster = true
	}
	slices.Sort(d.Afters)
	d.Afters = slices.Compact(d.Afters)
}
