package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
)

// An eventLog is the stream of events as a recovery looks at it.
type eventLog interface {
	Info(ctx context.Context) (jetstream.Info, error)
	Message(ctx context.Context, sequence uint64) (stream.Raw, error)
}

// choose is the newest epoch that fits the stream: the message at its position
// is the one that it was when the epoch was written. nil means to begin with
// the stream's first message; everything up to the sequence done was done before
// then, by a state that is lost.
func (e *engine) choose(ctx context.Context, events eventLog) (_ *state.Epoch, done uint64, err error) {
	info, err := events.Info(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("recover: %w", err)
	}
	e.created, e.whole, e.empty = info.Created, info.First <= 1, info.Last < info.First
	if there := info.Last + 1 - info.First; info.Messages < there {
		e.tell("%s has lost %d of the %d messages from %d on: put a copy of it back; without one a change of definitions cannot be computed from it",
			e.streamPlace(), there-info.Messages, there, info.First)
	}
	epochs, err := e.store.Epochs()
	switch {
	case errors.Is(err, state.ErrDamaged):
		return nil, info.Last, e.anew(info, fmt.Errorf("%w: %s", err, state.RebuildEpochs(e.stateFolder())))
	case err != nil:
		return nil, 0, fmt.Errorf("recover: %w", err)
	case len(epochs) == 0:
		return e.first(info)
	}
	slices.SortStableFunc(epochs, func(a, b *state.Epoch) int { return cmp.Compare(e.misread(a), e.misread(b)) })
	for i, epoch := range epochs {
		m := epoch.Manifest()
		why, err := e.misfit(ctx, events, m, info)
		if err != nil {
			return nil, 0, fmt.Errorf("recover: %w", err)
		}
		if why == "" {
			switch back := slices.ContainsFunc(epochs, func(o *state.Epoch) bool { return e.misread(o) > e.misread(epoch) && o.Manifest().Epoch > m.Epoch }); {
			case back:
				e.log.Warn().Uint64("epoch", m.Epoch).Msg("clock_errors changed: going back to an epoch of before")
			case i > 0:
				e.tell("%s has lost its tail: what was read behind message %d is not counted any more; put a copy of it back, or send it again",
					e.streamPlace(), m.Lanes[e.laneName].Position)
			}
			e.tellRead(epochs, info)
			return epoch, 0, nil
		}
		e.log.Warn().Uint64("epoch", m.Epoch).Uint64("position", m.Lanes[e.laneName].Position).Msg("epoch does not fit the stream: " + why)
	}
	return nil, info.Last, e.anew(info, fmt.Errorf("%s is not the one that the state in %s was computed from (see the log): put the stream back, or start once with --rebuild, which counts anew what this one holds", e.streamPlace(), e.stateFolder()))
}

// tellRead tells of messages that were read and are lost at the beginning of the stream:
// purges leave those from the position of the older epoch on.
func (e *engine) tellRead(epochs []*state.Epoch, info jetstream.Info) {
	position := func(epoch *state.Epoch) uint64 { return epoch.Manifest().Lanes[e.laneName].Position }
	oldest := position(slices.MinFunc(epochs, func(a, b *state.Epoch) int { return cmp.Compare(position(a), position(b)) }))
	if e.config.NATS.URL == "" && oldest > 0 && oldest < info.First {
		e.tell("%s has lost messages up to %d, which were read: put a copy of it back; without one a change of definitions cannot be computed from it",
			e.streamPlace(), info.First-1)
	}
}

// cutOff tells of an end of the stream that the broker could not read.
func (e *engine) cutOff(ctx context.Context, b *jetstream.Broker) error {
	dropped, last, err := b.Dropped(ctx)
	if err == nil && dropped > 0 {
		e.tell("%s had %d bytes that cannot be read and were dropped, and ends at message %d: a crash cut off a write, or it is damaged; in doubt put a copy of it back, or send again what was sent last",
			e.streamPlace(), dropped, last)
	}
	return err
}

