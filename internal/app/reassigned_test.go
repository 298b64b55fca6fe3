package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// All are told of, in one warning a minute.
func TestReassignmentsAreWarnedOf(t *testing.T) {
	begin := time.Unix(0, 0)
	r := reassignments{told: 2} // before a restart
	for _, c := range []struct {
		n     uint64
		after time.Duration
		want  string
	}{
		{2, 0, ""},
		{3, time.Second, `"anonymous_ids":1`},
		{4, 2 * time.Second, ""},
		{9, 30 * time.Second, ""},
		{9, 62 * time.Second, `"anonymous_ids":6`},
		{9, 200 * time.Second, ""},
		{10, 201 * time.Second, `"anonymous_ids":1`},
	} {
		var out bytes.Buffer
		log := zerolog.New(&out)
		r.follow(c.n, begin.Add(c.after), &log)
		if got := out.String(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%d after %s: logged %q, want %q", c.n, c.after, got, c.want)
		}
	}
}
