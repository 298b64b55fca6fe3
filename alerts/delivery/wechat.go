package delivery

import (
	"fmt"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"

	"github.com/tidewatch/tidewatch/alerts/delivery/message"
)

// mostWeChat is how many bytes WeChat takes as the text of a message.
const mostWeChat = 2048

// fitting is a configuration whose message is cut to what its receiver takes.
func fitting(c any) any {
	wechat, ok := c.(*config.WechatConfig)
	if !ok {
		return c
	}
	cut := *wechat
	cut.Message = fmt.Sprintf("{{ cut %d %q . }}", mostWeChat, wechat.Message)
	return &cut
}

// cut is a text about alerts of no more than so many bytes: if it is longer, it ends with a line
// or so, and says of how many alerts it was, and where they are.
func cut(whole string, most int, about *template.Data, l message.Language) string {
	if len(whole) <= most {
		return whole
	}
	link := about.ExternalURL
	if len(about.Alerts) == 1 {
		link = about.Alerts[0].GeneratorURL
	}
	note := "…\n" + message.CutNote(l, len(about.Alerts)) + "\n" + link
	short := strings.ToValidUTF8(whole[:max(0, most-len(note))], "")
	if end := strings.LastIndexByte(short, '\n'); end > len(short)/2 {
		short = strings.TrimSpace(short[:end]) + "\n"
	}
	return short + note
}
