package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/internal/ruletest"
)

// RuleTestCmd is `tidewatch rules test`.
type RuleTestCmd struct {
	Files []string `arg:"" name:"file" help:"Files of tests."`
}

// Run runs every file and says what differs.
func (c *RuleTestCmd) Run(ctx context.Context) error {
	failed := 0
	for _, name := range c.Files {
		fmt.Println("Unit testing:", name)
		failures, warnings, err := testRules(ctx, name)
		if err != nil {
			failures = append(failures, err.Error())
		}
		for _, w := range warnings {
			fmt.Fprintln(os.Stderr, "warning:", w)
		}
		if len(failures) == 0 {
			fmt.Println("  SUCCESS")
			continue
		}
		failed++
		fmt.Println("  FAILED:")
		for _, f := range failures {
			fmt.Println("    " + strings.ReplaceAll(f, "\n", "\n    "))
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d files of tests fail", failed, len(c.Files))
	}
	return nil
}

func testRules(ctx context.Context, name string) (failures, warnings []string, err error) {
	data, err := document.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	f, err := ruletest.Parse(name, data)
	if err != nil {
		return nil, nil, err
	}
	failures, err = f.Run(ctx, func() ([]*alerts.RuleFile, error) { return ruleFiles(filepath.Dir(name), f.Rules) })
	return failures, f.Warnings, err
}

// ruleFiles reads those that patterns name, which are relative to a folder.
func ruleFiles(dir string, patterns []string) (out []*alerts.RuleFile, err error) {
	for _, pattern := range patterns {
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(dir, pattern)
		}
		names, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("rule_files: %s: %w", pattern, err)
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("rule_files: %s names no file: correct it, it is relative to the file of tests", pattern)
		}
		for _, name := range names {
			data, err := document.ReadFile(name)
			if err != nil {
				return nil, err
			}
			f, err := alerts.LoadRules(name, data, nil)
			if err != nil {
				return nil, err
			}
			out = append(out, f)
		}
	}
	return out, nil
}
