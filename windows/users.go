package windows

import (
	"math"
	"math/bits"
	"slices"
)

// Shards is the number of fixed hash classes of users.
const Shards = 256

// ShardOf is the shard of a user's hash.
func ShardOf(user uint64) int { return int(user >> 56) }

// A shard holds the users of one hash class: a row each, found through an open
// hash table of row numbers that carry eight bits of the hash.
//
// A row is words of 32 bits:
//
//	0, 1  hash of the user
//	2, 3  newest unsealed entry: its slice, its place there
//	4, 5  activity bits: bit i is set if the user was active i days before the
//	      last active day
//	6     last active day, first active day (16 bits each, days since 1970)
//	7...  by track the newest active slice, for a keyed track with its label
//	      (code + 1) before it
//
// Words 4 to 6 follow closed slices, the others every counted event.
type shard struct {
	table []uint32 // tag<<24 | row + 1
	rows  [][]uint32
	n     int
	// over holds the newest slice of labels that are not in the row.
	over hashMap // by overKey
}

// An overKey is a row (24 bits), a track (8 bits) and a label's code + 1.
type overKey uint64

func overOf(row uint32, track int, code uint32) uint64 {
	return uint64(row&0xffffff)<<40 | uint64(track)<<32 | uint64(code)
}

func (k overKey) row() uint32  { return uint32(k >> 40) }
func (k overKey) track() int   { return int(k >> 32 & 0xff) }
func (k overKey) code() uint32 { return uint32(k) }

const (
	wordHead   = 2
	wordBits   = 4
	wordDays   = 6
	wordTracks = 7
	chunkRows  = 1024
)

func (s *shard) row(r uint32, width int) []uint32 {
	at := int(r%chunkRows) * width
	return s.rows[r/chunkRows][at : at+width : at+width]
}

func rowHash(w []uint32) uint64 { return uint64(w[0]) | uint64(w[1])<<32 }

// probe is the row + 1 that is likely the user's, 0 if none is.
func (s *shard) probe(hash uint64) uint32 {
	if len(s.table) == 0 {
		return 0
	}
	mask := uint64(len(s.table) - 1)
	tag := uint32(hash>>48) << 24
	for i := hash & mask; ; i = (i + 1) & mask {
		if e := s.table[i]; e == 0 || e&0xff000000 == tag {
			return e & 0xffffff
		}
	}
}

// find is the row of the user, a new one at the first sight.
func (s *shard) find(hash uint64, width int) (r uint32, fresh bool) {
	if 4*(s.n+1) > 3*len(s.table) {
		s.grow(width)
	}
	mask := uint64(len(s.table) - 1)
	tag := uint32(hash>>48) << 24
	i := hash & mask
	for ; s.table[i] != 0; i = (i + 1) & mask {
		if e := s.table[i]; e&0xff000000 == tag {
			if r := e&0xffffff - 1; rowHash(s.row(r, width)) == hash {
				return r, false
			}
		}
	}
	s.table[i] = tag | uint32(s.n+1)
	return s.push(hash, width), true
}

func (s *shard) push(hash uint64, width int) uint32 {
	r := uint32(s.n)
	if int(r)%chunkRows == 0 {
		s.rows = append(s.rows, make([]uint32, chunkRows*width))
	}
	s.n++
	w := s.row(r, width)
	w[0], w[1] = uint32(hash), uint32(hash>>32)
	return r
}

func (s *shard) grow(width int) {
	s.table = make([]uint32, max(64, 2*len(s.table)))
	mask := uint64(len(s.table) - 1)
	for r := range uint32(s.n) {
		hash := rowHash(s.row(r, width))
		i := hash & mask
		for s.table[i] != 0 {
			i = (i + 1) & mask
		}
		s.table[i] = uint32(hash>>48)<<24 | (r + 1)
	}
}

// A track is a user plan as the rows and entries keep it.
type track struct {
	plan    *userPlan
	keyed   bool
	row     int // word of the newest slice in a row; the label stands before it
	entry   int // word of the slice before in an entry; the label stands before it
	longest int64
	groups  []*userGroup // by code; one for a total
	tails   []int64      // by lens, the pane at which the live window begins
	steps   []uint32     // by lens
	panes   []uint32     // by lens, that of the slice that closes
}

