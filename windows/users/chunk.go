package users

import (
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
)

// A chunk is some rows of a batch on their way through a partition. They go
// together from stage to stage, so that the memory's latency is waited for
// together too.
type chunk struct {
	rows   []int
	passed []*plan.Effect // by row
	sums   []*step.Slice  // by row
	users  []sighting
	keys   []uint64 // of the texts that the users' legs carry, one behind the other
	warmth uint32   // keeps the compiler from leaving loads out
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
	keys      int // where those of its legs begin
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
		for _, i := range p.plan.Events.Sets {
			p.chunk.add(p.plan, p.plan.Sums[i], i, b)
		}
		p.lookUp(b)
		for i := range p.chunk.users {
			p.see(b, &p.chunk.users[i])
		}
	}
}

// pick makes a chunk of the counted rows that are the partition's.
func (p *Partition) pick(b *stream.Batch, from, to int) {
	l := &p.chunk
	l.rows, l.passed, l.sums, l.users = l.rows[:0], l.passed[:0], l.sums[:0], l.users[:0]
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
		l.rows, l.passed, l.sums = append(l.rows, r), append(l.passed, passed), append(l.sums, p.slice(slice))
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

// add adds the rows that one set wants to it.
func (l *chunk) add(p *plan.Plan, s *plan.Sums, set int, b *stream.Batch) {
	for i, r := range l.rows {
		adders := l.passed[i].Adders[set]
		if len(adders) == 0 {
			continue
		}
		lift(l.sums[i].Sets[set].Group(s, p, b, r), adders, b, r, 1)
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
	for _, set := range p.plan.Events.Sets {
		s, adders := p.plan.Sums[set], passed.Adders[set]
		if len(adders) > 0 && s.TakesBelated(day, p.head) {
			lift(p.slice(p.head - 1).Sets[set].Group(s, p.plan, b, row), adders, b, row, 1)
		}
	}
}

// lookUp finds the users' rows: in rounds, since each place is found through the
// one before, so that the latency of many is waited for together.
func (p *Partition) lookUp(b *stream.Batch) {
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
	l.keys = l.keys[:0]
	for i := range l.users {
		u := &l.users[i]
		u.keys = len(l.keys)
		for _, leg := range u.legs {
			texts := p.followers[leg.Journey].texts
			key := texts.Key(b, u.row)
			l.keys = append(l.keys, key)
			l.warmth += texts.Touch(key)
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
