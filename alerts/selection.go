package alerts

import (
	"slices"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// A roster is the samples that a View has of what some rules read. Each series that it has
// seen has a number, so that matchers look at it once, and not at each close.
type roster struct {
	Read
	samples []sample.Sample
	turn    uint64 // of the evaluation that read them
	version uint64 // of the series among the samples, from 1 on

	names  [][]string     // the series, by number
	number map[string]int // by appendKey
	place  []int          // among the samples, by number; -1 for none
	era    uint64         // one more when the numbers begin anew
	listed []numbered     // the series of the samples
	before []numbered     // scratch
	key    []byte         // scratch
}

type numbered struct {
	series []string
	number int
}

// roster is the one of a read.
func (e *Engine) roster(of Read) *roster {
	i := slices.IndexFunc(e.rosters, func(r *roster) bool {
		return r.KPI == of.KPI && r.Window == of.Window && slices.Equal(r.By, of.By)
	})
	if i < 0 {
		i = len(e.rosters)
		e.rosters = append(e.rosters, &roster{Read: of})
	}
	return e.rosters[i]
}

// see reads the samples once an evaluation.
func (r *roster) see(v View, turn uint64) {
	if r.turn == turn {
		return
	}
	r.samples, r.turn = v.Series(r.KPI, r.By, r.Window), turn
	same := r.version > 0 && slices.EqualFunc(r.samples, r.listed, func(s sample.Sample, n numbered) bool { return slices.Equal(s.Labels, n.series) })
	if !same {
		r.list()
	}
}

// of is the sample of a series, by appendKey; nil where there is none.
func (r *roster) of(key string) *sample.Sample {
	if n, known := r.number[key]; known && r.place[n] >= 0 {
		return &r.samples[r.place[n]]
	}
	return nil
}

// fewNames is how many series that are gone are remembered at least.
const fewNames = 1000

// list notes where each series is.
func (r *roster) list() {
	r.version++
	if r.number == nil || len(r.names) > 2*len(r.samples)+fewNames {
		r.names, r.place, r.number, r.listed = nil, nil, make(map[string]int, len(r.samples)), nil
		r.era++
	}
	for i := range r.place {
		r.place[i] = -1
	}
	r.before, r.listed = r.listed, r.before[:0]
	rest := r.before // most are where they were, in the order of their labels
	for i := range r.samples {
		series := r.samples[i].Labels
		for len(rest) > 0 && slices.Compare(rest[0].series, series) < 0 {
			rest = rest[1:]
		}
		var n int
		if len(rest) > 0 && slices.Equal(rest[0].series, series) {
			n = rest[0].number
		} else {
			n = r.numberOf(series)
		}
		r.place[n] = i
		r.listed = append(r.listed, numbered{series, n})
	}
}

// numberOf is the number of a series, a new one if it was not seen.
func (r *roster) numberOf(series []string) int {
	r.key = appendKey(r.key[:0], series)
	n, known := r.number[string(r.key)]
	if !known {
		n = len(r.names)
		r.number[string(r.key)] = n
		r.names, r.place = append(r.names, series), append(r.place, -1)
	}
	return n
}

// A selection is the places of the series that a rule is about, in a version of its roster.
type selection struct {
	places  []int
	version uint64
	// numbers are those of the series that the rule takes, of the first seen of an era.
	numbers []int
	seen    int
	era     uint64
}

// of is the selection of a rule as its roster is.
func (s *selection) of(r *rule) []int {
	in := r.roster
	if s.version == in.version {
		return s.places
	}
	if s.era != in.era {
		*s = selection{era: in.era, places: s.places, numbers: s.numbers[:0]}
	}
	for ; s.seen < len(in.names); s.seen++ {
		if r.selects(in.names[s.seen]) {
			s.numbers = append(s.numbers, s.seen)
		}
	}
	s.version, s.places = in.version, s.places[:0]
	for _, n := range s.numbers {
		if place := in.place[n]; place >= 0 {
			s.places = append(s.places, place)
		}
	}
	slices.Sort(s.places)
	return s.places
}
