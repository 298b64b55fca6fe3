package stream

import (
	"bytes"
	"fmt"
	"testing"
)

// lines frames a body as the HTTP side does.
func lines(body []byte) (out [][]byte, err error) {
	j, err := NewChecker(Schema{}, HashKey{}).Judge(bytes.Clone(body))
	for i := range j.Lines {
		out = append(out, j.Line(i))
	}
	return out, err
}

func TestLines(t *testing.T) {
	tests := []struct {
		body string
		want []string
		err  string
	}{
		{`{"a":1}`, []string{`{"a":1}`}, ""},
		{"{\"a\":1}\r\n\n \t{\"b\":2}\n", []string{`{"a":1}`, `{"b":2}`}, ""},
		{"\ufeff{}\nx", []string{"{}", "x"}, ""},
		{"{\n\"a\": 1\n}\n", []string{"{\n\"a\": 1\n}"}, ""},
		{"{\n{}", []string{"{", "{}"}, ""},
		{"[]", nil, ""},
		{"[ {\"a\":\n[1]} , 7, \"]\" ]\n", []string{"{\"a\":\n[1]}", "7", `"]"`}, ""},
		{"[]\n{}", []string{"[]", "{}"}, ""},
		{"", nil, "body is empty: send one JSON object a line, or a JSON array of objects"},
		{" \n", nil, "body is empty: send one JSON object a line, or a JSON array of objects"},
		{`[{},{]`, nil, "body is a JSON array that breaks at byte 4, in element 1: close it, or send one JSON object a line"},
		{`[{},`, nil, "body is a JSON array that breaks at byte 4, in element 1: close it, or send one JSON object a line"},
		{`[`, nil, "body is a JSON array that breaks at byte 1, in element 0: close it, or send one JSON object a line"},
		{`[{}`, nil, "body is a JSON array that breaks at byte 3, behind element 0: close it, or send one JSON object a line"},
		{`[{}]]`, nil, "body is a JSON array that breaks at byte 4, behind element 0: close it, or send one JSON object a line"},
		{"\x1f\x8b\x00", nil, "body is binary: send JSON text, and name its Content-Encoding if it is compressed"},
	}
	for _, tt := range tests {
		lines, err := lines([]byte(tt.body))
		var want [][]byte
		for _, line := range tt.want {
			b := []byte(line)
			for i := range b {
				if b[i] == '\n' {
					b[i] = ' '
				}
			}
			want = append(want, b)
		}
		if fmt.Sprintf("%q", lines) != fmt.Sprintf("%q", want) || (tt.err != "" || err != nil) && fmt.Sprint(err) != tt.err {
			t.Errorf("lines(%q) = %q, %v\nwant %q, %v", tt.body, lines, err, want, tt.err)
		}
	}
}
