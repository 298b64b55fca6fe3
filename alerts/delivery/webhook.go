package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/notify/webhook"
	"github.com/prometheus/alertmanager/template"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/retry"
)

// message is the body of a notification: Alertmanager's version 4, with a
// group of one alert.
func (w *Webhook) message(n *alerts.Notification, now time.Time) ([]byte, error) {
	annotations := maps.Clone(n.Annotations)
	if _, ok := annotations["freshness"]; !ok {
		annotations["freshness"] = now.Sub(time.UnixMilli(n.WindowEnd)).Round(time.Millisecond).String()
	}
	reason := notify.ReasonFirstNotification
	if n.Status == alerts.Resolved {
		reason = notify.ReasonAllAlertsResolved
	}
	return json.Marshal(webhook.Message{
		Version:  "4",
		GroupKey: "{}:" + n.LabelSet().String(),
		Data: &template.Data{
			Receiver: regexp.QuoteMeta(w.Receiver), // as Alertmanager does
			Status:   string(n.Status),
			Alerts: template.Alerts{{
				Status: string(n.Status), Labels: n.Labels, Annotations: annotations,
				StartsAt: n.StartsAt, EndsAt: n.EndsAt, GeneratorURL: n.Link, Fingerprint: n.Fingerprint,
			}},
			NotificationReason: reason.String(),
			GroupLabels:        n.Labels,
			CommonLabels:       n.Labels,
			CommonAnnotations:  annotations,
			RouteLabels:        template.KV{},
			ExternalURL:        n.ExternalURL,
		},
	})
}

// An attempt is how one try to deliver ended.
type attempt struct {
	err error // nil when the receiver took it
	// refused is set if the receiver will not take it as things are.
	refused bool
	// after is how long the receiver asks to be left alone: with this
	// notification, or with all if it has limited us.
	after   time.Duration
	limited bool
	// unreachable is set if nobody answered, whatever the notification. Not for
	// one that took too long: it may be to blame for that itself.
	unreachable bool
}

// post tries once to deliver. Its error tells nothing of an address but its
// host.
func (w *Webhook) post(ctx context.Context, n *alerts.Notification) attempt {
	ctx, cancel := context.WithTimeoutCause(ctx, w.Timeout, fmt.Errorf("no answer within %s", w.Timeout))
	defer cancel()
	body, err := w.message(n, time.Now())
	if err != nil {
		return attempt{err: fmt.Errorf("encode notification: %w", err), refused: true}
	}
	address, err := w.address()
	if err != nil {
		return attempt{err: err, unreachable: true}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return attempt{err: errors.New("the address is no URL"), unreachable: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", n.ID)
	private := slices.Clone(w.private)
	private.addURL(req.URL)
	resp, err := w.client.Do(req)
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
			first += ": start what listens there, or correct the address"
		}
		return attempt{err: errors.New(first), unreachable: true}
	}
	defer resp.Body.Close()
	private.addRequest(resp.Request)
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 16<<10)) // also lets the connection be used again
	return judge(resp, private.hide(line(answer)))
}

// address is where to post. The file is read each time: its secret may be
// renewed while we run.
func (w *Webhook) address() (string, error) {
	if w.URLFile == "" {
		return w.URL, nil
	}
	b, err := os.ReadFile(w.URLFile)
	if err != nil {
		return "", fmt.Errorf("read url_file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// judge is how an attempt ended, by the answer and its text.
func judge(resp *http.Response, text string) attempt {
	code := resp.StatusCode
	switch {
	case code/100 == 2:
		return attempt{}
	case code/100 == 3:
		return attempt{err: fmt.Errorf("answered %d: redirects are followed only on the same host and with the same method: give the final address", code), refused: true}
	}
	err := fmt.Errorf("answered %d", code)
	if text != "" {
		err = fmt.Errorf("%w: %s", err, excerpt(text))
	}
	after := min(retry.After(resp.Header.Get("Retry-After"), time.Now()), maxRetryAfter)
	return attempt{err: err, refused: retry.Refused(code), after: after, limited: code == http.StatusTooManyRequests && after > 0}
}

// maxRetryAfter bounds what a receiver may ask for: an alert is worth less
// later.
const maxRetryAfter = 10 * time.Minute

// line is an answer on one line.
func line(b []byte) string {
	s := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b), ""))
	return strings.Join(strings.Fields(s), " ")
}

// excerpt is the beginning of a text.
func excerpt(s string) string {
	const most = 200
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
