package users

// Count is how many users Select would find.
func (p *Partition) Count(s Selection, from uint32, rows int) (n int, next uint32, more bool) {
	next, more = p.each(s, from, rows, func(uint32, activeDays, int32) bool { n++; return true })
	return n, next, more
}