// A userGroup counts, for each window length, the users of one label by the
// pane of their newest closed slice, for the panes of the live window.
type userGroup struct {
	rings   [][]int32
	pending []int32 // entries of the slice that closes, by lens
	fresh   int32   // users whose first slice of the day it is
	touched bool
}

// A userSlice holds the entries of one unsealed slice. An entry is words:
//
//	0     the user's shard and row
//	1, 2  the user's next older entry: its slice, its place there
//	3     bit by track: the user is active in this slice
//	4...  by track the slice before, for a keyed track with the label before it
type userSlice struct {
	slice uint32
	words []uint32
	saved int      // entries that a checkpoint has
	again []uint32 // places of those that were seen in more tracks since
	// unsaved is set while the slice is on the journal's list, sealed when it
	// left the ring before that.
	unsaved, sealed bool
}

const (
	entryRef    = 0
	entryNext   = 1
	entryMask   = 3
	entryTracks = 4
)

func (p *Partition) layout() {
	row, entry := wordTracks, entryTracks
	for _, u := range p.plan.users {
		t := track{plan: u, keyed: u.slot >= 0}
		if t.keyed {
			row, entry = row+1, entry+1
		}
		t.row, t.entry = row, entry
		row, entry = row+1, entry+1
		for _, l := range u.lenses {
			t.longest = max(t.longest, l.length)
			t.tails = append(t.tails, math.MinInt64)
			t.steps = append(t.steps, uint32(l.step))
		}
		t.panes = make([]uint32, len(t.steps))
		p.tracks = append(p.tracks, t)
	}
	p.rowWords, p.rowWidth, p.entryWidth = row, row, entry
	if pad := -row & 15; pad <= row/4 {
		p.rowWidth += pad // each row is in one cache line
	}
}

func (t *track) group(code uint32) *userGroup {
	for int(code) >= len(t.groups) {
		g := &userGroup{pending: make([]int32, len(t.plan.lenses))}
		for _, l := range t.plan.lenses {
			g.rings = append(g.rings, make([]int32, l.length/l.step+1))
		}
		t.groups = append(t.groups, g)
	}
	return t.groups[code]
}

// pane is the place of a slice in a ring of the lens.
func pane(l lens, slice int64, ring []int32) *int32 {
	return &ring[floorTo(slice, l.step)/l.step%int64(len(ring))]
}

// observe notes that the user was active in the slice, in the tracks of the
// mask with their labels.
func (p *Partition) observe(u *sighting, codes [][]uint32) {
	sh, ref, row, slice := u.shard, u.ref(), u.words, u.slice
	var e []uint32 // the tracks of a row share an entry
	for mask := u.mask; mask != 0; mask &= mask - 1 {
		i := bits.TrailingZeros32(mask)
		t := &p.tracks[i]
		var code uint32 // + 1
		if t.keyed {
			code = codes[t.plan.slot][u.row] + 1
		}
		prev, next, known := p.insert(sh, ref, row, i, code, slice)
		if known {
			continue
		}
		if e == nil || e[entryMask]>>i&1 != 0 {
			e = p.entryAt(ref, row, slice, i)
		}
		e[entryMask] |= 1 << i
		e[t.entry] = prev
		if t.keyed {
			e[t.entry-1] = code
		}
		if int64(slice) < p.head {
			p.waiting = append(p.waiting, activity{ref, uint32(i), code, slice})
			p.late(t, i, ref, code, int64(slice), int64(prev), int64(next))
		}
	}
}

// insert puts the slice among the slices in which the user was active in the
// track with the label, and returns its neighbours (0: none).
func (p *Partition) insert(sh *shard, ref uint32, row []uint32, i int, code, slice uint32) (prev, next uint32, known bool) {
	t := &p.tracks[i]
	if !t.keyed {
		if last := row[t.row]; last < slice {
			row[t.row] = slice
			return last, 0, false
		} else if last == slice {
			return 0, 0, true
		}
		return p.between(ref, row, i, code, row[t.row], slice)
	}
	if row[t.row-1] == code {
		if last := row[t.row]; last < slice {
			row[t.row] = slice
			return last, 0, false
		} else if last == slice {
			return 0, 0, true
		}
		return p.between(ref, row, i, code, row[t.row], slice)
	}
	key := overOf(ref, i, code)
	last, _ := sh.over.get(key)
	switch {
	case last == slice:
		return 0, 0, true
	case last > slice:
		return p.between(ref, row, i, code, last, slice)
	case row[t.row] <= slice: // the row keeps the newest label
		if last != 0 {
			sh.over.delete(key)
		}
		if row[t.row-1] != 0 && !p.forgotten(t, row[t.row]) {
			sh.over.set(overOf(ref, i, row[t.row-1]), row[t.row])
		}
		row[t.row-1], row[t.row] = code, slice
	default:
		sh.over.set(key, slice)
	}
	return last, 0, false
}

