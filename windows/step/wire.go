package step

import (
	"encoding/binary"
	"fmt"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// A Name is a label of a set of users as every process knows it.
type Name struct {
	Key   uint64
	Texts []string
}

// Append writes the step's wire form, which names groups by their labels: the
// watermark; slices with their tables; the names that deltas and rosters use, by target;
// the deltas and the rosters, by the place of their name. name gives the label with a
// number.
func (s *Step) Append(b []byte, p *plan.Plan, name func(target, group int32) Name) []byte {
	b = binary.AppendVarint(b, s.Watermark)
	b = binary.AppendUvarint(b, uint64(len(s.Slices)))
	for _, slice := range s.Slices {
		b = binary.AppendVarint(b, slice.Second)
		for i := range slice.Sets {
			b = slice.Sets[i].Append(b)
		}
	}
	type label struct{ target, group int32 }
	places := map[label]int{}
	var labels []label
	meet := func(l label) {
		if _, known := places[l]; !known {
			places[l] = len(labels)
			labels = append(labels, l)
		}
	}
	for _, d := range s.Deltas {
		meet(label{d.Target, d.Group})
	}
	for _, r := range s.Rosters {
		meet(label{r.Target, r.Group})
	}
	b = binary.AppendUvarint(b, uint64(len(labels)))
	for _, l := range labels {
		n := name(l.target, l.group)
		b = binary.AppendUvarint(b, uint64(l.target))
		b = binary.LittleEndian.AppendUint64(b, n.Key)
		b = codec.AppendTexts(b, n.Texts)
	}
	b = binary.AppendUvarint(b, uint64(len(s.Deltas)))
	for _, d := range s.Deltas {
		place := places[label{d.Target, d.Group}]
		for _, n := range [...]int64{d.Head, d.N, int64(d.Target), int64(d.Column), int64(place)} {
			b = binary.AppendVarint(b, n)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(s.Rosters)))
	for _, r := range s.Rosters {
		b = binary.AppendVarint(b, int64(r.Day))
		b = binary.AppendUvarint(b, uint64(places[label{r.Target, r.Group}]))
		b = r.Users.Append(b)
	}
	return b
}

// Read reads what Append wrote. number gives a label its number here.
func Read(b []byte, p *plan.Plan, number func(target int32, n Name) int32) (*Step, error) {
	r := codec.NewReader(b)
	s := &Step{Watermark: r.Varint()}
	for range r.Count(1) {
		slice := NewSlice(len(p.Sums))
		slice.Second = r.Varint()
		for i, sums := range p.Sums {
			slice.Sets[i].Add(sums, r)
		}
		s.Slices = append(s.Slices, slice)
	}
	type label struct{ target, group int32 }
	labels := make([]label, r.Count(10))
	for i := range labels {
		target, n := int32(r.Uvarint()), Name{r.Uint64(), r.Texts()}
		if r.Err() != nil || int(target) < p.UsersTarget(0) || int(target) >= p.UsersTarget(len(p.Users)) {
			return nil, fmt.Errorf("read step: label %d: %w", i, codec.ErrShort)
		}
		labels[i] = label{target, number(target, n)}
	}
	for range r.Count(5) {
		d := Delta{Head: r.Varint(), N: r.Varint(), Target: int32(r.Varint()), Column: int32(r.Varint()), Group: int32(r.Varint())}
		if d.Group < 0 || int(d.Group) >= len(labels) || labels[d.Group].target != d.Target {
			r.Fail()
			break
		}
		d.Group = labels[d.Group].group
		s.Deltas = append(s.Deltas, d)
	}
	for range r.Count(3) {
		day, place := int32(r.Varint()), r.Uvarint()
		users, err := roster.Read(r)
		if err != nil || place >= uint64(len(labels)) {
			r.Fail()
			break
		}
		s.Rosters = append(s.Rosters, Roster{day, labels[place].target, labels[place].group, users})
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("read step: %w", r.Err())
	}
	return s, nil
}
