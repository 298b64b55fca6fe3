package delivery

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// signed is what a receiver computes of a request and a secret, as the documentation has it.
func signed(secret string, r *http.Request, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// A webhook that shares a secret can tell what is genuine. The file that holds it is read at
// each attempt, and while there is no secret in it nothing is sent.
func TestSigned(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "secret", "t0ken")
	rs, err := LoadReceivers(filepath.Join(dir, "am.yml"), []byte(`
route: {receiver: a}
receivers:
  - name: a
    webhook_configs: [{url: 'http://a/'}, {url: 'http://a/', secret: t0ken}, {url: 'http://a/', secret_file: secret}]
`))
	if err != nil {
		t.Fatal(err)
	}
	plain, inline, file := rs.Integrations[0], rs.Integrations[1], rs.Integrations[2]
	n := says("Low", alerts.Firing, 1)
	now := time.UnixMilli(at1(9))
	for _, c := range []struct {
		to             *Integration
		text           string // of the file
		secret, refuse string
	}{
		{plain, "", "", ""},
		{inline, "", "t0ken", "answered 401: not " + hidden},
		{file, "t0ken\n", "t0ken", "answered 401: not " + hidden},
		{file, "whsec_" + base64.StdEncoding.EncodeToString([]byte("another")), "another", "answered 401: not " + hidden},
		{file, " \n", "", "secret_file is empty: write the secret into it"},
		{file, "whsec_t0ken?", "", "encode notification: secret: has whsec_ and no base64 behind it: copy the secret as a whole, or leave whsec_ out for one that is plain text"},
	} {
		write(t, dir, "secret", c.text)
		came := false
		c.to.carry(roundTrip(func(r *http.Request) (*http.Response, error) {
			came = true
			body, err := io.ReadAll(r.Body)
			got, want := r.Header.Get("webhook-signature"), ""
			if c.secret != "" {
				want = signed(c.secret, r, body)
			}
			if err != nil || got != want || r.Header.Get("webhook-id") != n.ID || strings.Contains(n.ID, ".") || r.Header.Get("webhook-timestamp") != "1800000009" {
				t.Errorf("%q: headers %v, want the signature %q", c.text, r.Header, want)
			}
			answer := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}
			if c.refuse != "" {
				answer.StatusCode, answer.Body = http.StatusUnauthorized, io.NopCloser(strings.NewReader("not "+got))
			}
			return answer, nil
		}))
		a := c.to.post(t.Context(), []*entry{{Notification: n, Group: alone(&n)}}, now)
		says := ""
		if a.err != nil {
			says = a.err.Error()
		}
		if says != c.refuse || came != (c.secret != "" || c.to == plain) {
			t.Errorf("%q: %q, want %q; sent: %t", c.text, says, c.refuse, came)
		}
	}
}

// The id is the same at every attempt, the time is the attempt's.
func TestSignedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids, times []string
		r := newReceiver(t, nil)
		rs := r.receivers()
		rs.Integrations[0].Secret = "t0ken"
		d := deliverer(t, rs, newBox(), Options{Transport: roundTrip(func(q *http.Request) (*http.Response, error) {
			ids, times = append(ids, q.Header.Get("webhook-id")), append(times, q.Header.Get("webhook-timestamp"))
			if len(ids) < 6 {
				return nil, errors.New("connection refused")
			}
			return r.RoundTrip(q)
		})})
		n := says("Low", alerts.Firing, 1)
		notifyAll(t, d, n)
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(slices.Compact(slices.Clone(ids))) != 1 || ids[0] != n.ID || len(ids) != 6 || len(slices.Compact(slices.Clone(times))) < 4 {
			t.Errorf("ids %q, times %q", ids, times)
		}
	})
}
