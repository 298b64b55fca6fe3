package merge

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/roster"
	"github.com/tidewatch/tidewatch/windows/step"
)

// rosterPrefix is what the sets of blocks with rosters begin with. rosterParts is how
// many blocks those of a set by labels have on a day: who asks for one label reads what
// has few others, however many there are.
const (
	rosterPrefix = "roster:"
	rosterParts  = 64
)

// rosterBlock is the block that has the roster of a label on a day.
func (d *distinct) rosterBlock(day, group int32) history.BlockID {
	name := rosterPrefix + d.plan.Measure + ":" + d.plan.Name
	if d.plan.Slot >= 0 {
		name += fmt.Sprintf(":%d", group%rosterParts)
	}
	return history.BlockID{Set: name, Window: kpi.Day, Index: int64(day)}
}

// rosterLabel is what a roster is called in its block.
func (d *distinct) rosterLabel(group int32) string {
	if d.plan.Slot < 0 {
		return ""
	}
	return d.texts[group][0]
}

// rosters are the blocks of the days that partitions sealed. All of them seal a day by
// the same crossing. What they tell of a label is put together when it is written, or
// read.
func (m *Merger) rosters(steps []*step.Step) (finished []*history.Block) {
	type rosterOf struct{ day, target, group int32 }
	shares := map[rosterOf][]*roster.Set{}
	for _, s := range steps {
		for _, r := range s.Rosters {
			of := rosterOf{r.Day, r.Target, r.Group}
			shares[of] = append(shares[of], r.Users)
		}
	}
	blocks := map[history.BlockID]*history.Block{}
	for of, sets := range shares {
		d := m.usersOf(int(of.target))
		id := d.rosterBlock(of.day, of.group)
		b := blocks[id]
		if b == nil {
			b = history.Day(id.Set, nil, of.day, m.ends(of.day))
			blocks[id] = b
			finished = append(finished, b)
		}
		b.Rosters = append(b.Rosters, history.Roster{Label: d.rosterLabel(of.group), Shares: sets})
	}
	for _, b := range finished {
		slices.SortFunc(b.Rosters, func(x, y history.Roster) int { return strings.Compare(x.Label, y.Label) })
	}
	slices.SortFunc(finished, func(x, y *history.Block) int {
		return cmp.Or(cmp.Compare(x.Index, y.Index), strings.Compare(x.Set, y.Set))
	})
	return finished
}

// A RosterQuery asks for the rosters of a label of a user set, or of a total.
type RosterQuery struct {
	// Target and Group are what partitions call it.
	Target, Group int32
	label         string
}

// Rosters are those of a user set by its place, of all its users.
func (m *Merger) Rosters(users int) RosterQuery {
	return RosterQuery{Target: int32(m.plan.UsersTarget(users))}
}

// RostersOf are those of one label of a user set by a field. There are none where the
// label is not known; full says that it may have come when the set's budget was spent.
func (m *Merger) RostersOf(users int, label string) (q RosterQuery, known, full bool) {
	d := m.distinct[users]
	i := slices.IndexFunc(d.texts, func(texts []string) bool { return texts[0] == label })
	if i < 0 {
		return q, false, len(d.texts) > d.plan.Budget
	}
	return RosterQuery{int32(d.target), int32(i), label}, true, false
}

// Roster is that of a day which partitions have sealed: the block that has it, and that
// itself while history is without.
func (m *Merger) Roster(q RosterQuery, day int32) (history.BlockID, *history.Block) {
	id := m.usersOf(int(q.Target)).rosterBlock(day, q.Group)
	i := slices.IndexFunc(m.blocks, func(b *history.Block) bool { return b.BlockID == id })
	if i < 0 {
		return id, nil
	}
	return id, m.blocks[i]
}

// In is the roster in its block, nil if nobody was active; the block may be nil.
func (q RosterQuery) In(b *history.Block) *history.Roster {
	if b == nil {
		return nil
	}
	return b.Roster(q.label)
}
