package app

import (
	"encoding/json"
	"fmt"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/windows"
)

// A barrier travels through the lane as the place of a checkpoint: everything
// before it is in, nothing behind it.
type barrier struct {
	*windows.Checkpoint
	position  position
	watermark int64
	alerts    []byte
	alerted   int64
	clock     alerts.Clock
	firing    []alerts.Notification // if delivery is in doubt of them
	doubts    bool
	// These deliver the ends of the output streams once all before is out.
	flushed, signalled <-chan map[string]uint64
}

// A checkpoint costs more by itself than by what little came: one with less than
// littleBytes, which a recovery reads again in a moment, waits so many intervals.
const (
	littleBytes = 4 << 20
	intervals   = 5
)

// A pace tells at the end of an interval whether a checkpoint is worth it.
type pace struct{ waited int }

// worth is told how many bytes came since the last checkpoint.
func (p *pace) worth(bytes int64) bool {
	if p.waited++; bytes < littleBytes && p.waited < intervals {
		return false
	}
	p.waited = 0
	return true
}

// root is the service's own small state in an epoch's manifest.
type root struct {
	// Engine is the engine's root.
	Engine []byte
	// Alerted is the event time up to which rules were evaluated.
	Alerted int64
	// Clock belongs to the page of alerts, which is written only when it
	// changes.
	Clock alerts.Clock
	// Former is the event time in ms of the earliest event that was counted before
	// a rebuild, 0 without one: history may tell of it.
	Former int64 `json:",omitempty"`
	// Quiet is there in the midst of a rebuild.
	Quiet *quiet `json:",omitempty"`
}

// quiet is up to where everything was done before, when that is done again: the last
// message, and the watermark, in ms, up to which signals were told.
type quiet struct {
	To     uint64
	ToldTo int64
}

func (r *root) encode() ([]byte, error) { return json.Marshal(r) }

// decodeRoot reads a manifest's root, and the engine's in it.
func decodeRoot(data []byte) (*root, *windows.Root, error) {
	r := new(root)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, nil, fmt.Errorf("read the epoch's root: %w", err)
	}
	if r.Engine == nil { // of a former build: its pages are of another format
		return r, new(windows.Root), nil
	}
	inner, err := windows.ReadRoot(r.Engine)
	return r, inner, err
}

// pageAlerts holds the state of the rules.
const pageAlerts = 1000

// newBarrier notes what of the sequencer belongs to the checkpoint. It is called
// where the sequencer stands.
func (l *lane) newBarrier(number uint64) *barrier {
	return &barrier{Checkpoint: l.Begin(number), position: l.position, watermark: l.Sequencer.Watermark}
}
