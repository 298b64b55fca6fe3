// Package client asks Tidewatch's HTTP API, as docs/api.md describes it.
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/tidewatch/tidewatch/internal/retry"
)

// A Client asks one service.
type Client struct {
	base *url.URL
	// http asks, stream follows: it has no limit of time.
	http, stream *http.Client
	token        string
}

// New is a client of the service at an address such as http://127.0.0.1:8080. A token, if
// there is one, is sent with every request.
func New(address, token string, asks, follows *http.Client) (*Client, error) {
	base, err := url.Parse(address)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%q is no address: write it as http://127.0.0.1:8080", address)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawQuery, base.Fragment = "", ""
	return &Client{base: base, http: asks, stream: follows, token: token}, nil
}

// Address is where the service is.
func (c *Client) Address() string { return c.base.String() }

// An Error is an answer that has no data.
type Error struct {
	Status int
	// Kind is the API's errorType, "" of an answer that is none of Tidewatch.
	Kind string
	// Text says what is wrong, in the API's words where there are any.
	Text string
}

func (e *Error) Error() string { return e.Text }

// Refused reports whether asking the same again is no use.
func (e *Error) Refused() bool { return retry.Refused(e.Status) }

// Kinds of errors that mean something here.
const (
	NotFound    = "not_found"
	Forbidden   = "forbidden"
	Unavailable = "unavailable"
)

// do sends a request, and has an answer of status 200 or an *Error.
func (c *Client) do(ctx context.Context, by *http.Client, path string, values url.Values, header http.Header) (*http.Response, error) {
	to := *c.base
	to.Path, to.RawQuery = c.base.Path+path, values.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(r.Header, header)
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := by.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask Tidewatch: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		defer answer.Body.Close()
		return nil, refusal(answer)
	}
	return answer, nil
}

// maxRefusal bounds what is read of an answer that has no data.
const maxRefusal = 1 << 16

func refusal(answer *http.Response) *Error {
	text, _ := io.ReadAll(io.LimitReader(answer.Body, maxRefusal))
	var said struct {
		Kind string `json:"errorType"`
		Text string `json:"error"`
	}
	if json.Unmarshal(text, &said) == nil && said.Kind != "" {
		return &Error{Status: answer.StatusCode, Kind: said.Kind, Text: said.Text}
	}
	return foreign(answer)
}

// foreign is an answer that Tidewatch does not give.
func foreign(answer *http.Response) *Error {
	media, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil {
		media = "no type"
	}
	return &Error{Status: answer.StatusCode, Text: fmt.Sprintf("%s answers %s, %s: that is not Tidewatch's API", answer.Request.URL.Host, answer.Status, media)}
}

// get asks for the data of a path, and has the warnings that came with it.
func (c *Client) get(ctx context.Context, path string, values url.Values, data any) (warnings []string, err error) {
	answer, err := c.do(ctx, c.http, path, values, nil)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	envelope := struct {
		Status   string   `json:"status"`
		Data     any      `json:"data"`
		Warnings []string `json:"warnings"`
	}{Data: data}
	if err := json.NewDecoder(answer.Body).Decode(&envelope); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, foreign(answer)
	}
	if envelope.Status != "success" {
		return nil, foreign(answer)
	}
	return envelope.Warnings, nil
}
