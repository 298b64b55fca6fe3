package send

import (
	"cmp"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zeebo/xxh3"
)

// A RowError is a row, or a line, that cannot be read.
type RowError struct {
	File string
	Line int
	// Lost are the lines that went with the row, itself among them.
	Lost int
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong with the row.
func (e *RowError) Unwrap() error { return e.Err }

// A mapper reads the events of one CSV file.
type mapper struct {
	m        *Map
	file     string
	encoding string
	csv      rows
	// used are the columns that the map names, with their place in a row.
	used map[string]int
	all  []string // every column's name
	env  map[string]any
	// seen counts the equal events of the file; see identity.
	seen    map[xxh3.Uint128]uint64
	pending []Event
	line    int // where the row of pending begins
	scratch []byte
}

// rows is what csv.Reader is to a mapper.
type rows interface {
	Read() ([]string, error)
	FieldPos(field int) (line, column int)
}

func newMapper(m *Map, file, encoding string, r io.Reader) (*mapper, error) {
	x := &mapper{m: m, file: file, encoding: encoding, csv: newRows(m, r), used: map[string]int{}, seen: map[xxh3.Uint128]uint64{}}
	x.env = map[string]any{fileName: file, rowName: map[string]string{}}
	if !m.Header {
		return x, nil
	}
	header, err := x.csv.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: is empty: its map expects a header", file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: read header: %w", file, err)
	}
	return x, x.name(header)
}

// name gives the columns their names and finds those that the map uses.
func (x *mapper) name(header []string) error {
	x.all = slices.Clone(header)
	remedy := ""
	for _, c := range x.all {
		if err := checkText(c, x.encoding); err != nil {
			remedy = "; " + err.Error()
			break
		}
	}
	var errs []error
	for _, e := range x.m.expressions() {
		for _, c := range e.columns {
			at := slices.Index(x.all, c)
			if at < 0 {
				errs = append(errs, fmt.Errorf("%s: %s: column %q is not in the file: its columns are %s%s",
					x.file, e.path, c, quoted(x.all), remedy))
			}
			x.used[c] = at
		}
	}
	return errors.Join(errs...)
}

func (m *Map) expressions() []*expression {
	var list []*expression
	for _, e := range m.events {
		if e.when != nil {
			list = append(list, e.when)
		}
		for _, f := range e.fields {
			list = append(list, f.value)
		}
	}
	return list
}

func quoted(columns []string) string {
	const most = 30
	var b strings.Builder
	for i, c := range columns {
		if i == most {
			fmt.Fprintf(&b, ", and %d more", len(columns)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(c))
	}
	return b.String()
}

// Next returns the next event. A *RowError leaves the mapper usable: the row
// is passed over.
func (x *mapper) Next() (Event, error) {
	for len(x.pending) == 0 {
		record, err := x.csv.Read()
		if errors.Is(err, io.EOF) {
			return Event{}, err
		}
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			return Event{}, x.unread(record, bad)
		}
		if err != nil {
			return Event{}, fmt.Errorf("%s: read row: %w", x.file, err)
		}
		x.line, _ = x.csv.FieldPos(0)
		if err := x.row(record); err != nil {
			x.pending = x.pending[:0]
			return Event{}, &RowError{x.file, x.line, 1, err}
		}
	}
	e := x.pending[0]
	e.Place = Place{x.file, x.line}
	x.pending = x.pending[1:]
	return e, nil
}

// unread is the error of what is no row. A quote that opens by mistake takes
// the lines up to the next one into its column.
func (x *mapper) unread(record []string, bad *csv.ParseError) *RowError {
	last := bad.Line
	for _, column := range record {
		last += strings.Count(column, "\n")
	}
	e := &RowError{x.file, bad.StartLine, last - bad.StartLine + 1, fmt.Errorf("read row: %w", bad.Err)}
	if e.Lost > 1 {
		e.Err = fmt.Errorf("%w: lines %d to %d are lost", e.Err, bad.StartLine, last)
	}
	if e.Lost > 1 || !errors.Is(bad, csv.ErrFieldCount) {
		e.Err = fmt.Errorf("%w: write `quotes: no` in the map if the file does not quote its columns", e.Err)
	}
	return e
}

func (x *mapper) row(record []string) error {
	if x.all == nil {
		header := make([]string, len(record))
		for i := range header {
			header[i] = "c" + strconv.Itoa(i+1)
		}
		if err := x.name(header); err != nil {
			return err
		}
	}
	row := x.env[rowName].(map[string]string)
	for name, at := range x.used {
		if at < 0 {
			return fmt.Errorf("column %q is not in the file", name)
		}
		if err := checkText(record[at], x.encoding); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
		x.env[name], row[name] = record[at], record[at]
	}
	for i := range x.m.events {
		if err := x.event(&x.m.events[i]); err != nil {
			return err
		}
	}
	return nil
}

func (x *mapper) event(m *eventMap) error {
	if m.when != nil {
		v, err := m.when.eval(x.env)
		if err != nil {
			return err
		}
		if v != true {
			return nil
		}
	}
	var e mapped
	for _, f := range m.fields {
		v, err := f.value.eval(x.env)
		if err != nil {
			return err
		}
		if f.name == "time" {
			if e.time, err = x.m.parseTime(v); err != nil {
				return fmt.Errorf("%s: %w", f.value.path, err)
			}
			v = e.time.Format(time.RFC3339Nano)
		}
		if v == nil || v == "" { // an empty column is a field that is not there
			continue
		}
		text, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("%s: write %v as JSON: %w", f.value.path, v, err)
		}
		if torn(text) {
			return fmt.Errorf("%s: %w", f.value.path, errTorn)
		}
		e.fields = append(e.fields, jsonField{f.name, f.key, text})
	}
	if e.time.IsZero() {
		return fmt.Errorf("%s.fields.time: is empty: every event needs a time", m.path)
	}
	x.pending = append(x.pending, Event{Time: e.time.UnixMilli(), Line: x.write(&e)})
	return nil
}

// mapped is an event on its way from a row.
type mapped struct {
	time   time.Time
	fields []jsonField
}

type jsonField struct {
	name      string
	key, text []byte
}

func (x *mapper) write(e *mapped) []byte {
	line := make([]byte, 0, 256)
	sep := byte('{')
	if !slices.ContainsFunc(e.fields, func(f jsonField) bool { return f.name == "id" }) {
		line = append(line, `{"id":"`...)
		line = append(line, x.identity(e)...)
		line = append(line, '"')
		sep = ','
	}
	for _, f := range e.fields {
		line = append(line, sep)
		line = append(line, f.key...)
		line = append(line, ':')
		line = append(line, f.text...)
		sep = ','
	}
	return append(line, '}')
}

// identity is the event's id: a hash of its fields in the order of their names,
// and of how many equal events the file had before it.
func (x *mapper) identity(e *mapped) string {
	sorted := slices.SortedFunc(slices.Values(e.fields), func(a, b jsonField) int { return cmp.Compare(a.name, b.name) })
	b := x.scratch[:0]
	for _, f := range sorted {
		b = binary.AppendUvarint(b, uint64(len(f.name)))
		b = append(b, f.name...)
		b = binary.AppendUvarint(b, uint64(len(f.text)))
		b = append(b, f.text...)
	}
	key := xxh3.Hash128(b)
	b = binary.AppendUvarint(b, x.seen[key])
	x.seen[key]++
	x.scratch = b
	id := xxh3.Hash128(b).Bytes()
	return hex.EncodeToString(id[:])
}
