package send

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

func encode(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// readAll are the events of a text, and what is said of rows that are none.
func readAll(t *testing.T, mapText, text string) (lines, bad []string) {
	t.Helper()
	var m *Map
	if mapText != "" {
		var err error
		if m, err = ParseMap("map.yaml", []byte(mapText)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReader("file", strings.NewReader(text), m)
	if err != nil {
		return nil, []string{err.Error()}
	}
	for {
		e, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return lines, bad
		case err != nil:
			bad = append(bad, err.Error())
			if _, ok := errors.AsType[*RowError](err); !ok {
				return lines, bad
			}
		default:
			lines = append(lines, string(e.Line))
		}
	}
}

var (
	utf16LE = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
	utf16BE = unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
)

func TestEncodings(t *testing.T) {
	const (
		plain  = "events: [{fields: {id: uid, type: '\"x\"', time: ts, user_id: uid, channel: 渠道}}]\ntime: {layout: epoch_s}\n"
		rows   = "ts,uid,渠道\n1700000000,u1,抖音\n1700000001,u2,\"快,手\"\n"
		events = `{"id":"u1","type":"x"}` + "\n" + `{"id":"u2","channel":"抖音"}` + "\n"
	)
	want := []string{
		`{"id":"u1","type":"x","time":"2023-11-14T22:13:20Z","user_id":"u1","channel":"抖音"}`,
		`{"id":"u2","type":"x","time":"2023-11-14T22:13:21Z","user_id":"u2","channel":"快,手"}`,
	}
	gb := encode(t, simplifiedchinese.GB18030, rows)
	for name, tt := range map[string]struct{ m, text string }{
		"UTF-8":                              {plain, rows},
		"UTF-8 with a mark":                  {plain, byteOrderMark + rows},
		"a mark before a quote":              {plain, byteOrderMark + `"ts"` + rows[2:]},
		"a mark in gzip":                     {plain, zipped(t, byteOrderMark+rows)},
		"a mark without quotes":              {plain + "quotes: no\n", byteOrderMark + strings.ReplaceAll(rows, `"快,手"`, "快手")},
		"a mark in UTF-16":                   {plain, encode(t, utf16LE, rows)},
		"a mark in UTF-16, the other order":  {plain, encode(t, utf16BE, rows)},
		"UTF-16 without a mark":              {plain + "encoding: utf-16\n", encode(t, utf16LE, rows)[2:]},
		"GB 18030":                           {plain + "encoding: GB18030\n", gb},
		"GBK":                                {plain + "encoding: gbk\n", encode(t, simplifiedchinese.GBK, rows)},
		"GB 18030 with its mark":             {plain + "encoding: gb18030\n", encode(t, simplifiedchinese.GB18030, byteOrderMark+rows)},
		"Big5":                               {plain + "encoding: big5\n", encode(t, traditionalchinese.Big5, rows)},
		"a mark overrules the map":           {plain + "encoding: gb18030\n", byteOrderMark + rows},
		"a map with a mark":                  {byteOrderMark + plain, rows},
		"a map in UTF-16":                    {encode(t, utf16LE, plain), rows},
		"GB 18030 in gzip, zipped by a tool": {plain + "encoding: gb18030\n", zipped(t, gb)},
	} {
		want := want
		if strings.Contains(tt.m, "quotes") {
			want = []string{want[0], strings.ReplaceAll(want[1], "快,手", "快手")}
		}
		got, bad := readAll(t, tt.m, tt.text)
		if diff := cmp.Diff(want, got); diff != "" || bad != nil {
			t.Errorf("%s: %v %s", name, bad, diff)
		}
	}
	for name, text := range map[string]string{
		"a mark": byteOrderMark + events, "a mark in gzip": zipped(t, byteOrderMark+events),
		"UTF-16": encode(t, utf16LE, events), "UTF-16, the other order": encode(t, utf16BE, events),
	} {
		got, bad := readAll(t, "", text)
		if diff := cmp.Diff(events, strings.Join(got, "\n")+"\n"); diff != "" || bad != nil {
			t.Errorf("NDJSON with %s: %v %s", name, bad, diff)
		}
	}
}

// What is in another encoding is refused: two names that cannot be read must not
// become one.
func TestWrongEncoding(t *testing.T) {
	const (
		m    = "events: [{fields: {id: uid, type: '\"x\"', time: ts, user_id: uid, channel: ch}}]\ntime: {layout: epoch_s}\n"
		good = `{"id":"u3","type":"x","time":"2023-11-14T22:13:22Z","user_id":"u3","channel":"c"}`
	)
	gb := encode(t, simplifiedchinese.GB18030, "ts,uid,ch,备\n1700000000,u1,抖音,\n1700000001,u2,快手,\n1700000002,u3,c,也\n")
	for _, tt := range []struct {
		name, m, text string
		want, bad     []string
	}{
		{
			"GBK taken for UTF-8; of columns that the map does not name nothing is wanted", m, gb,
			[]string{good},
			[]string{
				"file:2: column \"ch\": \"\\xb6\\xb6\\xd2\\xf4\" is not UTF-8: name the file's encoding in the map, as in `encoding: gb18030`",
				"file:3: column \"ch\": \"\\xbf\\xec\\xca\\xd6\" is not UTF-8: name the file's encoding in the map, as in `encoding: gb18030`",
			},
		},
		{
			"a header that cannot be read", strings.ReplaceAll(m, "ch}", "备}"), gb, nil,
			[]string{"file: events[0].fields.channel: column \"备\" is not in the file: its columns are \"ts\", \"uid\", \"ch\", \"\\xb1\\xb8\"; \"\\xb1\\xb8\" is not UTF-8: name the file's encoding in the map, as in `encoding: gb18030`"},
		},
		{
			"UTF-8 taken for GBK", m + "encoding: gb18030", "ts,uid,ch\n1700000000,u1,\xff\n1700000002,u3,c\n",
			[]string{good},
			[]string{"file:2: column \"ch\": \"\ufffd\" was not written in gb18030: name the file's encoding in the map, or save it as UTF-8"},
		},
		{
			"half a pair in UTF-16", "", encode(t, utf16LE, "{\"id\":1}\n{\"id\":\"") + "\x00\xd8" + encode(t, utf16LE, "\"}\n")[2:],
			[]string{`{"id":1}`},
			[]string{"file:2: \"{\\\"id\\\":\\\"\ufffd\\\"}\" was not written in utf-16: name the file's encoding in the map, or save it as UTF-8"},
		},
		{
			"half a letter", "events: [{fields: {id: uid, type: '\"x\"', time: ts, user_id: uid, channel: 'ch[:2]'}}]\ntime: {layout: epoch_s}\n",
			"ts,uid,ch\n1700000000,u1,抖音\n1700000001,u2,\\ufffd\n1700000002,u3,c\n",
			[]string{`{"id":"u2","type":"x","time":"2023-11-14T22:13:21Z","user_id":"u2","channel":"\\u"}`, good},
			[]string{"file:2: events[0].fields.channel: the value is not UTF-8: an expression that takes a part of a text counts its bytes"},
		},
		{
			"U+FFFD, in a text and spelt out, is what the file says", m,
			"ts,uid,ch\n1700000000,u1,\ufffd\n1700000001,u2,\\ufffd\n",
			[]string{
				`{"id":"u1","type":"x","time":"2023-11-14T22:13:20Z","user_id":"u1","channel":"` + "\ufffd" + `"}`,
				`{"id":"u2","type":"x","time":"2023-11-14T22:13:21Z","user_id":"u2","channel":"\\ufffd"}`,
			},
			nil,
		},
	} {
		got, bad := readAll(t, tt.m, tt.text)
		if diff := cmp.Diff(tt.want, got) + cmp.Diff(tt.bad, bad); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
