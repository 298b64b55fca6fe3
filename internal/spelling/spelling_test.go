package spelling

import "testing"

func TestNearest(t *testing.T) {
	words := []string{"channel", "region", "device", "play", "pay", "watch_ms", "content_id"}
	for _, c := range []struct{ word, want string }{
		{"chanel", "channel"}, {"cahnnel", "channel"}, {"Channel", "channel"}, {"chhannell", "channel"},
		{"watchMs", "watch_ms"}, {"watchms", "watch_ms"}, {"content-id", "content_id"}, {"contentid", "content_id"},
		{"plays", "play"}, {"devise", "device"},
		{"pla", "play"}, {"day", ""}, {"vertical", ""}, {"", ""}, {"reg", ""}, {"chan", ""}, {"品类", ""},
	} {
		if got := Nearest(c.word, words); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestMeant(t *testing.T) {
	for _, c := range []struct{ near, want string }{
		{"channel", "did you mean channel? Use region"},
		{"", "use region"},
	} {
		if got := Meant(c.near, "use region"); got != c.want {
			t.Errorf("Meant(%q) = %q, want %q", c.near, got, c.want)
		}
	}
}

// A word that takes more slips than it may has none near; of two the nearer.
func TestNearestOfTwo(t *testing.T) {
	for _, c := range []struct {
		word  string
		among []string
		want  string
	}{
		{"lateness", []string{"latenesses", "lateness"}, "lateness"},
		{"abcd", []string{"axyd"}, ""},
		{"abcdefg", []string{"abcxxxg", "abcdxxg"}, "abcdxxg"},
	} {
		if got := Nearest(c.word, c.among); got != c.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", c.word, c.among, got, c.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0 rows", 1: "1 row", 2: "2 rows"} {
		if got := Number(n, "row", "rows"); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
