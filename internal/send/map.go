package send

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/internal/document"
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
	key   []byte // the name as JSON
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
	d := document.Parse(name, data)
	m := &Map{Header: true, Delimiter: ',', Quotes: true, Encoding: utf8Name, Layout: "rfc3339", Zone: time.UTC}
	if !d.Root().Null() || !d.Faulty() {
		m.read(d.Root())
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Map) read(n document.Node) {
	top := n.Mapping("header", "quotes", "delimiter", "encoding", "time", "events")
	for key, flag := range map[string]*bool{"header": &m.Header, "quotes": &m.Quotes} {
		if n, ok := top.Get(key); ok {
			if yes, ok := n.Bool(); ok {
				*flag = yes
			}
		}
	}
	if n, ok := top.Get("delimiter"); ok {
		m.readDelimiter(n)
	}
	if n, ok := top.Get("encoding"); ok {
		m.readEncoding(n)
	}
	if n, ok := top.Get("time"); ok {
		m.readTime(n)
	}
	events, ok := top.Get("events")
	for _, item := range top.List("events") {
		m.events = append(m.events, readEvent(item))
	}
	if !ok || events.Null() || events.List() && len(m.events) == 0 {
		top.Missing("has no events", "list at least one under `events`, each with its `fields`")
	}
}

func (m *Map) readDelimiter(n document.Node) {
	r, size := utf8.DecodeRuneInString(n.Value())
	if !n.Scalar() || size == 0 || size != len(n.Value()) || r == '"' || r == '\n' || r == '\r' || r == utf8.RuneError {
		n.Fail(n.Shown(), "is not one character other than a quote or a line end", `write "\t" for a tab`)
		return
	}
	m.Delimiter = r
}

func (m *Map) readEncoding(n document.Node) {
	m.Encoding = strings.ToLower(n.Text())
	if _, ok := encodings[m.Encoding]; !ok && m.Encoding != "" {
		n.Fail(n.Shown(), "is not known here", "give one of "+names(encodings)+", or save the file as UTF-8")
	}
}

func (m *Map) readTime(n document.Node) {
	t := n.Mapping("layout", "zone")
	if n, ok := t.Get("layout"); ok {
		m.Layout = n.Text()
		if _, ok := epochs[m.Layout]; !ok && m.Layout != "rfc3339" && m.Layout != "" && constant(m.Layout) {
			n.Fail(n.Shown(), "is no layout", "give rfc3339, epoch_s, epoch_ms, or the time 2006-01-02 15:04:05 written the file's way")
		}
	}
	if n, ok := t.Get("zone"); ok {
		name := n.Text()
		zone, err := time.LoadLocation(name)
		if name != "" && (err != nil || name == "Local") {
			n.Fail(n.Shown(), "is no IANA time zone", "give one such as Asia/Shanghai or UTC")
			return
		}
		m.Zone = zone
	}
}

// constant reports whether a layout has no element of a time in it: it prints
// the same at every one.
func constant(layout string) bool {
	return time.Unix(0, 0).UTC().Format(layout) == time.Unix(2e9, 999999999).UTC().Format(layout)
}

func readEvent(n document.Node) eventMap {
	e := eventMap{path: n.Path()}
	m := n.Mapping("when", "fields")
	if when, ok := m.Get("when"); ok {
		e.when = readExpression(when, true)
	}
	fields, ok := m.Get("fields")
	if !ok || fields.Null() {
		m.Missing("has no fields", "give at least `type`, `time` and `user_id`")
		return e
	}
	of := fields.Entries()
	for _, name := range of.Keys {
		value, _ := of.Get(name)
		if name == "" || name == "props" {
			of.FailKey(name, "is no field", "name each property on its own, as a field")
			continue
		}
		key, _ := json.Marshal(name) // a string has no error
		e.fields = append(e.fields, fieldMap{name, key, readExpression(value, false)})
	}
	if fields.Mapped() {
		e.require(of)
	}
	return e
}

// require notes the fields without which no event of this map is accepted.
func (e *eventMap) require(fields document.Mapping) {
	for _, name := range []string{"type", "time"} {
		if !fields.Has(name) {
			fields.Fail("", "have no "+name, "add it: every event needs one")
		}
	}
	if fields.Has("user_id") || fields.Has("anonymous_id") {
		return
	}
	if i := slices.IndexFunc(e.fields, func(f fieldMap) bool { return f.name == "type" }); i >= 0 {
		if t := e.fields[i].value; t != nil && slices.Contains(userless, t.text) {
			return
		}
	}
	fields.Fail("", "have no user_id", "add it or anonymous_id: every event but ad_cost and settle needs one")
}

// readExpression compiles an expression over the columns; nil when it is none.
func readExpression(n document.Node, truth bool) *expression {
	if !n.Scalar() || n.Null() || n.Value() == "" {
		n.Fail(n.Shown(), "is no expression over the columns", "write one such as uid or 'behavior == \"pv\"'")
		return nil
	}
	e, err := compile(n.Path(), n.Value(), truth)
	if err != nil {
		p := document.As(err)
		n.Fail(n.Shown(), p.Rule, p.Remedy)
		return nil
	}
	return e
}
