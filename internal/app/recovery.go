package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
)

// A recovery has the lane go on where an epoch left it. Without one it begins
// with the stream's first message.
type recovery struct {
	lane   string
	epoch  *state.Epoch
	root   *root
	engine *windows.Root
}

// after is the last message that need not be read.
func (r *recovery) after() position {
	if r.epoch == nil {
		return position{}
	}
	lane := r.epoch.Manifest().Lanes[r.lane]
	return position{lane.Position, lane.Fingerprint}
}

// begin makes the lane and takes from the newest epoch that fits the log what is
// needed to answer. What the lane held is left to restore.
func (e *engine) begin(ctx context.Context, events eventLog) (*recovery, error) {
	epoch, done, err := e.choose(ctx, events)
	if err != nil {
		return nil, err
	}
	r := &recovery{lane: e.laneName, epoch: epoch}
	key := newHashKey()
	if epoch != nil {
		if r.root, r.engine, err = decodeRoot(epoch.Manifest().Root); err != nil {
			return nil, err
		}
		key = epoch.Manifest().HashKey
	}
	if err := e.prepare(key); err != nil {
		return nil, err
	}
	if err := e.store.Adopt(epoch); err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	if epoch == nil {
		e.lane.quietTo = e.quietUpTo(done)
		return r, nil
	}
	e.lane.quietTo, e.lane.toldTo = r.after().Sequence, epoch.Manifest().Lanes[e.laneName].Watermark
	if q := r.root.Quiet; q != nil {
		e.lane.quietTo, e.lane.toldTo = q.To, q.ToldTo
		if err := e.cutBack(ctx, events); err != nil {
			return nil, err
		}
	}
	changed := ""
	if !r.engine.Fits(e.lane.Identity()) {
		changed = "definitions or timing"
	}
	if e.misread(epoch) > 0 {
		changed = "clock_errors"
		if err := e.setBack(ctx, events, r); err != nil {
			return nil, err
		}
	}
	e.alerted, e.former = r.root.Alerted, r.root.Former
	if err := e.restoreAlerts(epoch, r.root); err != nil {
		return nil, err
	}
	if changed != "" {
		e.log.Warn().Msg(changed + " changed: rebuilding from the retained stream, without notifications until it has caught up")
		e.store.StartOver()
		e.fresh, e.lane.quietTo = true, e.quietUpTo(e.lane.quietTo)
		if first := r.engine.First(); e.whole {
			e.former = 0
		} else if first != 0 && first != math.MaxInt64 && (e.former == 0 || first < e.former) {
			e.former = first
		}
		return &recovery{}, nil
	}
	e.commits.last = epochEnd{r.after().Sequence, r.root.Alerted}
	e.lane.progress.committed.Store(e.commits.last.position)
	return r, nil
}

// retain lets history answer for what was over before the first event that the
// stream still has, once a computation that began anew has come to it: the rest is
// counted again.
func (e *engine) retain() {
	if e.fresh && e.lane.Merger.Head() != math.MinInt64 {
		e.fresh = false
		e.store.Retain(func(id history.BlockID) bool { return !e.whole && !e.lane.Merger.Touches(id) })
		e.ripenings.Store(&ripenings{}) // whoever read without them has the old ones
	}
}

// quietUpTo is up to where all is done again that was done before: of an empty stream nothing is.
func (e *engine) quietUpTo(done uint64) uint64 {
	if e.empty {
		return 0
	}
	return done
}

// cutBack tells of a stream that has lost messages which are to be done again: what comes in
// their place was not done before.
func (e *engine) cutBack(ctx context.Context, events eventLog) error {
	info, err := events.Info(ctx)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	if info.Last < e.lane.quietTo {
		e.tell("%s has lost its tail: what was read behind message %d is not counted any more; put a copy of it back, or send it again", e.streamPlace(), info.Last)
		e.lane.quietTo = info.Last
	}
	return nil
}

// setBack has the rules go on from the true time of the last message: the wrong
// clock may have brought them beyond it.
func (e *engine) setBack(ctx context.Context, events eventLog, r *recovery) error {
	last, err := events.Message(ctx, e.lane.quietTo)
	if errors.Is(err, jetstream.ErrNoMessage) {
		return nil // it is purged: too old to matter
	}
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	now := last.Stamp - e.config.ClockErrors.Ahead(last.Sequence)
	r.root.Alerted, r.root.Clock.Now = min(r.root.Alerted, now), min(r.root.Clock.Now, now)
	for group, at := range r.root.Clock.Evaluated {
		r.root.Clock.Evaluated[group] = min(at, now)
	}
	return nil
}

func newHashKey() [2]uint64 {
	var b [16]byte
	rand.Read(b[:])
	return [2]uint64{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

func (e *engine) restoreAlerts(epoch *state.Epoch, r *root) error {
	data, ok, err := epoch.Page(state.PageID{Kind: pageAlerts})
	if err != nil || !ok {
		return err
	}
	if err := e.rules.Load().Restore(data, r.Clock); err != nil {
		return fmt.Errorf("restore alerts: %w", err)
	}
	return nil
}

// restore fills the lane with all that it answers. Before it goes on it is to readOn.
func (e *engine) restore(ctx context.Context, r *recovery) error {
	if r.epoch == nil {
		return nil
	}
	l := e.lane
	l.position = r.after()
	e.log.Info().Uint64("epoch", r.epoch.Manifest().Epoch).Uint64("position", l.position.Sequence).Msg("recovering")
	if err := l.Restore(r.engine, epochPages{ctx, r.epoch}, together); err != nil {
		return err
	}
	l.users.Store(int64(l.Users()))
	e.number, e.checkpointed = r.engine.Number(), l.position
	ledger, at := r.engine.Settled()
	l.publish(account{ledger, at}, l.Merger.Live(), l.Sequencer.First)
	if now := l.Merger.Now(); now.Head() != math.MinInt64 {
		e.resume(e.rules.Load(), l.see(now, l.shown.Load().first))
	}
	e.log.Info().Int64("users", l.users.Load()).Msg("recovered")
	return nil
}

// readOn restores what the lane goes on by.
func (e *engine) readOn(ctx context.Context, r *recovery) error {
	if r.epoch == nil {
		return nil
	}
	if err := e.lane.ReadOn(epochPages{ctx, r.epoch}, together); err != nil {
		return err
	}
	e.log.Info().Msg("reading on")
	return nil
}

// together does the tasks side by side.
func together(tasks []func() error) error {
	errs := make([]error, len(tasks))
	var wg sync.WaitGroup
	for i, task := range tasks {
		wg.Go(func() { errs[i] = task() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// epochPages lets the engine read an epoch.
type epochPages struct {
	ctx   context.Context
	epoch *state.Epoch
}

func (e epochPages) Get(kind page.Kind, a uint32, b uint64) ([]byte, error) {
	data, _, err := e.epoch.Page(state.PageID{Kind: uint16(kind), A: a, B: b})
	return data, err
}

func (e epochPages) Each(kind page.Kind, visit func(a uint32, b uint64, data []byte) error) error {
	for page, err := range e.epoch.Pages(uint16(kind)) {
		if err != nil {
			return err
		}
		if err := e.ctx.Err(); err != nil {
			return err
		}
		if err := visit(page.ID.A, page.ID.B, page.Data); err != nil {
			return err
		}
	}
	return nil
}
