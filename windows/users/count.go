package users

import "math"

// Count is how many users Select would find.
func (p *Partition) Count(s Selection, from uint32, rows int) (n int, next uint32, more bool) {
	if s.In == 0 && len(s.Texts) == 0 && len(p.absences) == 0 {
		return p.countDays(s.Active, s.Inactive, from, rows)
	}
	next, more = p.each(s, from, rows, func(uint32, activeDays, int32) bool { n++; return true })
	return n, next, more
}

// countDays is Count by nothing but days, as nearly all of its questions are.
func (p *Partition) countDays(active, inactive *DayRange, from uint32, rows int) (n int, next uint32, more bool) {
	if p.head == math.MinInt64 {
		return 0, 0, false
	}
	if active == nil {
		active = &DayRange{0, math.MaxInt32}
	}
	if inactive == nil {
		inactive = &DayRange{1, 0}
	}
	day := p.today()
	for shard, row := int(from>>24), int(from&0xffffff); shard < Shards; shard, row = shard+1, 0 {
		sh := p.shards[shard]
		if sh == nil || row >= sh.n {
			continue
		}
		if rows == 0 {
			return n, uint32(shard)<<24 | uint32(row), true
		}
		to := min(sh.n, row+rows)
		n += sh.countDays(row, to, day, *active, *inactive)
		if rows -= to - row; to < sh.n {
			return n, uint32(shard)<<24 | uint32(to), true
		}
	}
	return n, 0, false
}

// countDays counts the rows from one to another. It has no branches by what is in
// them: who was active when cannot be foretold, and a guess that fails costs more
// than all else. The rows that are elsewhere are first active on a day that never
// comes.
func (s *shard) countDays(from, to int, day int32, active, inactive DayRange) (n int) {
	for from < to {
		block := s.rows[from/blockRows]
		begin := from % blockRows
		end := min(blockRows, begin+to-from)
		for i := begin; i < end; i++ {
			r := &block[i]
			in, out := active.of(r.activity, int32(r.last)), inactive.of(r.activity, int32(r.last))
			known := uint64(int64(r.first)-int64(day)-1) >> 63 // 1 if first <= day
			n += int(some(in) &^ some(out) & known)
		}
		from += end - begin
	}
	return n
}

// of are the active days that are in the range, of a user who was active on days
// before the last one and is without absences.
func (r *DayRange) of(activity uint64, last int32) uint64 {
	to := min(r.To, last)
	return activity >> uint32(last-to) & (math.MaxUint64 >> uint32(63-min(to-r.From, 63)))
}

// some is 1 if any bit is set.
func some(x uint64) uint64 { return (x | -x) >> 63 }
