package api

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/tidewatch/tidewatch/internal/expression"
)

// A form is the parameters of a request of Prometheus' API: those that we do not know are
// not looked at, since clients send some of their own.
type form struct {
	*http.Request
	url.Values
}

// posted reads the parameters in a body and in the address.
func (p *prometheus) posted(c *http.ResponseController, r *http.Request) (form, error) {
	body, held, err := p.bodies.read(c, r)
	if err != nil {
		return form{}, err
	}
	defer held.release()
	values, err := url.ParseQuery(string(body))
	reuse(body)
	if err != nil {
		return form{}, BadData("body is no form: %v: send name=value pairs with & between them, percent-encoded", err)
	}
	for name, list := range r.URL.Query() {
		values[name] = append(values[name], list...)
	}
	return form{r, values}, nil
}

// time reads a point in time: Unix seconds, with a fraction if need be, or RFC 3339.
func (f form) time(name string, usual time.Time) (time.Time, error) {
	text := f.Get(name)
	if text == "" {
		if usual.IsZero() {
			return usual, BadData("%s is missing: give Unix seconds or RFC 3339", name)
		}
		return usual, nil
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(s) || math.Abs(s) > maxMillis/1000 {
			return usual, BadData("%s %s is outside the years up to 2105: give Unix seconds, not milliseconds", name, text)
		}
		whole, fraction := math.Modf(s)
		return time.Unix(int64(whole), int64(math.Round(fraction*1000))*int64(time.Millisecond)).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return usual, BadData("%s %q is no time: give Unix seconds or RFC 3339", name, text)
	}
	return t, nil
}

// span reads start and end.
func (f form) span(from, to time.Time) (start, end time.Time, err error) {
	if start, err = f.time("start", from); err != nil {
		return start, end, err
	}
	if end, err = f.time("end", to); err != nil {
		return start, end, err
	}
	if end.Before(start) {
		return start, end, BadData("end is before start: exchange them")
	}
	return start, end, nil
}

// length reads a length of time: seconds, or as Prometheus writes it.
func (f form) length(name string, usual time.Duration) (time.Duration, error) {
	text := f.Get(name)
	if text == "" {
		return usual, nil
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil {
		if d := s * float64(time.Second); d > 0 && d < math.MaxInt64 {
			return time.Duration(d), nil
		}
	} else if d, err := model.ParseDuration(text); err == nil && d > 0 {
		return time.Duration(d), nil
	}
	return 0, BadData("%s %q is no length of time above 0: give seconds (60) or one such as 30s, 5m, 1h", name, text)
}

// expression reads the query.
func (f form) expression() (parser.Expr, error) {
	expr, err := expression.Parse(f.Get("query"))
	if err != nil {
		return nil, unread(err)
	}
	return expr, nil
}

func unread(err error) error { return BadData("query cannot be read: %v", err) }

// begin makes the query, whose expression is read once.
func (f form) begin(lookback time.Duration, begin func(o promql.QueryOpts, expr string) (promql.Query, error)) (promql.Query, error) {
	text := f.Get("query")
	if err := expression.Check(text); err != nil {
		return nil, unread(err)
	}
	q, err := begin(promql.NewPrometheusQueryOpts(false, lookback, nil), text)
	if _, is := errors.AsType[parser.ParseErrors](err); is {
		return nil, unread(err)
	} else if err != nil {
		return nil, BadData("query cannot be answered: %v", err)
	}
	if err := expression.CheckDepth(q.Statement().(*parser.EvalStmt).Expr); err != nil {
		q.Close()
		return nil, unread(err)
	}
	return q, nil
}

// limit reads how many results are wanted; 0 for all.
func (f form) limit() (int, error) {
	text := f.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, BadData("limit %q is no number of results: give 0 for all, or more", text)
	}
	return n, nil
}

// selectors reads match[].
func (f form) selectors() (out [][]*labels.Matcher, err error) {
	for _, text := range f.Values["match[]"] {
		m, err := expression.Language.ParseMetricSelector(text)
		if err != nil {
			return nil, BadData("match[] %q cannot be read: %v", text, err)
		}
		some := false
		for _, one := range m {
			some = some || !one.Matches("")
		}
		if !some {
			return nil, BadData("match[] %q matches what has no labels at all: name one with a value", text)
		}
		out = append(out, m)
	}
	return out, nil
}
