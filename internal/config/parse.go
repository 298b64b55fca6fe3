package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Problem is one error of a configuration file: where, what, and what to do.
type Problem struct {
	File string
	Line int    // 0 when it is about a default
	Path string // retention.events
	Text string // value, rule and remedy
}

func (p *Problem) Error() string {
	where := p.File
	if p.Line > 0 {
		where += ":" + strconv.Itoa(p.Line)
	}
	if p.Path == "" {
		return where + ": " + p.Text
	}
	return where + ": " + p.Path + ": " + p.Text
}

// A reader turns the nodes of one file into a Config and collects what is
// wrong with them.
type reader struct {
	file     string
	env      func(string) (string, bool)
	lines    map[string]int // line of every path given
	bad      map[string]bool
	problems []*Problem
}

// parse is Load without the file system's part for the file itself.
func parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	r := &reader{file: file, env: env, lines: make(map[string]int), bad: make(map[string]bool)}
	c := Default()
	root, err := document(data)
	if err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", file, err)
	}
	if root != nil {
		r.config(c)(root, "")
	}
	if _, given := r.lines["dedup_window"]; !given {
		c.DedupWindow = c.Lateness + c.Disorder
	}
	r.validate(c)
	if err := r.errors(); err != nil {
		return nil, err
	}
	return c, nil
}

// document is the root node of the only document; nil when there is none.
func document(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("line %d: a second document follows; keep one, without ---", second.Line)
	}
	return doc.Content[0], nil
}

// A setter takes a value out of the node found at path.
type setter func(n *yaml.Node, path string)

func (r *reader) config(c *Config) setter {
	return r.section(map[string]setter{
		"timezone":     r.text(&c.Timezone),
		"disorder":     r.duration(&c.Disorder),
		"lateness":     r.duration(&c.Lateness),
		"dedup_window": r.duration(&c.DedupWindow),
		"idle_tick":    r.duration(&c.IdleTick),
		"kpis":         r.files(&c.KPIs),
		"rules":        r.files(&c.Rules),
		"alertmanager": r.fileName(&c.Alertmanager),
		"retention": r.section(map[string]setter{
			"events":  r.duration(&c.Retention.Events),
			"size":    r.size(&c.Retention.Size),
			"history": r.durations(c.Retention.History),
		}),
		"memory_budget": r.size(&c.MemoryBudget),
		"listen":        r.text(&c.Listen),
		"external_url":  r.text(&c.ExternalURL),
		"data":          r.fileName(&c.Data),
		"nats": r.section(map[string]setter{
			"url":    r.text(&c.NATS.URL),
			"listen": r.text(&c.NATS.Listen),
		}),
		"partitions":          r.number(&c.Partitions),
		"checkpoint_interval": r.duration(&c.CheckpointInterval),
		"metrics":             r.section(map[string]setter{"max_series": r.number(&c.Metrics.MaxSeries)}),
	})
}

func (r *reader) section(keys map[string]setter) setter {
	return func(n *yaml.Node, path string) {
		r.entries(n, path, func(key string, value *yaml.Node, path string) {
			set, ok := keys[key]
			if !ok {
				known := slices.Sorted(maps.Keys(keys))
				r.problem(path, "is not a key; known here are %s", strings.Join(known, ", "))
				return
			}
			set(value, path)
		})
	}
}

// entries calls f for the pairs of a mapping. A null is an empty mapping.
func (r *reader) entries(n *yaml.Node, path string, f func(key string, value *yaml.Node, path string)) {
	n = target(n)
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.lines[path] = n.Line
		r.problem(path, "is %s but must be a mapping; write key: value lines", kind(n))
		return
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := join(path, key.Value)
		r.lines[at] = key.Line
		if seen[key.Value] {
			r.problem(at, "is given twice; keep one")
			continue
		}
		seen[key.Value] = true
		f(key.Value, value, at)
	}
}

