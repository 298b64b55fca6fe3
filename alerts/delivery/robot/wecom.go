package robot

import (
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts/reason"
)

// wecom is a group robot of WeCom (https://developer.work.weixin.qq.com/document/path/91770).
type wecom struct{}

func (wecom) String() string { return "WeCom" }

// limits: 20 messages a minute, markdown of 4,096 bytes.
func (wecom) limits() Limits {
	return Limits{Burst: 10, Every: 6 * time.Second, Text: 4096, Pause: time.Minute}
}

func (wecom) size(text string) int { return len(text) }

// lookalike: its markdown has no escapes.
var lookalike = strings.NewReplacer("<", "＜", ">", "＞", "*", "＊", "[", "［", "]", "］", "`", "｀")

func (wecom) escape(s string) string { return lookalike.Replace(s) }

func (wecom) newline() string { return "\n" }

// title: warning is the nearest to red that there is, info is green.
func (wecom) title(escaped string, firing bool) string {
	colour := "info"
	if firing {
		colour = "warning"
	}
	return `### <font color="` + colour + `">` + escaped + "</font>"
}

func (wecom) mention(r *Robot) string {
	var out []string
	for _, id := range r.Mention {
		out = append(out, "<@"+id+">")
	}
	return strings.Join(out, " ")
}

type wecomBody struct {
	Type     string            `json:"msgtype"`
	Markdown map[string]string `json:"markdown"`
}

// sign: it has no signatures.
func (wecom) sign(string, time.Time) signature { return signature{} }

func (wecom) body(t text, _ *Robot, _ signature) any {
	return wecomBody{Type: "markdown", Markdown: map[string]string{"content": t.body}}
}

func (wecom) faults() map[int]fault {
	return map[int]fault{
		-1:    {kind: busy},
		45009: {kind: limited},
		45033: {kind: busy}, // too many at a time
		93000: {kind: robot, remedy: reason.WrongURL.Alone()},
	}
}
