package app

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows"
)

// A mark travels through the lane as the place of a checkpoint: everything
// before it is in, nothing behind it.
type mark struct {
	number   uint64
	root     root
	position position
	memory   stream.Memory
	horizon  int64           // event time in seconds before which no id is remembered
	users    []windows.Users // by partition
	pages    []windows.Page
	late     windows.Section
	sealed   int64 // the second before which nothing changes any more
	blocks   []*windows.Block
	alerts   []byte
	flushed  <-chan map[string]uint64 // delivers the ends of the output streams once all before is out
}

// root is the lane's own small state in an epoch's manifest.
type root struct {
	// Number counts checkpoints; sections of journals are told apart by it.
	Number   uint64
	Merger   []byte
	Progress stream.Progress
	// Partitions is how many there were.
	Partitions int
	// Plan identifies definitions and timing.
	Plan string
	// Alerted is the event time up to which rules were evaluated.
	Alerted int64
	// Clock belongs to the page of alerts, which is written only when it
	// changes.
	Clock alerts.Clock
}

func (r *root) encode() ([]byte, error) { return json.Marshal(r) }

func decodeRoot(data []byte) (*root, error) {
	r := new(root)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("read the epoch's root: %w", err)
	}
	return r, nil
}

// pageAlerts holds the state of the rules.
const pageAlerts = 1000

// newMark notes what of the sequencer belongs to the checkpoint. It is called
// where the sequencer stands.
func (l *lane) newMark(number uint64) *mark {
	return &mark{
		number: number, position: l.position, users: make([]windows.Users, len(l.partitions)),
		root:   root{Number: number, Progress: l.sequencer.Progress, Partitions: len(l.partitions)},
		memory: l.sequencer.Memorize(), horizon: l.sequencer.Horizon(),
	}
}

// sections are what the checkpoint adds to the journals.
func (m *mark) sections() []windows.Section {
	ids := windows.Section{Kind: windows.PageIDs}
	ids.Data, ids.Until = m.memory.Encode()
	out := []windows.Section{ids, m.late}
	for _, u := range m.users {
		out = append(out, u.Delta)
	}
	return out
}

// floors are how far the journals are needed.
func (m *mark) floors() map[windows.PageKind]windows.Floor {
	users := windows.Floor{Number: math.MaxUint64, Until: math.MaxInt64}
	for _, u := range m.users {
		users = windows.Floor{Number: min(users.Number, u.Floor.Number), Until: min(users.Until, u.Floor.Until)}
	}
	return map[windows.PageKind]windows.Floor{
		windows.PageIDs:         {Number: math.MaxUint64, Until: m.horizon},
		windows.PageCorrections: {Number: math.MaxUint64, Until: m.sealed},
		windows.PageUserDelta:   users,
	}
}
