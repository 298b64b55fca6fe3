package journey

import (
	"slices"
	"sort"

	"github.com/tidewatch/tidewatch/stream"
)

// A Row is what an operator looks at of an event.
type Row struct {
	Time   int64  // ms
	Key    uint64 // what tells apart the items that it may be of; 0 for none
	Number int64  // stream.Missing for none
	Texts  uint32 // their number
	Kind   uint8  // what it is to the rules: which of the plan's filters it passed
}

// rows are those of a user that are not sealed, by time. There are about as many as
// unsealed events, few of which have a number.
type rows struct {
	list    []packed
	numbers []int64
}

type packed struct {
	time   int64
	key    uint64
	texts  uint32
	kind   uint8
	number [3]uint8 // place among the numbers, from 1 on; 0 for none
}

func (p *packed) place() int {
	return int(p.number[0]) | int(p.number[1])<<8 | int(p.number[2])<<16
}

func (p *packed) refer(place int) {
	p.number = [3]uint8{uint8(place), uint8(place >> 8), uint8(place >> 16)}
}

func (s *rows) len() int { return len(s.list) }

func (s *rows) at(i int) Row {
	p := &s.list[i]
	r := Row{Time: p.time, Key: p.key, Number: stream.Missing, Texts: p.texts, Kind: p.kind}
	if n := p.place(); n > 0 {
		r.Number = s.numbers[n-1]
	}
	return r
}

// insert puts a row behind all that are not later.
func (s *rows) insert(r Row) {
	i := len(s.list)
	for i > 0 && s.list[i-1].time > r.Time {
		i--
	}
	p := packed{time: r.Time, key: r.Key, texts: r.Texts, kind: r.Kind}
	if r.Number != stream.Missing {
		s.numbers = append(s.numbers, r.Number)
		p.refer(len(s.numbers))
	}
	s.list = slices.Insert(s.list, i, p)
}

// before is how many of the first n rows are before an instant.
func (s *rows) before(n int, to int64) int {
	return sort.Search(n, func(i int) bool { return s.list[i].time >= to })
}

// drop takes out the first n rows, with their numbers.
func (s *rows) drop(n int) {
	s.list = slices.Delete(s.list, 0, n)
	if len(s.numbers) == 0 {
		return
	}
	var left []int64
	for i := range s.list {
		if p := &s.list[i]; p.place() > 0 {
			left = append(left, s.numbers[p.place()-1])
			p.refer(len(left))
		}
	}
	s.numbers = left
}
