// Command bench compares two builds of the service under load: it runs each as
// a process of its own, in turns, on the same input, and prints what they cost
// and the ratios. The input is varied: sessions of a million users over 100,000
// contents (both Zipf), 1 % of the events beyond the disorder, 0.1 % twice.
//
// Ratios of one run compare; figures of two machines, or of a busy one, do not.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.present, "binary", "bin/tidewatch", "the binary to measure")
	flag.StringVar(&o.base, "base", "", "a folder with the `tidewatch` to compare with, its catalogue.yaml and rules.yml")
	flag.StringVar(&o.catalogue, "catalogue", "kpi/catalogue.yaml", "the default catalogue of the binary to measure")
	rowNames := flag.String("rows", "", "what to measure, of "+strings.Join(names(rows), ", ")+", or all; by default what is not marked as long")
	flag.StringVar(&o.dashboards, "dashboards", "dashboards/grafana/en", "the dashboards that are watched")
	flag.IntVar(&o.turns, "turns", 2, "how often each build is measured")
	flag.Float64Var(&o.scale, "scale", 1, "shrinks the streams of full, memory and users")
	flag.IntVar(&o.users, "users", 0, "only measure what so many users cost, by their activity alone and by channel, region and device as well")
	flag.BoolVar(&o.facts, "facts", false, "compare the present build with itself: on the KPIs over events alone, and on all")
	profile := flag.String("cpuprofile", "", "only put a service of this process into the row, stream, full or http, and write a CPU profile of that here; -scale does not count")
	asked := flag.String("ask", "", "only ask the service at this URL for the paths given as KIND=PATH, until the input ends, and print how long each answer took")
	onto := flag.String("watch", "", "with -ask: only ask for what 20 dashboards of this folder show, every 5 s")
	every := flag.Duration("every", 10*time.Millisecond, "the pause between two questions of -ask")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *onto != "":
		err = watch(*asked, *onto, os.Stdin, os.Stdout)
	case *asked != "":
		err = ask(*asked, flag.Args(), *every, os.Stdin, os.Stdout)
	case *profile != "":
		err = writeProfile(ctx, *profile, cmp.Or(*rowNames, "stream"))
	case o.users > 0:
		err = run(ctx, o, []row{{"users", true, false, throng}}, (*bench).habits)
	default:
		err = compare(ctx, o, *rowNames)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	present, base, catalogue, dashboards string
	turns                                int
	scale                                float64
	users                                int
	facts                                bool
}

// A row is a situation that the builds are put into.
type row struct {
	name string
	long bool // measured only when it is asked for
	own  bool // of the present build and its definitions alone: a base knows no such thing
	// trial puts one build into it, in an empty folder.
	trial func(ctx context.Context, b *bench, c contender, dir string) (figures, error)
}

var rows = []row{
	{"stream", false, false, consume},
	{"http", false, false, post},
	{"full", false, false, fill25},
	{"live", false, false, paced},
	{"sparse", false, false, sparse},
	{"memory", true, false, fill50},
	{"users", true, false, crowd},
	{"alerts", true, false, pulse},
	{"rules", true, true, ruled},
	{"posts", true, false, singles},
	{"dashboards", true, true, watched},
	{"onlookers", true, true, onlooked},
}

func names(rows []row) (out []string) {
	for _, r := range rows {
		out = append(out, r.name)
	}
	return out
}

// choose are the rows of a list of names.
func choose(list string) ([]row, error) {
	var out []row
	for _, r := range rows {
		if list == "all" || list == "" && !r.long {
			out = append(out, r)
		}
	}
	if list == "" || list == "all" {
		return out, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		n := len(out)
		for _, r := range rows {
			if r.name == name {
				out = append(out, r)
			}
		}
		if len(out) == n {
			return nil, fmt.Errorf("row %q is not known: give some of %s, or all", name, strings.Join(names(rows), ", "))
		}
	}
	return out, nil
}

// A bench is one run of the command.
type bench struct {
	options
	dir       string // for all that it writes
	loads     map[load]string
	timelines map[pace]*timeline
}

// compare puts the builds, or definitions, into the rows of a list.
func compare(ctx context.Context, o options, list string) error {
	chosen, err := choose(list)
	if err != nil {
		return err
	}
	of := (*bench).contenders
	if o.facts {
		of = (*bench).apart
	}
	return run(ctx, o, chosen, of)
}

// run puts the contenders into each row in turns, A B A B, and prints a table.
func run(ctx context.Context, o options, chosen []row, of func(*bench) ([]contender, error)) error {
	dir, err := os.MkdirTemp("", "tidewatch-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, loads: map[load]string{}, timelines: map[pace]*timeline{}}
	contenders, err := of(b)
	if err != nil {
		return err
	}
	t := &table{contenders: contenders}
	for _, r := range chosen {
		for turn := range o.turns {
			for _, c := range r.of(contenders) {
				got, err := b.try(ctx, r, c)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", r.name, c.name, err)
				}
				t.add(r.name, c, got)
				fmt.Fprintf(os.Stderr, "%s, turn %d of %d, %s: %s\n", r.name, turn+1, o.turns, c.name, got)
			}
		}
		b.forget()
	}
	fmt.Printf("%s/%s, %d cores, %s, turns: %d\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), o.turns)
	t.print(os.Stdout)
	return nil
}

// of are the contenders that can be put into the row.
func (r row) of(all []contender) []contender {
	if r.own {
		return all[len(all)-1:]
	}
	return all
}

// try is one trial in a folder of its own.
func (b *bench) try(ctx context.Context, r row, c contender) (figures, error) {
	dir := filepath.Join(b.dir, "trial")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	return r.trial(ctx, b, c, dir)
}
