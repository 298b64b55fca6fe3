package merge

import (
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
)

// amendments say when what is closed was changed last: at each head the step that did,
// but for heads that a later step changed from an earlier one on. Both ascend.
type amendments struct{ list []amendment }

type amendment struct {
	head int64
	step uint64
}

// note notes that late rows change what holds them.
func (c *amendments) note(at *clock, late arrivals) {
	if len(late) > 0 {
		c.changed(at, late[0].head)
	}
}

// changed notes that the step changes what reaches up to a head, or beyond. Of heads that
// are sealed the last one is enough.
func (c *amendments) changed(at *clock, head int64) {
	list := c.list[:c.until(head-1)]
	for len(list) > 1 && list[1].head <= at.sealed {
		list = list[1:]
	}
	c.list = append(list, amendment{head, at.steps})
}

// until is how many have heads up to the given one.
func (c *amendments) until(head int64) int {
	i, _ := slices.BinarySearchFunc(c.list, head+1, func(one amendment, head int64) int { return int(one.head - head) })
	return i
}

func (c *amendments) corrected(end int64) uint64 {
	if i := c.until(end); i > 0 {
		return c.list[i-1].step
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
		for _, src := range ss.Sources[:plan.Restated] { // which are changed together with revisions
			switch {
			case src == nil:
			case k.Horizon > 0: // facts come without being late
				out[i] = 1 + m.steps
			default:
				out[i] = max(out[i], 1+m.aggregates[src.Target].corrected(w.end))
			}
		}
	}
	return out
}
