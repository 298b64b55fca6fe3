package app

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

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
	replay   stream.Start
	users    []windows.Users // by partition
	pages    []windows.Page
	blocks   []*windows.Block
	alerts   []byte
	flushed  <-chan map[string]uint64 // delivers the ends of the output streams once all before is out
}

// root is the lane's own small state in an epoch's manifest.
type root struct {
	// Number counts checkpoints; deltas are told apart by it.
	Number uint64
	Merger []byte
	// Rows is the number of the first row behind the position.
	Rows   int64
	Start  stream.Start
	Ledger stream.Ledger
	// Plan identifies definitions and timing.
	Plan string
	// Deltas are the pages of user deltas that are kept, by partition and number.
	Deltas [][2]uint64
	// Bases are the checkpoints at which each shard was written whole.
	Bases [windows.Shards]uint64
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
	m := &mark{number: number, position: l.position, users: make([]windows.Users, len(l.partitions))}
	start, ok := l.sequencer.ReplayStart()
	if !ok {
		start = stream.Start{Sequence: l.position.Sequence + 1, Row: l.rows, Watermark: l.sequencer.Watermark(), LastStamp: l.sequencer.LastStamp()}
	}
	m.replay = start
	m.root = root{Number: number, Rows: l.rows, Start: start, Ledger: l.sequencer.Ledger()}
	m.pages = exceptionPages(l.sequencer.Exceptions(start.Row), l.exceptionsFrom)
	l.exceptionsFrom = l.rows
	return m
}

// exceptionPart is how many rows share a page of exceptions.
const exceptionPart = 1 << 20

// exceptionPages encodes the exceptions in the parts that changed since row
// from. A run over the edge of a part stands in both.
func exceptionPages(es []stream.Exception, from int64) []windows.Page {
	parts := map[int64][]byte{}
	for _, e := range es {
		for end := e.Row + e.Rows; e.Row < end; e.Row += e.Rows {
			part := e.Row / exceptionPart
			e.Rows = min(end, (part+1)*exceptionPart) - e.Row
			if part < from/exceptionPart {
				continue
			}
			b := binary.AppendUvarint(parts[part], uint64(e.Row))
			b = binary.AppendUvarint(b, uint64(e.Rows))
			parts[part] = append(b, byte(e.Verdict))
		}
	}
	var pages []windows.Page
	for part, data := range parts {
		pages = append(pages, windows.Page{Kind: windows.PageExceptions, B: uint64(part), Data: data})
	}
	return pages
}

func decodeExceptions(data []byte) ([]stream.Exception, error) {
	var out []stream.Exception
	for len(data) > 0 {
		row, n := binary.Uvarint(data)
		rows, k := binary.Uvarint(data[max(n, 0):])
		if n <= 0 || k <= 0 || len(data) <= n+k {
			return nil, fmt.Errorf("page of verdicts is cut short")
		}
		out = append(out, stream.Exception{Row: int64(row), Rows: int64(rows), Verdict: stream.Verdict(data[n+k])})
		data = data[n+k+1:]
	}
	return out, nil
}
