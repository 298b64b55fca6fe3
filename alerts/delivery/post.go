package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/tidewatch/tidewatch/alerts/reason"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// An attempt is how one try to deliver ended.
type attempt struct {
	err error // nil when the receiver took it
	// refused is set if the receiver will not take it as things are.
	refused bool
	// after is how long the receiver asks to be left alone: with this
	// notification, or with all if it has limited us.
	after   time.Duration
	limited bool
	// whole is set if it would not take anything else either.
	whole bool
	// unreachable is set if nobody answered, whatever the notification. Not for
	// one that took too long: it may be to blame for that itself.
	unreachable bool
}

// post tries once to deliver notifications, in one message. Its error tells nothing of an
// address but its host.
func (g *Integration) post(ctx context.Context, batch []*entry, now time.Time) attempt {
	ctx, cancel := context.WithTimeoutCause(ctx, g.Timeout, reason.NoAnswer.Of(reason.Args{"length": g.Timeout.String()}))
	defer cancel()
	return g.protocol.post(ctx, g, batch, now)
}

// send posts what a codec writes.
func (g *Integration) send(ctx context.Context, c codec, batch []*entry, now time.Time) attempt {
	secret, err := g.secret()
	if err != nil {
		return attempt{err: err, unreachable: true}
	}
	out, err := c.request(batch, secret, now)
	if err != nil {
		return attempt{err: fmt.Errorf("encode notification: %w", err), refused: true}
	}
	address, err := g.address(out)
	if err != nil {
		refused := reason.NoAddress.Is(err) // others may have one
		return attempt{err: err, refused: refused, unreachable: !refused}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(out.body))
	if err != nil {
		return attempt{err: reason.NoURL.Alone(), unreachable: true}
	}
	maps.Copy(req.Header, out.header)
	req.Header.Set("Content-Type", "application/json")
	private := slices.Clone(g.private)
	private.add(append(out.private, secret)...)
	private.addURL(req.URL)
	resp, err := g.client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return attempt{err: cause}
		}
		if at, ok := errors.AsType[*url.Error](err); ok {
			err = at.Err
		}
		first, _, _ := strings.Cut(err.Error(), "\n") // behind it, what somebody answered
		first = private.hide(first)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return attempt{err: reason.Refused.Of(reason.Args{"error": first}), unreachable: true}
		}
		return attempt{err: errors.New(first), unreachable: true}
	}
	defer resp.Body.Close()
	private.addRequest(resp.Request)
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10)) // also lets the connection be used again
	tell := func(text string) string { return excerpt(private.hide(line(text))) }
	if a, said := c.read(resp, answer, tell); said {
		return a
	}
	if resp.StatusCode/100 == 2 {
		return attempt{}
	}
	return judge(resp, tell(string(answer)))
}

// judge is how an attempt ended that was no success, by the answer and its text.
func judge(resp *http.Response, text string) attempt {
	code := resp.StatusCode
	if code/100 == 3 {
		return attempt{err: reason.Redirected.Of(reason.Args{"status": code}), refused: true, whole: true}
	}
	err := reason.Answered.Of(reason.Args{"status": code})
	if text != "" {
		err = reason.Explained.Of(reason.Args{"status": code, "error": text})
	}
	a := attempt{err: err, refused: retry.Refused(code), whole: whole(code)}
	a.heed(resp)
	return a
}

// whole reports whether a status says that nothing else would be taken either.
func whole(code int) bool {
	switch code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone, http.StatusTooManyRequests:
		return true
	}
	return false
}

// heed takes in for how long an answer asks to be left alone.
func (a *attempt) heed(resp *http.Response) {
	a.after = max(a.after, min(retry.After(resp.Header.Get("Retry-After"), time.Now()), maxRetryAfter))
	if resp.StatusCode == http.StatusTooManyRequests && a.after > 0 {
		a.limited = true
	}
}

// maxRetryAfter bounds what a receiver may ask for: an alert is worth less
// later.
const maxRetryAfter = 10 * time.Minute

// line is an answer on one line.
func line(text string) string {
	s := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	return strings.Join(strings.Fields(s), " ")
}

// excerpt is the beginning of a text.
func excerpt(s string) string {
	const most = 200
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
