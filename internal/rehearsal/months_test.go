//go:build months

package rehearsal

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tidewatch/tidewatch/alerts"
)

var (
	seed  = flag.Uint64("seed", 1, "the seed of the business")
	only  = flag.String("rule", "", "the one rule that is played, with the incidents that it is to find")
	known = flag.Int("known", 56, "for how many days the business is known before its rules are judged")
)

var (
	judged = day("2026-11-08")
	spring = day("2027-01-24")
	mended = day("2026-12-10") // what went wrong
)

const month = 30 * 24 * time.Hour

// TestFalseAlarms holds the rules that come with Tidewatch to two months in which all is
// well, with 11.11 and a spring festival, and to one in which much is not.
func TestFalseAlarms(t *testing.T) {
	incidents, before := incidents, func(t time.Time) time.Time { return t.AddDate(0, 0, -*known) }
	if *only != "" {
		rules = []string{alone(t, *only)}
		incidents = slices.DeleteFunc(slices.Clone(incidents), func(i incident) bool {
			return !slices.ContainsFunc(i.found, func(f finder) bool { return f.rule == *only })
		})
	}
	b := open(t, *seed, before(judged))
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
		if *only != "" {
			later.skip(before(spring))
		}
		later.until(spring)
		later.stop()
		well(later.fork(t, rules), t)
	})
	t.Run("incidents", func(t *testing.T) {
		t.Parallel()
		ill := b.fork(t, rules, incidents...)
		ill.until(mended)
		judge(t, ill.told, incidents)
		healthy(t, ill)
	})
}

// alone writes a file of the one rule of a name.
func alone(t *testing.T, name string) string {
	var file, own struct {
		Groups []struct {
			Name, Interval string `yaml:",omitempty"`
			Rules          []map[string]any
		}
	}
	for _, from := range rules {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		file.Groups = nil
		if err := yaml.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		for _, g := range file.Groups {
			g.Rules = slices.DeleteFunc(g.Rules, func(r map[string]any) bool { return r["alert"] != name })
			if len(g.Rules) > 0 {
				own.Groups = append(own.Groups, g)
			}
		}
	}
	if len(own.Groups) == 0 {
		t.Fatalf("no rule is named %s", name)
	}
	data, err := yaml.Marshal(own)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "alone.yml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// judge tells of each incident which rule found it, and after how long.
func judge(t *testing.T, list []notification, incidents []incident) {
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
