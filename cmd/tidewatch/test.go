package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/scenario"
)

// TestCmd is `tidewatch test`.
type TestCmd struct {
	Rewrite bool     `help:"Write what the scripts answer into them."`
	Files   []string `arg:"" name:"file" help:"Scenario scripts."`
}

// Run plays every script in every mode and reports all that differs.
func (c *TestCmd) Run() error {
	failed := 0
	for _, name := range c.Files {
		ok, err := c.play(name)
		if err != nil {
			return err
		}
		if !ok {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d scripts answer otherwise than they expect", failed, len(c.Files))
	}
	return nil
}

// maxWaits is for how long a script may wait in all.
const maxWaits = time.Second

// play plays a script, as long as it answers what it expects.
func (c *TestCmd) play(name string) (ok bool, err error) {
	text, err := document.ReadFile(name)
	if err != nil {
		return false, err
	}
	if _, top, err := read(name); err == nil && top.Has("tests") {
		return false, fmt.Errorf("%s: has unit tests of rules in promtool's format, and no script: run tidewatch rules test %[1]s", name)
	}
	s, err := scenario.Parse(name, text)
	if err != nil {
		return false, err
	}
	if d := s.Waits(); d > maxWaits {
		return false, fmt.Errorf("%s waits for %s each time that it is played, by the clock of this machine: more than %s is for go test ./internal/scenario, where time is virtual", name, d, maxWaits)
	}
	for _, m := range scenario.Modes {
		result, err := playOnce(s, m)
		if err != nil {
			return false, fmt.Errorf("(%s) %w", m.Name, err)
		}
		if c.Rewrite {
			return true, os.WriteFile(name, result.Rewritten(), 0o666)
		}
		if len(result.Mismatches) > 0 {
			fmt.Printf("%s: FAILED (%s)\n", name, m.Name)
			for _, text := range result.Mismatches {
				fmt.Println(text)
			}
			return false, nil
		}
	}
	fmt.Printf("%s: ok, %d ways\n", name, len(scenario.Modes))
	return true, nil
}

func playOnce(s *scenario.Script, m scenario.Mode) (_ *scenario.Result, err error) {
	dir, err := os.MkdirTemp("", "tidewatch-test-")
	if err != nil {
		return nil, fmt.Errorf("create folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return s.Run(dir, m)
}
