package send

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// events reads all of a CSV text by a map.
func events(t *testing.T, mapText, csvText string) []string {
	t.Helper()
	m, err := ParseMap("map.yaml", []byte(mapText))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader("rows.csv", strings.NewReader(csvText), m)
	if err != nil {
		t.Fatal(err)
	}
	return drain(t, r)
}

func drain(t *testing.T, r Reader) []string {
	t.Helper()
	var got []string
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(e.Line))
	}
}

// withoutIDs drops the ids, which a test of their own pins.
func withoutIDs(t *testing.T, lines []string) []string {
	t.Helper()
	var got []string
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
		_, rest, _ := strings.Cut(line, `,`)
		got = append(got, "{"+rest)
	}
	return got
}

func TestMapRows(t *testing.T) {
	for _, tt := range []struct {
		name, mapText, csv string
		want               []string
	}{
		{
			"header", "events: [{fields: {type: t, time: at, user_id: u}}]",
			"\ufeffu,t,at\n7,play,2026-01-02T03:04:05.6+08:00\n",
			[]string{`{"type":"play","time":"2026-01-02T03:04:05.6+08:00","user_id":"7"}`},
		},
		{
			"no header, tab, epoch", "header: no\ndelimiter: \"\\t\"\ntime: {layout: epoch_s, zone: Asia/Shanghai}\nevents: [{fields: {type: c1, time: c2, user_id: c3}}]",
			"play\t1511658000\tu\n",
			[]string{`{"type":"play","time":"2017-11-26T09:00:00+08:00","user_id":"u"}`},
		},
		{
			"milliseconds and numbers", "header: no\ntime: {layout: epoch_ms}\nevents: [{fields: {type: '\"play\"', time: c1, user_id: c2, watch_ms: int(c3) * 1000, share: float(c3) / 8}}]",
			"1511658000123,u,3\n",
			[]string{`{"type":"play","time":"2017-11-26T01:00:00.123Z","user_id":"u","watch_ms":3000,"share":0.375}`},
		},
		{
			"small letters in a time", "events: [{fields: {type: '\"x\"', time: t, user_id: u}}]",
			"t,u\n2026-01-02t03:04:05.60z,u1\n2026-01-02T03:04:05+08:00,u2\n",
			[]string{
				`{"type":"x","time":"2026-01-02T03:04:05.6Z","user_id":"u1"}`,
				`{"type":"x","time":"2026-01-02T03:04:05+08:00","user_id":"u2"}`,
			},
		},
		{
			"one row, two events, and none", "events:\n- fields: {type: '\"impression\"', time: t, user_id: u}\n  when: u != 'x'\n- fields: {type: '\"click\"', time: t, user_id: u}\n  when: c == '1'",
			"t,u,c\n2026-01-01T00:00:00Z,a,1\n2026-01-01T00:00:00Z,b,0\n2026-01-01T00:00:00Z,x,0\n",
			[]string{
				`{"type":"impression","time":"2026-01-01T00:00:00Z","user_id":"a"}`,
				`{"type":"click","time":"2026-01-01T00:00:00Z","user_id":"a"}`,
				`{"type":"impression","time":"2026-01-01T00:00:00Z","user_id":"b"}`,
			},
		},
		{
			"empty is absent, odd column names, the file's name", "events:\n- fields:\n    type: file\n    time: row[\"at time\"]\n    user_id: row[\"\"]\n    region: r\n    n: let x = r; len(x)",
			",at time,r\nu,2026-01-01T00:00:00Z,\n",
			[]string{`{"type":"rows.csv","time":"2026-01-01T00:00:00Z","user_id":"u","n":0}`},
		},
		{
			"quotes are text", "quotes: no\nevents: [{fields: {type: '\"x\"', time: t, user_id: u}}]",
			"u,t\r\n\"a,2026-01-01T00:00:00Z\r\n\nb\"\"c,2026-01-01T00:00:00Z",
			[]string{
				`{"type":"x","time":"2026-01-01T00:00:00Z","user_id":"\"a"}`,
				`{"type":"x","time":"2026-01-01T00:00:00Z","user_id":"b\"\"c"}`,
			},
		},
		{
			"field names that JSON writes otherwise than YAML", "events: [{fields: {type: '\"x\"', time: t, user_id: u, \"a\\ab\": u, \"x\\U000E0001y\": u}}]",
			"t,u\n2026-01-01T00:00:00Z,a\n",
			[]string{`{"type":"x","time":"2026-01-01T00:00:00Z","user_id":"a","a\u0007b":"a","x` + "\U000E0001" + `y":"a"}`},
		},
		{
			"local time through a summer-time change", "time: {layout: 2006-01-02 15:04, zone: Europe/Berlin}\nevents: [{fields: {type: '\"x\"', time: t, user_id: t}}]",
			"t\n2026-03-29 01:30\n2026-03-29 03:30\n",
			[]string{
				`{"type":"x","time":"2026-03-29T01:30:00+01:00","user_id":"2026-03-29 01:30"}`,
				`{"type":"x","time":"2026-03-29T03:30:00+02:00","user_id":"2026-03-29 03:30"}`,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, withoutIDs(t, events(t, tt.mapText, tt.csv))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func ids(t *testing.T, lines []string) []string {
	t.Helper()
	var got []string
	for _, line := range lines {
		var e struct{ ID string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		got = append(got, e.ID)
	}
	return got
}

// Ids are a promise to everybody who sent a file before: they never change.
func TestIdentity(t *testing.T) {
	const m = "header: no\nevents: [{fields: {type: c1, time: c2, user_id: c3}}]"
	const row = "play,2026-01-02T03:04:05Z,u1\n"
	got := ids(t, events(t, m, row+"play,2026-01-02T03:04:05Z,u2\n"+row))
	const want = "2c99f238d41e5cc6cdb8e83d035a49f4"
	if got[0] == got[2] || got[0] == got[1] {
		t.Errorf("ids of different or repeated rows are equal: %v", got)
	}
	if got[0] != want {
		t.Errorf("id changed: got %s, want %s", got[0], want)
	}
	again := ids(t, events(t, m, row+row+"play,2026-01-02T03:04:05Z,u2\n"))
	if again[0] != got[0] || again[1] != got[2] || again[2] != got[1] {
		t.Errorf("rows in another order have other ids: %v, %v", got, again)
	}
	reordered := ids(t, events(t, "header: no\nevents: [{fields: {user_id: c3, time: c2, type: c1}}]", row))
	if reordered[0] != got[0] {
		t.Error("the order of a map's fields changes ids")
	}
	given := ids(t, events(t, "header: no\nevents: [{fields: {id: c3, type: c1, time: c2, user_id: c3}}]", row))
	if given[0] != "u1" {
		t.Errorf("a mapped id is kept: got %s", given[0])
	}
}

func TestCheckMap(t *testing.T) {
	data, err := os.ReadFile("testdata/ten.bad.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/ten.txt")
	if err != nil {
		t.Fatal(err)
	}
	got := CheckMap("ten.bad.yaml", data)
	if diff := cmp.Diff(string(want), got.Error()+"\n"); diff != "" {
		t.Error(diff)
	}
	for text, want := range map[string]string{
		"":            "map.yaml:1: has no events: list at least one",
		"header: yes": "map.yaml:1: has no events: list at least one",
		"a: [":        "map.yaml:1: is no YAML",
		"events: {}":  "map.yaml:1: events: a mapping is no list",
		"[]":          "map.yaml:1: a list is no mapping: give keys among",
		"events: [{fields: {type: now(), time: t, user_id: u}}]": "events[0].fields.type",
	} {
		if err := CheckMap("map.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckMap(%q) = %v, want %q", text, err, want)
		}
	}
}

// Events may build on one another, as YAML lets them.
func TestMergedEvents(t *testing.T) {
	m, err := ParseMap("map.yaml", []byte(`
header: no
events:
  - &pay
    when: c1 == 'pay'
    fields: &fields {type: c1, time: '"2026-01-01T00:00:00Z"', user_id: c2}
  - <<: *pay
    when: c1 == 'order'
    fields: {<<: *fields, order_id: c3}
`))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.events) != 2 || len(m.events[1].fields) != 4 || m.events[1].fields[0].name != "order_id" || m.events[1].path != "events[1]" {
		t.Errorf("events %+v", m.events)
	}
}

func TestEpochTimes(t *testing.T) {
	for _, tt := range []struct{ layout, text, want string }{
		{"epoch_s", "1511658000.5", "2017-11-26T01:00:00.5Z"},
		{"epoch_ms", "-1", "1969-12-31T23:59:59.999Z"},
		{"epoch_s", "NaN", ""},
		{"epoch_ms", "nan", ""},
		{"epoch_s", "Inf", ""},
		{"epoch_s", "5e9", ""}, // beyond half of what a time.Duration holds
		{"epoch_s", "", ""},
	} {
		m := &Map{Layout: tt.layout, Zone: time.UTC}
		got, err := m.parseTime(tt.text)
		if err == nil && got.Format(time.RFC3339Nano) != tt.want || err != nil && tt.want != "" {
			t.Errorf("%s %q: got %s, %v, want %q", tt.layout, tt.text, got, err, tt.want)
		}
	}
}

func TestRowErrors(t *testing.T) {
	m, err := ParseMap("map.yaml", []byte("events: [{fields: {type: '\"x\"', time: t, user_id: u, n: int(n)}}]"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader("rows.csv", strings.NewReader("t,u,n\n2026-01-01T00:00:00Z,a,1\n2026-01-01T00:00:00Z,b,one\nyesterday,c,1\n2026-01-01T00:00:00Z,d\n2026-01-01T00:00:00Z,e,2\n"), m)
	if err != nil {
		t.Fatal(err)
	}
	var good int
	var bad []string
	for {
		_, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			good++
			continue
		}
		bad = append(bad, err.Error())
	}
	want := []string{
		`rows.csv:3: events[0].fields.n: evaluate "int(n)": invalid operation: int(one) (1:1)`,
		"rows.csv:4: events[0].fields.time: \"yesterday\" is no time by the layout \"rfc3339\": set `time.layout` to how the file writes times",
		"rows.csv:5: read row: wrong number of fields",
	}
	if diff := cmp.Diff(want, bad); diff != "" || good != 2 {
		t.Errorf("%d good rows, want 2; %s", good, diff)
	}
	if _, err := NewReader("rows.csv", strings.NewReader("t,u\n"), m); err == nil || !strings.Contains(err.Error(), `column "n" is not in the file: its columns are "t", "u"`) {
		t.Errorf("a missing column: got %v", err)
	}
}

// A row error tells all lines that went with the row.
func TestStrayQuotes(t *testing.T) {
	const remedy = ": write `quotes: no` in the map if the file does not quote its columns"
	for _, tt := range []struct {
		quotes, csv string
		good, lost  int
		want        []string
	}{
		{"yes", "a,1\n\"b,1\nc,1\nd,1\n", 1, 3, []string{"rows.csv:2: read row: extraneous or missing \" in quoted-field: lines 2 to 4 are lost" + remedy}},
		{"yes", "a,1\n\"b,1\nc\"\nd,1\n", 2, 2, []string{"rows.csv:2: read row: wrong number of fields: lines 2 to 3 are lost" + remedy}},
		{"yes", "a,1\nb\"b,1\nc,1\n", 2, 1, []string{"rows.csv:2: read row: bare \" in non-quoted-field" + remedy}},
		{"yes", "a,1\nb\nc,1\n", 2, 1, []string{"rows.csv:2: read row: wrong number of fields"}},
		{"no", "a,1\n\"b,1\nc\n\nd\"d,1\n", 3, 1, []string{"rows.csv:3: read row: wrong number of fields"}},
	} {
		m, err := ParseMap("map.yaml", []byte("header: no\nquotes: "+tt.quotes+"\nevents: [{fields: {type: c1, user_id: c2, time: '\"2026-01-01T00:00:00Z\"'}}]"))
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader("rows.csv", strings.NewReader(tt.csv), m)
		if err != nil {
			t.Fatal(err)
		}
		s := &sending{}
		good := 0
		for _, err = s.next(r); err == nil; _, err = s.next(r) {
			good++
		}
		if diff := cmp.Diff(tt.want, s.badRows); diff != "" || !errors.Is(err, io.EOF) || good != tt.good || s.rows != int64(tt.lost) {
			t.Errorf("quotes %s, %q: %d rows and %d lost, want %d and %d; %v %s", tt.quotes, tt.csv, good, s.rows, tt.good, tt.lost, err, diff)
		}
	}
}

// The result counts the lines lost, and lists each error once.
func TestReportOfRows(t *testing.T) {
	var out bytes.Buffer
	s := &sending{}
	s.badRow(&RowError{"rows.csv", 2, 3, errors.New("torn")})
	want := "3 rows were passed over:\n  rows.csv:2: torn\n"
	if err := s.report(&out); !errors.Is(err, ErrRejected) || out.String() != want {
		t.Errorf("got %v and %q, want %q", err, out.String(), want)
	}
	out.Reset()
	s = &sending{}
	s.badRow(&RowError{"rows.csv", 2, 1, errors.New("torn")})
	want = "1 row was passed over:\n  rows.csv:2: torn\n"
	if err := s.report(&out); err.Error() != ErrRejected.Error()+": 1 row passed over" || out.String() != want {
		t.Errorf("got %v and %q, want %q", err, out.String(), want)
	}
}

func FuzzCheckMap(f *testing.F) {
	data, err := os.ReadFile("testdata/ten.bad.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("header: no\nevents: [{when: c1 == '1', fields: {type: c1, time: c2, user_id: c3}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMap("map.yaml", data)
		if err != nil {
			return
		}
		r, err := NewReader("rows.csv", strings.NewReader("c1,c2,c3\n1,2026-01-01T00:00:00Z,3\n"), m)
		if err != nil {
			return
		}
		if e, err := r.Next(); err == nil && !json.Valid(e.Line) {
			t.Errorf("not JSON: %s", e.Line)
		}
	})
}
