// Package robot speaks the protocols of chat robots: Feishu and Lark, DingTalk, WeCom. It
// writes what is posted to a robot and reads what that answers, and does neither over a
// network.
package robot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
)

// A Kind is which robot it is, as the keys of a file begin: feishu_configs.
type Kind string

// The kinds. Those of Lark speak Feishu's protocol.
const (
	Feishu   Kind = "feishu"
	DingTalk Kind = "dingtalk"
	WeCom    Kind = "wecom"
)

// Kinds are all of them.
var Kinds = []Kind{Feishu, DingTalk, WeCom}

// A protocol is what differs between the kinds.
type protocol interface {
	fmt.Stringer // its name
	limits() Limits
	// size is what a text counts towards the limit.
	size(text string) int
	// escape has a text stand for itself in the robot's markdown.
	escape(text string) string
	// newline begins a line.
	newline() string
	// title is the first line of a text, "" where it stands elsewhere.
	title(escaped string, firing bool) string
	// mention names people in a text.
	mention(r *Robot) string
	// sign is the signature by a secret.
	sign(secret string, at time.Time) signature
	// body is what is posted, as JSON.
	body(t text, r *Robot, s signature) any
	// faults are the codes of its answers that say more than that it refuses.
	faults() map[int]fault
}

var protocols = map[Kind]protocol{Feishu: feishu{}, DingTalk: dingtalk{}, WeCom: wecom{}}

// Limits are what a robot takes.
type Limits struct {
	// Burst messages at once and then one every Every are no more than it takes.
	Burst int
	Every time.Duration
	// Text is the longest text, in bytes: of Feishu and DingTalk as it stands in JSON, of
	// which the whole is bounded.
	Text int
	// Pause is how long it is left alone after it has said that it got too many.
	Pause time.Duration
}

// A Robot is told of notifications.
type Robot struct {
	Kind     Kind
	Language message.Language
	// Mention are the people to be mentioned when an alert fires: of Feishu open or user
	// ids, of DingTalk user ids or mobile numbers, of WeCom user ids.
	Mention []string
	// MentionAll has everybody mentioned. WeCom's has nothing like it.
	MentionAll bool
}

// Limits are those of its kind.
func (r *Robot) Limits() Limits { return protocols[r.Kind].limits() }

// String is the name of whose robot it is.
func (r *Robot) String() string { return protocols[r.Kind].String() }

// A Post is what is posted to a robot.
type Post struct {
	// Query is added to that of the address.
	Query url.Values
	Body  []byte
	// Sign is the signature in one of them, "" without one.
	Sign string
}

// Post tells of notifications: of one in a message of its own, of several in a digest,
// which are to be no more than Together says. Without a secret it is not signed. Times
// are in now's zone.
func (r *Robot) Post(ns []*alerts.Notification, secret string, now time.Time) (Post, error) {
	if len(ns) == 1 {
		return r.post(r.one(message.Of(ns[0], r.Language, now)), secret, now)
	}
	return r.post(r.digest(message.DigestOf(ns, r.Language)), secret, now)
}

// PostGroup tells of alerts that belong together, in one message. Times are in now's zone.
func (r *Robot) PostGroup(ns []*alerts.Notification, secret string, now time.Time) (Post, error) {
	return r.post(r.group(ns, now), secret, now)
}

func (r *Robot) post(t text, secret string, now time.Time) (Post, error) {
	p := protocols[r.Kind]
	var s signature
	if secret != "" {
		s = p.sign(secret, now)
	}
	body, err := encode(p.body(t, r, s))
	out := Post{Body: body, Sign: s.sign}
	if s.inQuery {
		out.Query = url.Values{"timestamp": {s.timestamp}, "sign": {s.sign}}
	}
	return out, err
}

// A signature shows that who posts knows the secret, for as long as its time is near.
type signature struct {
	timestamp, sign string
	inQuery         bool
}

// hmac256 is the HMAC-SHA256 of a text, in base64.
func hmac256(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
