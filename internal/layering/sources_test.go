package layering

import (
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// root is the module's folder, seen from this package.
const root = "../.."

// tags may stand in //go:build lines: ours, and those that tell systems apart.
var (
	tags    = []string{"acceptance", "bench", "clients", "months"}
	systems = []string{"linux", "unix"}
)

// A source is one Go file.
type source struct {
	name string // its path from the root, with slashes
	ast  *ast.File
	set  *token.FileSet
}

func (s source) at(p token.Pos) string {
	return s.name + ":" + strconv.Itoa(s.set.Position(p).Line)
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// sources parses every Go file of the module, those included that no build sees.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			switch entry.Name() {
			case ".git", "node_modules", "testdata":
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, name)
		all = append(all, source{filepath.ToSlash(short), file, set})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A file named for another system or processor (tide_js.go), hidden by its name
// (_tide.go, .old/tide.go) or by a stray tag is left out without a word.
func TestNoFileIsIgnored(t *testing.T) {
	for _, s := range sources(t) {
		for folder := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(s.name)), "/") {
			if len(folder) > 1 && strings.ContainsAny(folder[:1], "._") {
				t.Errorf("%s: no build looks into a folder named %s: rename it", s.name, folder)
			}
		}
		if !named(t, s.name) {
			t.Errorf("%s: the go command leaves this file out by its name: rename it, and state what it needs in a //go:build line", s.name)
		}
		if c := condition(t, s); c != nil {
			for _, tag := range tagsOf(c) {
				if !slices.Contains(tags, tag) && !slices.Contains(systems, tag) {
					t.Errorf("%s: unknown build tag %s: use one of %v", s.name, tag, tags)
				}
			}
		}
		if imported(s, "C") != "" {
			t.Errorf("%s: uses cgo: a build without a C compiler leaves it out", s.name)
		}
	}
}

// named reports whether a file is built whatever the system: its name alone is
// judged, its content left aside.
func named(t *testing.T, name string) bool {
	t.Helper()
	nowhere := build.Context{
		GOOS: "none", GOARCH: "none", Compiler: "gc",
		OpenFile: func(string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("package p\n")), nil
		},
	}
	match, err := nowhere.MatchFile(root, filepath.Base(name))
	if err != nil {
		t.Fatal(err)
	}
	return match
}

func TestNamed(t *testing.T) {
	for name, want := range map[string]bool{
		"tide.go": true, "tide_test.go": true, "tide_unix.go": true, "linux.go": true,
		"tide_js.go": false, "tide_linux_test.go": false, "tide_arm.go": false, "_tide.go": false,
	} {
		if got := named(t, name); got != want {
			t.Errorf("named(%q) = %t, want %t", name, got, want)
		}
	}
}

// condition is a file's //go:build line, nil if it has none.
func condition(t *testing.T, s source) constraint.Expr {
	t.Helper()
	for _, group := range s.ast.Comments {
		for _, comment := range group.List {
			if comment.Pos() < s.ast.Package && constraint.IsGoBuild(comment.Text) {
				expr, err := constraint.Parse(comment.Text)
				if err != nil {
					t.Fatalf("%s: %v", s.at(comment.Pos()), err)
				}
				return expr
			}
		}
	}
	return nil
}

// tagsOf lists the build tags that a condition asks about.
func tagsOf(c constraint.Expr) []string {
	var found []string
	c.Eval(func(tag string) bool {
		found = append(found, tag)
		return true
	})
	return found
}

// What one system has and another has not comes as a pair of files, so that the
// package builds on both.
func TestSystemsComeInPairs(t *testing.T) {
	all := sources(t)
	has := map[string]bool{}
	for _, s := range all {
		if c := condition(t, s); c != nil && !s.test() {
			has[filepath.Dir(s.name)+" "+c.String()] = true
		}
	}
	for _, s := range all {
		c := condition(t, s)
		if c == nil || s.test() || !slices.ContainsFunc(tagsOf(c), func(tag string) bool { return slices.Contains(systems, tag) }) {
			continue
		}
		opposite, negated := strings.CutPrefix(c.String(), "!")
		if !negated {
			opposite = "!" + opposite
		}
		if !has[filepath.Dir(s.name)+" "+opposite] {
			t.Errorf("%s: only for %q: its folder needs a file for %q", s.name, c, opposite)
		}
	}
}

func TestOneModule(t *testing.T) {
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && entry.Name() == "node_modules" {
			return fs.SkipDir
		}
		if err == nil && entry.Name() == "go.mod" && filepath.Dir(name) != filepath.Clean(root) {
			t.Errorf("%s: a module of its own: ./... does not reach it", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// clock are the functions of package time that ask or wait for the machine's
// clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// Time comes from the stream, and the caller decides what runs at once: so the
// same messages give the same state, on any machine, as often as they are read.
func TestEngineHasNoClockAndNoGoroutine(t *testing.T) {
	timeless := append([]string{"kpi", "stream", "alerts"}, engine...)
	for _, s := range sources(t) {
		if s.test() || !slices.Contains(timeless, filepath.Dir(s.name)) {
			continue
		}
		timing := imported(s, "time")
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: starts a goroutine: one goroutine owns the engine, and it is the caller's", s.at(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && timing != "" && x.Name == timing && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: time.%s asks the machine: time comes from the stream", s.at(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

// imported is the name under which a file knows a package, "" if it does not.
func imported(s source, path string) string {
	for _, spec := range s.ast.Imports {
		if spec.Path.Value != strconv.Quote(path) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path[strings.LastIndexByte(path, '/')+1:]
	}
	return ""
}

// operators are words of definitions that KPIs are named by, too.
var operators = []string{"funnel", "orders", "plays", "rfm", "sessions"}

// KPIs are data: a string of code that names one makes it special.
func TestNoKPIByName(t *testing.T) {
	catalogue, err := kpi.Default(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, k := range catalogue.KPIs {
		if !slices.Contains(operators, k.Name) {
			names = append(names, k.Name)
		}
	}
	if len(names) == 0 {
		t.Fatal("the default catalogue is empty")
	}
	// Between spaces it is English: "orders texts" sorts.
	name := `(` + strings.Join(names, "|") + `)`
	word := regexp.MustCompile(`\bkpi_` + name + `|(?:^|[^\w ])` + name + `(?:$|[^\w ])`)
	for _, s := range sources(t) {
		// The benchmark asks by name, as any client does.
		if s.test() || strings.HasPrefix(s.name, "internal/bench/") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && word.MatchString(l.Value) {
				t.Errorf("%s: names a KPI of the default catalogue, %.80s: read it from the catalogue", s.at(l.Pos()), l.Value)
			}
			return true
		})
	}
}
