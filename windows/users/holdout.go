package users

import (
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/page"
)

// holdout has a bit for each row of a shard whose user no webhook is told of. It follows
// from the names, and is kept because these are not at hand.
type holdout []uint64

func (h holdout) has(row uint32) bool {
	return int(row>>6) < len(h) && h[row>>6]>>(row&63)&1 == 1
}

func (h *holdout) set(row uint32, is bool) {
	for is && int(row>>6) >= len(*h) {
		*h = append(*h, 0)
	}
	switch {
	case is:
		(*h)[row>>6] |= 1 << (row & 63)
	case int(row>>6) < len(*h):
		(*h)[row>>6] &^= 1 << (row & 63)
	}
}

// holdOut notes whether a user is held out.
func (p *Partition) holdOut(sh *shard, row uint32, name []byte) {
	if share := p.plan.Days.Holdout; share > 0 {
		sh.holdout.set(row, kpi.HeldOut(string(name), share))
	}
}

// holdOutAll is holdOut for the users of a shard that was loaded. Those of a page that is
// lost are not held out.
func (p *Partition) holdOutAll(s, rows int, pages page.Pages) {
	if p.plan.Days.Holdout == 0 {
		return
	}
	for first := 0; first < rows; first += SegmentRows {
		list, err := segment(pages, s, uint64(first/SegmentRows))
		if err != nil {
			continue // it is told when the names are asked for
		}
		for i, name := range list[:min(len(list), rows-first)] {
			p.holdOut(p.shards[s], uint32(first+i), []byte(name))
		}
	}
}
