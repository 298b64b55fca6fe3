package queryable

import (
	"testing"

	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

func TestIteratorSeeks(t *testing.T) {
	s := &series{}
	for at := range int64(20) {
		s.stand(float64(at), []int64{10 * at})
	}
	it := s.Iterator(nil)
	for _, step := range []struct {
		to, want int64 // the time found, -1 for none
	}{{-5, 0}, {0, 0}, {1, 10}, {5, 10}, {40, 40}, {155, 160}, {20, 160}, {190, 190}, {191, -1}, {0, -1}} {
		got := int64(-1)
		if it.Seek(step.to) == chunkenc.ValFloat {
			got = it.AtT()
			if at, v := it.At(); at != got || v != float64(got/10) {
				t.Errorf("at %d: got %d, %v", got, at, v)
			}
		}
		if got != step.want {
			t.Errorf("seek %d: got %d, want %d", step.to, got, step.want)
		}
	}
	if it.Next() != chunkenc.ValNone {
		t.Error("there is a point behind the last")
	}
	n := 0
	for it = s.Iterator(it); it.Next() == chunkenc.ValFloat; n++ {
		if it.AtT() != s.points[n].t {
			t.Errorf("point %d: got %d, want %d", n, it.AtT(), s.points[n].t)
		}
	}
	if n != len(s.points) {
		t.Errorf("got %d points, want %d", n, len(s.points))
	}
}
