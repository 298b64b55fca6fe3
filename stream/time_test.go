package stream

import (
	"encoding/json"
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-22T10:00:00Z":                "2026-11-22T10:00:00Z",
		"2026-11-22t10:00:00z":                "2026-11-22T10:00:00Z",
		"2026-11-22T10:00:00.123456+08:00":    "2026-11-22T10:00:00.123456+08:00",
		"2026-11-22T10:00:00.1234567890123z":  "2026-11-22T10:00:00.123456789Z",
		"2026-11-22T10:00:00,5Z":              "",
		"2026-11-22T10:00:00":                 "",
		"2026-11-22 10:00:00Z":                "",
		"2026-02-29T10:00:00Z":                "",
		"2026-11-22T10:00:00+0800":            "",
		"":                                    "",
		"the twenty-second of November, 2026": "",
	} {
		got, ok := ParseTime(text)
		if ok != (want != "") || ok && got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseTime(%q) = %s, %t; want %q", text, got.Format(time.RFC3339Nano), ok, want)
		}
	}
}

func TestTimeOf(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC).UnixMilli()
	d := NewDecoder(Schema{}, HashKey{})
	for line, want := range map[string]string{
		`{"time":"2026-01-02T03:04:05.6Z"}`:                           `"2026-01-02T03:04:05.6Z"`,
		`{"time":"2026-01-02t03:04:05.6z"}`:                           `"2026-01-02t03:04:05.6z"`,
		` {"time" : "2026-01-02T11:04:05.6+08:00", "id":1}`:           `"2026-01-02T11:04:05.6+08:00"`,
		`{"a":{"time":5},"b":["time",1],"time":1767323045600}`:        `1767323045600`,
		`{"time":1,"x":"\"time\":2","time":1767323045600,"c":"time"}`: `1767323045600`,
		`{"t\u0069me":"2026\u002d01-02T03:04:05.6Z"}`:                 `"2026\u002d01-02T03:04:05.6Z"`,
		`{"props":{"time":1767323045600}}`:                            ``,
		`{"time":1767323045600,"time":null}`:                          ``,
		`{"time":1767323045}`:                                         ``,
		`{"time":1767323045600.0}`:                                    ``,
		`{"time":"yesterday"}`:                                        ``,
		`{"time":`:                                                    ``,
		`{"time":"2026`:                                               ``,
		`{"time":{"a":1}}`:                                            ``,
		`]]{{"time":`:                                                 ``,
		`{}`:                                                          ``,
		``:                                                            ``,
	} {
		ms, from, to, ok := d.TimeOf([]byte(line))
		if ok != (want != "") || line[from:to] != want || ok && ms != at {
			t.Errorf("TimeOf(%s) = %d at %q, %t; want %q", line, ms, line[from:to], ok, want)
		}
	}
}

// An event that is taken has the time by which its line is sorted.
func FuzzTimeOf(f *testing.F) {
	f.Add([]byte(`{` + good + `}`))
	f.Add([]byte(`{"id":1,"time":5,"time":"2026-01-02t03:04:05.6z","type":"play","user_id":2}`))
	f.Add([]byte(`{"id":1,"t\u0069me":1767323045600,"type":"play","user_id":2}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		d := NewDecoder(Schema{}, HashKey{})
		ms, from, to, ok := d.TimeOf(line)
		var v any
		if ok && json.Valid(line) && json.Unmarshal(line[from:to], &v) != nil {
			t.Errorf("TimeOf(%q): %q is no value", line, line[from:to])
		}
		if _, reason, _ := d.Check(line); reason == ReasonNone && (!ok || ms != d.probe.Time[0]) {
			t.Errorf("TimeOf(%q) = %d, %t; the event is of %d", line, ms, ok, d.probe.Time[0])
		}
	})
}
