package send

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/redact"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// A Client speaks to a service over HTTP. What fails on the way, or is answered
// with 429 or 5xx, is tried again.
type Client struct {
	// URL is the service's address, as in http://127.0.0.1:8080.
	URL string
	// HTTP is by default http.DefaultClient.
	HTTP *http.Client
	// Patience is how long one request is tried. By default two minutes.
	Patience time.Duration
	// Retrying, if set, is told why a request is tried again.
	Retrying func(err error, wait time.Duration)
}

// check refuses what is no address of a service, which no retry would mend.
func (c *Client) check() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--url %q is no address of a service: give http://HOST:PORT", redact.URL(c.URL))
	}
	return nil
}

// An Answer is the service's verdicts on a batch.
type Answer struct {
	Accepted    int64    `json:"accepted"`
	Duplicate   int64    `json:"duplicate"`
	Quarantined int64    `json:"quarantined"`
	Results     []Result `json:"results"`
}

// A Result is the verdict on one event of a batch.
type Result struct {
	Index  int    `json:"index"`
	Status string `json:"status"`
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Error  string `json:"error"`
}

// A Ledger is the service's account of the events received.
type Ledger struct {
	Received    int64 `json:"received"`
	Counted     int64 `json:"counted"`
	Duplicate   int64 `json:"duplicate"`
	Late        int64 `json:"late"`
	Quarantined int64 `json:"quarantined"`
	Future      int64 `json:"future"`
	Filtered    int64 `json:"filtered"`
}

// Publish posts n lines of NDJSON.
func (c *Client) Publish(ctx context.Context, batch []byte, n int) (Answer, error) {
	var a Answer
	err := c.do(ctx, http.MethodPost, "/v1/events", "application/x-ndjson", batch, &a)
	if err != nil {
		return Answer{}, fmt.Errorf("post events: %w", err)
	}
	if got := a.Accepted + a.Duplicate + a.Quarantined; got != int64(n) {
		return Answer{}, fmt.Errorf("post events: %d events were answered for %d: is %s a Tidewatch service?", got, n, redact.URL(c.URL))
	}
	return a, nil
}

// Close states that every event before the time (Unix milliseconds) is in.
func (c *Client) Close(ctx context.Context, to int64) error {
	body := fmt.Appendf(nil, `{"to":%d}`, to)
	if err := c.do(ctx, http.MethodPost, "/v1/close", "application/json", body, nil); err != nil {
		return fmt.Errorf("close time: %w", err)
	}
	return nil
}

// Status is what the service says of its ledger.
type Status struct {
	Total Ledger `json:"total"`
	// Watermark is nil before the first event.
	Watermark *time.Time `json:"watermark"`
}

// Ledger asks for the ledger.
func (c *Client) Ledger(ctx context.Context) (Status, error) {
	var s Status
	if err := c.do(ctx, http.MethodGet, "/api/v1/ledger", "", nil, &s); err != nil {
		return Status{}, fmt.Errorf("get ledger: %w", err)
	}
	return s, nil
}

// A StatusError is an answer that is not worth another try.
type StatusError struct {
	Code    int
	Message string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("answered %d %s: %s", e.Code, http.StatusText(e.Code), e.Message)
}

func (c *Client) patience() time.Duration { return cmp.Or(c.Patience, 2*time.Minute) }

// do sends a request until it is answered, for as long as the client's
// patience lasts, and decodes the answer's data.
func (c *Client) do(ctx context.Context, method, path, kind string, body []byte, data any) error {
	patience := c.patience()
	deadline := time.Now().Add(patience)
	for try := 0; ; try++ {
		after, err := c.once(ctx, method, path, kind, body, data)
		var status *StatusError
		if err == nil || ctx.Err() != nil || errors.As(err, &status) && !worthRetry(status.Code) {
			return err
		}
		wait := max(after, backOff(try))
		if time.Now().Add(after).After(deadline) {
			return fmt.Errorf("gave up: the service asked to wait %s, beyond the %s that a request is tried: send again later: %w",
				after.Round(time.Second), patience, err)
		}
		if time.Now().Add(wait).After(deadline) {
			return fmt.Errorf("gave up after %s: %w", patience, err)
		}
		if c.Retrying != nil {
			c.Retrying(err, wait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func worthRetry(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500
}

// backOff is the pause before another try, counted from 0.
func backOff(try int) time.Duration {
	return retry.BackOff(try+1, 50*time.Millisecond, 5*time.Second)
}

func (c *Client) once(ctx context.Context, method, path, kind string, body []byte, data any) (after time.Duration, err error) {
	// A request that hangs is one that failed.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if at, ok := errors.AsType[*url.Error](err); ok {
		at.URL = redact.URL(at.URL)
	}
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	var envelope struct {
		Data  json.RawMessage `json:"data"`
		Error string          `json:"error"`
	}
	bad := json.Unmarshal(answer, &envelope)
	if res.StatusCode != http.StatusOK && res.StatusCode != http.StatusMultiStatus {
		message := envelope.Error
		if bad != nil {
			message = string(answer[:min(len(answer), 200)])
		}
		return retry.After(res.Header.Get("Retry-After"), time.Now()), &StatusError{res.StatusCode, message}
	}
	if bad == nil && data != nil {
		bad = json.Unmarshal(envelope.Data, data)
	}
	if bad != nil {
		return 0, &StatusError{res.StatusCode, fmt.Sprintf("not what a Tidewatch service answers: %v", bad)}
	}
	return 0, nil
}
