package users

import (
	"math/bits"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// An activityChunk is some entries of a slice's journal on their way into the
// rows, for the same reason as a chunk.
type activityChunk struct {
	p      *Partition
	slice  uint32
	refs   []uint32
	masks  []uint32
	codes  [][]uint32 // by track and entry: the label + 1, 0 where there is none
	prevs  [][]uint32 // by track and entry: the slice before, 0 for none
	labels [][]uint32 // by slot and entry: the label
	users  []sighting
}

func newActivityChunk(p *Partition) *activityChunk {
	l := &activityChunk{p: p, users: make([]sighting, chunkRows)}
	for _, t := range p.tracks {
		l.codes, l.prevs = append(l.codes, make([]uint32, chunkRows)), append(l.prevs, make([]uint32, chunkRows))
		if t.keyed {
			for len(l.labels) <= t.plan.Slot {
				l.labels = append(l.labels, make([]uint32, chunkRows))
			}
		}
	}
	return l
}

// each calls visit with the entries of the partition's users, some at a time.
func (l *activityChunk) each(slice uint32, seen []seenEntries, visit func(n int)) {
	l.slice, l.refs, l.masks = slice, l.refs[:0], l.masks[:0]
	for _, es := range seen {
		r := codec.NewReader(es.data)
		for range es.n {
			l.read(r)
			if len(l.refs) == chunkRows {
				visit(chunkRows)
				l.refs, l.masks = l.refs[:0], l.masks[:0]
			}
		}
	}
	if len(l.refs) > 0 {
		visit(len(l.refs))
	}
}

// read adds an entry as encodeEntry has it, if the user is the partition's.
func (l *activityChunk) read(r *codec.Reader) {
	tracks, k := l.p.tracks, len(l.refs)
	ref, mask := r.Uint32(), uint32(r.Uvarint())
	for rest := mask; rest != 0; rest &= rest - 1 {
		if i := bits.TrailingZeros32(rest); tracks[i].keyed {
			code := uint32(r.Uvarint())
			l.codes[i][k], l.labels[tracks[i].plan.Slot][k] = code, code-1
		}
	}
	prev := l.before(r)
	for rest := mask; rest != 0; rest &= rest - 1 {
		l.prevs[bits.TrailingZeros32(rest)][k] = prev
	}
	for others := uint32(r.Uvarint()); others != 0; others &= others - 1 {
		l.prevs[bits.TrailingZeros32(others)][k] = l.before(r)
	}
	if l.p.shards[ref>>24] != nil {
		l.refs, l.masks = append(l.refs, ref), append(l.masks, mask)
		l.p.bases[ref>>24].note(l.slice)
	}
}

// before is the inverse of back.
func (l *activityChunk) before(r *codec.Reader) uint32 {
	if back := uint32(r.Uvarint()); back != 0 {
		return l.slice - back
	}
	return 0
}

// omit takes activities out of the entries.
func (l *activityChunk) omit(activities map[activity]bool) {
	if activities == nil {
		return
	}
	for k, ref := range l.refs {
		for rest := l.masks[k]; rest != 0; rest &= rest - 1 {
			if i := bits.TrailingZeros32(rest); activities[activity{ref, uint32(i), l.codes[i][k], l.slice}] {
				l.masks[k] &^= 1 << i
			}
		}
	}
}

// one makes the chunk one activity.
func (l *activityChunk) one(w activity) {
	l.slice, l.refs, l.masks = w.slice, append(l.refs[:0], w.ref), append(l.masks[:0], 1<<w.track)
	if t := &l.p.tracks[w.track]; t.keyed {
		l.labels[t.plan.Slot][0] = w.code - 1
	}
}
