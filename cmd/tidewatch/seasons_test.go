package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seasonal is a folder with seasons of its own, and with routes that name them.
func seasonal(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	const season = "seasons: [{name: sale, title: {en: Sale, zh: 大促}, days: [\"11-20..12-05\"]}]\n"
	const hook = "receivers: [{name: a, webhook_configs: [{url: 'http://127.0.0.1:9/'}]}]\n"
	for name, text := range map[string]string{
		"kpis.yaml":      season,
		"bad.yaml":       season + "kpis: [{name: x}]\n",
		"am.yml":         hook + "route: {receiver: a, routes: [{receiver: a, mute_time_intervals: [sale, '618']}]}\n",
		"misspelt.yml":   hook + "route: {receiver: a, routes: [{receiver: a, mute_time_intervals: [slae]}]}\n",
		"tidewatch.yaml": "kpis: [kpis.yaml]\nalertmanager: am.yml\n",
		"broken.yaml":    "kpis: [bad.yaml]\nalertmanager: am.yml\n",
		"lost.yaml":      "timezone: Shanghai\nkpis: [kpis.yaml]\n",
		"plain.yaml":     "lateness: 5m\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A check takes the seasons of all files that it is given, in any order, and says nothing of
// seasons while it is not known which there are.
func TestCheckSeasons(t *testing.T) {
	dir := seasonal(t)
	const unknown = "is no time interval"
	for files, want := range map[string]string{
		"am.yml":                      unknown,
		"am.yml plain.yaml":           unknown,
		"kpis.yaml am.yml":            "",
		"am.yml kpis.yaml":            "",
		"kpis.yaml kpis.yaml am.yml":  "",
		"tidewatch.yaml":              "",
		"tidewatch.yaml am.yml":       "",
		"am.yml tidewatch.yaml":       "",
		"tidewatch.yaml misspelt.yml": "did you mean sale?",
		"bad.yaml am.yml":             "counts nothing",
		"broken.yaml":                 "counts nothing",
		"broken.yaml am.yml":          "counts nothing",
		"lost.yaml am.yml":            "timezone",
	} {
		c := &CheckCmd{}
		for name := range strings.FieldsSeq(files) {
			c.Files = append(c.Files, filepath.Join(dir, name))
		}
		err := c.Run()
		switch {
		case want == "" && err == nil:
		case want == "" || err == nil || !strings.Contains(err.Error(), want) || want != unknown && strings.Contains(err.Error(), `"sale" `+unknown):
			t.Errorf("%s: got %v, want %q", files, err, want)
		}
	}
}

// What tries a delivery refuses no file that a service takes.
func TestAlertSeasons(t *testing.T) {
	dir := seasonal(t)
	for _, tt := range []struct{ alertmanager, config, want string }{
		{"am.yml", "", ""},
		{"", "tidewatch.yaml", ""},
		{"am.yml", "tidewatch.yaml", ""},
		{"am.yml", "plain.yaml", "is no time interval"},
		{"misspelt.yml", "tidewatch.yaml", "did you mean sale?"},
		{"am.yml", "broken.yaml", ""},
		{"", "plain.yaml", "names no Alertmanager file"},
		{"", "lost.yaml", "timezone"},
	} {
		f := receiversFile{}
		if tt.alertmanager != "" {
			f.Alertmanager = filepath.Join(dir, tt.alertmanager)
		}
		if tt.config != "" {
			f.Config = filepath.Join(dir, tt.config)
		}
		if err := f.Validate(); err != nil {
			t.Errorf("%+v: %v", tt, err)
		}
		r, _, err := f.load()
		if tt.want == "" {
			if err != nil || r.Default != "a" {
				t.Errorf("%+v: got %v", tt, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v", tt, err)
		}
	}
	if err := (&receiversFile{}).Validate(); err == nil {
		t.Error("a command line without a file is taken")
	}
}
