package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// A contender is a binary with the definitions that it works on.
type contender struct {
	name, binary string
	// kpis and rules are files; without any the binary's own apply.
	kpis, rules []string
}

// contenders are the base and the present build, both on the base's
// definitions so that they do equal work, and, when the present ones are
// others, the present build on these.
func (b *bench) contenders() ([]contender, error) {
	present, err := filepath.Abs(b.present)
	if err != nil {
		return nil, err
	}
	own := contender{name: "present", binary: present}
	if b.base == "" {
		return []contender{own}, nil
	}
	base, err := filepath.Abs(b.base)
	if err != nil {
		return nil, err
	}
	definitions := filepath.Join(base, "catalogue.yaml")
	theirs, ours, err := catalogues(definitions, b.catalogue)
	if err != nil {
		return nil, err
	}
	alone := filepath.Join(b.dir, "alone.yaml")
	if err := os.WriteFile(alone, []byte("keep: []\n"), 0o600); err != nil { // of ours
		return nil, err
	}
	rules := []string{filepath.Join(base, "rules.yml")}
	out := []contender{
		{"base", filepath.Join(base, "tidewatch"), []string{definitions}, rules},
		{"present", present, []string{alone, definitions}, rules},
	}
	if !bytes.Equal(theirs, ours) {
		own.name = "present, own catalogue"
		out = append(out, own)
	}
	return out, nil
}

func catalogues(base, present string) (theirs, ours []byte, err error) {
	if theirs, err = os.ReadFile(base); err != nil {
		return nil, nil, err
	}
	ours, err = os.ReadFile(present)
	return theirs, ours, err
}

// apart are the contenders of what facts cost: the KPIs of the catalogue that are over
// events, for which no operator runs, and all of it.
func (b *bench) apart() ([]contender, error) {
	binary, rules, err := b.unruled()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(b.dir, "events.yaml")
	if _, err := b.define(file, overEvents); err != nil {
		return nil, err
	}
	return []contender{{"over events", binary, []string{file}, rules}, {"with facts", binary, nil, rules}}, nil
}

// overEvents reports whether a KPI is over events; it leaves out facts that are measured
// beside them.
func overEvents(k map[string]any) bool {
	delete(k, "also")
	return k["from"] == nil
}

// define writes a file with the KPIs of the catalogue that edit lets in, as it leaves them.
func (b *bench) define(file string, edit func(k map[string]any) bool) (n int, err error) {
	text, err := os.ReadFile(b.catalogue)
	if err != nil {
		return 0, err
	}
	var all struct{ KPIs []map[string]any }
	if err := yaml.Unmarshal(text, &all); err != nil {
		return 0, fmt.Errorf("read %s: %w", b.catalogue, err)
	}
	kept := []map[string]any{}
	for _, k := range all.KPIs {
		if edit(k) {
			kept = append(kept, k)
		}
	}
	if text, err = yaml.Marshal(map[string]any{"keep": []string{}, "kpis": kept}); err != nil {
		return 0, err
	}
	return len(kept), os.WriteFile(file, text, 0o600)
}

// unruled is the present build, and a file without rules for it.
func (b *bench) unruled() (binary string, rules []string, err error) {
	if binary, err = filepath.Abs(b.present); err != nil {
		return "", nil, err
	}
	file := filepath.Join(b.dir, "rules.yml")
	return binary, []string{file}, os.WriteFile(file, []byte("groups: []\n"), 0o600)
}
