package accept

import "testing"

func TestGzip(t *testing.T) {
	for _, c := range []struct {
		header string
		want   bool
	}{
		{"", false},
		{"gzip", true},
		{"br, GZIP", true},
		{"gzip;q=0.5, br", true},
		{"gzip ; q=1", true},
		{"gzip;q=0, br", false},
		{"gzip;q=0.0", false},
		{"gzip;q=much", false},
		{"br;q=1, deflate", false},
		{"xgzip", false},
	} {
		if got := Gzip(c.header); got != c.want {
			t.Errorf("Gzip(%q) = %t, want %t", c.header, got, c.want)
		}
	}
}
