package merge

import (
	"iter"
	"slices"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// An aggregate is what the merger keeps of one target. It looks at the merger's
// clock and is told what happens, in order.
type aggregate interface {
	// correct takes in what came late of heads up to the clock's: it changes closed
	// windows, and the revisions are told what it touches.
	correct(late arrivals)
	// advance lets leave the live windows what is before their tails at head.
	advance(head int64)
	// nextExit is the next head at which something leaves a live window,
	// MaxInt64 if there is none. Time alone does not change it before then.
	nextExit() int64
	// close takes in what arrives at a head.
	close(head int64, as arrivals)

	// nextSeal is the next second at which sealing has something to do, MaxInt64 if
	// there is none. Time alone does not change it before then.
	nextSeal() int64
	// seal makes everything before the clock's sealed second, which is that one,
	// final, and returns the blocks that are finished by it.
	seal() []*history.Block

	// present is the live part, to be read before anything happens.
	present() live
	// share is the live part as it is.
	share() live
	// kept reads a window that is closed and not sealed. What is returned does not
	// change any more. before is nil, or what was returned for an earlier window of
	// the length since the merger's last step.
	kept(q *query, before reading) reading
	// corrected is the last step that changed a closed window that ends at a second and is
	// not sealed, other than by the facts of a business day; 0 if none did.
	corrected(end int64) (step uint64)
	// stored says which block a sealed window is in, and what that block has so
	// far if it is not finished.
	stored(w window) (history.BlockID, *history.Open)
	// column names the columns of the blocks in which a question's number is.
	column(q *query) []string

	// checkpoint adds the pages that changed since the last one.
	checkpoint(pages []page.Page, number uint64) []page.Page
	// corrections appends what came to pages that are written, and ends the checkpoint.
	corrections(b []byte) []byte
	// unsaved is how many changes wait for a checkpoint to write them.
	unsaved() int
	// load reads a page that is the target's.
	load(kind page.Kind, length int, b uint64, r *codec.Reader)
	// loadCorrection reads one that the checkpoint with the number wrote.
	loadCorrection(number uint64, r *codec.Reader)
	// renumber gives the numbering of labels back what pages have of it.
	renumber(labels *users.Labels)
	// resume derives what no page has, once all of them are read.
	resume()
	// hold takes in what a partition's live windows held at the end of what is sealed.
	hold(n step.Delta)
}

// A reading is the numbers of one aggregate in the windows that it has.
type reading interface {
	// each calls visit for every label combination that holds something, or of a
	// list for the largest and kpi.Other.
	each(q *query, visit visit)
}

// A query is what a question asks of one aggregate.
type query struct {
	window
	source *plan.Source
	kpi    *kpi.KPI
	// list is how many series are listed, 0 for all.
	list int
}

// A visit takes a number.
type visit func(labels []string, n sample.Int)

// A window is one of a length, or a business day.
type window struct {
	kpi.Window
	day int32
	end int64 // Unix seconds
}

// A live part is what an aggregate shows of the windows that are not over. A
// share of it does not see what comes later, unless it is told.
type live interface {
	reading
	// preview is time going on to head, by what arrives until then and what came
	// late: as the close of it would leave the live windows.
	preview(head int64, late, as arrivals)
	// known are the label combinations that any window or day holds.
	known() iter.Seq[[]string]
	// version changes whenever a source's numbers in the window, which is no day, may
	// have.
	version(w kpi.Window, src *plan.Source) uint64
}

// An arrival is something that a partition says of a target: a table of sums or
// deltas, counting from a head on.
type arrival struct {
	head   int64
	table  *step.Table
	deltas []step.Delta // of that head
}

// arrivals ascend by head.
type arrivals []arrival

// until splits what counts from a head up to the given one from what comes later.
func (as arrivals) until(head int64) (now, later arrivals) {
	i, _ := slices.BinarySearchFunc(as, head+1, func(a arrival, h int64) int { return int(a.head - h) })
	for i > 0 && as[i-1].head > head {
		i--
	}
	return as[:i], as[i:]
}

// size is how many groups and deltas there are.
func (as arrivals) size() (n int) {
	for _, a := range as {
		n += len(a.deltas)
		if a.table != nil {
			n += len(a.table.Keys)
		}
	}
	return n
}

// An intake sorts what the partitions say by target and head. It holds until the
// next time.
type intake struct {
	out, room []arrivals     // by target
	deltas    [][]step.Delta // by target
}

func newIntake(targets int) *intake {
	return &intake{make([]arrivals, targets), make([]arrivals, targets), make([][]step.Delta, targets)}
}

func (in *intake) sort(steps []*step.Step) []arrivals {
	for target := range in.out {
		in.out[target], in.deltas[target] = in.room[target][:0], in.deltas[target][:0]
	}
	for _, s := range steps {
		for _, slice := range s.Slices {
			for i := range slice.Sets {
				if t := &slice.Sets[i]; len(t.Keys) > 0 {
					in.out[i] = append(in.out[i], arrival{head: slice.Second + 1, table: t})
				}
			}
		}
		for _, d := range s.Deltas {
			in.deltas[d.Target] = append(in.deltas[d.Target], d)
		}
	}
	for target, ds := range in.deltas {
		byHead := func(a, b step.Delta) int { return int(a.Head - b.Head) }
		if !slices.IsSortedFunc(ds, byHead) {
			slices.SortStableFunc(ds, byHead)
		}
		for len(ds) > 0 {
			n := 1
			for n < len(ds) && ds[n].Head == ds[0].Head {
				n++
			}
			in.out[target] = append(in.out[target], arrival{head: ds[0].Head, deltas: ds[:n]})
			ds = ds[n:]
		}
	}
	for _, as := range in.out {
		if len(as) > 1 {
			slices.SortStableFunc(as, func(a, b arrival) int { return int(a.head - b.head) })
		}
	}
	copy(in.room, in.out)
	return in.out
}
