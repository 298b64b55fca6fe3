package windows

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/users"
)

// Shards is the number of fixed hash classes of users.
const Shards = users.Shards

// Identity is a hash of what a plan computes with a timing, and of the pages'
// format.
func Identity(p *plan.Plan, t stream.Timing) string { return p.Identity(t, page.Format) }

// A Checkpoint is the engine's state at one place of the stream. It goes through
// the stages as a batch does: Begin where the sequencer stands, then Partition for
// each of them, then Merge; everything before it is in, nothing behind it. Then
// Save says what an epoch has to write.
type Checkpoint struct {
	Number uint64
	// Blocks are finished: history has them before the epoch is written. Drop
	// them from the merger when it is.
	Blocks []*history.Block
	// Users is how many users there are.
	Users int

	progress stream.Progress
	ids      memory        // that are remembered
	accepted memory        // those of types that are accepted late
	users    []users.Saved // by partition
	merger   []byte        // its root
	pages    []page.Page
	late     page.Section
	sealed   int64
}

// A memory is ids that are remembered.
type memory struct {
	stream.Memory
	horizon int64 // event time in seconds before which there is none
}

// section is what the memory adds to a journal.
func (m memory) section(kind page.Kind) page.Section {
	s := page.Section{Kind: kind}
	s.Data, s.Until = m.Encode()
	return s
}

// root is the engine's own small state in an epoch's manifest.
type root struct {
	// Number counts checkpoints; sections of journals are told apart by it.
	Number   uint64
	Merger   []byte
	Progress stream.Progress
	// Partitions is how many there were, and have been since a checkpoint; 0 if
	// that is not known.
	Partitions      int
	PartitionsSince uint64
	// Identity is that of definitions and timing.
	Identity string
}

// Begin notes what of the sequencer belongs to checkpoint number.
func (e *Engine) Begin(number uint64) *Checkpoint {
	c := &Checkpoint{Number: number, progress: e.Sequencer.Progress, users: make([]users.Saved, len(e.Partitions))}
	c.ids.Memory, c.accepted.Memory = e.Sequencer.Memorize()
	c.ids.horizon, c.accepted.horizon = e.Sequencer.Horizons()
	return c
}

// Partition adds what belongs to a partition.
func (c *Checkpoint) Partition(e *Engine, i int) { c.users[i] = e.Partitions[i].Checkpoint(c.Number) }

// Merge adds what belongs to the merger, once all partitions are in.
func (c *Checkpoint) Merge(e *Engine) {
	c.merger, c.pages, c.late = e.Merger.Checkpoint(c.Number)
	c.sealed = e.Merger.Sealed()
	for _, u := range c.users {
		c.Users += u.Rows
		c.pages = append(c.pages, u.Pages...)
	}
	c.Blocks = e.Merger.TakeBlocks()
}

// A saver is what is remembered of the epochs so far.
type saver struct {
	journals        page.Journals
	partitions      int    // of the last epoch
	partitionsSince uint64 // the checkpoint since which there are so many
}

// Save is what an epoch has to write: the pages, those without data being dropped,
// and the root. Every checkpoint that was begun is saved once, in order. before are the
// pages of the last epoch, nil if there is none.
func (e *Engine) Save(c *Checkpoint, before page.Pages) (pages []page.Page, rootData []byte, err error) {
	s := &e.saver
	if pages, err = c.rename(before); err != nil {
		return nil, nil, err
	}
	for i := len(c.users); i < s.partitions; i++ { // others took over what was open there
		pages = append(pages, page.Page{Kind: page.Open, A: uint32(i)})
	}
	if s.partitions != len(c.users) {
		s.partitions, s.partitionsSince = len(c.users), c.Number
	}
	for kind, floor := range c.floors() {
		pages = append(pages, s.journals.Trim(kind, floor)...)
	}
	for _, section := range c.sections() {
		if section.Data != nil {
			pages = append(pages, s.journals.Add(c.Number, section))
		}
	}
	rootData, err = json.Marshal(root{c.Number, c.merger, c.progress, s.partitions, s.partitionsSince, e.Identity()})
	if err != nil {
		return nil, nil, fmt.Errorf("encode the epoch's root: %w", err)
	}
	return pages, rootData, nil
}

// rename are the checkpoint's pages, and with them those of names that are others'.
func (c *Checkpoint) rename(before page.Pages) ([]page.Page, error) {
	type segment struct {
		shard  uint32
		number uint64
	}
	renamed := map[segment]map[int]string{}
	for _, u := range c.users {
		for _, name := range u.Renamed {
			row := name.Ref & 0xffffff
			s := segment{name.Ref >> 24, uint64(row / users.SegmentRows)}
			if renamed[s] == nil {
				renamed[s] = map[int]string{}
			}
			renamed[s][int(row%users.SegmentRows)] = name.Name
		}
	}
	pages := c.pages
	for i := range pages { // of memory, which has forgotten them
		if p := &pages[i]; p.Kind == page.Names {
			delete(renamed, segment{p.A, p.B})
		}
	}
	for s, names := range renamed {
		if before == nil {
			break
		}
		data, err := before.Get(page.Names, s.shard, s.number)
		if err != nil {
			return nil, fmt.Errorf("rename users: %w", err)
		}
		if data == nil { // not written yet
			continue
		}
		if data, err = users.Rename(data, names); err != nil {
			return nil, fmt.Errorf("rename users: %w", err)
		}
		pages = append(pages, page.Page{Kind: page.Names, A: s.shard, B: s.number, Data: data})
	}
	return pages, nil
}

// sections are what the checkpoint adds to the journals.
func (c *Checkpoint) sections() []page.Section {
	out := []page.Section{c.ids.section(page.IDs), c.accepted.section(page.AcceptedIDs), c.late}
	for _, u := range c.users {
		out = append(out, u.Delta)
	}
	return out
}

// floors are how far the journals are needed.
func (c *Checkpoint) floors() map[page.Kind]page.Floor {
	all := page.Floor{Number: math.MaxUint64, Until: math.MaxInt64}
	for _, u := range c.users {
		all = page.Floor{Number: min(all.Number, u.Floor.Number), Until: min(all.Until, u.Floor.Until)}
	}
	return map[page.Kind]page.Floor{
		page.IDs:         {Number: math.MaxUint64, Until: c.ids.horizon},
		page.AcceptedIDs: {Number: math.MaxUint64, Until: c.accepted.horizon},
		page.Corrections: {Number: math.MaxUint64, Until: c.sealed},
		page.UserDelta:   all,
	}
}
