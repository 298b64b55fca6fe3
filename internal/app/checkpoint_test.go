package app

import "testing"

func TestPace(t *testing.T) {
	var p pace
	for i, tt := range []struct {
		bytes int64
		want  bool
	}{
		{0, false}, {1, false}, {littleBytes - 1, false}, {littleBytes - 1, false}, {littleBytes - 1, true},
		{1, false}, {littleBytes, true}, {littleBytes, true},
		{1, false}, {1, false}, {1, false}, {1, false}, {1, true},
	} {
		if got := p.worth(tt.bytes); got != tt.want {
			t.Errorf("interval %d, %d bytes: worth it: %v, want %v", i, tt.bytes, got, tt.want)
		}
	}
}
