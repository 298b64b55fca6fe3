// Package courier takes a body to an address by HTTP, once, and says how that ended: what
// is to be tried again, and when, is internal/retry's.
package courier

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/tidewatch/tidewatch/internal/retry"
)

const (
	// answerWithin bounds an attempt.
	answerWithin = 15 * time.Second
	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = time.Hour
)

// NewClient follows no redirect: it would lose the body, or carry it to a host that
// nobody configured.
func NewClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// An Attempt is how one try ended.
type Attempt struct {
	Err error // nil when the receiver took it
	// Code is the status of the answer, 0 without one.
	Code int
	// Refused is set if the receiver will not take it as things are.
	Refused bool
	// After is how long the receiver asks to be left alone.
	After time.Duration
}

// Post tries once. What went wrong is told without what an address or an answer may hold.
func Post(ctx context.Context, client *http.Client, url string, header http.Header, body []byte) Attempt {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, fmt.Errorf("no answer within %s", answerWithin))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return Attempt{Err: errors.New("the address is no URL"), Refused: true}
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", "tidewatch")
	resp, err := client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return Attempt{Err: cause}
		}
		return Attempt{Err: unanswered(err)}
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 16<<10) // lets the connection be used again
	return judge(resp)
}

// unanswered is why there was no answer.
func unanswered(err error) error {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return errors.New("connection refused: start what listens there, or correct the url")
	}
	if at, ok := errors.AsType[*net.OpError](err); ok {
		return at
	}
	if at, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return at
	}
	return errors.New("there was no answer in HTTP: correct the url, or what listens there")
}

// judge is how an attempt ended, by the answer.
func judge(resp *http.Response) Attempt {
	code := resp.StatusCode
	a := Attempt{Code: code, Err: fmt.Errorf("answered %d", code), After: min(retry.After(resp.Header.Get("Retry-After"), time.Now()), maxRetryAfter)}
	switch {
	case code/100 == 2:
		return Attempt{Code: code}
	case code/100 == 3:
		a.Err = fmt.Errorf("answered %d: redirects are not followed: give the final address", code)
	case code == http.StatusGone:
		a.Err = fmt.Errorf("answered %d: remove the receiver if it is to get no more", code)
	}
	a.Refused = retry.Refused(code)
	return a
}
