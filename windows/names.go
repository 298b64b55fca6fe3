package windows

import (
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// Names of the rooms by which others know them.
type (
	Block       = history.Block
	BlockID     = history.BlockID
	BlockSeries = history.Series
	BlockPoint  = history.Point
	Sample      = sample.Sample
	Answer      = sample.Answer
	Number      = sample.Number
	Series      = sample.Series
	Point       = sample.Point
)

// BlockSpan is history.Span.
func BlockSpan(w kpi.Window) time.Duration { return history.Span(w) }

// Wilson is sample.Wilson.
func Wilson(k, n float64) (low, high float64, ok bool) { return sample.Wilson(k, n) }
