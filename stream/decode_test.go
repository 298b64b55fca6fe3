package stream

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"

	"github.com/tidewatch/tidewatch/kpi"
)

// catalogue are the columns of an ordinary catalogue.
var catalogue = Schema{
	Text:   []string{"type", "channel", "region", "device", "campaign_id", "content_id", "currency"},
	Number: []string{"watch_ms", "duration_ms", "amount_minor"},
}

// inYen takes amounts without a currency as yen.
var inYen = Schema{Text: []string{"currency", "channel"}, Number: []string{"amount_minor"}, Currency: "JPY"}

// wide asks for more than there are bits in a word, of every role.
var wide = Schema{
	Text: append([]string{"type", "channel", "vertical", "sentiment", "completed", "user_id", "time", "watch_ms",
		"a_property_with_a_long_name", "sixteen_letters_", "eight_on"}, numbered("t", 40)...),
	Number: append([]string{"watch_ms", "amount_minor", "score", "sentiment", "price", "content_id"}, numbered("n", 20)...),
}

func numbered(prefix string, n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprint(prefix, i))
	}
	return names
}

var testKey = HashKey{1, 2}

func decode(t *testing.T, s Schema, m Raw) *Batch {
	t.Helper()
	var b Batch
	b.Reset(s)
	NewDecoder(s, testKey).Append(&b, m)
	return &b
}

const good = `"id":"e1","time":"2026-11-22T10:00:00.123+08:00","type":"play","user_id":"u1"`

