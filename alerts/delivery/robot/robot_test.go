package robot

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/kpi"
)

var update = flag.Bool("update", false, "write the messages of testdata anew")

var at = time.Date(2026, 11, 23, 3, 2, 48, 0, time.UTC)

// notification is one with everything that a message can have, and with texts that would
// break any markup.
func notification(status alerts.State) *alerts.Notification {
	n := &alerts.Notification{
		Rule: "CompletionLow", Status: status,
		Labels: map[string]string{"alertname": "CompletionLow", "by": "channel", "channel": "a_b*c*[d](http://e) <@all> `f`", "severity": "page", "window": "5m"},
		Annotations: map[string]string{
			"summary": "Completion on douyin is 12%\n# no heading", "description": "Look at playback errors & at what was just released.",
			"value": "0.12", "n": "100", "comparison": "<", "threshold": "0.2", "window": "5m", "low": "0.07", "high": "0.1981", "confidence": "0.95",
			"link": "http://tide.example/?at=2026-11-23T03%3A02%3A48.000Z&kpi=completion_rate", "runbook_url": "https://wiki.example/low_(video)",
		},
		Subject:  &alerts.Subject{KPI: "completion_rate", Title: kpi.Text{EN: "Completion rate", ZH: "完播率"}, Unit: kpi.UnitPercent},
		ActiveAt: at.Add(-2 * time.Minute), StartsAt: at, WindowEnd: at.UnixMilli(), ExternalURL: "http://tide.example",
	}
	if status == alerts.Resolved {
		n.EndsAt = at.Add(11 * time.Minute)
		n.WindowEnd = n.EndsAt.UnixMilli()
		n.Annotations["value"] = "0.31"
	}
	return n
}

var people = map[Kind][]string{Feishu: {"ou_18eac8", "7c5e"}, DingTalk: {"13800000000", "manager42"}, WeCom: {"wangqing"}}

