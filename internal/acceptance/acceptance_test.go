//go:build acceptance

package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A set is one data set: its files, and the figures that are asked of it.
type set struct {
	name    string
	example string // folder of examples
	file    string
	figures func(q *query, want expected) []figure
}

var sets = []set{
	{"taobao", "taobao", "taobao_userbehavior.csv", taobao},
	{"douyin", "douyin", "douyin_watch.csv", douyin},
	{"openbandit_random", "openbandit", "openbandit_random_men.csv.gz", openbandit("random")},
	{"openbandit_bts", "openbandit", "openbandit_bts_men.csv.gz", openbandit("bts")},
}

// A way is how the records get into the service.
type way struct {
	name       string
	shuffle    bool // within the lateness
	twice      bool // every line
	kill       int  // how often the service is killed while it receives
	partitions int  // 0: as many as the service likes
}

var ways = []way{
	{name: "plain"},
	{name: "shuffled", shuffle: true},
	{name: "twice", twice: true},
	{name: "killed", kill: 4},
	{name: "1 partition", partitions: 1},
	{name: "3 partitions", partitions: 3},
	{name: "8 partitions", partitions: 8},
	{name: "all of it", shuffle: true, twice: true, kill: 4, partitions: 3},
}

// A figure is one number of expected.json beside the service's answer.
type figure struct {
	name      string
	want, got any
}

// expected is expected.json.
type expected map[string]json.RawMessage

func TestAcceptance(t *testing.T) {
	bin, data := need(t, "TIDEWATCH_BIN", "the tidewatch binary"), need(t, "ACCEPTANCE_DATA", "the folder with the records and expected.json")
	text, err := os.ReadFile(filepath.Join(data, "expected.json"))
	if err != nil {
		t.Fatalf("read the expected figures: %v", err)
	}
	var want expected
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("read the expected figures: %v", err)
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "data set\tway\tfigures\tequal\tsent\tcounted\tduplicate\tseconds")
	for _, s := range sets {
		for _, how := range ways {
			t.Run(s.name+"/"+how.name, func(t *testing.T) {
				began := time.Now()
				r := replay(t, bin, data, s, how)
				figures := s.figures(r, want)
				equal := 0
				for _, f := range figures {
					if diff := cmp.Diff(f.want, f.got); diff != "" {
						t.Errorf("%s (-want +got):\n%s", f.name, diff)
						continue
					}
					equal++
				}
				l := r.ledger()
				l.check(t, r.sent, r.distinct)
				fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%.1f\n", s.name, how.name, len(figures), equal,
					r.sent, l.Counted, l.Duplicate, time.Since(began).Seconds())
			})
		}
	}
	w.Flush()
	fmt.Printf("\n%s\n", table.String())
}

func need(t *testing.T, name, what string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: it names %s (make acceptance DATA=DIR sets it)", name, what)
	}
	path, err := filepath.Abs(value)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return path
}
