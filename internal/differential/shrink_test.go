package differential

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// patience is how long a case that fails is made smaller.
const patience = 30 * time.Second

// shrink leaves out whatever is not needed for a finding.
func (c *trial) shrink(t *testing.T, f *finding) *trial {
	deadline := time.Now().Add(patience)
	best := c.upTo(f)
	fails := func(try *trial) bool {
		if time.Now().After(deadline) {
			return false
		}
		found, err := try.playWith(t.TempDir(), 1, f)
		return err == nil && found != nil
	}
	if !fails(best) {
		return c // it takes all players, or all questions
	}
	for size := len(best.steps) / 2; size > 0; {
		smaller := false
		for at := 0; at < len(best.steps); {
			try := *best
			try.steps = slices.Delete(slices.Clone(best.steps), at, min(at+size, len(best.steps)))
			if fails(&try) {
				best, smaller = &try, true
			} else {
				at += size
			}
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	for i := 0; i < len(best.kpis); {
		try := *best
		try.kpis = slices.Delete(slices.Clone(best.kpis), i, i+1)
		if len(try.kpis) > 0 && fails(&try) {
			best = &try
		} else {
			i++
		}
	}
	for i := range best.steps {
		lines := bytes.SplitAfter(best.steps[i].message.Data, []byte("\n"))
		for at := 0; at < len(lines) && len(lines) > 1; {
			try := *best
			try.steps = slices.Clone(best.steps)
			fewer := slices.Delete(slices.Clone(lines), at, at+1)
			try.steps[i].message.Data = bytes.Join(fewer, nil)
			if fails(&try) {
				best, lines = &try, fewer
			} else {
				at++
			}
		}
	}
	return best
}

// upTo is the case for one player, without the questions.
func (c *trial) upTo(f *finding) *trial {
	out := *c
	out.steps = nil
	for _, s := range c.steps[:f.at] {
		if s.act == send || s.act == retime || s.act != ask && s.player == f.index {
			out.steps = append(out.steps, s)
		}
	}
	return &out
}
