package users

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// Costs are what is kept of users in memory, a line for each operator that KPIs are from
// beside those for all users and all operators; none where no users are kept.
func Costs(p *plan.Plan) (lines []string) {
	const (
		// The index is an open table of row numbers, between three eighths and three
		// quarters full.
		slot        = int(unsafe.Sizeof(shard{}.table[0]))
		least, most = (slot*4 + 2) / 3, (slot*8 + 2) / 3
	)
	if len(p.Audiences)+len(p.Journeys) == 0 {
		return nil
	}
	lines = append(lines, fmt.Sprintf("each user: %d B and %d to %d B in an index; %d B a second of activity until it is sealed",
		unsafe.Sizeof(row{}), least, most, unsafe.Sizeof(entry{})))
	if others := len(p.Audiences) - 1; others > 0 {
		lines = append(lines, fmt.Sprintf("distinct users by other filters, %d of them: %d to %d B a user who passes one",
			others, int(unsafe.Sizeof(member{}))+hashmap.LeastBytes, int(unsafe.Sizeof(member{}))+hashmap.MostBytes))
	}
	if daily, keyed := dailySets(p); daily > 0 {
		line := fmt.Sprintf("users by business day, %d sets: about %d B a user of the day in each", daily, roster.UserBytes)
		if keyed > 0 {
			line += fmt.Sprintf(", as much again for each label in %d of them", keyed)
		}
		lines = append(lines, line+", until it is sealed")
	}
	if d := p.Days; d != nil {
		r := row{}
		line := fmt.Sprintf("days: %d B of these, for the active ones of %d", unsafe.Sizeof(r.activity)+unsafe.Sizeof(r.last)+unsafe.Sizeof(r.first), 8*unsafe.Sizeof(r.activity))
		if fields := d.OriginFields(); len(fields) > 0 {
			line += fmt.Sprintf("; %d B each user for the %s first seen by", unsafe.Sizeof(origin{}), strings.Join(fields, ", "))
		}
		lines = append(lines, line)
	}
	for _, j := range p.Journeys {
		name := j.Operator.Kind()
		if j.Operator.Name != name {
			name += " " + j.Operator.Name
		}
		users, each := itemsOf(j.Operator.Journey)
		lines = append(lines, fmt.Sprintf("%s: %d to %d B a user with %s, and %d B for %s",
			name, journey.LeastUserBytes, journey.MostUserBytes, users, journey.ItemBytes, each))
	}
	if len(p.Journeys) > 0 {
		lines = append(lines, fmt.Sprintf("each that follows events: %d B an event that it reads, %d with a key or numbers, until it is sealed", journey.RowBytes, journey.RowBytes+journey.TailBytes))
	}
	return lines
}

// dailySets are how many user sets count by business day, and how many of them by labels.
func dailySets(p *plan.Plan) (daily, keyed int) {
	for _, u := range p.Users {
		if !u.Daily() {
			continue
		}
		if daily++; u.Slot >= 0 {
			keyed++
		}
	}
	return daily, keyed
}

// itemsOf are the users of whom an operator keeps items, and which items these are.
func itemsOf(j kpi.Journey) (users, each string) {
	switch j := j.(type) {
	case *kpi.Sessions:
		return "an open session", fmt.Sprintf("each, up to %d at a time", kpi.MaxOpen)
	case *kpi.Plays:
		return "a play that goes on", fmt.Sprintf("each, up to %d at a time", kpi.MaxOpen)
	case *kpi.Orders:
		return fmt.Sprintf("an order of the last %d days", kpi.OrderDays), fmt.Sprintf("each, up to %d, and once of who paid", kpi.MaxOrders)
	case *kpi.RFM:
		return fmt.Sprintf("a paid order of the last %d days", kpi.RFMDays), fmt.Sprintf("each, up to %d", kpi.MaxOrders)
	case *kpi.Attribution:
		users, each = "a click of the last "+kpi.FormatLength(j.Click.Within), "the last click"
		if j.View != nil {
			users += ", a view of the last " + kpi.FormatLength(j.View.Within)
			each += ", the last view"
		}
		return fmt.Sprintf("%s or a conversion of the last %d days", users, kpi.OrderDays), fmt.Sprintf("%s and each order, up to %d", each, kpi.MaxOrders)
	case *kpi.Funnel:
		users = "a funnel of the last " + kpi.FormatLength(j.Window)
		if j.Hold == "" {
			return users, "it"
		}
		return users, fmt.Sprintf("each %s with one, up to %d", j.Hold, kpi.MaxFunnels)
	case *kpi.Retention:
		if j.First {
			return fmt.Sprintf("a start in the last %d days", kpi.StartDays), "the first one"
		}
		return fmt.Sprintf("a start in the last %d days", slices.Max(j.After)+1), "each day with one"
	}
	panic(fmt.Sprintf("users: no items of %T", j))
}