// first is the beginning of a state without epochs. One that was there before is
// told by the stream: the service that embeds it made both.
func (e *engine) first(info jetstream.Info) (_ *state.Epoch, done uint64, err error) {
	switch {
	case e.config.NATS.URL != "" || info.Last == 0:
		return nil, 0, nil
	case info.First > 1:
		return nil, info.Last, e.anew(info, fmt.Errorf("%s begins at message %d, and no epoch has what was before: %s", e.streamPlace(), info.First, state.RebuildEpochs(e.stateFolder())))
	case e.store.New():
		e.log.Warn().Str("folder", e.stateFolder()).Msg("the state is gone: counting anew from the stream, without notifications until it has caught up")
		return nil, info.Last, nil
	}
	return nil, 0, nil
}

// broken is a stream that cannot be read on.
func (e *engine) broken(gap *jetstream.GapError) error {
	remedy := "restart to go back to the epoch that matches"
	if gap.Cause == jetstream.Deleted {
		remedy = "put a copy of it back, or start once with --rebuild, which passes over what is lost"
	}
	return fmt.Errorf("%s is damaged: %w: %s", e.streamPlace(), gap, remedy)
}

// anew refuses to begin with what the stream still holds, unless that is wanted.
func (e *engine) anew(info jetstream.Info, why error) error {
	if !e.config.Rebuild {
		return fmt.Errorf("recover: %w", why)
	}
	e.log.Warn().Err(why).Uint64("from", info.First).Msg("--rebuild: counting anew what the stream holds, without notifications until it has caught up")
	return nil
}

func (e *engine) stateFolder() string { return filepath.Join(e.config.Data, "state") }

// streamPlace is where the stream is.
func (e *engine) streamPlace() string {
	if e.config.NATS.URL != "" {
		return "the stream of nats.url"
	}
	return "the stream in " + filepath.Join(e.config.Data, "stream")
}

// misfit says why an epoch does not belong to the stream, "" if it does.
func (e *engine) misfit(ctx context.Context, events eventLog, m state.Manifest, info jetstream.Info) (string, error) {
	lane := m.Lanes[e.laneName]
	made := ""
	if !m.StreamCreated.Equal(info.Created) {
		made = fmt.Sprintf("it was made at %s, this stream at %s", m.StreamCreated, info.Created)
	}
	switch {
	case lane.Position > info.Last:
		return fmt.Sprintf("the stream ends at %d: its tail was lost", info.Last), nil
	case lane.Position+1 < info.First:
		return fmt.Sprintf("the stream begins at %d, but %d is the next to be read", info.First, lane.Position+1), nil
	case lane.Position == 0 || lane.Position < info.First:
		return made, nil
	}
	raw, err := events.Message(ctx, lane.Position)
	switch {
	case errors.Is(err, jetstream.ErrNoMessage):
		return fmt.Sprintf("message %d is lost", lane.Position), nil
	case err != nil:
		return "", fmt.Errorf("read message %d: %w", lane.Position, err)
	case stream.Fingerprint(raw) != lane.Fingerprint:
		return fmt.Sprintf("message %d is not the one that was read: the stream lost its tail and reused the sequence", lane.Position), nil
	case made != "":
		// The message bears the time at which it was stored: no other stream has it.
		e.log.Warn().Uint64("epoch", m.Epoch).Msg("the description of the stream was lost and made anew, its messages are there: " + made)
	}
	return "", nil
}

// tell keeps what is wrong with the stream for whoever runs the service.
func (e *engine) tell(format string, args ...any) {
	told := fmt.Sprintf(format, args...)
	e.log.Error().Msg(told)
	e.damage = append(e.damage, told)
}

// Warnings say what is known to be lost.
func (e *engine) Warnings() []string {
	told := slices.Clone(e.damage)
	if lost := e.store.Lost(); lost != "" {
		told = append(told, lost)
	}
	return told
}

// misread is 1 for an epoch of messages whose times are read otherwise since, by
// clock_errors, and else 0.
func (e *engine) misread(epoch *state.Epoch) int {
	if lane := epoch.Manifest().Lanes[e.laneName]; lane.Clock != e.config.ClockErrors.UpTo(lane.Position) {
		return 1
	}
	return 0
}
