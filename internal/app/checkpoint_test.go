package app

import (
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/stream"
)

// A run of exceptions over the edge of a part is whole again when both parts
// are read, and its second half when the first part is gone.
func TestExceptionPages(t *testing.T) {
	const edge = exceptionPart
	run := stream.Exception{Row: edge - 3, Rows: 8, Verdict: stream.Late}
	got := map[uint64][]stream.Exception{}
	for _, p := range exceptionPages([]stream.Exception{{Row: 5, Rows: 2, Verdict: stream.Future}, run}, 0) {
		es, err := decodeExceptions(p.Data)
		if err != nil {
			t.Fatal(err)
		}
		got[p.B] = es
	}
	want := map[uint64][]stream.Exception{
		0: {{Row: 5, Rows: 2, Verdict: stream.Future}, {Row: edge - 3, Rows: 3, Verdict: stream.Late}},
		1: {{Row: edge, Rows: 5, Verdict: stream.Late}},
	}
	if len(got) != len(want) {
		t.Fatalf("parts %v, want %v", got, want)
	}
	for part, es := range want {
		if !slices.Equal(got[part], es) {
			t.Errorf("part %d: %v, want %v", part, got[part], es)
		}
	}
	if pages := exceptionPages([]stream.Exception{run}, edge+1); len(pages) != 1 || pages[0].B != 1 {
		t.Errorf("pages since row %d: %v, want part 1 alone", edge+1, pages)
	}
}
