package windows

import (
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// An Engine is the stages that batches of one lane go through, in order:
//
//	Sequencer.Pass, Labels.Assign ─► Partition.Process ─► Merger.Label, Aligner.Add, Merger.Step
//
// Each part is used by one goroutine at a time.
type Engine struct {
	Lane       string
	Plan       *plan.Plan
	Timing     stream.Timing
	Sequencer  *stream.Sequencer
	Labels     *users.Labels
	Partitions []*users.Partition
	Aligner    *step.Aligner
	Merger     *merge.Merger

	yield    func()
	saver    saver
	identity string
}

// NewEngine returns an empty engine of the lane with a name. yield is called
// every so often while it works; nil: not called.
func NewEngine(lane string, p *plan.Plan, t stream.Timing, partitions int, yield func()) *Engine {
	e := &Engine{Lane: lane, Plan: p, Timing: t, Sequencer: stream.NewSequencer(t, p.Acceptance), Labels: users.NewLabels(p), Aligner: step.NewAligner(lane), Merger: merge.New(p, t), yield: yield, identity: Identity(p, t)}
	for i := range partitions {
		e.Partitions = append(e.Partitions, users.NewPartition(p, t, i, partitions))
		e.Partitions[i].Yield = yield
	}
	e.Merger.Yield = yield
	e.begin(e.Sequencer)
	return e
}

// begin has the engine begin with a sequencer.
func (e *Engine) begin(s *stream.Sequencer) {
	s.Yield, s.ForgetAfter = e.yield, int32(e.Plan.Catalogue.ForgetAfter)
	e.Sequencer = s
}

// SetExchange has the partitions hand users over by an exchange, as those have to that
// are more than one.
func (e *Engine) SetExchange(x users.Exchange) {
	for _, p := range e.Partitions {
		p.Exchange = x
	}
}

// Identity is a hash of definitions, timing and format: an epoch of the same can
// be restored.
func (e *Engine) Identity() string { return e.identity }
