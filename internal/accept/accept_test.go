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

func TestMedia(t *testing.T) {
	offered := []string{"application/json", "text/csv", "application/x-ndjson"}
	for _, c := range []struct {
		header string
		want   int
	}{
		{"", 0},
		{"*/*", 0},
		{"text/csv", 1},
		{"TEXT/CSV; charset=utf-8", 1},
		{"text/html, application/xhtml+xml, */*;q=0.8", 0},
		{"application/x-ndjson, application/json;q=0.9", 2},
		{"application/*;q=0.5, text/*", 1},
		{"application/json;q=0, */*", 1},
		{"image/png", 0},
		{"text/csv;q=much", 0},
	} {
		if got := Media(c.header, offered); got != c.want {
			t.Errorf("Media(%q) = %d, want %d", c.header, got, c.want)
		}
	}
}

func TestLanguage(t *testing.T) {
	offered := []string{"en", "zh"}
	for _, c := range []struct {
		header string
		want   int
	}{
		{"", 0},
		{"zh", 1},
		{"zh-CN,zh;q=0.9,en;q=0.8", 1},
		{"ZH-Hans-CN", 1},
		{"en-GB, zh;q=0.9", 0},
		{"fr, zh;q=0.2", 1},
		{"zh;q=0, en;q=0.1", 0},
		{"zh;q=much", 0},
		{"zh, en", 1},
		{"*", 0},
		{"zhx", 0},
	} {
		if got := Language(c.header, offered); got != c.want {
			t.Errorf("Language(%q) = %d, want %d", c.header, got, c.want)
		}
	}
}
