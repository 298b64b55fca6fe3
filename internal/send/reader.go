package send

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/internal/document"
	"github.com/tidewatch/tidewatch/stream"
)

// MaxLine bounds a line of a file, like the service's limit for a body.
const MaxLine = 16 << 20

// readAhead is how much of a file is read at once.
const readAhead = 256 << 10

// MaxSorted bounds the events that are sorted in memory.
const MaxSorted = 20_000_000

// An Event is one line of NDJSON with its event time.
type Event struct {
	// Time is in Unix milliseconds. A line without a readable time has that of
	// the line before it.
	Time int64
	Line []byte
	Place
}

// A Place is where an event is from: the line on which its row begins.
type Place struct {
	File string
	Row  int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Row) }

// A Reader gives events one by one, and io.EOF behind the last. After a
// *RowError reading goes on.
type Reader interface {
	Next() (Event, error)
}

// Open opens a file, or standard input for "-": NDJSON, or CSV if a map is
// given. What is compressed by gzip is read through, and a byte order mark at the
// head is passed over. read, if not nil, is told
// the bytes taken from the file.
func Open(path string, m *Map, read func(n int)) (Reader, io.Closer, error) {
	f := os.Stdin
	if path != "-" {
		var err error
		if f, err = os.Open(path); err != nil {
			return nil, nil, document.Unreadable(path, err)
		}
	}
	r, err := NewReader(filepath.Base(path), &meter{f, read}, m)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return r, f, nil
}

// NewReader is Open for what is open already; name is for messages and for the
// map's `file`.
func NewReader(name string, r io.Reader, m *Map) (Reader, error) {
	b := bufio.NewReaderSize(r, readAhead)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("%s: read gzip: %w", name, err)
		}
		b = bufio.NewReaderSize(z, readAhead)
	}
	if m != nil {
		b, encoding := asUTF8(b, m.Encoding)
		return newMapper(m, name, encoding, b)
	}
	b, encoding := asUTF8(b, utf8Name)
	// Its lines would fill the dead letters, one by one.
	if head, _ := b.Peek(1); isCSV(name) && len(head) > 0 && head[0] != '{' {
		return nil, fmt.Errorf("%s: is CSV: say with --map FILE how its rows read as events", name)
	}
	return &lines{name: name, encoding: encoding, r: b, times: newTimes()}, nil
}

func isCSV(name string) bool {
	kind := filepath.Ext(strings.TrimSuffix(strings.ToLower(name), ".gz"))
	return kind == ".csv" || kind == ".tsv"
}

// meter reports the bytes that are read through it.
type meter struct {
	io.Reader
	read func(n int)
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Reader.Read(p)
	if m.read != nil {
		m.read(n)
	}
	return n, err
}

// lines reads NDJSON.
type lines struct {
	name     string
	encoding string
	r        *bufio.Reader
	line     int
	last     int64 // the time of the line before
	times    *stream.Decoder
}

func (l *lines) Next() (Event, error) {
	for {
		line, err := l.read()
		if len(line) == 0 && err != nil {
			return Event{}, err
		}
		l.line++
		line = bytes.TrimSpace(line)
		switch {
		case len(line) == 0:
			continue
		case line[0] == '[':
			// At the head of a body it would turn the whole body into an array.
			return Event{}, fmt.Errorf("%s:%d: a JSON array: give one event a line (jq -c '.[]' makes lines of an array)", l.name, l.line)
		}
		// Lines in UTF-8 are sent whatever they hold: the service judges them.
		if l.encoding != utf8Name {
			if err := checkText(string(line), l.encoding); err != nil {
				return Event{}, &RowError{l.name, l.line, 1, err}
			}
		}
		if t, _, _, ok := l.times.TimeOf(line); ok {
			l.last = t
		}
		return Event{l.last, line, Place{l.name, l.line}}, nil
	}
}

// read returns the next line in memory of its own.
func (l *lines) read() ([]byte, error) {
	var line []byte
	for {
		part, err := l.r.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > MaxLine {
			return nil, fmt.Errorf("%s:%d: a line over %d MiB: give one event a line", l.name, l.line+1, MaxLine>>20)
		}
		if err == nil || err == io.EOF {
			return line, err
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("%s: read line: %w", l.name, err)
		}
	}
}

// Merge reads several readers as one, the earliest event first; equal times in
// the order of the readers. Each is taken as it comes: a reader that is not in
// order stays out of order.
func Merge(readers ...Reader) Reader {
	if len(readers) == 1 {
		return readers[0]
	}
	return &merged{readers: readers, heads: make([]*Event, len(readers))}
}

type merged struct {
	readers []Reader
	heads   []*Event // nil: to be read
}

func (m *merged) Next() (Event, error) {
	first := -1
	for i := 0; i < len(m.readers); i++ {
		if m.heads[i] == nil {
			e, err := m.readers[i].Next()
			if errors.Is(err, io.EOF) {
				m.readers = slices.Delete(m.readers, i, i+1)
				m.heads = slices.Delete(m.heads, i, i+1)
				i--
				continue
			}
			if err != nil {
				return Event{}, err
			}
			m.heads[i] = &e
		}
		if first < 0 || m.heads[i].Time < m.heads[first].Time {
			first = i
		}
	}
	if first < 0 {
		return Event{}, io.EOF
	}
	e := *m.heads[first]
	m.heads[first] = nil
	return e, nil
}

// Sort reads all of r, at most limit events, and gives them back by time;
// equal times in the order of r. Rows that cannot be read go to bad.
func Sort(r Reader, limit int, bad func(*RowError)) (Reader, error) {
	var all sorted
	for {
		e, err := r.Next()
		var row *RowError
		switch {
		case errors.As(err, &row):
			bad(row)
			continue
		case errors.Is(err, io.EOF):
			slices.SortStableFunc(all, func(a, b Event) int { return cmp.Compare(a.Time, b.Time) })
			return &all, nil
		case err != nil:
			return nil, err
		case len(all) == limit:
			return nil, fmt.Errorf("sort events: more than %d do not fit: sort parts of the file and give them as several files, they are merged by time", limit)
		}
		all = append(all, e)
	}
}

// sorted is a Reader of events in memory.
type sorted []Event

func (s *sorted) Next() (Event, error) {
	if len(*s) == 0 {
		return Event{}, io.EOF
	}
	e := (*s)[0]
	*s = (*s)[1:]
	return e, nil
}
