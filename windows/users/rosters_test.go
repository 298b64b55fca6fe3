package users

import (
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/roster"
)

func ofCatalogue(t *testing.T) *Partition {
	t.Helper()
	c, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	pl, err := plan.New(c, stream.HashKey{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	return NewPartition(pl, stream.Timing{}, 0, 1)
}

// noPages is an epoch without pages.
type noPages struct{}

func (noPages) Each(page.Kind, func(uint32, uint64, []byte) error) error { return nil }
func (noPages) Get(page.Kind, uint32, uint64) ([]byte, error)            { return nil, nil }

// TestMergesAreKept: who turned out to be whom is in the journal, and in the shard's page
// from then on.
func TestMergesAreKept(t *testing.T) {
	p := ofCatalogue(t)
	p.begin()
	first := roster.Merge{From: 9<<24 | 3, Into: 5<<24 | 1, Last: 20_000}
	second := roster.Merge{From: 5<<24 | 2, Into: 5<<24 | 1, Last: 20_001}
	p.merge(first)
	older := p.encodeShard(5, 1)
	p.freshMerges = nil
	p.merge(second)
	delta, _ := p.encodeDelta()
	for name, load := range map[string]func(q *Partition) error{
		"page":             func(q *Partition) error { return q.LoadShard(5, p.encodeShard(5, 2), noPages{}) },
		"page and journal": func(q *Partition) error { return q.LoadShard(5, older, noPages{}) },
	} {
		q := ofCatalogue(t)
		if err := load(q); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := q.LoadDelta(2, delta[page.HeadRoom:]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, want := slices.Concat(q.Merges()...), []roster.Merge{first, second}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

// TestMergesAreForgotten: they go when no roster that is kept can have who turned out to
// be another, and leave alone who is reading them.
func TestMergesAreForgotten(t *testing.T) {
	p := ofCatalogue(t)
	for day := range int32(5) {
		p.merge(roster.Merge{From: uint32(day), Into: 7, Last: day})
	}
	read := slices.Concat(p.Merges()...)
	p.forgetMerges(roster.Days)
	if got, want := slices.Concat(p.Merges()...), read; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	reading := p.Merges()
	p.forgetMerges(roster.Days + 2)
	if got, want := slices.Concat(p.Merges()...), read[2:]; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := slices.Concat(reading...); !slices.Equal(got, read) {
		t.Errorf("who was reading has %v, want %v", got, read)
	}
}
