package app

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
)

// commits is what is remembered of the epochs so far.
type commits struct {
	alerts []byte
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
func (e *engine) write(blocks []*history.Block, c state.Commit) error {
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

// epoch puts a checkpoint together as the store takes it.
func (e *engine) epoch(b *barrier, outputs map[string]uint64) (state.Commit, error) {
	var c state.Commit
	var before page.Pages
	if last := e.store.Current(); last != nil {
		before = epochPages{context.Background(), last}
	}
	pages, engineRoot, err := e.lane.Save(b.Checkpoint, before)
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	for _, p := range pages {
		id := state.PageID{Kind: uint16(p.Kind), A: p.A, B: p.B}
		if p.Data == nil {
			c.Drop = append(c.Drop, id)
		} else {
			c.Write = append(c.Write, state.Page{ID: id, Data: p.Data})
		}
	}
	if k := &e.commits; !bytes.Equal(k.alerts, b.alerts) {
		k.alerts = b.alerts
		c.Write = append(c.Write, state.Page{ID: state.PageID{Kind: pageAlerts}, Data: b.alerts})
	}
	r := root{engineRoot, b.alerted, b.clock, e.former, nil}
	if b.position.Sequence < e.lane.quietTo {
		r.Quiet = &quiet{e.lane.quietTo, e.lane.toldTo}
	}
	data, err := r.encode()
	if err != nil {
		return c, fmt.Errorf("checkpoint: %w", err)
	}
	c.Manifest = state.Manifest{
		Lanes:   map[string]state.Lane{e.laneName: {Position: b.position.Sequence, Fingerprint: b.position.Fingerprint, Watermark: b.watermark, Clock: e.config.ClockErrors.UpTo(b.position.Sequence)}},
		HashKey: e.key, Shards: windows.Shards, Config: e.config.Hash(), Tzdata: tzdataVersion(), StreamCreated: e.created,
		Outputs: outputs, Remote: e.remote.Positions(), Root: data,
	}
	return c, nil
}

// committed lets go of what the epoch holds.
func (e *engine) committed(b *barrier) error {
	e.lane.mu.Lock()
	e.lane.Merger.DropBlocks(len(b.Blocks))
	e.lane.mu.Unlock()
	k := &e.commits
	k.before, k.last = k.last, epochEnd{b.position.Sequence, b.alerted}
	if b.doubts {
		if err := e.deliver.Prove(b.firing, b.alerted); err != nil {
			return err
		}
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
