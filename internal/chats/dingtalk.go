package chats

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type dingtalk struct{}

func (dingtalk) address(token string) string { return "/robot/send?access_token=" + token }

func (dingtalk) token(r *http.Request) string { return r.URL.Query().Get("access_token") }

func (dingtalk) took() any { return said{"errcode": 0, "errmsg": "ok"} }

func (dingtalk) unknown() any { return said{"errcode": 300001, "errmsg": "token is not exist"} }

func (dingtalk) unsigned() any {
	return said{"errcode": 310000, "errmsg": "sign not match, more: [https://open.dingtalk.com/document/orgapp/custom-robots-send-group-messages]"}
}

func (dingtalk) tooMany() (int, any) {
	return http.StatusOK, said{"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "1", "errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}
}

func (dingtalk) spans() []span { return []span{{20, time.Minute}} }

func (dingtalk) deafness() time.Duration { return 10 * time.Minute }

func (dingtalk) read(r *http.Request, body []byte) (m Message, timestamp, sign string, problem any) {
	var b struct {
		Type     string                       `json:"msgtype"`
		Markdown struct{ Title, Text string } `json:"markdown"`
		At       struct {
			Mobiles []string `json:"atMobiles"`
			Users   []string `json:"atUserIds"`
			All     bool     `json:"isAtAll"`
		} `json:"at"`
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return m, "", "", said{"errcode": 43004, "errmsg": "require content-type header"}
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&b) != nil || len(body) > 20_000 || b.Type != "markdown" || b.Markdown.Title == "" || b.Markdown.Text == "" {
		return m, "", "", said{"errcode": 40035, "errmsg": "param invalid"}
	}
	m.Title, m.Text = b.Markdown.Title, b.Markdown.Text
	for _, who := range append(b.At.Mobiles, b.At.Users...) {
		if strings.Contains(m.Text, "@"+who) { // else nobody is mentioned
			m.Mentioned = append(m.Mentioned, who)
		}
	}
	if b.At.All {
		m.Mentioned = append(m.Mentioned, "all")
	}
	q := r.URL.Query()
	return m, q.Get("timestamp"), q.Get("sign"), nil
}

func (dingtalk) signed(timestamp, sign, secret string, now time.Time) bool {
	millis, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.UnixMilli(millis)).Abs() > time.Hour {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return sign == base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
