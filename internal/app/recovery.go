package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows"
)

// An eventLog is the stream of events as a recovery looks at it.
type eventLog interface {
	Info(ctx context.Context) (jetstream.Info, error)
	Message(ctx context.Context, sequence uint64) (stream.Raw, error)
}

// choose is the newest epoch that fits the stream: the message at its position
// is the one that it was when the epoch was written. nil means to begin with
// the stream's first message.
func (e *engine) choose(ctx context.Context, events eventLog) (*state.Epoch, error) {
	epochs, err := e.store.Epochs()
	if errors.Is(err, state.ErrDamaged) {
		return nil, fmt.Errorf("recover: %w: restore a backup of %s, or move it away to rebuild from the retained stream", err, e.config.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	info, err := events.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	e.created = info.Created
	if len(epochs) == 0 {
		return nil, nil
	}
	for _, epoch := range epochs {
		m := epoch.Manifest()
		why, err := e.misfit(ctx, events, m, info)
		if err != nil {
			return nil, fmt.Errorf("recover: %w", err)
		}
		if why == "" {
			return epoch, nil
		}
		e.log.Warn().Uint64("epoch", m.Epoch).Uint64("position", m.Lanes[laneName].Position).Msg("epoch does not fit the stream: " + why)
	}
	return nil, fmt.Errorf("recover: the stream in %s is not the one that the state was computed from (see the log): put the stream back, or move the data folder away to begin anew", e.config.Data)
}

// misfit says why an epoch does not belong to the stream, "" if it does.
func (e *engine) misfit(ctx context.Context, events eventLog, m state.Manifest, info jetstream.Info) (string, error) {
	lane := m.Lanes[laneName]
	switch {
	case !m.StreamCreated.Equal(info.Created):
		return fmt.Sprintf("it was made at %s, this stream at %s", m.StreamCreated, info.Created), nil
	case lane.Position > info.Last:
		return fmt.Sprintf("the stream ends at %d: its tail was lost", info.Last), nil
	case lane.Position+1 < info.First:
		return fmt.Sprintf("the stream begins at %d, but %d is the next to be read", info.First, lane.Position+1), nil
	case lane.Position == 0 || lane.Position < info.First:
		return "", nil
	}
	raw, err := events.Message(ctx, lane.Position)
	if err != nil {
		return "", fmt.Errorf("read message %d: %w", lane.Position, err)
	}
	if got := stream.Fingerprint(raw); got != lane.Fingerprint {
		return fmt.Sprintf("message %d is not the one that was read: the stream lost its tail and reused the sequence", lane.Position), nil
	}
	return "", nil
}

// A recovery has the lane go on where an epoch left it. Without one it begins
// with the stream's first message.
type recovery struct {
	epoch *state.Epoch
	root  *root
}

// after is the last message that need not be read.
func (r *recovery) after() position {
	if r.epoch == nil {
		return position{}
	}
	lane := r.epoch.Manifest().Lanes[laneName]
	return position{lane.Position, lane.Fingerprint}
}

// begin makes the lane and takes from the newest epoch that fits the log what is
// needed to answer. What the lane held is left to restore.
func (e *engine) begin(ctx context.Context, events eventLog) (*recovery, error) {
	epoch, err := e.choose(ctx, events)
	if err != nil {
		return nil, err
	}
	r := &recovery{epoch: epoch}
	key := newHashKey()
	if epoch != nil {
		if r.root, err = decodeRoot(epoch.Manifest().Root); err != nil {
			return nil, err
		}
		key = epoch.Manifest().HashKey
	}
	if err := e.prepare(key); err != nil {
		return nil, err
	}
	e.store.Adopt(epoch)
	if epoch == nil {
		return r, nil
	}
	e.lane.quietTo, e.alerted = r.after().Sequence, r.root.Alerted
	if err := e.restoreAlerts(epoch, r.root); err != nil {
		return nil, err
	}
	if r.root.Plan != e.plan.Hash(e.timing) {
		e.log.Warn().Msg("definitions or timing changed: rebuilding from the retained stream, without notifications until it has caught up")
		e.store.Adopt(nil)
		return &recovery{}, nil
	}
	return r, nil
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
	if err := e.rules.Restore(data, r.Clock); err != nil {
		return fmt.Errorf("restore alerts: %w", err)
	}
	return nil
}

// restore fills the lane.
func (e *engine) restore(ctx context.Context, r *recovery) error {
	if r.epoch == nil {
		return nil
	}
	epoch, root := r.epoch, r.root
	l, j := e.lane, &e.commits.journals
	l.position = r.after()
	e.log.Info().Uint64("epoch", epoch.Manifest().Epoch).Uint64("position", l.position.Sequence).Msg("recovering")
	ids, err := j.restore(epoch, windows.PageIDs)
	if err != nil {
		return err
	}
	late, err := j.restore(epoch, windows.PageCorrections)
	if err != nil {
		return err
	}
	users, err := readUsers(epoch, j)
	if err != nil {
		return err
	}
	// What belongs to one goroutine is restored by one, all at once.
	tasks := []func() error{
		func() (err error) {
			var memories [][]byte
			for _, s := range ids {
				memories = append(memories, s.data)
			}
			if l.sequencer, err = stream.Restore(l.timing, root.Progress, memories); err == nil {
				l.sequencer.Yield = yield
			}
			return err
		},
		func() error { return l.merger.Restore(root.Merger, epochPages{ctx, epoch, late}, l.labels) },
	}
	for _, p := range l.partitions {
		tasks = append(tasks, func() error { return users.load(ctx, p) })
	}
	if err := together(tasks); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	tasks = nil
	held, since := make([][]windows.Change, len(l.partitions)), make([]*windows.Step, len(l.partitions))
	for i, p := range l.partitions {
		tasks = append(tasks, func() error {
			held[i], since[i] = p.Resume(l.merger.Sealed(), l.merger.Watermark())
			return nil
		})
	}
	if err := together(tasks); err != nil {
		return err
	}
	for i, p := range l.partitions {
		l.merger.Resume(held[i], since[i])
		l.users.Add(int64(p.Users()))
	}
	e.number, e.marked = root.Number, l.position
	e.commits.partitions = root.Partitions
	e.commits.last = epochEnd{l.position.Sequence, root.Alerted}
	l.publish(nil, account{root.Progress.Settled, root.Progress.SettledAt})
	e.log.Info().Int64("users", l.users.Load()).Msg("recovered")
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

// users is what an epoch has of the partitions.
type users struct {
	shards []state.Page
	deltas []section
	open   []state.Page
}

func readUsers(e *state.Epoch, j *journals) (u users, err error) {
	for page, err := range e.Pages(uint16(windows.PageUsers)) {
		if err != nil {
			return u, err
		}
		u.shards = append(u.shards, page)
	}
	for page, err := range e.Pages(uint16(windows.PageOpen)) {
		if err != nil {
			return u, err
		}
		u.open = append(u.open, page)
	}
	u.deltas, err = j.restore(e, windows.PageUserDelta)
	return u, err
}

func (u *users) load(ctx context.Context, p *windows.Partition) error {
	for _, page := range u.shards {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.LoadShard(int(page.ID.A), page.Data); err != nil {
			return fmt.Errorf("restore users: %w", err)
		}
	}
	for _, s := range u.deltas {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.LoadDelta(s.number, s.data); err != nil {
			return fmt.Errorf("restore users: %w", err)
		}
	}
	for _, page := range u.open {
		if err := p.LoadOpen(page.ID.A, page.Data); err != nil {
			return fmt.Errorf("restore what is open: %w", err)
		}
	}
	return nil
}

// epochPages lets the merger read an epoch.
type epochPages struct {
	ctx   context.Context
	epoch *state.Epoch
	late  []section // of its journal of corrections
}

func (e epochPages) Each(kind windows.PageKind, visit func(a uint32, b uint64, data []byte) error) error {
	if kind == windows.PageCorrections {
		for _, s := range e.late {
			if err := visit(s.a, s.number, s.data); err != nil {
				return err
			}
		}
		return nil
	}
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
