package send

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"

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
	lower := strings.NewReplacer("1600000000003", `"2020-09-13T12:26:40.003z"`, "1600000000000", `"2020-09-13t12:26:40Z"`).Replace(text)
	if r, err = Sort(ndjson(t, lower), 4, nil); err != nil {
		t.Fatal(err)
	}
	for i, line := range drain(t, r) {
		if !strings.HasPrefix(line, want[i][:7]) {
			t.Errorf("line %d by time is %s, want %s", i+1, line, want[i])
		}
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

// CSV without a map is refused before any of it is sent.
func TestCSVWithoutMap(t *testing.T) {
	const csv = "ts,uid\n1,u\n"
	for _, tt := range []struct {
		name, text string
		want       bool
	}{
		{"a.csv", csv, true}, {"A.CSV", byteOrderMark + csv, true}, {"a.tsv", csv, true}, {"a.csv.gz", zipped(t, csv), true},
		{"a.csv", `{"id":1}`, false}, {"a.csv", "", false}, {"a.ndjson", csv, false},
	} {
		_, err := NewReader(tt.name, strings.NewReader(tt.text), nil)
		if refused := err != nil && strings.Contains(err.Error(), "say with --map FILE"); refused != tt.want || err != nil && !refused {
			t.Errorf("%s with %q: %v", tt.name, tt.text, err)
		}
	}
}

func TestShift(t *testing.T) {
	times := newTimes()
	for line, want := range map[string]string{
		`{"time":"2026-01-02T03:04:05.6+08:00","id":1}`: `{"time":"2026-01-01T19:04:06.1Z","id":1}`,
		`{"time":"2026-01-02t03:04:05.6z"}`:             `{"time":"2026-01-02T03:04:06.1Z"}`,
		`{"id":1,"time":1767323045600}`:                 `{"id":1,"time":1767323046100}`,
		`{"id":1,"time":1767323045}`:                    `{"id":1,"time":1767323045}`, // seconds, no time
		`{"id":1}`:                                      `{"id":1}`,
	} {
		if got := string(shift(times, Event{Line: []byte(line)}, 500).Line); got != want {
			t.Errorf("shift(%s) = %s, want %s", line, got, want)
		}
	}
}

func FuzzShift(f *testing.F) {
	f.Add([]byte(`{"a":{"time":5},"b":["time",1],"time":1767323045600}`))
	f.Add([]byte(`{"time" : "2026-01-02T11:04:05.6+08:00", "id":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		times := newTimes()
		if before, _, _, ok := times.TimeOf(line); ok && json.Valid(line) {
			moved := shift(times, Event{Line: line}, 1000).Line
			if after, _, _, _ := times.TimeOf(moved); after != before+1000 && after != 0 || !json.Valid(moved) {
				t.Errorf("%s is shifted to %s", line, moved)
			}
		}
	})
}
