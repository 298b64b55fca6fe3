package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tidewatch/tidewatch/dashboards/grafana"
	"github.com/tidewatch/tidewatch/internal/app"
	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/internal/spelling"
)

// GrafanaCmd is `tidewatch grafana`.
type GrafanaCmd struct {
	Config string `placeholder:"FILE" help:"The configuration file whose KPIs and rules are shown; without one the default ones."`
	Dir    string `arg:"" help:"The folder to write to, one for each language and data source below it."`
}

// Run writes the dashboards.
func (c *GrafanaCmd) Run() error {
	cfg := config.Default()
	if c.Config != "" {
		var err error
		if cfg, err = config.Load(c.Config); err != nil {
			return err
		}
	}
	d, err := app.LoadDefinitions(cfg)
	if err != nil {
		return errors.Join(apart(err)...)
	}
	shown := grafana.Definitions{Catalogue: d.Catalogue}
	for _, r := range d.Rules.Status().Rules {
		shown.Rules = append(shown.Rules, grafana.Rule{Alert: r.Name, Expr: r.Expr})
	}
	files, err := grafana.Make(shown)
	if err != nil {
		return err
	}
	for _, f := range files {
		name := filepath.Join(c.Dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("make folder of dashboards: %w", err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return fmt.Errorf("write dashboard: %w", err)
		}
	}
	fmt.Printf("%s: %s\n", c.Dir, spelling.Number(len(files), "dashboard", "dashboards"))
	return nil
}
