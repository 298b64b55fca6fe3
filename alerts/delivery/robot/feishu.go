package robot

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts/reason"
)

// feishu is a custom bot of Feishu or Lark, as its guide has it
// (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot).
type feishu struct{}

func (feishu) String() string { return "Feishu" }

// limits: 100 messages a minute and 5 a second, bodies of 20 KB.
func (feishu) limits() Limits {
	return Limits{Burst: 4, Every: time.Second, Text: 16_000, Pause: 10 * time.Second}
}

// feishuSpecial are the characters that its cards take for markup. They are written as
// entities of HTML (.../feishu-cards/card-components/content-components/rich-text).
const feishuSpecial = "&<>*~_`[]()#:+-!\\\"'$|"

func (feishu) size(text string) int { return inJSON(text) }

func (feishu) escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(feishuSpecial, r) {
			fmt.Fprintf(&b, "&#%d;", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (feishu) newline() string { return "\n" }

// title: it stands in the card's header, which has the colour.
func (feishu) title(string, bool) string { return "" }

func (feishu) mention(r *Robot) string {
	var out []string
	for _, id := range r.Mention {
		out = append(out, "<at id="+id+"></at>")
	}
	if r.MentionAll {
		out = append(out, "<at id=all></at>")
	}
	return strings.Join(out, " ")
}

type feishuBody struct {
	Timestamp string     `json:"timestamp,omitempty"`
	Sign      string     `json:"sign,omitempty"`
	Type      string     `json:"msg_type"`
	Card      feishuCard `json:"card"`
}

type feishuCard struct {
	Config   map[string]bool `json:"config"`
	Header   feishuHeader    `json:"header"`
	Elements []feishuText    `json:"elements"`
}

type feishuHeader struct {
	Title    feishuText `json:"title"`
	Template string     `json:"template"` // the colour
}

type feishuText struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

// sign: the secret is in the key, and what is signed is empty.
func (feishu) sign(secret string, at time.Time) signature {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	return signature{timestamp: timestamp, sign: hmac256(timestamp+"\n"+secret, "")}
}

func (feishu) body(t text, _ *Robot, s signature) any {
	colour := "green"
	if t.firing {
		colour = "red"
	}
	return feishuBody{Timestamp: s.timestamp, Sign: s.sign, Type: "interactive", Card: feishuCard{
		Config:   map[string]bool{"wide_screen_mode": true},
		Header:   feishuHeader{feishuText{"plain_text", t.title}, colour},
		Elements: []feishuText{{"markdown", t.body}},
	}}
}

func (feishu) faults() map[int]fault {
	return map[int]fault{
		9499:  {kind: content, ifSays: "too many", then: limited}, // a bad request, too
		11232: {kind: limited},
		19001: {kind: robot, remedy: reason.WrongURL.Alone()},
		19021: {kind: robot, remedy: reason.WrongSecret.Alone()},
		19022: {kind: robot, remedy: reason.NotAllowed.Alone()},
		19024: {kind: robot, remedy: reason.NoKeyWord.Of(keyWord)},
	}
}