// forgotten reports whether the slice is behind every window and day that can
// still change.
func (p *Partition) forgotten(t *track, slice uint32) bool {
	return int64(slice)+t.longest+2*86400 < p.sealed
}

// between finds the neighbours of the slice among the unsealed ones from last
// downwards.
func (p *Partition) between(ref uint32, row []uint32, i int, code, last, slice uint32) (prev, next uint32, known bool) {
	t := &p.tracks[i]
	link := row[wordHead:]
	e := p.entryOf(link[0], link[1])
	for {
		for link[0] != last || e[entryMask]>>i&1 == 0 || t.keyed && e[t.entry-1] != code {
			link = e[entryNext:]
			e = p.entryOf(link[0], link[1])
		}
		before := e[t.entry]
		switch {
		case before == slice:
			return 0, 0, true
		case before < slice:
			e[t.entry] = slice
			p.again(link)
			return before, last, false
		}
		last = before
	}
}

// entryAt is the user's entry of the slice that has no such track yet.
func (p *Partition) entryAt(ref uint32, row []uint32, slice uint32, track int) []uint32 {
	for link := row[wordHead:]; p.holds(link, slice); {
		e := p.entryOf(link[0], link[1])
		if link[0] == slice && e[entryMask]>>track&1 == 0 {
			p.again(link)
			return e
		}
		link = e[entryNext:]
	}
	s := p.userSlice(slice)
	if cap(s.words) == 0 && int64(slice) >= p.head {
		s.words = make([]uint32, 0, p.closedWords+p.closedWords/16) // as large as the last, not grown to it
	}
	at := len(s.words) / p.entryWidth
	s.words = slices.Grow(s.words, p.entryWidth)[:len(s.words)+p.entryWidth]
	e := s.words[at*p.entryWidth:]
	clear(e)
	link := row[wordHead:]
	for p.holds(link, slice) {
		link = p.entryOf(link[0], link[1])[entryNext:]
	}
	e[entryRef], e[entryNext], e[entryNext+1] = ref, link[0], link[1]
	link[0], link[1] = slice, uint32(at)
	p.unsave(s)
	return e
}

// again has an entry that changed written again, if a checkpoint has it.
func (p *Partition) again(link []uint32) {
	if s := p.userSlice(link[0]); int(link[1]) < s.saved {
		s.again = append(s.again, link[1])
		p.unsave(s)
	}
}

// holds reports whether the link leads to an unsealed entry of the slice or a
// later one.
func (p *Partition) holds(link []uint32, slice uint32) bool {
	return link[0] >= slice && int64(link[0]) >= p.sealed && link[0] != 0
}

func (p *Partition) entryOf(slice, at uint32) []uint32 {
	s := p.ring[int(slice)&(len(p.ring)-1)]
	return s.words[int(at)*p.entryWidth:][:p.entryWidth]
}

// userSlice is the slice's entries, empty ones at first.
func (p *Partition) userSlice(slice uint32) *userSlice {
	s := &p.ring[int(slice)&(len(p.ring)-1)]
	if *s == nil || (*s).slice != slice {
		if *s != nil && len((*s).words) > 0 {
			panic("windows: two unsealed slices in one place")
		}
		if n := len(p.spareSlices); n > 0 {
			*s, p.spareSlices = p.spareSlices[n-1], p.spareSlices[:n-1]
		} else {
			*s = &userSlice{}
		}
		(*s).slice = slice
	}
	return *s
}

// advanceTails lets the users leave whose newest slice is before the live
// windows at head.
func (p *Partition) advanceTails(head int64) {
	for i := range p.tracks {
		t := &p.tracks[i]
		for j, l := range t.plan.lenses {
			to := l.tail(head) / l.step
			from := t.tails[j]
			t.tails[j] = to
			if from == math.MinInt64 || from >= to {
				continue
			}
			n := min(to-from, l.length/l.step+1)
			for k := from; k < from+n; k++ {
				for code, g := range t.groups {
					ring := g.rings[j]
					c := &ring[k%int64(len(ring))]
					if *c != 0 {
						p.out.Changes = append(p.out.Changes, Change{X: l.exit(k * l.step), Users: int32(i), Lens: int32(j), Code: uint32(code), N: -*c})
						*c = 0
					}
				}
			}
		}
	}
}

