package main

import (
	"bytes"
	"os"
	"path/filepath"
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
