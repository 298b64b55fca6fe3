package robot

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts/reason"
)

// dingtalk is a custom robot of DingTalk
// (https://open.dingtalk.com/document/robots/custom-robot-access).
type dingtalk struct{}

func (dingtalk) String() string { return "DingTalk" }

// limits: 20 messages a minute, else it is deaf for ten, bodies of 20,000 bytes.
func (dingtalk) limits() Limits {
	return Limits{Burst: 10, Every: 6 * time.Second, Text: 16_000, Pause: time.Minute}
}

func (dingtalk) size(text string) int { return inJSON(text) }

func (dingtalk) escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_[]#<>~|!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (dingtalk) newline() string { return "\n\n" }

// title: its markdown has no colours.
func (dingtalk) title(escaped string, firing bool) string {
	if firing {
		return "### 🔴 " + escaped
	}
	return "### 🟢 " + escaped
}

// mention: who is in at is mentioned where the text names him.
func (dingtalk) mention(r *Robot) string {
	var out []string
	for _, id := range r.Mention {
		out = append(out, "@"+id)
	}
	return strings.Join(out, " ")
}

type dingtalkBody struct {
	Type     string            `json:"msgtype"`
	Markdown map[string]string `json:"markdown"`
	At       dingtalkAt        `json:"at"`
}

type dingtalkAt struct {
	Mobiles []string `json:"atMobiles,omitempty"`
	Users   []string `json:"atUserIds,omitempty"`
	All     bool     `json:"isAtAll"`
}

// mobile is a number of China, or one with its country.
var mobile = regexp.MustCompile(`^(1\d{10}|\+\d[\d-]+)$`)

func (dingtalk) sign(secret string, at time.Time) signature {
	timestamp := strconv.FormatInt(at.UnixMilli(), 10)
	return signature{timestamp: timestamp, sign: hmac256(secret, timestamp+"\n"+secret), inQuery: true}
}

func (dingtalk) body(t text, r *Robot, _ signature) any {
	b := dingtalkBody{Type: "markdown", Markdown: map[string]string{"title": t.title, "text": t.body}}
	if t.firing {
		b.At.All = r.MentionAll
		for _, id := range r.Mention {
			if mobile.MatchString(id) {
				b.At.Mobiles = append(b.At.Mobiles, id)
			} else {
				b.At.Users = append(b.At.Users, id)
			}
		}
	}
	return b
}

func (dingtalk) faults() map[int]fault {
	return map[int]fault{
		-1:     {kind: busy},
		130101: {kind: limited},
		410100: {kind: limited},
		300001: {kind: robot, remedy: reason.WrongURL.Alone()},
		310000: {kind: robot, remedy: reason.WrongSecurity.Of(keyWord)},
		400013: {kind: robot, remedy: reason.NoGroup.Alone()},
		400101: {kind: robot, remedy: reason.WrongURL.Alone()},
		400102: {kind: robot, remedy: reason.Disabled.Alone()},
		400106: {kind: robot, remedy: reason.Removed.Alone()},
	}
}