// closeUsers takes the entries of the slice into the live windows. The tails
// stand at slice + 1.
func (p *Partition) closeUsers(slice int64) {
	s := p.ring[int(slice)&(len(p.ring)-1)]
	if s == nil || int64(s.slice) != slice {
		return
	}
	day := p.plan.calendar.Day(slice * 1000)
	dayStart := uint32(p.plan.calendar.Start(day) / 1000)
	for i := range p.tracks {
		t := &p.tracks[i]
		for j, l := range t.plan.lenses {
			t.panes[j] = uint32(slice / l.step)
		}
	}
	p.closedWords = len(s.words)
	for at := 0; at < len(s.words); at += p.entryWidth {
		e := s.words[at : at+p.entryWidth]
		for mask := e[entryMask]; mask != 0; mask &= mask - 1 {
			i := bits.TrailingZeros32(mask)
			t := &p.tracks[i]
			code := uint32(0)
			if t.keyed {
				code = e[t.entry-1] - 1
			}
			prev := e[t.entry]
			g := t.group(code)
			if !g.touched {
				g.touched = true
				p.touched = append(p.touched, touchedGroup{int32(i), code, g})
			}
			for j, now := range t.panes {
				step := t.steps[j]
				if prev >= now*step { // in the same pane
					continue
				}
				ring := g.rings[j]
				if before := prev / step; prev != 0 && int64(before) >= t.tails[j] {
					ring[before%uint32(len(ring))]--
				} else {
					g.pending[j]++
				}
				ring[now%uint32(len(ring))]++
			}
			if prev < dayStart {
				g.fresh++
				if i == p.plan.churnUsers {
					p.activeDay(e[entryRef], day)
				}
			}
		}
	}
	for _, t := range p.touched {
		for j, n := range t.group.pending {
			if n != 0 {
				p.out.Changes = append(p.out.Changes, Change{X: slice + 1, Users: t.users, Lens: int32(j), Code: t.code, N: n})
				t.group.pending[j] = 0
			}
		}
		if t.group.fresh != 0 {
			p.out.Fresh = append(p.out.Fresh, Fresh{Slice: slice, Users: t.users, Code: t.code, N: t.group.fresh})
			t.group.fresh = 0
		}
		t.group.touched = false
	}
	p.touched = p.touched[:0]
}

type touchedGroup struct {
	users int32
	code  uint32
	group *userGroup
}

// late takes an activity into slices that are closed. It adds one to exactly
// the windows that contain it and neither of its neighbours.
func (p *Partition) late(t *track, i int, ref, code uint32, slice, prev, next int64) {
	if t.keyed {
		code--
	}
	closedNext := next != 0 && next < p.head
	g := t.group(code)
	for j, l := range t.plan.lenses {
		lo := slice + 1
		if prev != 0 {
			lo = max(lo, l.exit(prev))
		}
		hi := l.exit(slice) - 1
		if closedNext {
			hi = min(hi, next)
		} else if floorTo(slice, l.step)/l.step >= t.tails[j] {
			*pane(l, slice, g.rings[j])++
			if prev != 0 && floorTo(prev, l.step)/l.step >= t.tails[j] {
				*pane(l, prev, g.rings[j])--
			}
		}
		if lo <= min(hi, p.head) {
			p.out.Corrections = append(p.out.Corrections, Correction{Users: int32(i), Lens: int32(j), Code: code, Lo: lo, Hi: hi})
		}
	}
	cal := p.plan.calendar
	day := cal.Day(slice * 1000)
	if prev*1000 >= cal.Start(day) {
		return
	}
	p.out.Fresh = append(p.out.Fresh, Fresh{Slice: slice, Users: int32(i), Code: code, N: 1, Late: true})
	if closedNext && next*1000 < cal.Start(day+1) {
		p.out.Fresh = append(p.out.Fresh, Fresh{Slice: next, Users: int32(i), Code: code, N: -1, Late: true})
	}
	if i == p.plan.churnUsers {
		p.lateDays = append(p.lateDays, userDay{ref, day})
	}
}
