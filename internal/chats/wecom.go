package chats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"
	"unicode/utf8"
)

type wecom struct{}

func (wecom) address(key string) string { return "/cgi-bin/webhook/send?key=" + key }

func (wecom) token(r *http.Request) string { return r.URL.Query().Get("key") }

func (wecom) took() any { return said{"errcode": 0, "errmsg": "ok"} }

func (wecom) unknown() any { return hint(93000, "invalid webhook url") }

func (wecom) unsigned() any { return nil }

func (wecom) signed(string, string, string, time.Time) bool { return true }

func (wecom) tooMany() (int, any) { return http.StatusOK, hint(45009, "api freq out of limit") }

func (wecom) spans() []span { return []span{{20, time.Minute}} }

func (wecom) deafness() time.Duration { return 0 }

// hint is an error with what it has behind it.
func hint(code int, text string) said {
	return said{"errcode": code, "errmsg": fmt.Sprintf("%s, hint: [1755605200056773468916791], from ip: 192.0.2.1, more info at https://open.work.weixin.qq.com/devtool/query?e=%d", text, code)}
}

var (
	fontTag   = regexp.MustCompile(`^### <font color="(info|comment|warning)">(.*)</font>\n`)
	memberTag = regexp.MustCompile(`<@([\w.@-]+)>`)
)

func (wecom) read(_ *http.Request, body []byte) (m Message, timestamp, sign string, problem any) {
	var b struct {
		Type     string                   `json:"msgtype"`
		Markdown struct{ Content string } `json:"markdown"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	switch {
	case d.Decode(&b) != nil || b.Type != "markdown":
		return m, "", "", hint(40008, "invalid message type")
	case len(b.Markdown.Content) > 4096:
		return m, "", "", hint(40058, "markdown.content exceed max length 4096. invalid Request Parameter")
	case b.Markdown.Content == "" || !utf8.ValidString(b.Markdown.Content):
		return m, "", "", hint(44004, "empty content")
	}
	m.Text = b.Markdown.Content
	if head := fontTag.FindStringSubmatch(m.Text); head != nil {
		m.Colour, m.Title = head[1], head[2]
	}
	for _, at := range memberTag.FindAllStringSubmatch(m.Text, -1) {
		m.Mentioned = append(m.Mentioned, at[1])
	}
	return m, "", "", nil
}
