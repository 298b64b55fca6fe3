package users

import (
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// A chunk is some rows of a batch on their way through a partition. They go
// together from stage to stage, so that the memory's latency is waited for
// together too.
type chunk struct {
	rows   []int
	sums   []*step.Slice // by row
	adds   [][]addition  // by place of the sum set
	users  []sighting
	leg    journey.Row
	warmth uint32 // keeps the compiler from leaving loads out
}

// An addition is what a row of a chunk adds to a sum set.
type addition struct {
	at  int // the row's place in the chunk
	add *plan.Add
}

// A sighting is a user's row of the batch that user sets count or operators follow.
type sighting struct {
	hash      uint64
	shard     *shard
	row       int // in the batch
	second    uint32
	at        uint32 // the user's row in the shard + 1, 0 if not found yet
	user      *row
	audiences []int // that the user belongs to by it
	legs      []plan.Leg
}

// chunkRows is how many rows of a batch make a chunk, yieldChunks how many chunks
// go between two yields.
const (
	chunkRows   = 64
	yieldChunks = 8
)

func (p *Partition) rows(b *stream.Batch, from, to int) {
	for n := 1; from < to; from += chunkRows {
		if n++; p.Yield != nil && n%yieldChunks == 0 {
			p.Yield()
		}
		p.pick(b, from, min(from+chunkRows, to))
		p.chunk.addUp(p.plan, b)
		p.lookUp()
		for i := range p.chunk.users {
			p.see(b, &p.chunk.users[i])
		}
	}
}

// pick makes a chunk of the counted rows that are the partition's.
func (p *Partition) pick(b *stream.Batch, from, to int) {
	l := &p.chunk
	l.rows, l.sums, l.users = l.rows[:0], l.sums[:0], l.users[:0]
	for r := from; r < to; r++ {
		user := b.User[r]
		owner := user
		if user == 0 {
			owner = b.ID[r].Hi
		}
		sh := p.shards[ShardOf(owner)]
		identified := p.identified(b, r)
		if sh == nil {
			continue
		}
		if b.Verdict[r] != stream.Counted {
			if identified && b.Verdict[r] == stream.Filtered {
				l.users = append(l.users, sighting{hash: user, shard: sh, row: r})
			}
			continue
		}
		passed := p.effects.Of(p.plan, p.plan.Events, b.Mask[r*b.MaskWords:(r+1)*b.MaskWords])
		if b.IsBelated(r) {
			p.addBelated(b, r, passed)
			continue
		}
		slice := plan.Floor(b.Time[r], 1000) / 1000
		for i := range passed.Adds {
			list := &l.adds[passed.Adds[i].Place]
			*list = append(*list, addition{len(l.rows), &passed.Adds[i]})
		}
		l.rows, l.sums = append(l.rows, r), append(l.sums, p.slice(slice))
		if user == 0 {
			p.stray(b, r, slice, passed.Legs)
		} else if identified || len(passed.Audiences)+len(passed.Legs) > 0 {
			l.users = append(l.users, sighting{hash: user, shard: sh, row: r, second: uint32(slice), audiences: passed.Audiences, legs: passed.Legs})
		}
	}
}

// identified reports whether a row says which user an anonymous id is of. Rows are asked
// about in their order.
func (p *Partition) identified(b *stream.Batch, row int) bool {
	for p.identity < len(b.Identities) && b.Identities[p.identity].Row < row {
		p.identity++
	}
	return p.identity < len(b.Identities) && b.Identities[p.identity].Row == row
}

// addUp adds the rows up, set by set.
func (l *chunk) addUp(p *plan.Plan, b *stream.Batch) {
	for place, list := range l.adds {
		s, set := p.Events.Sums[place], p.Events.Sets[place]
		for _, a := range list {
			r := l.rows[a.at]
			lift(l.sums[a.at].Sets[set].Group(s, p, b, r), a.add.Adders, b, r, 1)
		}
		l.adds[place] = list[:0]
	}
}

// lift adds a row to the columns of its group; weight is how often, of what adds up.
func lift(vals []int64, adders []plan.Adder, b *stream.Batch, row int, weight int64) {
	for k := range adders {
		a := &adders[k]
		n := int64(1)
		if a.Lift != nil {
			if n = b.Number[a.Number][row]; n == stream.Missing {
				continue
			}
			n = a.Lift(n)
		}
		if a.Combine != nil {
			vals[a.Column] = a.Combine(vals[a.Column], n)
		} else {
			vals[a.Column] += n * weight
		}
	}
}

// addBelated adds a row that comes later than all slices that may still change to the
// days that are open for it. It becomes known at the next crossing, as all that comes
// late: as a correction of the newest slice that is closed.
func (p *Partition) addBelated(b *stream.Batch, row int, passed *plan.Effect) {
	day := p.plan.Calendar.Day(b.Time[row])
	for _, a := range passed.Adds {
		if s := p.plan.Events.Sums[a.Place]; s.TakesBelated(day, p.head) {
			lift(p.slice(p.head - 1).Sets[p.plan.Events.Sets[a.Place]].Group(s, p.plan, b, row), a.Adders, b, row, 1)
		}
	}
}

// lookUp finds the users' rows: in rounds, since each place is found through the
// one before, so that the latency of many is waited for together.
func (p *Partition) lookUp() {
	l := &p.chunk
	for i := range l.users {
		u := &l.users[i]
		u.at = u.shard.probe(u.hash)
	}
	for i := range l.users {
		if u := &l.users[i]; u.at != 0 {
			if u.user = u.shard.row(u.at - 1); u.user.hash != u.hash {
				u.at = 0 // another user with the same tag
			}
		}
	}
	for i := range l.users { // those that come out of order look at the newest entry
		if u := &l.users[i]; u.at != 0 && len(u.audiences) > 0 && u.audiences[0] == 0 && u.user.newest > u.second {
			l.warmth += p.audiences[0].at(u.user.entry).back
		}
	}
}

// see notes the user's activity.
func (p *Partition) see(b *stream.Batch, u *sighting) {
	if u.at == 0 {
		at, fresh := u.shard.find(u.hash)
		u.at, u.user = at+1, u.shard.row(at)
		if fresh {
			p.meet(u.ref(), u.hash, b.Bytes(b.Name[u.row]))
		}
	}
	for _, number := range u.audiences {
		m := &u.user.member
		if number > 0 {
			m = u.shard.member(number, u.at-1)
		}
		a := p.audiences[number]
		if a.days {
			p.beginAnew(u, m)
		}
		if a.traced {
			p.trace(b, u, m)
		}
		p.observe(number, u.ref(), m, u.second, a.labelsOf(m, b.Code, u.row))
	}
	if len(u.legs) > 0 {
		p.follow(b, u)
	}
}

// meet notes who a user is that was not known.
func (p *Partition) meet(ref uint32, hash uint64, name []byte) {
	if p.facts != nil {
		p.rename(ref, name)
		p.holdOut(p.shards[ref>>24], ref&0xffffff, name)
	}
	if p.begun {
		p.freshRows = append(p.freshRows, freshRow{ref, hash})
	}
}

func (u *sighting) ref() uint32 { return refOf(u.hash, u.at-1) }
