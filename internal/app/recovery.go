package app

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

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
	case lane.ReplayFrom < info.First && lane.ReplayFrom <= info.Last:
		return fmt.Sprintf("the stream begins at %d, but %d is needed", info.First, lane.ReplayFrom), nil
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

// recover makes the lane stand where the newest epoch that fits the log left
// it, and answers the sequence to read from.
func (e *engine) recover(ctx context.Context, events eventLog) (from uint64, err error) {
	epoch, err := e.choose(ctx, events)
	if err != nil {
		return 0, err
	}
	var r *root
	key := newHashKey()
	if epoch != nil {
		if r, err = decodeRoot(epoch.Manifest().Root); err != nil {
			return 0, err
		}
		key = epoch.Manifest().HashKey
	}
	if err := e.prepare(key); err != nil {
		return 0, err
	}
	e.store.Adopt(epoch)
	if epoch == nil {
		return 0, nil
	}
	position := epoch.Manifest().Lanes[laneName].Position
	e.lane.quietTo, e.alerted = position, r.Alerted
	if want := e.plan.Hash(e.timing); r.Plan != want {
		e.log.Warn().Msg("definitions or timing changed: rebuilding from the retained stream, without notifications until it has caught up")
		e.store.Adopt(nil)
		return 0, e.restoreAlerts(epoch, r)
	}
	if err := e.restore(epoch, r); err != nil {
		return 0, err
	}
	e.log.Info().Uint64("epoch", epoch.Manifest().Epoch).Uint64("position", position).Uint64("replay_from", r.Start.Sequence).Msg("recovering")
	return r.Start.Sequence, e.restoreAlerts(epoch, r)
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

// restore fills the lane from an epoch of the same plan.
func (e *engine) restore(epoch *state.Epoch, r *root) error {
	l := e.lane
	if err := l.merger.Restore(r.Merger, epochPages{epoch}, l.labels); err != nil {
		return err
	}
	if err := restoreUsers(epoch, l.partitions); err != nil {
		return err
	}
	sealed := l.merger.Sealed()
	for _, p := range l.partitions {
		l.merger.Resume(p.Resume(sealed))
	}
	var exceptions []stream.Exception
	for page, err := range epoch.Pages(uint16(windows.PageExceptions)) {
		if err != nil {
			return err
		}
		es, err := decodeExceptions(page.Data)
		if err != nil {
			return err
		}
		exceptions = append(exceptions, es...)
		e.commits.exceptions = append(e.commits.exceptions, page.ID.B)
	}
	slices.SortFunc(exceptions, func(a, b stream.Exception) int { return int(a.Row - b.Row) })
	l.sequencer = stream.Restore(l.timing, stream.Progress{Start: r.Start, Row: r.Rows, Ledger: r.Ledger, Exceptions: exceptions})
	l.rows, l.exceptionsFrom = r.Start.Row, r.Start.Row
	l.position = position{epoch.Manifest().Lanes[laneName].Position, epoch.Manifest().Lanes[laneName].Fingerprint}
	e.number, e.marked = r.Number, l.position
	e.commits.restore(r)
	if wm := r.Start.Watermark; sealed != math.MinInt64 && wm/1000 > sealed {
		l.cross(wm)
	}
	l.publish(nil, account{r.Ledger, l.position.Sequence})
	for _, p := range l.partitions {
		l.users.Add(int64(p.Users()))
	}
	return nil
}

// cross closes all slices before a watermark, without a message.
func (l *lane) cross(watermark int64) {
	p := &parcel{crossings: []stream.Crossing{{Watermark: watermark}}, batch: &stream.Batch{}, position: position{Sequence: l.quietTo}}
	p.steps, p.peeks = make([][]*windows.Step, len(l.partitions)), make([]*windows.Step, len(l.partitions))
	p.partitions.Add(len(l.partitions))
	for i := range l.partitions {
		l.partition(i, p)
	}
	l.merge(p)
}

func restoreUsers(e *state.Epoch, partitions []*windows.Partition) error {
	for page, err := range e.Pages(uint16(windows.PageUsers)) {
		if err != nil {
			return err
		}
		for _, p := range partitions {
			if err := p.LoadShard(int(page.ID.A), page.Data); err != nil {
				return fmt.Errorf("restore users: %w", err)
			}
		}
	}
	var deltas []state.Page
	for page, err := range e.Pages(uint16(windows.PageUserDelta)) {
		if err != nil {
			return err
		}
		deltas = append(deltas, page)
	}
	slices.SortStableFunc(deltas, func(a, b state.Page) int { return int(a.ID.B) - int(b.ID.B) })
	for _, d := range deltas {
		for _, p := range partitions {
			if err := p.LoadDelta(d.ID.B, d.Data); err != nil {
				return fmt.Errorf("restore users: %w", err)
			}
		}
	}
	return nil
}

// epochPages lets the merger read an epoch.
type epochPages struct{ epoch *state.Epoch }

func (e epochPages) Each(kind windows.PageKind, visit func(a uint32, b uint64, data []byte) error) error {
	for page, err := range e.epoch.Pages(uint16(kind)) {
		if err != nil {
			return err
		}
		if err := visit(page.ID.A, page.ID.B, page.Data); err != nil {
			return err
		}
	}
	return nil
}
