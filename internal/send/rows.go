package send

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

func newRows(m *Map, r io.Reader) rows {
	if m.Quotes {
		c := csv.NewReader(r)
		c.Comma = m.Delimiter
		c.ReuseRecord = true
		return c
	}
	p := &plainRows{lines: bufio.NewScanner(r), delimiter: string(m.Delimiter)}
	p.lines.Buffer(nil, MaxLine)
	return p
}

// plainRows reads rows in which a quote is a character like any other. In what
// it skips and refuses it is like csv.Reader.
type plainRows struct {
	lines     *bufio.Scanner
	delimiter string
	columns   int // of the first row
	line      int
}

func (p *plainRows) Read() ([]string, error) {
	for p.lines.Scan() {
		p.line++
		text := p.lines.Text()
		if text == "" {
			continue
		}
		record := strings.Split(text, p.delimiter)
		if p.columns == 0 {
			p.columns = len(record)
		}
		if len(record) != p.columns {
			return record, &csv.ParseError{StartLine: p.line, Line: p.line, Column: 1, Err: csv.ErrFieldCount}
		}
		return record, nil
	}
	if err := p.lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", p.line+1, err)
	}
	return nil, io.EOF
}

// FieldPos is the line of the last row. Of the column only csv.Reader knows.
func (p *plainRows) FieldPos(int) (line, column int) { return p.line, 1 }
