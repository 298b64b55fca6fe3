package windows

import (
	"encoding/json"
	"fmt"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// A Root is what an epoch's manifest says of the engine.
type Root struct{ root }

// ReadRoot reads what Save returned.
func ReadRoot(data []byte) (*Root, error) {
	r := new(Root)
	if err := json.Unmarshal(data, &r.root); err != nil {
		return nil, fmt.Errorf("read the epoch's root: %w", err)
	}
	return r, nil
}

// Number is that of the checkpoint.
func (r *Root) Number() uint64 { return r.root.Number }

// Fits reports whether the epoch is of these definitions and this timing.
func (r *Root) Fits(identity string) bool { return r.root.Identity == identity }

// First is the event time in ms of the earliest event, math.MaxInt64 before it.
func (r *Root) First() int64 { return r.root.Progress.First }

// Settled is the ledger that closed windows show, and the message up to which it
// is.
func (r *Root) Settled() (stream.Ledger, uint64) {
	return r.root.Progress.Settled, r.root.Progress.SettledAt
}

// Restore fills an empty engine from an epoch with all that it answers. Before it goes on
// it is to ReadOn. together does tasks, side by side if it can: what belongs to one part
// is done by one task.
func (e *Engine) Restore(r *Root, pages page.Pages, together func(tasks []func() error) error) error {
	e.saver.partitions, e.saver.partitionsSince = r.root.Partitions, r.root.PartitionsSince
	e.begin(stream.Restore(e.Timing, e.Plan.Acceptance, r.root.Progress))
	if err := e.Merger.SetOut(r.root.Merger); err != nil {
		return err
	}
	var late, deltas page.Loaded
	resumed := make([]resumed, len(e.Partitions))
	err := together([]func() error{
		func() (err error) { late, err = e.restoreMerger(pages); return err },
		func() (err error) { deltas, err = e.restorePartitions(pages, resumed, together); return err },
	})
	if err != nil {
		return err
	}
	for _, p := range resumed {
		e.Merger.Resume(p.held, p.since)
	}
	e.Sequencer.Rename(func(visit func(anonymous, user uint64, seen int32)) {
		for _, p := range e.Partitions {
			p.Aliases(visit)
		}
	})
	e.saver.journals.Resume(late)
	e.saver.journals.Resume(deltas)
	return nil
}

// ReadOn restores what an engine goes on by and no answer follows from: the ids that are
// remembered, and what users are about.
func (e *Engine) ReadOn(pages page.Pages, together func(tasks []func() error) error) error {
	tasks := []func() error{func() error { return e.recallIDs(pages) }}
	for _, p := range e.Partitions {
		tasks = append(tasks, func() error {
			if err := p.ReadOn(); err != nil {
				return fmt.Errorf("restore users: %w", err)
			}
			return nil
		})
	}
	return together(tasks)
}

func (e *Engine) recallIDs(pages page.Pages) error {
	var memories [2][][]byte
	for i, kind := range [...]page.Kind{page.IDs, page.AcceptedIDs} {
		l, err := page.Load(kind, pages)
		if err != nil {
			return fmt.Errorf("restore ids: %w", err)
		}
		for _, s := range l.Entries {
			memories[i] = append(memories[i], s.Data)
		}
		e.saver.journals.Resume(l)
	}
	if err := e.Sequencer.Recall(memories[0], memories[1]); err != nil {
		return fmt.Errorf("restore ids: %w", err)
	}
	return nil
}

func (e *Engine) restoreMerger(pages page.Pages) (late page.Loaded, err error) {
	if late, err = page.Load(page.Corrections, pages); err != nil {
		return late, fmt.Errorf("restore corrections: %w", err)
	}
	return late, e.Merger.Restore(pages, late.Entries, e.Labels)
}

// resumed is what a partition tells the merger when it goes on.
type resumed struct {
	held  []step.Delta
	since *step.Step
}

// restorePartitions has the partitions read what is theirs, and go on from where the
// merger is.
func (e *Engine) restorePartitions(pages page.Pages, to []resumed, together func(tasks []func() error) error) (deltas page.Loaded, err error) {
	if deltas, err = page.Load(page.UserDelta, pages); err != nil {
		return deltas, fmt.Errorf("restore users: %w", err)
	}
	shards, err := collect(page.Users, pages)
	if err != nil {
		return deltas, fmt.Errorf("restore users: %w", err)
	}
	open, err := collect(page.Open, pages)
	if err != nil {
		return deltas, fmt.Errorf("restore what is open: %w", err)
	}
	var tasks []func() error
	for i, p := range e.Partitions {
		tasks = append(tasks, func() error { return load(p, shards, e.deltasOf(i, deltas.Entries), open, pages) })
	}
	if err := together(tasks); err != nil {
		return deltas, err
	}
	tasks = tasks[:0]
	for i, p := range e.Partitions {
		tasks = append(tasks, func() error {
			to[i].held, to[i].since = p.Resume(e.Merger.Sealed(), e.Merger.Watermark())
			return nil
		})
	}
	return deltas, together(tasks)
}

// Users is how many users there are. No partition is at work meanwhile.
func (e *Engine) Users() (n int) {
	for _, p := range e.Partitions {
		n += p.Users()
	}
	return n
}

func collect(kind page.Kind, pages page.Pages) (out []page.Page, err error) {
	err = pages.Each(kind, func(a uint32, b uint64, data []byte) error {
		out = append(out, page.Page{Kind: kind, A: a, B: b, Data: data})
		return nil
	})
	return out, err
}

// deltasOf are the sections that may tell of a partition's users: where there have
// been as many partitions since, those that it wrote itself.
func (e *Engine) deltasOf(i int, all []page.Entry) (out []page.Entry) {
	same := e.saver.partitionsSince != 0 && e.saver.partitions == len(e.Partitions)
	for _, d := range all {
		if !same || d.Number < e.saver.partitionsSince || d.A == uint32(i) {
			out = append(out, d)
		}
	}
	return out
}

// load gives a partition what is there of its users.
func load(p *users.Partition, shards []page.Page, deltas []page.Entry, open []page.Page, pages page.Pages) error {
	for _, s := range shards {
		if err := p.LoadShard(int(s.A), s.Data, pages); err != nil {
			return fmt.Errorf("restore users: %w", err)
		}
	}
	for _, s := range deltas {
		if err := p.LoadDelta(s.Number, s.Data); err != nil {
			return fmt.Errorf("restore users: %w", err)
		}
	}
	for _, o := range open {
		if err := p.LoadOpen(o.A, o.Data); err != nil {
			return fmt.Errorf("restore what is open: %w", err)
		}
	}
	return nil
}
