package windows

import (
	"math/bits"

	"github.com/tidewatch/tidewatch/stream"
)

// A lot is some rows of a batch on their way through a partition. They go
// together from stage to stage, so that the memory's latency is waited for
// together too.
type lot struct {
	rows   []int
	sums   []*accumulator // by row
	users  []sighting
	warmth uint32 // keeps the compiler from leaving loads out
}

// A sighting is a user's row of the batch that user sets count.
type sighting struct {
	hash  uint64
	shard *shard
	row   int
	slice uint32
	at    uint32   // the user's row in the shard + 1, 0 if not found yet
	words []uint32 // the user's row
}

// lotRows is how many rows of a batch make a lot.
const lotRows = 64

func (p *Partition) rows(b *stream.Batch, from, to int) {
	for ; from < to; from += lotRows {
		p.pick(b, from, min(from+lotRows, to))
		for i, s := range p.plan.sums {
			p.lot.add(p.plan, s, i, b)
		}
		p.lookUp()
		for i := range p.lot.users {
			p.see(b, &p.lot.users[i])
		}
	}
}

// pick makes a lot of the counted rows that are the partition's.
func (p *Partition) pick(b *stream.Batch, from, to int) {
	l := &p.lot
	l.rows, l.sums, l.users = l.rows[:0], l.sums[:0], l.users[:0]
	for r := from; r < to; r++ {
		user := b.User[r]
		owner := user
		if user == 0 {
			owner = b.ID[r].Hi
		}
		sh := p.shards[ShardOf(owner)]
		if sh == nil || b.Verdict[r] != stream.Counted {
			continue
		}
		slice := floorTo(b.Time[r], 1000) / 1000
		if slice < p.sealed {
			continue // a replay: it is in the sealed state
		}
		l.rows, l.sums = append(l.rows, r), append(l.sums, p.accumulator(slice))
		if user != 0 && overlaps(b.Mask[r*b.MaskWords:(r+1)*b.MaskWords], p.tracked) {
			l.users = append(l.users, sighting{hash: user, shard: sh, row: r, slice: uint32(slice)})
		}
	}
}

// add adds the rows that one set wants to it.
func (l *lot) add(p *Plan, s *sumPlan, set int, b *stream.Batch) {
	words := b.MaskWords
	for i, r := range l.rows {
		mask := b.Mask[r*words : (r+1)*words]
		if !overlaps(mask, s.union) {
			continue
		}
		t := &l.sums[i].sets[set]
		g := t.group(s, s.key64(p, b, r), b, r)
		vals := t.vals[g*len(s.columns):][:len(s.columns)]
		for w, passed := range mask {
			for passed &= s.union[w]; passed != 0; passed &= passed - 1 {
				for _, c := range s.byFilter[w*64+bits.TrailingZeros64(passed)] {
					if c.number < 0 {
						vals[c.column]++
					} else if v := b.Number[c.number][r]; v != stream.Missing {
						vals[c.column] += v
					}
				}
			}
		}
	}
}

func overlaps(a, b []uint64) bool {
	for i, w := range b {
		if a[i]&w != 0 {
			return true
		}
	}
	return false
}

// lookUp finds the users' rows: in three rounds, since each place is found
// through the one before.
func (p *Partition) lookUp() {
	l := &p.lot
	for i := range l.users {
		u := &l.users[i]
		u.at = u.shard.probe(u.hash)
	}
	for i := range l.users {
		if u := &l.users[i]; u.at != 0 {
			if u.words = u.shard.row(u.at-1, p.rowWidth); rowHash(u.words) != u.hash {
				u.at = 0 // another user with the same tag
			}
		}
	}
	for i := range l.users {
		if u := &l.users[i]; u.at != 0 && p.holds(u.words[wordHead:], u.slice) {
			l.warmth += p.entryOf(u.words[wordHead], u.words[wordHead+1])[0]
		}
	}
}

// see notes the user's activity.
func (p *Partition) see(b *stream.Batch, u *sighting) {
	if u.at == 0 {
		at, fresh := u.shard.find(u.hash, p.rowWidth)
		u.at, u.words = at+1, u.shard.row(at, p.rowWidth)
		if fresh {
			p.freshRows = append(p.freshRows, freshRow{u.ref(), u.hash})
		}
	}
	var mask uint32
	for i, m := range p.masks {
		if b.Mask[u.row*b.MaskWords+int(m[0])]&m[1] != 0 {
			mask |= 1 << i
		}
	}
	p.observe(u, mask, b.Code)
}

func (u *sighting) ref() uint32 { return uint32(ShardOf(u.hash))<<24 | (u.at - 1) }
