//go:build months

package rehearsal

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

var seed = flag.Uint64("seed", 1, "the seed of the business")

// The business is known for eight weeks before its rules are judged.
var (
	opened = day("2026-09-13")
	judged = opened.AddDate(0, 0, 56)
	spring = day("2027-01-24")
	mended = day("2026-12-10") // what went wrong
)

const month = 30 * 24 * time.Hour

// TestFalseAlarms holds the rules that come with Tidewatch to two months in which all is
// well, with 11.11 and a spring festival, and to one in which much is not.
func TestFalseAlarms(t *testing.T) {
	b := open(t, *seed, opened)
	b.until(judged)
	b.stop()
	well := func(b *business, t *testing.T) {
		b.until(b.now.Add(month))
		for _, n := range b.told {
			t.Error(told(n))
		}
		healthy(t, b)
	}
	t.Run("autumn", func(t *testing.T) {
		t.Parallel()
		well(b.fork(t, rules), t)
	})
	t.Run("spring", func(t *testing.T) {
		t.Parallel()
		later := b.fork(t, nil)
		later.until(spring)
		later.stop()
		well(later.fork(t, rules), t)
	})
	t.Run("incidents", func(t *testing.T) {
		t.Parallel()
		ill := b.fork(t, rules, incidents...)
		ill.until(mended)
		judge(t, ill.told)
		healthy(t, ill)
	})
}

// judge tells of each incident which rule found it, and after how long.
func judge(t *testing.T, list []notification) {
	found := map[*incident]notification{}
	for _, n := range list {
		if n.Status != alerts.Firing {
			continue
		}
		explained := false
		for i := range incidents {
			in := &incidents[i]
			explained = explained || in.explains(n)
			if _, before := found[in]; !before && in.explains(n) && in.finds(n) {
				found[in] = n
			}
		}
		if !explained {
			t.Errorf("of no incident: %s", told(n))
		}
	}
	var table strings.Builder
	for i := range incidents {
		in := &incidents[i]
		if n, ok := found[in]; ok {
			fmt.Fprintf(&table, "| %s | %s | %s |\n", in.name, n.Rule, n.StartsAt.Sub(in.begins()))
		} else {
			t.Errorf("not found: %s", in.name)
		}
	}
	t.Logf("\n%s", table.String())
}
