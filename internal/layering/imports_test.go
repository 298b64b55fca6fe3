package layering

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A graph holds the imports of every package in the build, tests left out.
type graph map[string][]string

// listing asks the go command about the module at root.
var listing = sync.OnceValues(func() (graph, error) {
	list := exec.Command("go", "list", "-deps", "-pgo=off", "-tags=acceptance,bench", "-json=ImportPath,Imports", "./...")
	list.Dir = root
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, said.String())
	}
	g := graph{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, fmt.Errorf("read go list: %w", err)
		}
		g[p.ImportPath] = p.Imports
	}
})

func load(t *testing.T) graph {
	t.Helper()
	g, err := listing()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// own names the module's packages, without the module's path.
func (g graph) own() []string {
	var names []string
	for path := range g {
		if name, ok := strings.CutPrefix(path, module+"/"); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// path is the shortest chain of imports from a package of the module to any of
// the targets; nil when there is none.
func (g graph) path(from string, targets []string, direct bool) []string {
	came := map[string]string{module + "/" + from: ""}
	queue := slices.Collect(maps.Keys(came))
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if within(at, targets) {
			var chain []string
			for ; at != ""; at = came[at] {
				chain = append(chain, strings.TrimPrefix(at, module+"/"))
			}
			slices.Reverse(chain)
			return chain
		}
		if direct && at != module+"/"+from {
			continue
		}
		for _, next := range g[at] {
			if _, seen := came[next]; !seen {
				came[next] = at
				queue = append(queue, next)
			}
		}
	}
	return nil
}

// within reports whether a package is one of the trees or below it.
func within(path string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool {
		return path == tree || strings.HasPrefix(path, tree+"/")
	})
}

func TestPackagesImportUpstreamOnly(t *testing.T) {
	g := load(t)
	for _, name := range g.own() {
		allowed, listed := upstream[name]
		if !listed {
			t.Errorf("package %s is in no row of the table upstream: add it with what it may import", name)
			continue
		}
		for _, path := range g[module+"/"+name] {
			if to, own := strings.CutPrefix(path, module+"/"); own && !slices.Contains(allowed, to) {
				t.Errorf("%s imports %s: only %v stand upstream of it", name, to, allowed)
			}
		}
	}
}

// The table itself has no cycle and no hole: whatever a package may import, it
// may reach by importing it.
func TestUpstreamIsOrdered(t *testing.T) {
	for name, allowed := range upstream {
		for _, to := range allowed {
			if slices.Contains(upstream[to], name) {
				t.Errorf("%s and %s stand upstream of each other", name, to)
			}
			if _, listed := upstream[to]; !listed {
				t.Errorf("%s may import %s, which has no row", name, to)
			}
		}
	}
}

func TestBans(t *testing.T) {
	g := load(t)
	for _, b := range bans {
		for _, from := range b.from {
			if chain := g.path(from, b.what, b.direct); chain != nil {
				t.Errorf("%s must not reach %s: %s\n\t%s", from, chain[len(chain)-1], b.because, strings.Join(chain, " > "))
			}
		}
	}
}

func TestOwners(t *testing.T) {
	g := load(t)
	for _, rule := range owners {
		for _, name := range g.own() {
			for _, path := range g[module+"/"+name] {
				if within(path, rule.what) && !slices.Contains(rule.owners, name) {
					t.Errorf("%s imports %s: only %v may, since %s", name, path, rule.owners, rule.because)
				}
			}
		}
	}
}

// A rule about a package that nobody has is a rule with a wrong name.
func TestRulesNameWhatExists(t *testing.T) {
	g := load(t)
	for name := range upstream {
		if _, ok := g[module+"/"+name]; !ok {
			t.Errorf("the table upstream has a row for %s, which is not in the build", name)
		}
	}
	for _, rule := range owners {
		for _, tree := range rule.what {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(g)), func(path string) bool { return within(path, []string{tree}) }) {
				t.Errorf("a rule names %s, which is not in the build", tree)
			}
		}
	}
}
