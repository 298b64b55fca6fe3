package app

import (
	"bytes"
	"fmt"
	"runtime/debug"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows"
)

// commits is what is remembered of the epochs so far.
type commits struct {
	journals   journals
	partitions int // of the last epoch
	alerts     []byte
	// before is the last epoch but one: a recovery may go back to the last.
	last, before epochEnd
}

// epochEnd is up to where an epoch has messages and judged rules.
type epochEnd struct {
	position uint64
	alerted  int64
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
	}
	for i := m.root.Partitions; i < k.partitions; i++ { // others took over what was open there
		put(windows.Page{Kind: windows.PageOpen, A: uint32(i)})
	}
	k.partitions = m.root.Partitions
	for kind, floor := range m.floors() {
		c.Drop = append(c.Drop, k.journals.trim(kind, floor)...)
	}
	for _, s := range m.sections() {
		if s.Data != nil {
			c.Write = append(c.Write, k.journals.add(m.number, s))
		}
	}
	if !bytes.Equal(k.alerts, m.alerts) {
		k.alerts = m.alerts
		c.Write = append(c.Write, state.Page{ID: state.PageID{Kind: pageAlerts}, Data: m.alerts})
	}
	m.root.Plan = e.plan.Hash(e.timing)
	data, err := m.root.encode()
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	c.Manifest = state.Manifest{
		Lanes:   map[string]state.Lane{laneName: {Position: m.position.Sequence, Fingerprint: m.position.Fingerprint, Watermark: m.root.Progress.Watermark}},
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
	k.before, k.last = k.last, epochEnd{m.position.Sequence, m.root.Alerted}
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
