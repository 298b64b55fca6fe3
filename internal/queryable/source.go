package queryable

import (
	"context"
	"iter"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A Source has the KPIs' windows.
type Source interface {
	Catalogue() *kpi.Catalogue
	// Look is what there is at an instant.
	Look() View
}

// A View answers as of one instant. Times are Unix milliseconds.
type View interface {
	Calendar() *kpi.Calendar
	// Watermark is the event time before which the input is believed complete, known
	// once there was an event.
	Watermark() (ms int64, known bool)
	// Kept is when the first window of a length ended that is kept.
	Kept(w kpi.Window) (oldest int64)
	// Versions are those of the closed windows that end at ends, which ascend: as long as
	// that of one is the same, so is its answer. 0 is that of one that changes no more.
	Versions(q Question, ends []int64) []uint64
	// Windows are the answers for the closed windows that end at ends, which ascend, or
	// why there is none: a *LostError stands for one window alone.
	Windows(ctx context.Context, q Question, ends []int64) iter.Seq2[*sample.Answer, error]
	// Live is the answer for the window that is not over, nil where nothing is in it yet.
	Live(q Question) *sample.Answer
}

// A Question asks for the series of a KPI, those with the values of fields that match
// names.
type Question struct {
	KPI    *kpi.KPI
	By     kpi.Set
	Window kpi.Window
	Match  map[string]string
}

// LostError says why a window is not known that was kept.
type LostError struct{ Why error }

func (e *LostError) Error() string { return e.Why.Error() }

// Unwrap is the reason.
func (e *LostError) Unwrap() error { return e.Why }

// A ReadError says that windows could not be read: a fault of ours, not of the question.
type ReadError struct{ Why error }

func (e *ReadError) Error() string { return "read windows: " + e.Why.Error() }

// Unwrap is the reason.
func (e *ReadError) Unwrap() error { return e.Why }
