package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/roster"
	"github.com/tidewatch/tidewatch/windows/users"
)

// maxRosters is how many bytes of rosters a question may read.
const maxRosters = 1 << 30

// Count is how many users a query finds: by days in rosters, by all else in the
// partitions.
func (e *engine) Count(ctx context.Context, q api.UserQuery) (*api.UserCount, error) {
	out := &api.UserCount{}
	s := selectionOf(q)
	if q.Active == nil && q.Inactive == nil {
		return out, e.countRows(ctx, s, out)
	}
	c, err := e.newRollCall(q.Channel)
	if err != nil {
		return nil, err
	}
	active, inactive, err := c.take(ctx, q.Active, q.Inactive)
	if err != nil {
		return nil, err
	}
	if out.Warnings = c.warnings; !c.known {
		out.Warnings = append(out.Warnings, e.unseen(map[string]string{"channel": *q.Channel})...)
	}
	if q.Active != nil && q.Segment == "" {
		out.Count, out.AsOf = active.Without(inactive), c.asOf
		return out, nil
	}
	s.Active, s.Inactive, s.Except = nil, nil, inactive
	if q.Active != nil {
		s.Among = active
	}
	return out, e.countRows(ctx, s, out)
}

// Size is how many users there were at the last checkpoint.
func (e *engine) Size() int64 { return e.lane.users.Load() }

// countRows looks at all users, some at a time. It is as of the last visit.
func (e *engine) countRows(ctx context.Context, s users.Selection, out *api.UserCount) error {
	froms := make([]uint32, len(e.lane.Partitions))
	left := make([]bool, len(froms))
	for i := range left {
		left[i] = true
	}
	for slices.Contains(left, true) {
		counts := make([]int, len(froms))
		err := e.visit(ctx, &out.AsOf, true, func(i int, p *users.Partition) {
			if left[i] {
				counts[i], froms[i], left[i] = p.Count(s, froms[i], visitRows)
			}
		})
		if err != nil {
			return err
		}
		for _, c := range counts {
			out.Count += c
		}
	}
	return nil
}

// A rollCall finds out who was active on which days, at all or with one channel. Rosters
// of days that are not sealed are the partitions'; what is sealed by then the merger has
// passed on to history, or still holds.
type rollCall struct {
	*engine
	rosters  merge.RosterQuery
	known    bool // there is anybody to be found
	asOf     time.Time
	unsealed int32 // the first such day
	warnings []string
	merges   [][]roster.Merge
}

func (e *engine) newRollCall(channel *string) (*rollCall, error) {
	c := &rollCall{engine: e}
	e.lane.mu.Lock()
	defer e.lane.mu.Unlock()
	if channel == nil {
		c.rosters, c.known = e.lane.Merger.Rosters(e.plan.Days.Users), true
		return c, nil
	}
	full := false
	c.rosters, c.known, full = e.lane.Merger.RostersOf(e.plan.Days.Channels, *channel)
	if full {
		return nil, api.BadData("channel %q is not told apart: users are by the first %d channels that came, all others are %s", *channel, e.plan.Users[e.plan.Days.Channels].Budget, kpi.Other)
	}
	return c, nil
}

// take is who was active on one of the days of each range, nobody without one.
func (c *rollCall) take(ctx context.Context, active, inactive *api.Days) (present, absent *roster.Set, err error) {
	ranges := [...]*api.Days{active, inactive}
	open, err := c.askPartitions(ctx, ranges)
	if err != nil || c.asOf.IsZero() {
		return &roster.Set{}, &roster.Set{}, err
	}
	if err := c.afford(ranges); err != nil {
		return nil, nil, err
	}
	var sets [2]*roster.Set
	for k, days := range ranges {
		sets[k] = open[k]
		if days != nil && c.known {
			if err := c.addSealed(ctx, sets[k], days); err != nil {
				return nil, nil, err
			}
		}
		for _, merges := range c.merges {
			sets[k].Resolve(merges)
		}
	}
	return sets[0], sets[1], nil
}