func TestReasons(t *testing.T) {
	long := strings.Repeat("x", MaxText+1)
	tests := []struct {
		line string
		want Reason
		err  string
	}{
		{`{` + good + `}`, ReasonNone, ""},
		{`{` + good + `,"channel":5,"sentiment":0.5,"completed":true,"watch_ms":1e3,"x":{"y":[1,{}]},"props":null}`, ReasonNone, ""},
		{`{"id":1,"time":1763776800000,"type":"play","anonymous_id":2}`, ReasonNone, ""},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":"","anonymous_id":2}`, ReasonNone, ""},
		{`{"id":1,"time":1763776800000,"type":"ad_cost"}`, ReasonNone, ""},
		{`{"id":1,"time":1763776800000,"type":"settle","user_id":null}`, ReasonNone, ""},
		{`{"id":true,"id":1,"time":5,"time":1763776800000,"type":"settle"}`, ReasonNone, ""},

		{`{` + good + `,"x":"` + strings.Repeat("x", MaxEvent) + `"}`, ReasonTooLarge, "event of 262230 bytes exceeds 262144: send less in it"},
		{`{` + good + `,"channel":"` + long + `"}`, ReasonTooLarge, `channel "` + long[:64] + `..." exceeds 256 bytes: shorten it`},
		{`{"id":"` + long + `"}`, ReasonTooLarge, `id "` + long[:64] + `..." exceeds 256 bytes: shorten it`},
		{`{` + good + `,"order_id":"\u0041` + long[1:] + `"}`, ReasonTooLarge, `order_id "\u0041` + long[:58] + `..." exceeds 256 bytes: shorten it`},
		{`{` + good + `,"order_id":"\u0041` + long[2:] + `"}`, ReasonNone, ""},

		{`{` + good + `} x`, ReasonNotJSON, "event is not JSON at byte 81: invalid character 'x' after top-level value"},
		{`{` + good + `,}`, ReasonNotJSON, "event is not JSON at byte 80: invalid character '}' looking for beginning of object key string"},
		{`hello`, ReasonNotJSON, "event is not JSON at byte 1: invalid character 'h' looking for beginning of value"},
		{`{` + good + `,"x":"` + "\xff" + `"}`, ReasonNotJSON, "event is not UTF-8: write it in UTF-8"},
		{`{` + good + `,"x":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}`, ReasonNone, ""},
		{`{` + good + `,"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, ReasonNotJSON, "event is nested more than 100 deep: flatten it"},

		{`"hello"`, ReasonNotAnObject, `event "hello" is not an object: give a JSON object`},
		{`7`, ReasonNotAnObject, "event 7 is not an object: give a JSON object"},

		{`{}`, ReasonMissingID, "id is missing: give each event an id of its own, a string or an integer"},
		{`{"id":""}`, ReasonMissingID, "id is missing: give each event an id of its own, a string or an integer"},
		{`{"id":null,"props":{"id":1}}`, ReasonMissingID, "id is missing: give each event an id of its own, a string or an integer"},
		{`{"id":1.5}`, ReasonWrongType, "id 1.5 has the wrong type: give a string or an integer"},

		{`{"id":1}`, ReasonMissingTime, "time is missing: give integer epoch milliseconds or RFC 3339"},
		{`{"id":1,"time":1700000000}`, ReasonTimeInSeconds, "time 1700000000 looks like seconds: give integer epoch milliseconds or RFC 3339"},
		{`{"id":1,"time":"1763776800000"}`, ReasonBadTime, `time "1763776800000" is a number in quotes: take them off`},
		{`{"id":1,"time":"2026-11-27T10:00:00.5"}`, ReasonBadTime, `time "2026-11-27T10:00:00.5" has no zone: end it in Z, or in an offset such as +08:00`},
		{`{"id":1,"time":1763776800000.5}`, ReasonBadTime, `time 1763776800000.5 is no time from 1973 to 2105: give integer epoch milliseconds or RFC 3339, as in 2026-11-22T10:00:00+08:00`},
		{`{"id":1,"time":4291747200000}`, ReasonBadTime, `time 4291747200000 is no time from 1973 to 2105: give integer epoch milliseconds or RFC 3339, as in 2026-11-22T10:00:00+08:00`},
		{`{"id":1,"time":"1972-12-31T23:59:59.999Z"}`, ReasonBadTime, `time "1972-12-31T23:59:59.999Z" is no time from 1973 to 2105: give integer epoch milliseconds or RFC 3339, as in 2026-11-22T10:00:00+08:00`},
		{`{"id":1,"time":true}`, ReasonWrongType, "time true has the wrong type: give integer epoch milliseconds or RFC 3339"},

		{`{"id":1,"time":1763776800000}`, ReasonMissingType, `type is missing: give what happened, as in "play"`},
		{`{"id":1,"time":1763776800000,"type":7}`, ReasonWrongType, "type 7 has the wrong type: give a string"},
		{`{"id":1,"time":1763776800000,"type":"play"}`, ReasonMissingUser, "user_id is missing: give user_id or anonymous_id (only ad_cost and settle need none)"},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":"Undefined"}`, ReasonPlaceholderID, `user_id "Undefined" stands for no user: leave it out, and give the user_id or anonymous_id that the user has`},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":"NULL","anonymous_id":"a"}`, ReasonPlaceholderID, `user_id "NULL" stands for no user: leave it out, and give the user_id or anonymous_id that the user has`},
		{`{"id":"null"}`, ReasonPlaceholderID, `id "null" stands for none: give each event an id of its own, a string or an integer`},
		{`{"id":0,"time":1763776800000,"type":"ad_cost","user_id":"null"}`, ReasonNone, ""},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":"\t"}`, ReasonPlaceholderID, `user_id "\t" stands for no user: leave it out, and give the user_id or anonymous_id that the user has`},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":0}`, ReasonPlaceholderID, `user_id 0 stands for no user: leave it out, and give the user_id or anonymous_id that the user has`},
		{`{"id":1,"time":1763776800000,"type":"play","anonymous_id":" \t"}`, ReasonPlaceholderID, `anonymous_id " \t" stands for no user: leave it out, and give the user_id or anonymous_id that the user has`},
		{`{"id":1,"time":1763776800000,"type":"play","anonymous_id":"00000000-0000-0000-0000-000000000000"}`, ReasonPlaceholderID, `anonymous_id "00000000-0000-0000-0000-000000000000" stands for no user: leave it out, and give the user_id or anonymous_id that the user has`},
		{`{"id":1,"time":1763776800000,"type":"play","props":{"user_id":1}}`, ReasonMissingUser, "user_id is missing: give user_id or anonymous_id (only ad_cost and settle need none)"},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":true,"anonymous_id":1}`, ReasonWrongType, "user_id true has the wrong type: give a string or an integer"},
		{`{"id":1,"time":1763776800000,"type":"play","user_id":1,"anonymous_id":[]}`, ReasonWrongType, "anonymous_id [] has the wrong type: give a string or an integer"},

		{`{` + good + `,"props":[]}`, ReasonWrongType, "props [] has the wrong type: give an object"},
		{`{` + good + `,"props":[],"props":{}}`, ReasonNone, ""},
		{`{` + good + `,"channel":1.5}`, ReasonWrongType, "channel 1.5 has the wrong type: give a string or an integer"},
		{`{` + good + `,"props":{"channel":true}}`, ReasonWrongType, "channel true has the wrong type: give a string or an integer"},
		{`{` + good + `,"props":{"channel":true},"channel":"x"}`, ReasonNone, ""},
		{`{` + good + `,"watch_ms":"5"}`, ReasonWrongType, `watch_ms "5" has the wrong type: give a whole number`},
		{`{` + good + `,"score":"5"}`, ReasonWrongType, `score "5" has the wrong type: give a number`},
		{`{` + good + `,"sentiment":false}`, ReasonWrongType, "sentiment false has the wrong type: give a text or a number"},
		{`{` + good + `,"completed":1}`, ReasonWrongType, "completed 1 has the wrong type: give true or false"},

		{`{` + good + `,"watch_ms":1.5}`, ReasonBadNumber, "watch_ms 1.5 is no whole number: round it"},
		{`{` + good + `,"amount_minor":9000000000001}`, ReasonBadNumber, "amount_minor 9000000000001 is out of bounds: give a whole number of at most 9000000000000"},
		{`{` + good + `,"amount_minor":-99999999999999999999}`, ReasonBadNumber, "amount_minor -99999999999999999999 is out of bounds: give a whole number of at most 9000000000000"},
		{`{` + good + `,"score":1e99}`, ReasonBadNumber, "score 1e99 is out of bounds: give a number of at most 9000000000000"},
		{`{` + good + `,"price":1e13}`, ReasonNone, ""},

		{`{` + good + `,"currency":"CNY"}`, ReasonNone, ""},
		{`{` + good + `,"currency":"XC\u0047"}`, ReasonNone, ""},
		{`{` + good + `,"currency":"DEM"}`, ReasonNone, ""},
		{`{` + good + `,"props":{"currency":null}}`, ReasonNone, ""},
		{`{` + good + `,"currency":"RMB"}`, ReasonBadCurrency, `currency "RMB" is no code of ISO 4217: give one in capitals, such as CNY`},
		{`{` + good + `,"currency":"cny"}`, ReasonBadCurrency, `currency "cny" is no code of ISO 4217: give one in capitals, such as CNY`},
		{`{` + good + `,"currency":""}`, ReasonBadCurrency, `currency "" is no code of ISO 4217: give one in capitals, such as CNY`},
		{`{` + good + `,"currency":156}`, ReasonBadCurrency, `currency 156 is no code of ISO 4217: give one in capitals, such as CNY`},
		{`{` + good + `,"props":{"currency":"gold"}}`, ReasonBadCurrency, `currency "gold" is no code of ISO 4217: give one in capitals, such as CNY`},
		{`{` + good + `,"amount_minor":5,"currency":"CNY"}`, ReasonNone, ""},
		{`{` + good + `,"amount_minor":5,"props":{"currency":"CNY"}}`, ReasonNone, ""},
		{`{` + good + `,"props":{"amount_minor":5},"currency":"CNY"}`, ReasonNone, ""},
		{`{` + good + `,"amount_minor":null}`, ReasonNone, ""},
		{`{` + good + `,"amount_minor":0}`, ReasonNoCurrency, "amount_minor 0 has no currency: give a code of ISO 4217 beside it, such as CNY, or set currency: CNY in the configuration for those without"},
		{`{` + good + `,"amount_minor":-5,"currency":null}`, ReasonNoCurrency, "amount_minor -5 has no currency: give a code of ISO 4217 beside it, such as CNY, or set currency: CNY in the configuration for those without"},
		{`{` + good + `,"props":{"amount_minor":7}}`, ReasonNoCurrency, "amount_minor 7 has no currency: give a code of ISO 4217 beside it, such as CNY, or set currency: CNY in the configuration for those without"},
		{`{` + good + `,"amount_minor":"5"}`, ReasonWrongType, `amount_minor "5" has the wrong type: give a whole number`},
		{`{` + good + `,"currency":1.5}`, ReasonWrongType, "currency 1.5 has the wrong type: give a code of ISO 4217"},
	}
	d := NewDecoder(catalogue, testKey)
	for _, tt := range tests {
		_, got, err := d.Check([]byte(tt.line))
		if got != tt.want || fmt.Sprint(err) != tt.err && (err != nil || tt.err != "") {
			t.Errorf("Check(%.100s) = %v, %v\nwant %v, %v", tt.line, got, err, tt.want, tt.err)
		}
		if ref := reference([]byte(tt.line), catalogue); ref.reason != tt.want {
			t.Errorf("reference(%.100s) = %v, want %v", tt.line, ref.reason, tt.want)
		}
		b := decode(t, catalogue, Raw{Data: []byte(tt.line), ContentType: "application/x-ndjson"})
		if b.Rows != 1 || b.Reason[0] != tt.want || string(b.Bytes(b.Line[0])) != tt.line {
			t.Errorf("Append(%.100s) = %v, %v rows", tt.line, b.Reason, b.Rows)
		}
	}
}

