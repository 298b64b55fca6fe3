package chats

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type feishu struct{}

const hookPath = "/open-apis/bot/v2/hook/"

func (feishu) address(token string) string { return hookPath + token }

func (feishu) token(r *http.Request) string {
	token, _ := strings.CutPrefix(r.URL.Path, hookPath)
	return token
}

type said map[string]any

func (feishu) took() any {
	return said{"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": said{}, "msg": "success"}
}

func (feishu) unknown() any {
	return said{"code": 19001, "data": said{}, "msg": "param invalid: incoming webhook access token invalid"}
}

func (feishu) unsigned() any {
	return said{"code": 19021, "data": said{}, "msg": "sign match fail or timestamp is not within one hour from current time"}
}

func (feishu) tooMany() (int, any) {
	return http.StatusBadRequest, said{"code": 9499, "msg": "too many request", "data": said{}}
}

func (feishu) spans() []span { return []span{{5, time.Second}, {100, time.Minute}} }

func (feishu) deafness() time.Duration { return 0 }

var atTag = regexp.MustCompile(`<at id=([\w-]+)></at>`)

func (feishu) read(_ *http.Request, body []byte) (m Message, timestamp, sign string, problem any) {
	var b struct {
		Timestamp string `json:"timestamp"`
		Sign      string `json:"sign"`
		Type      string `json:"msg_type"`
		Card      struct {
			Config map[string]bool `json:"config"`
			Header struct {
				Title    struct{ Tag, Content string } `json:"title"`
				Template string                        `json:"template"`
			} `json:"header"`
			Elements []struct{ Tag, Content string } `json:"elements"`
		} `json:"card"`
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	bad := said{"code": 9499, "msg": "Bad Request", "data": said{}}
	if d.Decode(&b) != nil || len(body) > 20<<10 || b.Type != "interactive" || len(b.Card.Elements) == 0 || b.Card.Header.Title.Tag != "plain_text" {
		return m, "", "", bad
	}
	m.Title, m.Colour = b.Card.Header.Title.Content, b.Card.Header.Template
	for _, e := range b.Card.Elements {
		if e.Tag != "markdown" {
			return m, "", "", bad
		}
		m.Text += e.Content
	}
	for _, at := range atTag.FindAllStringSubmatch(m.Text, -1) {
		m.Mentioned = append(m.Mentioned, at[1])
	}
	return m, b.Timestamp, b.Sign, nil
}

// signed: the text is empty, and the key is made of the secret.
func (feishu) signed(timestamp, sign, secret string, now time.Time) bool {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > time.Hour {
		return false
	}
	return sign == base64.StdEncoding.EncodeToString(hmac.New(sha256.New, []byte(timestamp+"\n"+secret)).Sum(nil))
}
