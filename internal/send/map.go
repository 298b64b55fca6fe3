package send

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Map says how the rows of a CSV file read as events.
type Map struct {
	// Header is set when the first row names the columns. By default true;
	// without a header the columns are c1, c2, c3, ...
	Header bool
	// Delimiter separates the columns. By default a comma.
	Delimiter rune
	// Quotes is set when a column may stand in quotes, with delimiters and line
	// ends in it. By default true; without, a quote is a character like any other.
	Quotes bool
	// Encoding is what the file's text is written in, unless a byte order mark
	// says so. By default utf-8.
	Encoding string
	// Layout is how the field `time` of an event is written: a layout of Go's
	// time package, or rfc3339, epoch_s, epoch_ms. By default rfc3339.
	Layout string
	// Zone is where a time without an offset was taken. By default UTC.
	Zone *time.Location

	events []eventMap
}

// An eventMap makes at most one event of a row.
type eventMap struct {
	path   string
	when   *expression // nil: every row
	fields []fieldMap  // in the order of the file
}

type fieldMap struct {
	name  string
	value *expression
}

// userless are the event types that need no user.
var userless = []string{`"ad_cost"`, `"settle"`, `'ad_cost'`, `'settle'`}

// CheckMap returns every mistake of a map file, each with its line, its path,
// the value, the rule and the remedy; nil when there is none.
func CheckMap(name string, data []byte) error {
	_, err := ParseMap(name, data)
	return err
}

// ParseMap reads a map file.
func ParseMap(name string, data []byte) (*Map, error) {
	p := &mapParser{name: name}
	m := &Map{Header: true, Delimiter: ',', Quotes: true, Encoding: utf8Name, Layout: "rfc3339", Zone: time.UTC}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%s: parse YAML: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s: is empty: a map needs at least `events`", name)
	}
	p.file(m, doc.Content[0])
	slices.SortStableFunc(p.errs, func(a, b mapError) int { return cmp.Compare(a.line, b.line) })
	var errs []error
	for _, e := range p.errs {
		errs = append(errs, e)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return m, nil
}

type mapError struct {
	file string
	line int
	path string
	text string
}

func (e mapError) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", e.file, e.line, e.path, e.text)
}

// mapParser collects the mistakes of one file.
type mapParser struct {
	name string
	errs []mapError
}

func (p *mapParser) errorf(n *yaml.Node, path, format string, args ...any) {
	p.errs = append(p.errs, mapError{p.name, n.Line, path, fmt.Sprintf(format, args...)})
}

func (p *mapParser) file(m *Map, n *yaml.Node) {
	known := map[string]func(path string, v *yaml.Node){
		"header":    func(path string, v *yaml.Node) { p.yesNo(&m.Header, path, v) },
		"quotes":    func(path string, v *yaml.Node) { p.yesNo(&m.Quotes, path, v) },
		"delimiter": func(path string, v *yaml.Node) { p.delimiter(m, path, v) },
		"encoding":  func(path string, v *yaml.Node) { p.encoding(m, path, v) },
		"time":      func(path string, v *yaml.Node) { p.time(m, path, v) },
		"events":    func(path string, v *yaml.Node) { p.events(m, path, v) },
	}
	if !p.object(n, "", known) || len(p.errs) > 0 {
		return
	}
	if len(m.events) == 0 {
		p.errorf(n, "events", "is missing: list at least one event with its `fields`")
	}
}

func (p *mapParser) yesNo(b *bool, path string, n *yaml.Node) {
	if n.Decode(b) != nil {
		p.errorf(n, path, "is yes or no (got %q)", n.Value)
	}
}

func (p *mapParser) delimiter(m *Map, path string, n *yaml.Node) {
	r, size := utf8.DecodeRuneInString(n.Value)
	if n.Kind != yaml.ScalarNode || size == 0 || size != len(n.Value) || r == '"' || r == '\n' || r == '\r' || r == utf8.RuneError {
		p.errorf(n, path, `is one character other than a quote or a line end (got %q): write "\t" for a tab`, n.Value)
		return
	}
	m.Delimiter = r
}

func (p *mapParser) encoding(m *Map, path string, n *yaml.Node) {
	m.Encoding = strings.ToLower(n.Value)
	if _, ok := encodings[m.Encoding]; !ok {
		p.errorf(n, path, "%q is not known here: give one of %s, or save the file as UTF-8", n.Value, names(encodings))
	}
}