func TestCheckID(t *testing.T) {
	d := NewDecoder(catalogue, testKey)
	for line, want := range map[string]string{
		`{` + good + `}`:             "e1",
		`{"id":7,"time":1700000000}`: "7",
		`{"id":"\u0041"`:             "A",
		`{"time":1}`:                 "",
		`x`:                          "",
	} {
		if got, _, _ := d.Check([]byte(line)); got != want {
			t.Errorf("Check(%s) = %q, want %q", line, got, want)
		}
	}
	for _, line := range []string{"", "  ", "{" + good + "}\n{" + good + "}"} {
		if _, reason, err := d.Check([]byte(line)); reason != ReasonNotJSON || err == nil {
			t.Errorf("Check(%q) = %v, %v, want not_json", line, reason, err)
		}
	}
}

func TestMessages(t *testing.T) {
	event := `{` + good + `}`
	pretty := "{\n" + strings.ReplaceAll(good, ",", ",\n") + "\n}"
	ndjson := "application/x-ndjson; charset=utf-8"
	tests := []struct {
		name string
		m    Raw
		want []Reason
	}{
		{"one", Raw{Data: []byte(event)}, []Reason{0}},
		{"lines", Raw{Data: []byte(event + "\r\n\n  \n" + event + "\n")}, []Reason{0, 0}},
		{"a broken line", Raw{Data: []byte(event + "\n{\n" + event)}, []Reason{0, ReasonNotJSON, 0}},
		{"byte order mark", Raw{Data: []byte("\ufeff" + event)}, []Reason{0}},
		{"array", Raw{Data: []byte("[" + event + ",\n" + pretty + ", 7]\n")}, []Reason{0, 0, ReasonNotAnObject}},
		{"bad UTF-8 in an array", Raw{Data: []byte("[" + event + `,{"x":"` + "\xff" + `"}]`)}, []Reason{0, ReasonNotJSON}},
		{"empty array", Raw{Data: []byte("[ ]")}, []Reason{}},
		{"broken array", Raw{Data: []byte("[" + event + "," + event)}, []Reason{ReasonNotFramed}},
		{"array and more", Raw{Data: []byte("[" + event + "] x")}, []Reason{ReasonNotFramed}},
		{"array for a line", Raw{Data: []byte("[]\n" + event)}, []Reason{ReasonNotAnObject, 0}},
		{"lines by type", Raw{Data: []byte("[1]"), ContentType: ndjson}, []Reason{ReasonNotAnObject}},
		{"broken lines by type", Raw{Data: []byte("[\n\x00\n" + event), ContentType: ndjson}, []Reason{ReasonNotJSON, ReasonNotJSON, 0}},
		{"over lines", Raw{Data: []byte(pretty)}, []Reason{0}},
		{"empty", Raw{}, []Reason{ReasonNotFramed}},
		{"blank", Raw{Data: []byte(" \n ")}, []Reason{ReasonNotFramed}},
		{"text", Raw{Data: []byte("hello\nworld")}, []Reason{ReasonNotJSON, ReasonNotJSON}},
		{"binary", Raw{Data: []byte("\x89PNG\n\x00\x01")}, []Reason{ReasonBinary}},
		{"binary before events", Raw{Data: []byte("\x89PNG\x00\n" + event)}, []Reason{ReasonNotJSON, 0}},
		{"gzip", Raw{Data: compress(t, "gzip", event), ContentEncoding: "gzip"}, []Reason{0}},
		{"zstd", Raw{Data: compress(t, "zstd", event), ContentEncoding: "zstd"}, []Reason{0}},
		{"s2", Raw{Data: compress(t, "s2", event), ContentEncoding: "s2"}, []Reason{0}},
		{"s2 block", Raw{Data: s2.Encode(nil, []byte(event)), ContentEncoding: S2Block}, []Reason{0}},
		{"no gzip", Raw{Data: []byte(event), ContentEncoding: "gzip"}, []Reason{ReasonBadEncoding}},
		{"no zstd", Raw{Data: []byte(event), ContentEncoding: "zstd"}, []Reason{ReasonBadEncoding}},
		{"no s2", Raw{Data: []byte(event), ContentEncoding: "s2"}, []Reason{ReasonBadEncoding}},
		{"no s2 block", Raw{Data: []byte(event), ContentEncoding: S2Block}, []Reason{ReasonBadEncoding}},
		{"half an s2 block", Raw{Data: s2.Encode(nil, []byte(event))[:40], ContentEncoding: S2Block}, []Reason{ReasonBadEncoding}},
		{"half a gzip", Raw{Data: compress(t, "gzip", event)[:40], ContentEncoding: "gzip"}, []Reason{ReasonBadEncoding}},
		{"unknown", Raw{Data: []byte(event), ContentEncoding: "br"}, []Reason{ReasonBadEncoding}},
		{"bomb gzip", Raw{Data: compress(t, "gzip", strings.Repeat(" ", MaxMessage+1)), ContentEncoding: "gzip"}, []Reason{ReasonTooLarge}},
		{"bomb s2 block", Raw{Data: s2.Encode(nil, bytes.Repeat([]byte(" "), MaxMessage+1)), ContentEncoding: S2Block}, []Reason{ReasonTooLarge}},
		{"too many lines", Raw{Data: bytes.Repeat([]byte("1\n"), MaxRows+1)}, []Reason{ReasonTooLarge}},
		{"too many elements", Raw{Data: []byte("[1" + strings.Repeat(",1", MaxRows) + "]")}, []Reason{ReasonTooLarge}},
		{"bad tick", Raw{Data: []byte("x"), Tick: true}, []Reason{ReasonNotJSON}},
		{"null for a tick", Raw{Data: []byte("null"), Tick: true}, []Reason{ReasonNotAnObject}},
		{"tick that states a text", Raw{Data: []byte(`{"to":"noon"}`), Tick: true}, []Reason{ReasonMissingID}},
		{"tick with more in it", Raw{Data: []byte(`{"to":5,"type":"play"}`), Tick: true}, []Reason{ReasonMissingID}},
		{"events marked as a tick", Raw{Data: []byte("{" + good + "}\n{" + good + "}"), Tick: true}, []Reason{ReasonNone, ReasonNone}},
	}
	d := NewDecoder(catalogue, testKey)
	var b Batch
	b.Reset(catalogue)
	row := 0
	for i, tt := range tests {
		tt.m.Sequence, tt.m.Stamp = uint64(i), int64(i)
		d.Append(&b, tt.m)
		got := b.Reason[row:]
		if fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
		msg := b.Messages[i]
		if msg.Rows != len(tt.want) || msg.Sequence != uint64(i) || msg.Stamp != int64(i) || msg.Fingerprint != Fingerprint(tt.m) || msg.Tick != nil {
			t.Errorf("%s: message %+v", tt.name, msg)
		}
		for _, r := range got {
			if len(tt.want) == 1 && r != 0 && r < ReasonTooLarge && !bytes.Equal(b.Bytes(b.Line[row]), tt.m.Data) {
				t.Errorf("%s: line %q, want the message as it came", tt.name, b.Bytes(b.Line[row]))
			}
			if quarantined := b.Verdict[row] == Quarantined; quarantined != (r != 0) {
				t.Errorf("%s: verdict %v for %v", tt.name, b.Verdict[row], r)
			}
			row++
		}
		checkShape(t, &b, catalogue)
	}
}

