package send

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ndjson(t *testing.T, text string) Reader {
	t.Helper()
	r, err := NewReader("events.ndjson", strings.NewReader(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMerge(t *testing.T) {
	a := ndjson(t, `{"id":"a1","time":1600000000001}
{"id":"a3","time":1600000000003}
{"id":"a2","time":1600000000002}

{"id":"a5","time":1600000000005}`)
	b := ndjson(t, `{"id":"b1","time":1600000000001}
broken
{"id":"b4","time":"2020-09-13T12:26:40.004Z"}`)
	want := []string{"a1", "b1", "broken", "a3", "a2", "b4", "a5"}
	var got []string
	for _, line := range drain(t, Merge(a, b)) {
		var e struct{ ID string }
		if json.Unmarshal([]byte(line), &e) != nil {
			e.ID = line
		}
		got = append(got, e.ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSort(t *testing.T) {
	const text = `{"id":1,"time":1600000000003}
{"id":2,"time":1600000000001}
{"id":3,"time":1600000000003}
{"id":4,"time":1600000000000}`
	r, err := Sort(ndjson(t, text), 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`{"id":4,"time":1600000000000}`, `{"id":2,"time":1600000000001}`, `{"id":1,"time":1600000000003}`, `{"id":3,"time":1600000000003}`}
	if diff := cmp.Diff(want, drain(t, r)); diff != "" {
		t.Error(diff)
	}
	if _, err := Sort(ndjson(t, text), 3, nil); err == nil || !strings.Contains(err.Error(), "more than 3") {
		t.Errorf("over the limit: got %v", err)
	}
}

func TestReadGzipAndArrays(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("{\"time\":1}\n{\"time\":2}"))
	z.Close()
	r, err := NewReader("events", &b, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(drain(t, r)); got != 2 {
		t.Errorf("%d events of a gzip file, want 2", got)
	}
	if _, err := ndjson(t, `[{"id":1}]`).Next(); err == nil || !strings.Contains(err.Error(), "jq -c") {
		t.Errorf("a JSON array: got %v", err)
	}
}

func TestTimeOf(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC).UnixMilli()
	for line, want := range map[string]int64{
		`{"time":"2026-01-02T03:04:05.6Z"}`:                           at,
		`{"time" : "2026-01-02T11:04:05.6+08:00", "id":1}`:            at,
		`{"a":{"time":5},"b":["time",1],"time":1767323045600}`:        at,
		`{"time":1,"x":"\"time\":2","time":1767323045600,"c":"time"}`: at,
		`{"props":{"time":1}}`:                                        -1,
		`{"time":null}`:                                               -1,
		`{"time":"yesterday"}`:                                        -1,
		`{"time":`:                                                    -1,
		`{"time":"2026`:                                               -1,
		`{"time":{"a":1}}`:                                            -1,
		`]]{{"time":`:                                                 -1,
		``:                                                            -1,
	} {
		got, ok := timeOf([]byte(line))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("timeOf(%s) = %d, want %d", line, got, want)
		}
	}
}

func TestShift(t *testing.T) {
	for line, want := range map[string]string{
		`{"time":"2026-01-02T03:04:05.6+08:00","id":1}`: `{"time":"2026-01-01T19:04:06.1Z","id":1}`,
		`{"id":1,"time":1767323045600}`:                 `{"id":1,"time":1767323046100}`,
		`{"id":1}`:                                      `{"id":1}`,
	} {
		if got := string(shift(Event{Line: []byte(line)}, 500).Line); got != want {
			t.Errorf("shift(%s) = %s, want %s", line, got, want)
		}
	}
}

func FuzzTimeOf(f *testing.F) {
	f.Add([]byte(`{"a":{"time":5},"b":["time",1],"time":1767323045600}`))
	f.Add([]byte(`{"time" : "2026-01-02T11:04:05.6+08:00", "id":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if _, ok := timeOf(line); ok && json.Valid(line) {
			if moved := shift(Event{Line: line}, 1000).Line; !json.Valid(moved) {
				t.Errorf("shifted %s is not JSON: %s", line, moved)
			}
		}
	})
}
