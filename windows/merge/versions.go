package merge

import (
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
)

// corrections say when late rows changed what is closed last: at each head the step that
// did, but for heads that a later step changed from an earlier one on. Both ascend.
type corrections []correction

type correction struct {
	head int64
	step uint64
}

// note notes that a step changed all that reaches up to a head. Of heads that are sealed
// the last one is enough.
func (c *corrections) note(head int64, step uint64, sealed int64) {
	list := (*c)[:c.until(head-1)]
	for len(list) > 1 && list[1].head <= sealed {
		list = list[1:]
	}
	*c = append(list, correction{head, step})
}

// until is how many have heads up to the given one.
func (c corrections) until(head int64) int {
	i, _ := slices.BinarySearchFunc(c, head+1, func(one correction, head int64) int { return int(one.head - head) })
	return i
}

// step is the last one that changed what ends at a second, 0 if none did.
func (c corrections) step(end int64) uint64 {
	if i := c.until(end); i > 0 {
		return c[i-1].step
	}
	return 0
}

// Versions are those of closed windows: as long as one has the same version, its answer
// to the question is the same. 0 is that of one that is sealed.
func (m *Merger) Versions(q Question, moments []Moment) []uint64 {
	out := make([]uint64, len(moments))
	k, ss := m.plan.Find(q.KPI, q.By, q.Window)
	for i := range moments {
		q.Moment = moments[i]
		w := m.window(q)
		if finalOf(m.plan, k.KPI, w) <= m.sealed {
			continue
		}
		out[i] = 1
		for _, src := range ss.Sources[:plan.Restated] { // which are corrected together with revisions
			switch {
			case src == nil:
			case k.Horizon > 0: // facts come without being late
				out[i] = 1 + m.steps
			default:
				out[i] = max(out[i], 1+m.corrections[src.Target].step(w.end))
			}
		}
	}
	return out
}