func compress(t *testing.T, encoding, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w interface {
		Write([]byte) (int, error)
		Close() error
	}
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		w, _ = zstd.NewWriter(&out)
	case "s2":
		w = s2.NewWriter(&out)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTicks(t *testing.T) {
	for data, want := range map[string]Tick{"": {}, "{}": {}, `{"to":5}`: {To: 5}} {
		b := decode(t, catalogue, Raw{Data: []byte(data), Tick: true})
		if b.Rows != 0 || *b.Messages[0].Tick != want {
			t.Errorf("%s: got %d rows, tick %+v", data, b.Rows, b.Messages[0].Tick)
		}
	}
}

func TestColumns(t *testing.T) {
	s := Schema{Text: []string{"channel", "vertical", "flag"}, Number: []string{"watch_ms", "price", "vertical"}}
	b := decode(t, s, Raw{Data: []byte(`[{` + good + `,"channel":"\ud83d\ude00\ud800\n","flag":true,"watch_ms":1.2e1,"props":{"price":-0.1234567,"channel":"no","vertical":"7"}},
		{` + good + `,"channel":null,"props":{"channel":12,"vertical":{},"price":"3"}},7]`)})
	want := [][]string{{"😀\ufffd\n", "12", ""}, {"7", "", ""}, {"true", "", ""}}
	for c, column := range want {
		for row, text := range column {
			got := b.Text[c]
			if string(b.Bytes(got.Span[row])) != text || got.Hash[row] != 0 && got.Hash[row] != testKey.Text([]byte(text)) || (got.Hash[row] == 0) != (text == "") {
				t.Errorf("text %d of row %d: got %q, want %q", c, row, b.Bytes(got.Span[row]), text)
			}
		}
	}
	if got, want := fmt.Sprint(b.Number), fmt.Sprint([][]int64{{12, Missing, Missing}, {-123456, Missing, Missing}, {Missing, Missing, Missing}}); got != want {
		t.Errorf("numbers %v, want %v", got, want)
	}
	if b.User[0] != testKey.User([]byte("u1")) || b.ID[0] != testKey.Event(b.User[0], []byte("e1")) || b.Time[0] != 1795312800123 {
		t.Errorf("row 0: user %x, id %x, time %d", b.User[0], b.ID[0], b.Time[0])
	}
}

// checkShape fails if the columns and messages of a batch do not agree.
func checkShape(t *testing.T, b *Batch, s Schema) {
	t.Helper()
	rows := 0
	for _, m := range b.Messages {
		rows += m.Rows
	}
	lengths := []int{rows, len(b.Time), len(b.User), len(b.ID), len(b.Verdict), len(b.Reason), len(b.Line)}
	for _, c := range b.Text {
		lengths = append(lengths, len(c.Hash), len(c.Span))
		for _, span := range c.Span {
			_ = b.Bytes(span)
		}
	}
	for _, c := range b.Number {
		lengths = append(lengths, len(c))
	}
	for _, n := range lengths {
		if n != b.Rows || len(b.Text) != len(s.Text) || len(b.Number) != len(s.Number) {
			t.Fatalf("batch of %d rows has columns of %v", b.Rows, lengths)
		}
	}
}

// compare fails unless a row is what the reference reads.
func compare(t *testing.T, b *Batch, row int, s Schema) {
	t.Helper()
	line := b.Bytes(b.Line[row])
	want := reference(line, s)
	if got := b.Reason[row]; got != want.reason {
		t.Fatalf("%s\ngot %v, want %v", line, got, want.reason)
	}
	var user uint64
	var id Key
	if want.reason == ReasonNone {
		if want.user != "" {
			user = testKey.User([]byte(want.user))
		} else if want.anonymous != "" {
			user = testKey.Anonymous([]byte(want.anonymous))
		}
		id = testKey.Event(user, []byte(want.id))
	}
	if b.Time[row] != want.time || b.User[row] != user || b.ID[row] != id {
		t.Fatalf("%s\ngot time %d, user %x, id %x\nwant %+v", line, b.Time[row], b.User[row], b.ID[row], want)
	}
	for c, name := range s.Text {
		text, ok := want.texts[name]
		var hash uint64
		if ok {
			hash = testKey.Text([]byte(text))
		}
		if got := string(b.Bytes(b.Text[c].Span[row])); got != text || b.Text[c].Hash[row] != hash {
			t.Fatalf("%s\n%s: got %q, want %q (%v)", line, name, got, text, ok)
		}
	}
	for c, name := range s.Number {
		number, ok := want.numbers[name]
		if !ok {
			number = Missing
		}
		if got := b.Number[c][row]; got != number {
			t.Fatalf("%s\n%s: got %d, want %d", line, name, got, number)
		}
	}
}

func TestAgainstReference(t *testing.T) {
	for _, s := range []Schema{catalogue, wide, inYen} {
		d := NewDecoder(s, testKey)
		var b Batch
		seen := map[Reason]int{}
		for seed := range uint64(3200) {
			r := rand.New(rand.NewPCG(seed, 0))
			var body bytes.Buffer
			for range 1 + r.IntN(10) {
				body.Write(mutate(r, oddEvent(r, s)))
				body.WriteByte('\n')
			}
			b.Reset(s)
			d.Append(&b, Raw{Data: body.Bytes(), ContentType: "application/x-ndjson"})
			checkShape(t, &b, s)
			for row := range b.Rows {
				seen[b.Reason[row]]++
				compare(t, &b, row, s)
			}
		}
		for r := ReasonNotJSON; r < reasons; r++ {
			if r != ReasonNotAnObject && seen[r] == 0 && (r != ReasonNoCurrency || s.Currency == "") {
				t.Errorf("no event was %v: %v", r, seen)
			}
		}
		if seen[ReasonNone] < 2000 {
			t.Errorf("only %d good events", seen[ReasonNone])
		}
	}
}

// mutate breaks one event in five at a byte.
func mutate(r *rand.Rand, event []byte) []byte {
	if r.IntN(5) == 0 {
		at := r.IntN(len(event))
		event[at] = "\"\\{}[]:,0.eE+-tnu \x00\xff"[r.IntN(20)]
	}
	return bytes.ReplaceAll(event, []byte("\n"), []byte(" "))
}

// oddEvent writes an event in which anything may stand where it should not.
func oddEvent(r *rand.Rand, s Schema) []byte {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	text := func() string {
		return pick(`"a"`, `""`, `"douyin"`, `"exactly8"`, `"exactly_sixteen_"`, `"抖音"`, `"a\u0041\n\"\\\/"`, `"\ud83d\ude00"`, `"\ud83d"`,
			`"\ud83dx\ude00"`, `"\u0000"`, `"x\ud800\u0041"`, `"`+strings.Repeat("y", r.IntN(300))+`"`, fmt.Sprint(r.Int64N(1e6)), `"true"`)
	}
	number := func() string {
		return pick("0", "-0", "1", fmt.Sprint(r.Int64()), fmt.Sprint(-r.Int64N(1e14)), "0.1", "-0.0000019", "1.50", "12e2", "1.25E-1", "1e13", "0e99",
			"9000000000000", "9000000000001", "9000000000000.0000001", "-9000000000000.0", "123456789012345678901234", "0.00000000000000000000000001e26", fmt.Sprint(r.ExpFloat64()*1000))
	}
	anything := func() string {
		return pick(text(), number(), "true", "false", "null", "{}", "[]", `{"a":[1,{"b":null}]}`, `[ 1 , "x" ]`)
	}
	clock := func() string {
		t := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", 1968+r.IntN(142), 1+r.IntN(12), 1+r.IntN(31), r.IntN(24), r.IntN(60), r.IntN(61))
		return pick(`"`+t+`Z"`, `"`+t+`.5+08:00"`, `"`+t+`.123456789-03:30"`, `"2026-02-28T23:59:59.9999Z"`, `"2024-02-29T00:00:00+23:59"`, `"`+t+`.Z"`, `"`+t+`"`,
			`"2100-02-29T00:00:00Z"`, fmt.Sprint(1.7e12+r.Int64N(1e11)), fmt.Sprint(1.7e9), "99999999999", "100000000000", "1e12", "-5")
	}
	names := append(append(append([]string{"time", "vertical", "completed", "sentiment", "score", "price"}, s.Text...), s.Number...),
		"session_id", "order_id", "response_ms", "props", "unknown", `\u0063hannel`, "")
	var members []string
	add := func(list *[]string, name, value string) {
		space := pick("", "", "", " ", "\t", " \r ")
		*list = append(*list, space+`"`+name+`"`+pick("", "", space)+":"+pick("", "", space)+value+pick("", "", space))
	}
	likely := func() bool { return r.IntN(30) > 0 }
	if likely() {
		add(&members, "id", pick(text(), number(), `"e`+number()+`"`))
	}
	if likely() {
		add(&members, "time", pick(clock(), "1763776800000", `"2026-11-22T10:00:00.123+08:00"`, `"2026-11-22T10:00:01.123Z"`))
	}
	if likely() {
		add(&members, "type", pick(`"play"`, `"ad_cost"`, `"settle"`, `"identify"`, text()))
	}
	if likely() {
		none := pick(`"NULL"`, `0`, `"\u0030"`, `" \t"`, `"undefined"`, `"None"`, `"　"`, `"00000000-0000-0000-0000-000000000000"`, `"00"`)
		add(&members, pick("user_id", "anonymous_id"), pick(text(), text(), text(), text(), none))
	}
	add(&members, pick("user_id", "anonymous_id", "x"), pick(text(), "null"))
	for range r.IntN(4) {
		name := names[r.IntN(len(names))]
		add(&members, name, pick(text(), number(), anything()))
	}
	for range r.IntN(3) {
		add(&members, pick("channel", "region", "device", "content_id"), text())
		add(&members, pick("watch_ms", "duration_ms", "amount_minor"), fmt.Sprint(r.IntN(1e6)))
		add(&members, "currency", pick(`"CNY"`, `"USD"`, `"usd"`))
	}
	if r.IntN(2) == 0 {
		var props []string
		for range r.IntN(4) {
			add(&props, names[r.IntN(len(names))], pick(text(), number(), anything()))
		}
		add(&members, "props", "{"+strings.Join(props, ",")+"}")
	}
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return []byte("{" + strings.Join(members, ",") + "}")
}

// The slots of the envelope are those fields of the table that make an event
// one; the others are checked by what they hold.
func TestFieldsAreKnown(t *testing.T) {
	fields := fieldsOf(Schema{})
	if len(fields) != len(kpi.Fields)+1 {
		t.Errorf("%d slots for %d fields", len(fields), len(kpi.Fields))
	}
	for _, f := range kpi.Fields {
		slot := slices.IndexFunc(fields, func(o field) bool { return o.name == f.Name })
		if slot < 0 || (slot < slotFields) != f.Envelope || !f.Envelope && fields[slot].kind != f.Kind {
			t.Errorf("%+v has slot %d", f, slot)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	messages := benchMessages(20, 100)
	d := NewDecoder(catalogue, testKey)
	var b Batch
	run := func() {
		b.Reset(catalogue)
		for _, m := range messages {
			d.Append(&b, Raw{Data: m})
		}
	}
	run()
	if got := testing.AllocsPerRun(20, run); got != 0 {
		t.Errorf("%v allocations for %d events, want none", got, b.Rows)
	}
	for row := range b.Rows {
		compare(t, &b, row, catalogue)
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		f.Add(oddEvent(r, catalogue))
	}
	for _, seed := range []string{"", "[]", "[{}]", "{\n\"id\":1\n}", "[1]\n{}", "{}\n{}\n", `{"` + good + `"}`} {
		f.Add([]byte(seed))
	}
	d, probe := NewDecoder(catalogue, testKey), NewChecker(catalogue, testKey)
	f.Fuzz(func(t *testing.T, data []byte) {
		var b Batch
		b.Reset(catalogue)
		d.Append(&b, Raw{Data: data})
		checkShape(t, &b, catalogue)
		before := b.Rows
		d.Append(&b, Raw{Data: data, ContentType: "application/x-ndjson"})
		checkShape(t, &b, catalogue)
		for row := before; row < b.Rows; row++ {
			line := b.Bytes(b.Line[row])
			if b.Reason[row] == ReasonNotFramed {
				continue
			}
			compare(t, &b, row, catalogue)
			if _, reason, err := probe.Check(line); reason != b.Reason[row] || (err == nil) != (reason == ReasonNone) {
				t.Fatalf("Check(%q) = %v, %v; Append says %v", line, reason, err, b.Reason[row])
			}
		}
		body, err := probe.Judge(bytes.Clone(data))
		if framed := before != 1 || b.Reason[0] == 0 || b.Reason[0] > ReasonNotFramed; framed != (err == nil) || framed && len(body.Lines) != before {
			t.Fatalf("Judge(%q) = %q, %v; Append says %v", data, body.Text, err, b.Reason[:before])
		}
		// What goes into the stream reads the same there.
		published := b.Rows
		if len(body.Lines) > 0 {
			d.Append(&b, Raw{Data: body.Text, ContentType: "application/x-ndjson"})
		}
		if b.Rows-published != len(body.Lines) {
			t.Fatalf("Judge(%q) = %q: %d events, %d in the message", data, body.Text, len(body.Lines), b.Rows-published)
		}
		for i, reason := range body.Reasons {
			if reason != b.Reason[i] || reason != b.Reason[published+i] {
				t.Fatalf("Judge(%q): %v; in the message %v", body.Line(i), reason, b.Reason[i])
			}
			if _, again, _ := probe.Check(body.Line(i)); again != reason {
				t.Fatalf("Check(%q) = %v; in the message %v", body.Line(i), again, reason)
			}
		}
	})
}
