package users

import (
	"math/bits"
	"slices"

	"github.com/tidewatch/tidewatch/windows/plan"
)

// A track is a set of distinct users as the rows and entries keep it.
type track struct {
	plan    *plan.Users
	target  int32
	fresh   int32 // the column of the days' users
	keyed   bool
	row     int // word of the newest slice in a row; the label stands before it
	entry   int // word of the slice before in an entry; the label stands before it
	longest int64
}

// entries are those of one unsealed slice. An entry is words:
//
//	0     the user's shard and row
//	1, 2  the user's next older entry: its slice, its place there
//	3     bit by track: the user is active in this slice
//	4...  by track the slice before, for a keyed track with the label before it
type entries struct {
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
	for i, u := range p.plan.Users {
		t := track{plan: u, target: int32(p.plan.UsersTarget(i)), fresh: int32(len(u.Lengths)), keyed: u.Slot >= 0}
		if t.keyed {
			row, entry = row+1, entry+1
		}
		t.row, t.entry = row, entry
		row, entry = row+1, entry+1
		for _, l := range u.Lengths {
			t.longest = max(t.longest, l.Seconds)
		}
		p.tracks = append(p.tracks, t)
	}
	p.rowWords, p.rowWidth, p.entryWidth = row, row, entry
	if pad := -row & 15; pad <= row/4 {
		p.rowWidth += pad // each row is in one cache line
	}
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
			code = codes[t.plan.Slot][u.row] + 1
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
			p.late(i, ref, code, int64(slice), int64(prev), int64(next))
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
	last, _ := sh.over.Get(key)
	switch {
	case last == slice:
		return 0, 0, true
	case last > slice:
		return p.between(ref, row, i, code, last, slice)
	case row[t.row] <= slice: // the row keeps the newest label
		if last != 0 {
			sh.over.Delete(key)
		}
		if row[t.row-1] != 0 && !p.forgotten(t, row[t.row]) {
			sh.over.Set(overOf(ref, i, row[t.row-1]), row[t.row])
		}
		row[t.row-1], row[t.row] = code, slice
	default:
		sh.over.Set(key, slice)
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
	s := p.entries(slice)
	if cap(s.words) == 0 && int64(slice) >= p.head {
		s.words = make([]uint32, 0, p.closedWords+p.closedWords/16) // as large as the last, not grown to it
	}
	at := len(s.words) / p.entryWidth
	if at == 0 && int64(slice) >= p.head {
		i, _ := slices.BinarySearch(p.openUsers, int64(slice))
		p.openUsers = slices.Insert(p.openUsers, i, int64(slice))
	}
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
	if s := p.entries(link[0]); int(link[1]) < s.saved {
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

// entries are the slice's, empty ones at first.
func (p *Partition) entries(slice uint32) *entries {
	s := &p.ring[int(slice)&(len(p.ring)-1)]
	if *s == nil || (*s).slice != slice {
		if *s != nil && len((*s).words) > 0 {
			panic("windows: two unsealed slices in one place")
		}
		if n := len(p.spareEntries); n > 0 {
			*s, p.spareEntries = p.spareEntries[n-1], p.spareEntries[:n-1]
		} else {
			*s = &entries{}
		}
		(*s).slice = slice
	}
	return *s
}