func (p *mapParser) time(m *Map, path string, n *yaml.Node) {
	p.object(n, path, map[string]func(string, *yaml.Node){
		"layout": func(path string, v *yaml.Node) {
			m.Layout = v.Value
			if _, ok := epochs[v.Value]; ok || v.Value == "rfc3339" {
				return
			}
			// A layout that prints the same at every time has no element in it.
			if time.Unix(0, 0).UTC().Format(v.Value) == time.Unix(2e9, 999999999).UTC().Format(v.Value) {
				p.errorf(v, path, "%q is no layout: give rfc3339, epoch_s, epoch_ms, or the time 2006-01-02 15:04:05 written the file's way", v.Value)
			}
		},
		"zone": func(path string, v *yaml.Node) {
			zone, err := time.LoadLocation(v.Value)
			if err != nil || v.Value == "" || v.Value == "Local" {
				p.errorf(v, path, "%q is no IANA time zone: give one such as Asia/Shanghai or UTC", v.Value)
				return
			}
			m.Zone = zone
		},
	})
}

func (p *mapParser) events(m *Map, path string, n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		p.errorf(n, path, "is a list: begin each event with `- fields:`")
		return
	}
	for i, item := range n.Content {
		e := eventMap{path: fmt.Sprintf("%s[%d]", path, i)}
		var fields *yaml.Node
		p.object(item, e.path, map[string]func(string, *yaml.Node){
			"when": func(path string, v *yaml.Node) { e.when = p.expression(path, v, true) },
			"fields": func(path string, v *yaml.Node) {
				fields = v
				e.fields = p.fields(path, v)
			},
		})
		if fields == nil {
			p.errorf(item, e.path+".fields", "is missing: an event needs at least `type`, `time` and `user_id`")
		} else {
			p.required(&e, fields)
		}
		m.events = append(m.events, e)
	}
}

func (p *mapParser) fields(path string, n *yaml.Node) []fieldMap {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, path, "is a mapping of an event's fields to expressions over the columns")
		return nil
	}
	var fields []fieldMap
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		at := path + "." + k.Value
		switch {
		case seen[k.Value]:
			p.errorf(k, at, "is given twice: keep one")
		case k.Value == "" || k.Value == "props":
			p.errorf(k, at, "%q is no field: name each property on its own, as a field", k.Value)
		default:
			seen[k.Value] = true
			fields = append(fields, fieldMap{k.Value, p.expression(at, v, false)})
		}
	}
	return fields
}

// required reports the fields without which no event of this map is accepted.
func (p *mapParser) required(e *eventMap, n *yaml.Node) {
	value := func(name string) *expression {
		if i := slices.IndexFunc(e.fields, func(f fieldMap) bool { return f.name == name }); i >= 0 {
			return e.fields[i].value
		}
		return nil
	}
	has := func(name string) bool {
		return slices.ContainsFunc(e.fields, func(f fieldMap) bool { return f.name == name })
	}
	for _, name := range []string{"type", "time"} {
		if !has(name) {
			p.errorf(n, e.path+".fields."+name, "is missing: every event needs a %s", name)
		}
	}
	t := value("type")
	if !has("user_id") && !has("anonymous_id") && (t == nil || !slices.Contains(userless, t.text)) {
		p.errorf(n, e.path+".fields.user_id", "is missing: every event but ad_cost and settle needs a user_id or an anonymous_id")
	}
}

func (p *mapParser) expression(path string, n *yaml.Node, truth bool) *expression {
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		p.errorf(n, path, "is an expression over the columns, such as uid or 'behavior == \"pv\"'")
		return nil
	}
	e, err := compile(path, n.Value, truth)
	if err != nil {
		p.errorf(n, path, "%q: %v", n.Value, err)
		return nil
	}
	return e
}

// object walks a mapping whose keys are all known and given once.
func (p *mapParser) object(n *yaml.Node, path string, known map[string]func(path string, v *yaml.Node)) bool {
	if n.Kind != yaml.MappingNode {
		p.errorf(n, cmp.Or(path, "map"), "is a mapping with the keys %s", names(known))
		return false
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		at := k.Value
		if path != "" {
			at = path + "." + k.Value
		}
		visit, ok := known[k.Value]
		switch {
		case !ok:
			p.errorf(k, at, "is no key here: the keys are %s", names(known))
		case seen[k.Value]:
			p.errorf(k, at, "is given twice: keep one")
		default:
			seen[k.Value] = true
			visit(at, v)
		}
	}
	return true
}
