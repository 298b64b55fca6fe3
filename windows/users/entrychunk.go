package users

import "github.com/tidewatch/tidewatch/internal/codec"

// An entryChunk is some entries of a slice's journal on their way into the rows,
// for the same reason as a chunk.
type entryChunk struct {
	p        *Partition
	second   uint32
	audience int
	entries  []savedEntry
	words    []uint32 // of their codes and details
}

// A savedEntry is an entry of the journal.
type savedEntry struct {
	ref    uint32
	codes  []uint32 // by keyed track: the label's + 1
	before uint32   // the slice before, 0 for none
	detail []uint32 // that by track where it differs; the slice itself where it does not count
}

// each calls visit with the entries of the partition's users, of those that are wanted.
func (l *entryChunk) each(second uint32, seen []seenEntries, wanted func(e *savedEntry) bool, visit func(e *savedEntry, m *member)) {
	l.second = second
	for _, es := range seen {
		l.audience = es.audience
		r := codec.NewReader(es.data)
		for n := es.n; n > 0; n-- {
			if l.read(r, wanted); len(l.entries) == chunkRows || n == 1 {
				l.visit(visit)
			}
		}
	}
}

func (l *entryChunk) visit(visit func(e *savedEntry, m *member)) {
	if l.audience == 0 {
		for i := range l.entries {
			ref := l.entries[i].ref
			l.p.chunk.warmth += l.p.shards[ref>>24].row(ref & 0xffffff).newest
		}
	}
	for i := range l.entries {
		e := &l.entries[i]
		visit(e, l.p.shards[e.ref>>24].member(l.audience, e.ref&0xffffff))
	}
	l.entries, l.words = l.entries[:0], l.words[:0]
}

// read adds an entry as encodeEntry has it, if the user is the partition's and it is
// wanted.
func (l *entryChunk) read(r *codec.Reader, wanted func(e *savedEntry) bool) {
	a := l.p.audiences[l.audience]
	e, first := savedEntry{ref: r.Uint32()}, len(l.words)
	for range a.slots {
		l.words = append(l.words, uint32(r.Uvarint()))
	}
	e.codes = l.words[first:]
	back := uint32(r.Uvarint())
	if back&1 == 0 {
		e.before = l.before(back >> 1)
	} else {
		begin := len(l.words)
		for range a.tracks {
			before := l.second
			if back := uint32(r.Uvarint()); back != 0 {
				before = l.before(back - 1)
			}
			l.words = append(l.words, before)
		}
		e.detail = l.words[begin:]
	}
	if l.p.shards[e.ref>>24] != nil {
		l.p.bases[e.ref>>24].note(l.second)
		last := len(l.entries)
		if l.entries = append(l.entries, e); wanted(&l.entries[last]) {
			return
		}
		l.entries = l.entries[:last]
	}
	l.words = l.words[:first]
}

// before is the inverse of back.
func (l *entryChunk) before(back uint32) uint32 {
	if back != 0 {
		return l.second - back
	}
	return 0
}
