package spelling

import "testing"

func TestPercent(t *testing.T) {
	for _, c := range []struct{ expr, want string }{
		{"score < 20%", "for 20% write 0.2"},
		{"(score > 33.3 %) and", "for 33.3% write 0.333"},
		{"score < 7% or x", "for 7% write 0.07"},
		{"score < 7 % order", ""},
		{"score % 7 ==", ""},
		{"", ""},
	} {
		if got := Percent(c.expr); got != c.want {
			t.Errorf("Percent(%q) = %q, want %q", c.expr, got, c.want)
		}
	}
}
