package app

import (
	"context"
	"fmt"
	"math"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/users"
)

// A ruleset is the rules that are at work, with what they read and record.
type ruleset struct {
	*alerts.Engine
	watch      *merge.Watch
	watched    map[watchedKey]int // what they read: its place in the watch
	recordings []queryable.Recording
}

func (e *engine) newRuleset(rules *alerts.Engine) (*ruleset, error) {
	s := &ruleset{Engine: rules, watched: map[watchedKey]int{}}
	var qs []merge.Question
	for _, r := range rules.Reads() {
		key := watchedKey{r.KPI, r.By.Key(), r.Window}
		if _, ok := s.watched[key]; !ok {
			s.watched[key] = len(qs)
			qs = append(qs, merge.Question{KPI: r.KPI, By: r.By, Window: r.Window})
		}
	}
	s.watch = merge.NewWatch(e.plan, qs)
	var err error
	s.recordings, err = recordingsOf(rules)
	return s, err
}

// adopt has rules be at work from the next close on.
func (e *engine) adopt(s *ruleset) {
	e.lane.mu.Lock()
	defer e.lane.mu.Unlock()
	e.lane.watch, e.lane.queried = s.watch, s.Queries()
	e.rules.Store(s)
}

// A turnover is rules that others wait to be at work.
type turnover struct {
	*ruleset
	done chan error
}

// Reload reads the rule files anew. The alerts that fire go on; where the files are bad
// all stays as it is.
func (e *engine) Reload(ctx context.Context) error {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	d := &Definitions{Catalogue: e.catalogue}
	if err := d.loadRules(e.config); err != nil {
		return err
	}
	s, err := e.newRuleset(d.Rules)
	if err != nil {
		return err
	}
	for _, w := range d.Warnings {
		e.log.Warn().Msg(w.Error())
	}
	next := &turnover{s, make(chan error, 1)}
	e.coming.Store(next)
	if _, err := e.put(ctx, &ask{visit: func(int, *users.Partition) {}}); err != nil { // what merges takes them up
		e.coming.CompareAndSwap(next, nil)
		return err
	}
	select {
	case err := <-next.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the rules are read, and not at work yet: %w", ctx.Err())
	}
}

// turnOver has the rules that wait be at work, between two closes.
func (e *engine) turnOver() {
	next := e.coming.Swap(nil)
	if next == nil {
		return
	}
	state, clock := e.rules.Load().State()
	if err := next.Restore(state, clock); err != nil {
		next.done <- err
		return
	}
	e.adopt(next.ruleset)
	e.lane.mu.Lock()
	if now := e.lane.Merger.Now(); now.Head() != math.MinInt64 {
		next.Resume(e.view(e.lane.see(now, e.lane.shown.Load().first)))
	}
	e.lane.mu.Unlock()
	next.done <- nil
}
