package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// onlookers are how many dashboards are open, refresh how often each asks.
	onlookers = 20
	refresh   = 5 * time.Second
)

// firstly is the kind of the queries of a dashboard's first refresh, which reads what later
// ones find in memory.
const firstly = "first"

// anything is chosen in the variables of dashboards.
var anything = strings.NewReplacer("$channel", ".*", "$region", ".*", "$campaign", ".*", "$currency", "CNY")

// panels reads what each of a folder's dashboards asks the service.
func panels(dir string) (dashboards [][]string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		if filepath.Base(file) == "service.json" { // asks a Prometheus
			continue
		}
		var d struct {
			Panels []struct {
				Targets []struct {
					Expr, Interval string
					Instant        bool
				}
			}
		}
		text, err := os.ReadFile(file)
		if err == nil {
			err = json.Unmarshal(text, &d)
		}
		if err != nil {
			return nil, fmt.Errorf("read dashboard %s: %w", file, err)
		}
		var asks []string
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				expr := anything.Replace(q.Expr)
				back, step := 24*time.Hour, 2*time.Minute
				if q.Interval == "1d" {
					back, step = 30*24*time.Hour, 24*time.Hour
				}
				if q.Instant {
					asks = append(asks, instant(expr))
				} else {
					asks = append(asks, span(expr, back, step))
				}
			}
		}
		dashboards = append(dashboards, asks)
	}
	if len(dashboards) == 0 {
		return nil, fmt.Errorf("%s has no dashboards: run it in the project's folder, or give -dashboards", dir)
	}
	return dashboards, nil
}

// watch is a process that has dashboards open.
func (s *service) watch(ctx context.Context, dir string) (*asking, error) {
	return s.beside(ctx, "-watch", dir)
}

// watch asks for all that the dashboards of a folder show, as often as they do, until in
// ends, then writes how long each panel's query took, those of first refreshes by themselves.
func watch(url, dir string, in io.Reader, out io.Writer) error {
	dashboards, err := panels(dir)
	if err != nil {
		return err
	}
	ended := until(in)
	var (
		all  sync.WaitGroup
		errs = make([]error, onlookers)
		took = make([][][]time.Duration, onlookers) // by refresh
	)
	for i := range onlookers {
		all.Go(func() {
			took[i], errs[i] = look(url, dashboards[i%len(dashboards)], refresh*time.Duration(i)/onlookers, ended)
		})
	}
	all.Wait()
	w := bufio.NewWriter(out)
	for _, refreshes := range took {
		for i, list := range refreshes {
			kind := "panel"
			if i == 0 {
				kind = firstly
			}
			for _, d := range list {
				fmt.Fprintln(w, kind, d)
			}
		}
	}
	return errors.Join(append(errs, w.Flush())...)
}

// look is one of the dashboards, which begins a little later than others.
func look(url string, asks []string, after time.Duration, ended <-chan struct{}) (took [][]time.Duration, err error) {
	c, err := dial(url)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for next := time.After(after); ; {
		select {
		case <-ended:
			return took, nil
		case <-next:
		}
		next = time.After(refresh)
		list := make([]time.Duration, len(asks))
		for i, path := range asks {
			if list[i], err = c.time(path); err != nil {
				return nil, err
			}
		}
		took = append(took, list)
	}
}
