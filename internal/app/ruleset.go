package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/queryable"
	"github.com/tidewatch/tidewatch/kpi"
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
	s.recordings, err = recordingsOf(rules.Recordings())
	return s, err
}

// adopt has rules be at work from the next close on.
func (e *engine) adopt(s *ruleset) {
	e.lane.mu.Lock()
	defer e.lane.mu.Unlock()
	e.lane.watch, e.lane.queried = s.watch, s.Queries()
	e.rules.Store(s)
}

// A turnover is rules and receivers that wait to be at work.
type turnover struct {
	*ruleset
	receivers *delivery.Receivers
	done      chan error
}

// Reload reads the rule files and that of the receivers anew. The alerts that fire go on;
// where a file is bad all stays as it is.
func (e *engine) Reload(ctx context.Context) error {
	_, err := e.reload(ctx)
	return err
}

// reload also answers which keys of the configuration have changed that take a restart.
func (e *engine) reload(ctx context.Context) (restart []string, err error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	next, restart, err := e.reread()
	if len(restart) > 0 {
		e.log.Warn().Strs("keys", restart).Msg("reload: what has changed of these keys takes a restart")
	}
	if err != nil {
		e.reloads.refused(err, time.Now())
		return restart, err
	}
	return restart, e.exchange(ctx, next)
}

// exchange has what was read be at work.
func (e *engine) exchange(ctx context.Context, next *turnover) error {
	e.coming.Store(next)
	if _, err := e.put(ctx, &ask{visit: func(int, *users.Partition) {}}); err != nil { // what merges takes them up
		e.coming.CompareAndSwap(next, nil)
		return err
	}
	select {
	case err := <-next.done:
		if err == nil && e.settle != nil { // else a restart would judge by these rules what was before them
			e.settle(ctx)
		}
		return err
	case <-ctx.Done():
		return fmt.Errorf("the files are read, and not at work yet: %w", ctx.Err())
	}
}

// reloadAsked reloads for who asks by HTTP: that the files are refused is in the log, as where a
// signal asks.
func (e *engine) reloadAsked(ctx context.Context) (restart []string, err error) {
	if restart, err = e.reload(ctx); err != nil {
		e.log.Error().Err(err).Msg("reload: the old rules and receivers stay")
	}
	return restart, err
}

// reread reads the files, those that the configuration names by now, and says which other keys
// of that have changed.
func (e *engine) reread() (next *turnover, restart []string, err error) {
	c := *e.config
	if e.configured != nil {
		named, err := e.configured()
		if err != nil {
			return nil, nil, err
		}
		c.Rules, c.Alertmanager = named.Rules, named.Alertmanager
		restart = slices.DeleteFunc(c.Changed(named), func(key string) bool { return key == "rules" || key == "alertmanager" })
		if !slices.Contains(restart, "kpis") && e.otherKPIs(named) {
			restart = append(restart, "kpis")
		}
	}
	d := &Definitions{Catalogue: e.catalogue}
	if err := errors.Join(d.loadRules(&c), d.loadReceivers(&c)); err != nil {
		return nil, restart, err
	}
	s, err := e.newRuleset(d.Rules)
	if err != nil {
		return nil, restart, err
	}
	for _, w := range d.Warnings {
		e.log.Warn().Msg(w.Error())
	}
	return &turnover{s, d.Receivers, make(chan error, 1)}, restart, nil
}

// otherKPIs reports whether the files of KPIs that a configuration names have other contents
// than those that were read.
func (e *engine) otherKPIs(c *config.Config) bool {
	files, err := readKPIs(c)
	return err != nil || kpi.Fingerprint(files) != e.catalogue.Files
}

// turnOver has the rules and receivers that wait be at work, between two closes.
func (e *engine) turnOver() {
	next := e.coming.Swap(nil)
	if next == nil {
		return
	}
	before := e.rules.Load()
	state, clock := before.State()
	if err := next.Restore(state, clock); err != nil {
		e.reloads.refused(err, time.Now())
		next.done <- err
		return
	}
	next.Succeed(before.Engine)
	e.logTurnover(next)
	e.adopt(next.ruleset)
	e.lane.mu.Lock()
	if now := e.lane.Merger.Now(); now.Head() != math.MinInt64 {
		e.resume(next.ruleset, e.lane.see(now, e.lane.shown.Load().first))
	}
	e.lane.mu.Unlock()
	e.receivers = next.receivers
	e.alertmanager.Reload(next.receivers)
	e.reloads.took(time.Now())
	next.done <- e.deliver.Reload(next.receivers)
}

// logTurnover says what there is from now on, and what there was.
func (e *engine) logTurnover(next *turnover) {
	names := func(s *ruleset) (out []string) {
		for _, r := range s.Status().Rules {
			out = append(out, r.Name)
		}
		return out
	}
	entry := e.log.Info()
	for _, of := range []struct {
		what        string
		before, now []string
	}{
		{"rules", names(e.rules.Load()), names(next.ruleset)},
		{"receivers", e.receivers.Names(), next.receivers.Names()},
	} {
		entry.Int(of.what, len(of.now)).Strs(of.what+"_added", difference(of.now, of.before)).Strs(of.what+"_gone", difference(of.before, of.now))
	}
	entry.Msg("rules and receivers were read anew")
}

// difference is what is in a and not in b, in order, each once.
func difference(a, b []string) []string {
	out := slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
	slices.Sort(out)
	return slices.Compact(out)
}