// askPartitions is who was active on days of the ranges that are not sealed.
func (c *rollCall) askPartitions(ctx context.Context, ranges [2]*api.Days) (open [2]*roster.Set, err error) {
	type share struct {
		open   [2]*roster.Set
		merges [][]roster.Merge
	}
	shares := make([]share, len(c.lane.Partitions))
	err = c.visit(ctx, &c.asOf, false, func(i int, p *users.Partition) {
		if i == 0 {
			c.unsealed = p.Unsealed() // of all of them
		}
		for k, days := range ranges {
			if days != nil {
				shares[i].open[k] = p.Attended(c.rosters.Target, c.rosters.Group, users.DayRange{From: days.From, To: days.To})
			}
		}
		shares[i].merges = p.Merges()
	})
	for k := range open {
		open[k] = &roster.Set{}
		for _, s := range shares {
			if s.open[k] != nil && c.known {
				open[k].Join(s.open[k])
			}
		}
	}
	for _, s := range shares {
		c.merges = append(c.merges, s.merges...)
	}
	return open, err
}

// afford refuses days that are not kept, or from before the first event, and more than a
// question may read.
func (c *rollCall) afford(ranges [2]*api.Days) error {
	date := c.plan.Calendar.Format
	// Who comes back behind that is somebody else: two of them are never in one answer.
	kept := min(roster.Days, int32(c.catalogue.ForgetAfter), int32(c.store.Kept(kpi.Day)/(24*time.Hour)))
	oldest := c.plan.Calendar.Day(c.asOf.UnixMilli()-1) - kept
	first, begins, rebuilt := c.earliest(), c.begins(), int32(0)
	if first.After(begins) {
		rebuilt = c.plan.Calendar.Day(first.UnixMilli()) + 1
	}
	firstDay := c.plan.Calendar.Day(begins.UnixMilli())
	days := int64(0)
	for _, r := range ranges {
		switch {
		case r == nil:
			continue
		case r.From < oldest:
			return api.BadData("who was active is known of %d days that are over, from %s on: %s is before", kept, date(oldest), date(r.From))
		case r.From < rebuilt:
			return api.BadData("who was active is known from %s on, as a rebuild began with the day before: %s is not", date(rebuilt), date(r.From))
		case r.To < firstDay:
			return api.NotFound("who was active is known from %s on, the day of the first event: %s is before", date(firstDay), date(r.To))
		case r.From < firstDay && c.warnings == nil:
			c.warnings = c.unknown(time.UnixMilli(c.plan.Calendar.Start(r.From)), c.asOf)
		}
		days += max(0, int64(min(r.To, c.unsealed-1)-r.From+1))
	}
	if size := days * (c.Size()/8 + 1); size > maxRosters {
		e := api.TooLarge("who was active on %d days takes up to %d MiB, more than %d: ask for fewer days", days, size>>20, maxRosters>>20)
		e.Status = http.StatusUnprocessableEntity
		return e
	}
	return nil
}

// addSealed adds who was active on the days of the range that are sealed.
func (c *rollCall) addSealed(ctx context.Context, to *roster.Set, days *api.Days) error {
	for day := days.From; day <= min(days.To, c.unsealed-1); day++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := c.roster(day)
		if lost, ok := errors.AsType[*state.LostError](err); ok {
			return api.NotFound("who was active on %s is %v", c.plan.Calendar.Format(day), lost)
		}
		if err != nil {
			return fmt.Errorf("who was active on %s: %w", c.plan.Calendar.Format(day), err)
		}
		if found != nil {
			for _, share := range found.Shares {
				to.Join(share)
			}
		}
	}
	return nil
}

// roster is that of a day which is sealed, nil if nobody was active. The merger lets go of
// it once history has it.
func (c *rollCall) roster(day int32) (*history.Roster, error) {
	id, block := c.lane.roster(c.rosters, day)
	if block == nil {
		var err error
		if block, err = c.store.Block(id); err != nil {
			return nil, err
		}
	}
	return c.rosters.In(block), nil
}

// roster is where the roster of a day is.
func (l *lane) roster(q merge.RosterQuery, day int32) (history.BlockID, *history.Block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Merger.Roster(q, day)
}
