package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"time"
)

// A Range is a KPI in many windows.
type Range struct {
	KPI    string   `json:"kpi"`
	Window string   `json:"window"`
	By     []string `json:"by"`
	Series []Series `json:"series"`
	// Compare are the series that these are held against, each at its own times.
	Compare map[string]Range `json:"compare"`
}

// A Series is the figures of windows, in the order of their ends.
type Series struct {
	Labels map[string]string `json:"labels"`
	Points []Point           `json:"points"`
}

// A Point is the figure of one window.
type Point struct {
	End time.Time `json:"end"`
	Figure
}

// A Span says which windows of a range are asked for.
type Span struct {
	From, To time.Time     // windows that end in (From, To]
	Step     time.Duration // between points; 0 for that of the window
	Bounds   bool          // with low and high
}

// Range asks for many windows of a KPI.
func (c *Client) Range(ctx context.Context, s Selection, of Span) (r Range, warnings []string, err error) {
	v := s.values()
	v.Set("from", millis(of.From))
	v.Set("to", millis(of.To))
	if of.Step > 0 && !s.names("step") { // of a funnel it is a field
		v.Set("step", of.Step.String())
	}
	if !of.Bounds {
		warnings, err = c.get(ctx, s.path()+"/range", v, &r)
		return r, warnings, err
	}
	v.Set("format", "ndjson") // points have no bounds, rows do
	answer, err := c.do(ctx, c.http, s.path()+"/range", v, nil)
	if err != nil {
		return r, nil, err
	}
	defer answer.Body.Close()
	if warnings, err = headed(answer.Header); err != nil {
		return r, nil, err
	}
	if r, err = readRows(answer.Body); err != nil {
		return r, nil, fmt.Errorf("read the range: %w", err)
	}
	return r, warnings, nil
}

// headed are the warnings of an answer whose body has no room for them.
func headed(h http.Header) (warnings []string, err error) {
	text := h.Get("Tidewatch-Warnings")
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &warnings); err != nil {
		return nil, fmt.Errorf("read the warnings: %w", err)
	}
	return warnings, nil
}

// readRows puts a range together of its rows: those of a series follow each other.
func readRows(from io.Reader) (Range, error) {
	var r Range
	rows := json.NewDecoder(bufio.NewReader(from))
	for {
		var row struct {
			KPI     string            `json:"kpi"`
			Window  string            `json:"window"`
			By      []string          `json:"by"`
			Labels  map[string]string `json:"labels"`
			Compare string            `json:"compare"`
			Point
		}
		if err := rows.Decode(&row); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return r, err
		}
		r.KPI, r.Window, r.By = row.KPI, row.Window, row.By
		to := &r.Series
		other := r.Compare[row.Compare]
		if row.Compare != "" {
			to = &other.Series
		}
		last := len(*to) - 1
		if last < 0 || !maps.Equal((*to)[last].Labels, row.Labels) {
			*to = append(*to, Series{Labels: row.Labels})
			last++
		}
		(*to)[last].Points = append((*to)[last].Points, row.Point)
		if row.Compare != "" {
			if r.Compare == nil {
				r.Compare = map[string]Range{}
			}
			r.Compare[row.Compare] = other
		}
	}
}
