package windows

// Unwritten is how many changes wait for a checkpoint to write them.
func (m *Merger) Unwritten() int {
	n := len(m.revisions)
	for _, s := range m.sums {
		n += len(s.gone) + len(s.late)
		for _, w := range s.windows {
			n += max(0, len(w.stale)-2*len(w.panes))
		}
	}
	return n
}

// Unwritten is how many changes wait for a checkpoint to write them.
func (p *Partition) Unwritten() int { return len(p.freshRows) + len(p.unsaved) + len(p.dirtyDays) }
