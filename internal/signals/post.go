package signals

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
	"github.com/tidewatch/tidewatch/internal/signature"
)

const (
	// answerWithin bounds an attempt.
	answerWithin = 15 * time.Second
	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = time.Hour
)

// newClient follows no redirect: it would lose the body, or carry it to a host that
// nobody configured.
func newClient() *http.Client {
	return &http.Client{
		Transport:     http.DefaultTransport.(*http.Transport).Clone(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// An attempt is how one try to deliver ended.
type attempt struct {
	err error // nil when the receiver took it
	// refused is set if the receiver will not take it as things are.
	refused bool
	// after is how long the receiver asks to be left alone.
	after time.Duration
}

// post tries once to deliver. The secret is read each time: it may be renewed while
// we run.
func (w *webhook) post(ctx context.Context, b *batch) attempt {
	ctx, cancel := context.WithTimeoutCause(ctx, answerWithin, fmt.Errorf("no answer within %s", answerWithin))
	defer cancel()
	var key signature.Key
	if w.SecretFile != "" {
		var err error
		if key, err = signature.ReadKey(w.SecretFile); err != nil {
			return attempt{err: fmt.Errorf("read secret_file: %w", err), refused: true}
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(b.body))
	if err != nil {
		return attempt{err: errors.New("the address is no URL"), refused: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tidewatch")
	key.Set(req.Header, b.id, time.Now(), b.body)
	resp, err := w.client.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return attempt{err: cause}
		}
		return attempt{err: unanswered(err)}
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, 16<<10) // lets the connection be used again
	return judge(resp)
}

// unanswered is why there was no answer, without what an address or an answer may
// hold.
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
func judge(resp *http.Response) attempt {
	code := resp.StatusCode
	a := attempt{err: fmt.Errorf("answered %d", code), after: min(retry.After(resp.Header.Get("Retry-After"), time.Now()), maxRetryAfter)}
	switch {
	case code/100 == 2:
		return attempt{}
	case code/100 == 3:
		a.err = fmt.Errorf("answered %d: redirects are not followed: give the final address", code)
	case code == http.StatusGone:
		a.err = fmt.Errorf("answered %d: remove the webhook if it is to get no more", code)
	}
	a.refused = retry.Refused(code)
	return a
}
