// Command bench measures the service under the load that its design names: JSON
// batches from a file-backed, synced stream through the embedded server, a
// million users, 25,000 events a second of event time, 1 % of them beyond the
// disorder, 0.1 % twice, the whole default catalogue, a checkpoint a second.
// It prints a table; figures to compare come from one run, since machines differ.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/app"
)

type load struct {
	events   int
	users    int
	contents int
	rate     float64 // events a second of event time
	message  int     // events a message
}

func main() {
	l := load{users: 1_000_000, contents: 100_000, rate: 25_000, message: 200}
	flag.IntVar(&l.events, "events", 4_000_000, "events of the load")
	flag.IntVar(&l.users, "users", l.users, "users")
	flag.Float64Var(&l.rate, "rate", l.rate, "events a second of event time")
	flag.IntVar(&l.message, "message", l.message, "events a message")
	profile := flag.String("cpuprofile", "", "write a CPU profile of the load here")
	heap := flag.String("memprofile", "", "write a heap profile after the load here")
	only := flag.String("only", "load,live,posts", "parts to run")
	binary := flag.String("binary", os.Getenv("TIDEWATCH_BIN"), "the tidewatch binary, for the recovery after kill -9")
	asked := flag.String("query", "", "only ask the service at this URL, until the input ends, and print how long each answer took")
	flag.Parse()
	if *asked != "" {
		if err := query(context.Background(), *asked, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(context.Background(), l, *profile, *heap, *only, *binary); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, l load, profile, heap, only, binary string) error {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(app.Threads * runtime.NumCPU())
	}
	dir, err := os.MkdirTemp("", "tidewatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	t := &table{}
	t.row("machine", fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()))
	for part := range strings.SplitSeq(only, ",") {
		switch part {
		case "load":
			if err := l.measure(ctx, dir, binary, t, profile, heap); err != nil {
				return fmt.Errorf("load: %w", err)
			}
		case "live":
			if err := measureAlerts(ctx, dir, t); err != nil {
				return fmt.Errorf("live: %w", err)
			}
		case "posts":
			if err := measurePosts(ctx, dir, t); err != nil {
				return fmt.Errorf("posts: %w", err)
			}
		default:
			return fmt.Errorf("-only=%q: parts are load, live, posts", part)
		}
	}
	t.print()
	return nil
}

// startProfile begins a profile, if a file is named, and returns what ends it.
func startProfile(name string) (stop func(), err error) {
	if name == "" {
		return func() {}, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { pprof.StopCPUProfile(); f.Close() }, nil
}

// writeHeap writes a heap profile, if a file is named.
func writeHeap(name string) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.WriteHeapProfile(f)
}

// table is what the command prints.
type table struct{ rows [][2]string }

func (t *table) row(what, figure string) {
	t.rows = append(t.rows, [2]string{what, figure})
	fmt.Fprintf(os.Stderr, "%s: %s\n", what, figure)
}

func (t *table) print() {
	fmt.Println("| what | figure |")
	fmt.Println("|---|---|")
	for _, r := range t.rows {
		fmt.Printf("| %s | %s |\n", r[0], r[1])
	}
}

func round(d time.Duration) string {
	switch {
	case d > 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d > 10*time.Millisecond:
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(time.Microsecond).String()
}
