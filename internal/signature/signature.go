// Package signature signs what goes to webhooks, as Standard Webhooks 1.0 has it
// (https://www.standardwebhooks.com): receivers have libraries that verify it.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/document"
)

// A Key is what sender and receiver share. Without one nothing is signed.
type Key []byte

// ReadKey reads a key from a file: "whsec_" and base64, or the key itself. Blanks
// around it are none of it. An error says nothing of what is in the file.
func ReadKey(file string) (Key, error) {
	b, err := document.ReadFile(file)
	if err != nil {
		return nil, err
	}
	text := strings.TrimSpace(string(b))
	if text == "" {
		return nil, &document.Problem{File: file, Rule: "is empty", Remedy: "write the secret into it"}
	}
	key, problem := ParseKey(text)
	if problem != nil {
		problem.File = file
		return nil, problem
	}
	return key, nil
}

// ParseKey makes a key of a secret: "whsec_" and base64, or the key itself. Of an empty
// text there is none. A problem says nothing of the secret.
func ParseKey(text string) (Key, *document.Problem) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return Key(text), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, &document.Problem{Rule: "has whsec_ and no base64 behind it", Remedy: "copy the secret as a whole, or leave whsec_ out for one that is plain text"}
	}
	return key, nil
}

// Set puts the headers of a message into h: its id, which has no dot and is the same
// at every attempt, the time of this attempt, and the signature of both and the
// body.
func (k Key) Set(h http.Header, id string, at time.Time, body []byte) {
	seconds := strconv.FormatInt(at.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", seconds)
	if len(k) == 0 {
		return
	}
	mac := hmac.New(sha256.New, k)
	fmt.Fprintf(mac, "%s.%s.%s", id, seconds, body)
	h.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
