package app

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows"
)

// commits is what is remembered of the epochs so far.
type commits struct {
	deltas     [][2]uint64 // user deltas that are kept: partition, number
	base       [windows.Shards]uint64
	exceptions []uint64 // parts that are kept
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

// write makes the epoch durable, history first. It may be called again after
// an error.
func (e *engine) write(blocks []*windows.Block, c state.Commit) error {
	if len(blocks) > 0 {
		if err := e.store.PutBlocks(blocks); err != nil {
			return err
		}
		if err := e.store.SyncHistory(); err != nil {
			return err
		}
	}
	return e.store.Commit(c)
}

// epoch puts a mark together as the store takes it.
func (e *engine) epoch(m *mark, outputs map[string]uint64) (state.Commit, error) {
	k := &e.commits
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
	m.root.Plan, m.root.Deltas, m.root.Bases = e.plan.Hash(e.timing), k.deltas, k.base
	data, err := m.root.encode()
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	c.Manifest = state.Manifest{
		Lanes: map[string]state.Lane{laneName: {Position: m.position.Sequence, Fingerprint: m.position.Fingerprint,
			ReplayFrom: m.root.Start.Sequence, Watermark: m.root.Start.Watermark}},
		HashKey: e.key, Shards: windows.Shards, Config: e.config.Hash(), Tzdata: tzdataVersion(), StreamCreated: e.created,
		Outputs: outputs, Root: data,
	}
	return c, nil
}

// committed lets go of what the epoch of the mark holds.
func (e *engine) committed(m *mark) error {
	e.lane.mu.Lock()
	e.lane.merger.DropBlocks(len(m.blocks))
	e.lane.mu.Unlock()
	k := &e.commits
	k.before = k.last
	k.last.replayFrom, k.last.alerted = m.root.Start.Sequence, m.root.Alerted
	if k.before.replayFrom == 0 {
		k.before = k.last
	}
	return e.deliver.Committed(k.before.alerted)
}

// tzdataVersion names the time zone database that the binary carries: it comes
// with the Go release.
func tzdataVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.GoVersion
	}
	return ""
}