// scalar is the node's text with ${ENV} expanded; false keeps the default.
func (r *reader) scalar(n *yaml.Node, path, want string) (string, bool) {
	n = target(n)
	if isNull(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode {
		r.problem(path, "is %s but must be %s", kind(n), want)
		return "", false
	}
	s, err := expand(n.Value, r.env)
	if err != nil {
		r.problem(path, "%q %w", n.Value, err)
		return "", false
	}
	return s, true
}

func (r *reader) text(to *string) setter {
	return func(n *yaml.Node, path string) {
		if s, ok := r.scalar(n, path, "a text"); ok {
			*to = s
		}
	}
}

func (r *reader) number(to *int) setter {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path, "a whole number")
		if !ok {
			return
		}
		v, err := strconv.Atoi(s)
		if err != nil {
			r.problem(path, "%q is no whole number; write digits only", s)
			return
		}
		*to = v
	}
}

func (r *reader) duration(to *time.Duration) setter {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path, "a length of time such as 10m")
		if !ok {
			return
		}
		v, err := ParseDuration(s)
		if err != nil {
			r.problem(path, "%q %w", s, err)
			return
		}
		*to = v
	}
}

func (r *reader) durations(to map[string]time.Duration) setter {
	return func(n *yaml.Node, path string) {
		r.entries(n, path, func(key string, value *yaml.Node, path string) {
			d := to[key]
			r.duration(&d)(value, path)
			to[key] = d
		})
	}
}

func (r *reader) size(to *int64) setter {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path, "a size such as 10GiB")
		if !ok {
			return
		}
		v, err := ParseSize(s)
		if err != nil {
			r.problem(path, "%q %w", s, err)
			return
		}
		*to = v
	}
}

// fileName is a text relative to the folder of the configuration file.
func (r *reader) fileName(to *string) setter {
	return func(n *yaml.Node, path string) {
		s, ok := r.scalar(n, path, "a file name")
		if !ok || s == "" {
			return
		}
		if !filepath.IsAbs(s) {
			s = filepath.Join(filepath.Dir(r.file), s)
		}
		*to = s
	}
}

func (r *reader) files(to *[]string) setter {
	return func(n *yaml.Node, path string) {
		n = target(n)
		if isNull(n) {
			return
		}
		if n.Kind != yaml.SequenceNode {
			r.problem(path, "is %s but must be a list of file names; write [%s]", kind(n), "a.yaml, b.yaml")
			return
		}
		for i, item := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			r.lines[at] = item.Line
			var name string
			r.fileName(&name)(item, at)
			*to = append(*to, name)
		}
	}
}

// problem notes what is wrong at path. The first counts: what follows there is
// a consequence.
func (r *reader) problem(path, format string, args ...any) {
	if r.bad[path] {
		return
	}
	r.bad[path] = true
	r.problems = append(r.problems, &Problem{
		File: r.file, Line: r.lines[path], Path: path, Text: fmt.Errorf(format, args...).Error(),
	})
}

// errors joins the problems in the order of the file.
func (r *reader) errors() error {
	slices.SortStableFunc(r.problems, func(a, b *Problem) int { return cmp.Compare(a.Line, b.Line) })
	errs := make([]error, len(r.problems))
	for i, p := range r.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	return strconv.Quote(n.Value)
}

// expand replaces ${NAME} by the environment's value and $$ by a dollar sign.
func expand(s string, env func(string) (string, bool)) (string, error) {
	before, after, found := strings.Cut(s, "$")
	if !found {
		return s, nil
	}
	var b strings.Builder
	for ; found; before, after, found = strings.Cut(after, "$") {
		b.WriteString(before)
		if rest, ok := strings.CutPrefix(after, "$"); ok {
			b.WriteByte('$')
			after = rest
			continue
		}
		name, rest, ok := strings.Cut(after, "}")
		name, braced := strings.CutPrefix(name, "{")
		if !ok || !braced || name == "" {
			return "", errors.New("has a lone $; write ${NAME} for a variable, $$ for a dollar sign")
		}
		value, set := env(name)
		if !set {
			return "", fmt.Errorf("names the environment variable %s, which is not set; set it or write the value", name)
		}
		b.WriteString(value)
		after = rest
	}
	b.WriteString(before)
	return b.String(), nil
}
