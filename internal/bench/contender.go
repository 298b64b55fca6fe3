package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

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
	drop := filepath.Join(b.dir, "drop.yaml")
	if err := dropOthers(drop, theirs, ours); err != nil {
		return nil, err
	}
	rules := []string{filepath.Join(base, "rules.yml")}
	out := []contender{
		{"base", filepath.Join(base, "tidewatch"), []string{definitions}, rules},
		{"present", present, []string{drop, definitions}, rules},
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

// dropOthers writes a file of definitions that drops those of ours that theirs
// lack: what both have is replaced by theirs.
func dropOthers(file string, theirs, ours []byte) error {
	keep, err := defined(theirs)
	if err != nil {
		return err
	}
	have, err := defined(ours)
	if err != nil {
		return err
	}
	drop := slices.DeleteFunc(have, func(name string) bool { return slices.Contains(keep, name) })
	text, err := yaml.Marshal(map[string][]string{"drop": drop})
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// defined are the names of the KPIs of a catalogue.
func defined(catalogue []byte) (out []string, err error) {
	var c struct {
		KPIs []struct{ Name string }
	}
	if err := yaml.Unmarshal(catalogue, &c); err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	for _, k := range c.KPIs {
		out = append(out, k.Name)
	}
	return out, nil
}
