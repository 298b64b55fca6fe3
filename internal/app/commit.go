package app

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows"
)

// commits is what the committing goroutine remembers of the epochs so far.
type commits struct {
	deltas     [][2]uint64 // user deltas that are kept: partition, number
	base       [windows.Shards]uint64
	exceptions []uint64 // parts that are kept
	outputs    map[string]uint64
	alerts     []byte
	// before is the last epoch but one: a recovery may go back to the last.
	last, before struct {
		replayFrom uint64
		alerted    int64
	}
}

func (c *commits) restore(r *root) {
	c.deltas = r.Deltas
	c.base = r.Bases
	c.last.replayFrom, c.last.alerted = r.Start.Sequence, r.Alerted
	c.before = c.last
}

// commit makes epochs of marks. While one cannot be written, consumption
// pauses; it is tried until it can.
func (s *Service) commit() error {
	for m := range s.marks {
		began := time.Now()
		<-m.flushed
		c, err := s.epoch(m)
		if err != nil {
			return err
		}
		blocks := make([]state.Block, len(m.blocks))
		for i, b := range m.blocks {
			blocks[i] = convert(b)
		}
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
			if err = s.write(blocks, c); err == nil {
				break
			}
			why := fmt.Sprintf("checkpoint: %v", err)
			if s.commitTrouble.Swap(&why) == nil {
				s.log.Error().Err(err).Msg("no checkpoint: trying again until there is one")
			}
			if errors.Is(err, state.ErrClosed) || s.isStopping(wait) {
				return fmt.Errorf("checkpoint: %w", err)
			}
		}
		s.commitTrouble.Store(nil)
		s.lane.mu.Lock()
		s.lane.merger.DropBlocks(len(m.blocks))
		s.lane.mu.Unlock()
		k := &s.commits
		k.before = k.last
		k.last.replayFrom, k.last.alerted = m.root.Start.Sequence, m.root.Alerted
		if k.before.replayFrom == 0 {
			k.before = k.last
		}
		if err := s.deliver.Committed(k.before.alerted); err != nil {
			s.log.Warn().Err(err).Msg("outbox is not tidied")
		}
		s.progress.checkpoint.Store(time.Now().UnixMilli())
		s.progress.replayFrom.Store(k.before.replayFrom)
		s.metrics.GetOrCreateSummary("tidewatch_checkpoint_duration_seconds").UpdateDuration(began)
		s.marking.Store(false)
	}
	return nil
}

// isStopping waits, and reports whether the service is about to stop.
func (s *Service) isStopping(wait time.Duration) bool {
	select {
	case <-s.stopping:
		return true
	case <-time.After(wait):
		return false
	}
}

func (s *Service) write(blocks []state.Block, c state.Commit) error {
	if len(blocks) > 0 {
		if err := s.store.PutBlocks(blocks); err != nil {
			return err
		}
		if err := s.store.SyncHistory(); err != nil {
			return err
		}
	}
	return s.store.Commit(c)
}

// epoch puts a mark together as the store takes it.
func (s *Service) epoch(m *mark) (state.Commit, error) {
	k := &s.commits
	var c state.Commit
	put := func(p windows.Page) {
		id := state.PageID{Kind: uint16(p.Kind), A: p.A, B: p.B}
		if p.Data == nil {
			c.Drop = append(c.Drop, id)
		} else {
			c.Write = append(c.Write, state.Page{ID: id, Data: p.Data})
		}
	}
	for _, p := range m.pages {
		put(p)
		switch p.Kind {
		case windows.PageUserDelta:
			k.deltas = append(k.deltas, [2]uint64{uint64(p.A), p.B})
		case windows.PageExceptions:
			if !slices.Contains(k.exceptions, p.B) {
				k.exceptions = append(k.exceptions, p.B)
			}
		}
	}
	for _, u := range m.users {
		for shard, base := range u.Base {
			k.base[shard] = base
		}
	}
	oldest := slices.Min(k.base[:])
	k.deltas = slices.DeleteFunc(k.deltas, func(d [2]uint64) bool {
		if d[1] > oldest {
			return false
		}
		put(windows.Page{Kind: windows.PageUserDelta, A: uint32(d[0]), B: d[1]})
		return true
	})
	k.exceptions = slices.DeleteFunc(k.exceptions, func(part uint64) bool {
		if int64(part+1)*exceptionPart > m.root.Start.Row {
			return false
		}
		put(windows.Page{Kind: windows.PageExceptions, B: part})
		return true
	})
	if !bytes.Equal(k.alerts, m.alerts) {
		k.alerts = m.alerts
		c.Write = append(c.Write, state.Page{ID: state.PageID{Kind: pageAlerts}, Data: m.alerts})
	}
	m.root.Plan, m.root.Deltas, m.root.Bases = s.plan.Hash(s.timing), k.deltas, k.base
	data, err := m.root.encode()
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	c.Manifest = state.Manifest{
		Lanes: map[string]state.Lane{laneName: {Position: m.position.Sequence, Fingerprint: m.position.Fingerprint,
			ReplayFrom: m.root.Start.Sequence, Watermark: m.root.Start.Watermark}},
		HashKey: s.key, Shards: windows.Shards, Config: s.config.Hash(), Tzdata: tzdataVersion(), StreamCreated: s.created,
		Outputs: s.outputs.last(), Root: data,
	}
	return c, nil
}

// tzdataVersion names the time zone database that the binary carries: it comes
// with the Go release.
func tzdataVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return ""
}
