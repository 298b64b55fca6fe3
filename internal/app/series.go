package app

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// seriesOf puts the answers for consecutive windows together to series, in the
// order in which these are first seen.
type seriesOf struct {
	list []sample.Series
	at   map[string]int // place by labels
	last []int          // places of the last answer's samples

	values, windows int64

	lost int // windows of which something is lost
	why  *state.LostError
}

func newSeries() *seriesOf { return &seriesOf{at: map[string]int{}} }

// add takes in the answer for the next window, if that may be.
func (s *seriesOf) add(a *sample.Answer, grow func(values, windows int64) error) error {
	s.values, s.windows = s.values+int64(len(a.Samples)), s.windows+1
	if grow != nil {
		if err := grow(s.values, s.windows); err != nil {
			return err
		}
	}
	before := s.last
	s.last = make([]int, 0, len(a.Samples))
	for i := range a.Samples {
		one := &a.Samples[i]
		var place int
		place, before = s.place(one.Labels, before)
		s.list[place].Points = append(s.list[place].Points, sample.Point{End: a.End, AsOf: a.AsOf, Complete: a.Complete, Maturity: a.Maturity, Sample: *one})
		s.last = append(s.last, place)
	}
	return nil
}

// place finds the series: mostly it is the next one of the answer before.
func (s *seriesOf) place(labels []string, before []int) (int, []int) {
	for n, place := range before[:min(2, len(before))] {
		if slices.Equal(s.list[place].Labels, labels) {
			return place, before[n+1:]
		}
	}
	key := fmt.Sprintf("%q", labels)
	place, ok := s.at[key]
	if !ok {
		place = len(s.list)
		s.at[key] = place
		s.list = append(s.list, sample.Series{Labels: labels})
	}
	return place, before
}

// miss leaves a window out of which something is lost. Other errors are returned.
func (s *seriesOf) miss(err error) error {
	why, ok := errors.AsType[*state.LostError](err)
	if !ok {
		return err
	}
	s.lost, s.why = s.lost+1, why
	return nil
}
