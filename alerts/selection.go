package alerts

import (
	"slices"

	"github.com/tidewatch/tidewatch/windows/sample"
)

// A roster is the samples that a View has of what some rules read, with their series in its
// order: matchers look at these when they change, and not at each close.
type roster struct {
	Read
	samples []sample.Sample
	turn    uint64 // of the evaluation that read them
	series  [][]string
	version uint64 // of the series, from 1 on
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
	same := r.version > 0 && slices.EqualFunc(r.samples, r.series, func(s sample.Sample, series []string) bool { return slices.Equal(s.Labels, series) })
	if same {
		return
	}
	r.version++
	r.series = r.series[:0]
	for i := range r.samples {
		r.series = append(r.series, r.samples[i].Labels)
	}
}

// A selection is the places of the series that a rule is about, in a version of its roster.
type selection struct {
	places  []int
	version uint64
}

// of is the selection of a rule as its roster is.
func (s *selection) of(r *rule) []int {
	if s.version == r.roster.version {
		return s.places
	}
	s.version, s.places = r.roster.version, s.places[:0]
	for i, series := range r.roster.series {
		if r.selects(series) {
			s.places = append(s.places, i)
		}
	}
	return s.places
}
