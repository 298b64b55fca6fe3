package jetstream

import (
	"testing"

	"github.com/nats-io/nats.go"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		reply             string
		sequence, pending uint64
		stamp             int64
	}{
		{"$JS.ACK.EVENTS.c.1.42.7.1763863200123456789.5", 42, 5, 1763863200123},
		{"$JS.ACK.hub.hash.EVENTS.c.1.42.7.1763863200123456789.5", 42, 5, 1763863200123},
		{"$JS.ACK.hub.hash.EVENTS.c.1.42.7.1763863200123456789.5.token", 42, 5, 1763863200123},
		{"$JS.ACK.EVENTS.c.1.x.7.y.z", 0, 0, 0},
		{"inbox", 0, 0, 0},
		{"", 0, 0, 0},
	} {
		r, pending := decode(&nats.Msg{Subject: eventSubject, Reply: c.reply})
		if r.Sequence != c.sequence || r.Stamp != c.stamp || pending != c.pending || r.Tick {
			t.Errorf("%s: got %d at %d with %d pending", c.reply, r.Sequence, r.Stamp, pending)
		}
	}
}

// TestEncoding: the header says what it says over HTTP.
func TestEncoding(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "identity": "", "Identity": "", "gzip": "gzip", "GZIP": "gzip", "x-gzip": "gzip", " Zstd ": "zstd", "S2": "s2", "br": "br",
	} {
		if r := raw(nats.Header{headerEncoding: {header}}, nil); r.ContentEncoding != want {
			t.Errorf("%q is %q, want %q", header, r.ContentEncoding, want)
		}
	}
}