// What each robot is sent, in both languages, as it stands in testdata.
func TestMessages(t *testing.T) {
	firing, resolved := notification(alerts.Firing), notification(alerts.Resolved)
	for _, kind := range Kinds {
		for _, l := range []message.Language{message.Chinese, message.English} {
			for name, ns := range map[string][]*alerts.Notification{"firing": {firing}, "resolved": {resolved}, "digest": {firing, resolved, firing}, "group": {firing, resolved}} {
				t.Run(fmt.Sprint(kind, l, name), func(t *testing.T) {
					r := &Robot{Kind: kind, Language: l, Mention: people[kind], MentionAll: kind != WeCom}
					now := time.UnixMilli(ns[0].WindowEnd).Add(3 * time.Second).In(time.FixedZone("", 8*3600))
					post := r.Post
					if name == "group" {
						post = r.PostGroup
					}
					p, err := post(ns, "demo", now)
					if err != nil {
						t.Fatal(err)
					}
					var got bytes.Buffer
					if err := json.Indent(&got, p.Body, "", "  "); err != nil {
						t.Fatal(err)
					}
					got.WriteString("\n")
					golden := filepath.Join("testdata", fmt.Sprintf("%s.%s.%s.json", kind, l, name))
					if *update {
						if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					want, err := os.ReadFile(golden)
					if err != nil {
						t.Fatal(err)
					}
					if got.String() != string(want) {
						t.Errorf("got:\n%s\nwant:\n%s", &got, want)
					}
				})
			}
		}
	}
}

// The signatures are those of openssl.
func TestSignatures(t *testing.T) {
	now := time.UnixMilli(1599360473123)
	for _, c := range []struct {
		kind            Kind
		timestamp, sign string
	}{
		{Feishu, "1599360473", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="},
		{DingTalk, "1599360473123", "0J6xGKLhx+jIpP1BwsRs0opst0w681fQH+htOt7t+3Q="},
		{WeCom, "", ""},
	} {
		p, err := (&Robot{Kind: c.kind, Language: message.Chinese}).Post([]*alerts.Notification{notification(alerts.Firing)}, "demo", now)
		if err != nil {
			t.Fatal(err)
		}
		timestamp, sign := p.Query.Get("timestamp"), p.Query.Get("sign")
		if c.kind == Feishu {
			var b feishuBody
			if err := json.Unmarshal(p.Body, &b); err != nil {
				t.Fatal(err)
			}
			timestamp, sign = b.Timestamp, b.Sign
		}
		if timestamp != c.timestamp || sign != c.sign || p.Sign != c.sign {
			t.Errorf("%s: %s signed %s, want %s signed %s", c.kind, timestamp, sign, c.timestamp, c.sign)
		}
		unsigned, err := (&Robot{Kind: c.kind, Language: message.Chinese}).Post([]*alerts.Notification{notification(alerts.Firing)}, "", now)
		if err != nil || len(unsigned.Query) > 0 || unsigned.Sign != "" || strings.Contains(string(unsigned.Body), "timestamp") {
			t.Errorf("%s: unsigned %v %v", c.kind, unsigned.Query, err)
		}
	}
}

// However long its texts are, a message is within the robot's limit, is valid, says that
// it was cut, and still has its links and mentions.
func TestLongTexts(t *testing.T) {
	for _, kind := range Kinds {
		for _, unit := range []string{"x", "长", "*", "<", "\\", "😀", "&", "a\xffb"} {
			for _, size := range []int{100, 3000, 20_000} {
				n := notification(alerts.Firing)
				text := strings.Repeat(unit, size)
				n.Rule = text
				for _, key := range []string{"summary", "description", "expr", "value", "threshold", "window"} {
					n.Annotations[key] = text
				}
				for i := range 100 {
					n.Labels[fmt.Sprint("label", i)] = text[:min(len(text), 3000)]
				}
				n.Subject.Title.ZH = text
				r := &Robot{Kind: kind, Language: message.Chinese, Mention: people[kind]}
				for len(r.Mention) < 20 {
					r.Mention = append(r.Mention, strings.Repeat("m", 64))
				}
				for _, ns := range [][]*alerts.Notification{{n}, {n, n, n}} {
					p, err := r.Post(ns[:r.Together(ns)], "demo", at)
					if err != nil {
						t.Fatal(err)
					}
					var content string
					switch kind {
					case Feishu:
						var b feishuBody
						err = json.Unmarshal(p.Body, &b)
						content = b.Card.Elements[0].Content
					case DingTalk:
						var b dingtalkBody
						err = json.Unmarshal(p.Body, &b)
						content = b.Markdown["text"]
					case WeCom:
						var b wecomBody
						err = json.Unmarshal(p.Body, &b)
						content = b.Markdown["content"]
					}
					if err != nil || !utf8.Valid(p.Body) || strings.Contains(content, "�") {
						t.Errorf("%s %q %d: body %.200s, %v", kind, unit, size, p.Body, err)
					}
					if most := map[Kind]int{Feishu: 20_000, DingTalk: 20_000, WeCom: 1 << 30}[kind]; len(p.Body) > most || protocols[kind].size(content) > r.Limits().Text {
						t.Errorf("%s %q %d: %d bytes, text of %d", kind, unit, size, len(p.Body), protocols[kind].size(content))
					}
					if !strings.Contains(content, "http://tide.example") || !strings.Contains(content, people[kind][0]) || len(ns) == 1 && size > 3000 && !strings.Contains(content, "已截断") {
						t.Errorf("%s %q %d: text\n%s", kind, unit, size, content)
					}
				}
			}
		}
	}
}

// A digest names as many as fit, and says so.
func TestTogether(t *testing.T) {
	for _, kind := range Kinds {
		var ns []*alerts.Notification
		for i := range 300 {
			n := notification(alerts.Firing)
			n.Rule = fmt.Sprintf("Rule%03d.", i)
			ns = append(ns, n)
		}
		r := &Robot{Kind: kind, Language: message.Chinese}
		took := r.Together(ns)
		p, err := r.Post(ns[:took], "", at)
		if err != nil {
			t.Fatal(err)
		}
		if took < 10 || took == len(ns) || protocols[kind].size(r.digest(message.DigestOf(ns[:took+1], r.Language)).body) <= r.Limits().Text {
			t.Errorf("%s: %d together", kind, took)
		}
		for i := range took {
			if !strings.Contains(string(p.Body), fmt.Sprintf("Rule%03d.", i)) {
				t.Errorf("%s: number %d of %d is not named", kind, i, took)
			}
		}
	}
}

// A group that is too large for all that is known has short lines, and says how many are left
// out.
func TestLargeGroup(t *testing.T) {
	for _, kind := range Kinds {
		var ns []*alerts.Notification
		for range 300 {
			ns = append(ns, notification(alerts.Firing))
		}
		r := &Robot{Kind: kind, Language: message.English}
		for _, c := range []struct {
			size          int
			runbook, more bool
		}{{2, true, false}, {300, false, true}} {
			group := r.group(ns[:c.size], at)
			text := group.body
			if want := fmt.Sprint("Tidewatch: ", c.size, " firing · "); !strings.HasPrefix(group.title, want) {
				t.Errorf("%s: titled %s, want %s", kind, group.title, want)
			}
			if got := strings.Contains(text, "wiki.example"); got != c.runbook {
				t.Errorf("%s %d: leads to the runbook: %v", kind, c.size, got)
			}
			if got := strings.Contains(text, " more are not named"); got != c.more || protocols[kind].size(text) > r.Limits().Text {
				t.Errorf("%s %d: %d bytes, leaves some out: %v", kind, c.size, protocols[kind].size(text), got)
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		answer string
		took   bool
		want   string // the error, with what follows from it
	}{
		{Feishu, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, true, ""},
		{Feishu, `{"StatusCode":0,"StatusMessage":"success"}`, true, ""},
		{Feishu, `{"Extra":null,"StatusCode":19021,"StatusMessage":"sign match fail"}`, false, "Feishu answered 19021 (sign match fail): correct the secret, or this machine's clock refused"},
		{Feishu, `{"code":19024,"msg":"Key Words Not Found"}`, false, "Feishu answered 19024 (Key Words Not Found): give the robot the key word Tidewatch, which all messages have refused"},
		{Feishu, `{"code":9499,"msg":"Bad Request","data":{}}`, false, "Feishu answered 9499 (Bad Request) refused for what it says"},
		{Feishu, `{"code":9499,"msg":"too many request","data":{}}`, false, "Feishu answered 9499 (too many request) pause 10s"},
		{Feishu, `{"code":11232,"msg":"frequency limited"}`, false, "Feishu answered 11232 (frequency limited) pause 10s"},
		{Feishu, `{"errcode":0}`, false, ""},
		{DingTalk, `{"errcode":0,"errmsg":"ok"}`, true, ""},
		{DingTalk, `{"errcode":-1,"errmsg":"系统繁忙"}`, false, "DingTalk answered -1 (系统繁忙)"},
		{DingTalk, `{"status":1111,"wait":5,"errcode": 130101,"errmsg": "send too fast, exceed 20 times per minute"}`, false, "DingTalk answered 130101 (send too fast, exceed 20 times per minute) pause 1m0s"},
		{DingTalk, `{"errcode":430102,"errmsg":"inappropriate text"}`, false, "DingTalk answered 430102 (inappropriate text) refused for what it says"},
		{DingTalk, `{"errcode":400102}`, false, "DingTalk answered 400102: have the robot enabled refused"},
		{WeCom, `{"errcode":0,"errmsg":"ok"}`, true, ""},
		{WeCom, `{"errcode":93000,"errmsg":"invalid webhook url"}`, false, "WeCom answered 93000 (invalid webhook url): correct the url refused"},
		{WeCom, `{"errcode":45009,"errmsg":"api freq out of limit"}`, false, "WeCom answered 45009 (api freq out of limit) pause 1m0s"},
		{WeCom, `{"errcode":45033,"errmsg":"api concurrent out of limit"}`, false, "WeCom answered 45033 (api concurrent out of limit)"},
		{WeCom, `{"code":0}`, false, ""},
		{WeCom, `<html>Sign in</html>`, false, ""},
		{WeCom, ``, false, ""},
		{WeCom, `[]`, false, ""},
	} {
		took, err := (&Robot{Kind: c.kind}).Read([]byte(c.answer))
		got := ""
		if f, ok := err.(*Fault); ok { //nolint:errorlint // no other error is there
			got = f.Error()
			if f.Refused {
				got += " refused"
			}
			if f.Content {
				got += " for what it says"
			}
			if f.Pause > 0 {
				got += " pause " + f.Pause.String()
			}
		}
		if took != c.took || got != c.want {
			t.Errorf("%s %s: took %v, %q, want %q", c.kind, c.answer, took, got, c.want)
		}
	}
}

// What a robot answered is known by codes, through what wraps it.
func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		kind         Kind
		answer, want string
	}{
		{Feishu, `{"code":19024,"msg":"Key Words Not Found"}`, "robot_explained map[error:Key Words Not Found robot:Feishu status:19024] no_key_word map[word:Tidewatch]"},
		{DingTalk, `{"errcode":400102}`, "robot map[robot:DingTalk status:400102] disabled map[]"},
		{WeCom, `{"errcode":45033,"errmsg":"busy"}`, "robot_explained map[error:busy robot:WeCom status:45033]"},
	} {
		_, err := (&Robot{Kind: tt.kind}).Read([]byte(tt.answer))
		var got []string
		for _, r := range reason.Of(fmt.Errorf("send: %w", err)) {
			got = append(got, fmt.Sprint(r.Code, " ", r.Args))
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("got %s, want %s", text, tt.want)
		}
	}
}
