package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// silence is how long a stream may say nothing: the service says something every 15 s.
const silence = 45 * time.Second

var errSilent = errors.New("the stream is silent: it is broken")

// An Event is a window that closed, or the live one.
type Event struct {
	Closed bool
	Answer Answer
}

// Live follows one KPI: every window as it closes, and with it, or once a second, the live
// one when it changes. last is the id of the newest closed window that was had, "" for
// none; it moves on with those that see returns no error for. It ends with an error.
func (c *Client) Live(ctx context.Context, s Selection, last *string, see func(Event) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	header := http.Header{"Accept": {"text/event-stream"}}
	if *last != "" {
		header.Set("Last-Event-ID", *last)
	}
	watch := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watch.Stop()
	answer, err := c.do(ctx, c.stream, s.path()+"/live", s.values(), header)
	if err != nil {
		return cause(ctx, err)
	}
	defer answer.Body.Close()
	err = readEvents(answer.Body, func() { watch.Reset(silence) }, func(name, id string, data []byte) error {
		switch name {
		case "error":
			said := &Error{}
			if err := json.Unmarshal(data, &struct {
				Kind *string `json:"errorType"`
				Text *string `json:"error"`
			}{&said.Kind, &said.Text}); err != nil {
				return fmt.Errorf("read a live error: %w", err)
			}
			said.Status = http.StatusServiceUnavailable // it ends the stream alone
			return said
		case "closed", "live":
		default:
			return nil
		}
		e := Event{Closed: name == "closed"}
		if err := json.Unmarshal(data, &e.Answer); err != nil {
			return fmt.Errorf("read a live window: %w", err)
		}
		if err := see(e); err != nil {
			return err
		}
		if id != "" {
			*last = id
		}
		return nil
	})
	return cause(ctx, err)
}

// cause is why a context ended, if that is why an error came.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// readEvents reads server-sent events, as the HTML standard has them, up to an error.
// line is called for every line.
func readEvents(from io.Reader, line func(), see func(name, id string, data []byte) error) error {
	lines := bufio.NewReader(from)
	var name, id string
	var data []byte
	for {
		text, err := lines.ReadBytes('\n')
		if err != nil { // what is not ended by an empty line is no event
			return fmt.Errorf("follow the stream: %w", err)
		}
		line()
		text = bytes.TrimRight(text, "\r\n")
		if len(text) == 0 {
			if data != nil {
				if err := see(name, id, bytes.TrimSuffix(data, []byte{'\n'})); err != nil {
					return err
				}
			}
			name, id, data = "", "", nil
			continue
		}
		field, value, _ := strings.Cut(string(text), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = append(append(data, value...), '\n')
		}
	}
}
