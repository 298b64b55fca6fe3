package merge

import (
	"math"
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A Close is a head at which a value may have changed. It is to be looked at before
// the merger goes on.
type Close struct{ m *Merger }

// Now is the newest close; there must have been one.
func (m *Merger) Now() Close { return Close{m} }

// Head is the second before which every slice is closed.
func (c Close) Head() int64 { return c.m.head }

// Live are the live windows as the close left them.
func (c Close) Live() *Live { return c.m.Live() }

// A Watch follows what questions about live windows are answered, from close to
// close.
type Watch struct {
	questions []Question
	sources   []*plan.SetSource
	live      Live // of the last close
	versions  []uint64
	samples   [][]sample.Sample
}

// NewWatch watches what the questions ask for; their moments are not looked at.
func NewWatch(p *plan.Plan, qs []Question) *Watch {
	w := &Watch{questions: qs, versions: make([]uint64, len(qs)), samples: make([][]sample.Sample, len(qs))}
	for i, q := range qs {
		_, ss := p.Find(q.KPI, q.By, q.Window)
		w.sources = append(w.sources, ss)
		w.versions[i] = math.MaxUint64 // none
	}
	return w
}

// See is the samples at a close, by question. They do not change any more. Only what
// may differ from the close before is asked for.
func (w *Watch) See(c Close) [][]sample.Sample {
	w.live = c.m.live(w.live.parts[:0], aggregate.present)
	copied := false
	for i, q := range w.questions {
		v := w.live.version(q, w.sources[i])
		if v == w.versions[i] {
			continue
		}
		if !copied {
			w.samples, copied = slices.Clone(w.samples), true
		}
		w.versions[i], w.samples[i] = v, w.live.Ask(q).Samples
	}
	return w.samples
}
