package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/spelling"
)

// ask sends a request to the real handler.
func (r *run) ask(path string) (status int, body []byte) {
	w := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Host = r.config.Listen
	r.handler.ServeHTTP(w, req)
	return w.Code, w.Body.Bytes()
}

// query sends a query and decodes its data, or shows why it was refused.
func (r *run) query(path string, values url.Values, data any) (refused []string, err error) {
	_, body := r.ask(path + "?" + values.Encode())
	var envelope struct {
		ErrorType, Error string
		Data             json.RawMessage
		Warnings         []string
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return nil, fmt.Errorf("read answer %.100q: %w", body, err)
	}
	if envelope.ErrorType == "internal" {
		return nil, errors.New(envelope.Error)
	}
	if envelope.Error != "" {
		return []string{envelope.ErrorType + ": " + envelope.Error}, nil
	}
	return nil, json.Unmarshal(envelope.Data, data)
}

// A sample is a value as the API gives it.
type sample struct {
	Labels      map[string]string
	End         time.Time
	Value       *json.Number
	Numerator   json.Number
	Denominator *json.Number
	Currency    string
	Revision    int
	Exactness   string
}

func (s *sample) String() string {
	value := "null"
	if s.Value != nil {
		value = s.Value.String()
	}
	if s.Denominator != nil {
		value += " = " + s.Numerator.String() + "/" + s.Denominator.String()
	}
	if s.Currency != "" {
		value += " " + s.Currency
	}
	if s.Revision > 0 {
		value += fmt.Sprintf(" rev %d", s.Revision)
	}
	if s.Exactness != "" && s.Exactness != "exact" {
		value += " " + s.Exactness
	}
	return value
}

func (r *run) at(c *command) ([]string, error) {
	when, selector, ok := strings.Cut(c.rest, " ")
	if !ok {
		return nil, fmt.Errorf("give: TIME KPI{window=..., by=...}")
	}
	name, values, err := r.selector(selector)
	if err != nil {
		return nil, err
	}
	if values.Set("at", when); !dateOnly(when) {
		ms, err := r.instant(when)
		if err != nil {
			return nil, err
		}
		values.Set("at", fmt.Sprint(ms))
	}
	return r.samples(name, values)
}

func (r *run) live(c *command) ([]string, error) {
	name, values, err := r.selector(c.rest)
	if err != nil {
		return nil, err
	}
	return r.samples(name, values)
}

func (r *run) samples(name string, values url.Values) ([]string, error) {
	var data struct {
		Start, End, AsOf time.Time
		AsOfJSON         time.Time `json:"as_of"`
		Complete         bool
		Maturity         json.RawMessage // of a KPI that has one
		Samples          []sample
	}
	refused, err := r.query("/api/v1/kpis/"+name, values, &data)
	if refused != nil || err != nil {
		return refused, err
	}
	head := r.clock(data.Start) + " to " + r.clock(data.End)
	if data.Complete {
		head += " complete"
	} else {
		head += " open, as of " + r.clock(data.AsOfJSON) + maturity(data.Maturity)
	}
	lines := []string{head}
	for i := range data.Samples {
		s := &data.Samples[i]
		lines = append(lines, labels(s.Labels)+" "+s.String())
	}
	return lines, nil
}

func (r *run) series(c *command) ([]string, error) {
	name, values, err := r.selector(c.rest)
	if err != nil {
		return nil, err
	}
	for _, k := range []string{"from", "to"} {
		if v := values.Get(k); v != "" && !dateOnly(v) {
			ms, err := r.instant(v)
			if err != nil {
				return nil, err
			}
			values.Set(k, fmt.Sprint(ms))
		}
	}
	var data struct {
		Series []struct {
			Labels map[string]string
			Points []struct {
				sample
				Complete bool
				Maturity json.RawMessage
			}
		}
	}
	refused, err := r.query("/api/v1/kpis/"+name+"/range", values, &data)
	if refused != nil || err != nil {
		return refused, err
	}
	lines := []string{}
	for _, s := range data.Series {
		lines = append(lines, labels(s.Labels))
		for i := range s.Points {
			p := &s.Points[i]
			line := "  " + r.clock(p.End) + " " + p.String()
			if !p.Complete {
				line += " open" + maturity(p.Maturity)
			}
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// maturity shows how much is in of what is expected, if that is said.
func maturity(share json.RawMessage) string {
	if share == nil {
		return ""
	}
	return ", maturity " + string(share)
}

// users lists those of a segment by their ids, two in an answer.
func (r *run) users(c *command) ([]string, error) {
	segment, values, err := r.selector(c.rest)
	if err != nil {
		return nil, err
	}
	values.Set("segment", segment)
	values.Set("limit", "2")
	lines := []string{}
	for {
		var data struct {
			Users []struct {
				UserID      string `json:"user_id"`
				AnonymousID string `json:"anonymous_id"`
				State       string
				Since       string
				DaysAway    int `json:"days_away"`
				Segments    []string
			}
			Next *string
		}
		refused, err := r.query("/api/v1/users", values, &data)
		if refused != nil || err != nil {
			return refused, err
		}
		for _, u := range data.Users {
			lines = append(lines, fmt.Sprintf("%s%s %s since %s, away %d: %s", u.UserID, u.AnonymousID, u.State, u.Since, u.DaysAway, strings.Join(u.Segments, " ")))
		}
		if data.Next == nil {
			slices.Sort(lines) // rows are ordered by a hash
			return lines, nil
		}
		values.Set("cursor", *data.Next)
	}
}

// signals lists those of a state, or of all, by time and user, three in an answer.
func (r *run) signals(c *command) ([]string, error) {
	state, values, err := r.selector(c.rest)
	if err != nil {
		return nil, err
	}
	if state != "all" {
		values.Set("state", state)
	}
	values.Set("limit", "3")
	type signal struct {
		Time         time.Time
		State        string
		UserID       string `json:"user_id"`
		AnonymousID  string `json:"anonymous_id"`
		LastSeen     string `json:"last_seen"`
		DaysAway     int    `json:"days_away"`
		ActiveDays28 int    `json:"active_days_28"`
		Channel      *string
		Watermark    time.Time
	}
	var all []signal
	for {
		var data struct {
			Signals []signal
			Next    *string
		}
		refused, err := r.query("/api/v1/signals", values, &data)
		if refused != nil || err != nil {
			return refused, err
		}
		if all = append(all, data.Signals...); data.Next == nil {
			break
		}
		values.Set("cursor", *data.Next)
	}
	lines := []string{}
	for _, s := range all {
		channel := "no channel"
		if s.Channel != nil {
			channel = *s.Channel
		}
		lines = append(lines, fmt.Sprintf("%s %s%s %s, seen %s, away %d, active %d, %s", s.Time.In(r.config.Location).Format("2006-01-02T15:04:05"),
			s.UserID, s.AnonymousID, s.State, s.LastSeen, s.DaysAway, s.ActiveDays28, channel))
	}
	slices.Sort(lines) // shards are judged in turn
	return lines, nil
}

// selector reads KPI{field=value, by=a,b}.
func (r *run) selector(text string) (string, url.Values, error) {
	name, inner, braces := strings.Cut(text, "{")
	values := url.Values{}
	if !braces {
		return name, values, nil
	}
	key := ""
	for part := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ",") {
		k, v, ok := strings.Cut(part, "=")
		switch {
		case ok:
			key = strings.TrimSpace(k)
			values.Set(key, strings.TrimSpace(v))
		case key == "":
			return "", nil, fmt.Errorf("%q is not FIELD=VALUE", part)
		default:
			values.Set(key, values.Get(key)+","+strings.TrimSpace(part))
		}
	}
	for key := range values { // scripts name one value of a field
		if key != "by" && key != "compare" {
			values.Set(key, spelling.Literal(values.Get(key)))
		}
	}
	return name, values, nil
}

func dateOnly(text string) bool {
	_, err := time.Parse(time.DateOnly, text)
	return err == nil
}

// clock shows a time, with its date if that is not the script's day.
func (r *run) clock(t time.Time) string {
	t = t.In(r.config.Location)
	layout := "15:04:05.999"
	if t.Format(time.DateOnly) != r.day {
		layout = "2006-01-02T15:04:05.999"
	}
	return t.Format(layout)
}

// labels shows a set of labels in order.
func labels(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s=%q", k, m[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (r *run) ledger(*command) ([]string, error) {
	var data struct {
		Total       map[string]int64
		Quarantined map[string]int64
		Watermark   *time.Time
	}
	if _, err := r.query("/api/v1/ledger", nil, &data); err != nil {
		return nil, err
	}
	lines := []string{}
	var sum int64
	for _, word := range []string{"received", "counted", "duplicate", "late", "future", "filtered", "quarantined"} {
		n := data.Total[word]
		if word != "received" {
			sum += n
		}
		if n > 0 {
			lines = append(lines, fmt.Sprintf("%s %d", word, n))
		}
	}
	if sum != data.Total["received"] {
		return nil, fmt.Errorf("the columns add up to %d, received are %d", sum, data.Total["received"])
	}
	for _, why := range slices.Sorted(maps.Keys(data.Quarantined)) {
		lines = append(lines, fmt.Sprintf("  %s %d", why, data.Quarantined[why]))
	}
	if data.Watermark != nil {
		lines = append(lines, "watermark "+r.clock(*data.Watermark))
	}
	return lines, nil
}

func (r *run) alerts(*command) ([]string, error) {
	var data struct {
		Alerts []struct {
			Rule, State string
			Labels      map[string]string
			ActiveAt    time.Time `json:"active_at"`
		}
	}
	if _, err := r.query("/api/v1/alerts", nil, &data); err != nil {
		return nil, err
	}
	lines := []string{}
	for _, a := range data.Alerts {
		lines = append(lines, a.State+" "+a.Rule+series(a.Labels)+" since "+r.clock(a.ActiveAt))
	}
	return lines, nil
}

// series shows what tells the alerts of a rule apart.
func series(m map[string]string) string {
	m = maps.Clone(m)
	for _, same := range []string{"alertname", "by", "window"} {
		delete(m, same)
	}
	return labels(m)
}

// showCall shows a call, as what it says.
func (r *run) showCall(c call) string {
	line := strings.Replace(c.name(), " ", " "+c.body.Status+" ", 1)
	if c.refused != 0 {
		return fmt.Sprintf("%s: refused with %d", line, c.refused)
	}
	if several := c.body.Alerts; len(several) > 1 {
		var all []string
		for _, a := range several {
			all = append(all, a.Status+" "+a.Labels["alertname"]+series(a.Labels))
		}
		slices.Sort(all)
		return fmt.Sprintf("%s %s: %s", c.receiver, c.body.Status, strings.Join(all, ", "))
	}
	if c.annotation("corrected") != "" {
		line += " corrected"
	}
	asOf, _ := time.Parse(time.RFC3339, c.asOf())
	return fmt.Sprintf("%s value %s n %s as of %s", line, c.annotation("value"), c.annotation("n"), r.clock(asOf))
}

// get shows the status and the data of any request.
func (r *run) get(c *command) ([]string, error) {
	status, body := r.ask(c.rest)
	lines := []string{fmt.Sprint(status)}
	var indented bytes.Buffer
	if json.Indent(&indented, body, "", "  ") != nil {
		indented.Reset()
		indented.Write(body)
	}
	return append(lines, strings.Split(strings.TrimSpace(indented.String()), "\n")...), nil
}

// matches reports whether an answer to get has what is expected: the status,
// and JSON of which the expected is a part, or, in a text, the expected lines.
func matches(want, got []string) bool {
	if len(want) == 0 || want[0] != got[0] {
		return false
	}
	var part, whole any
	text := strings.Join(got[1:], "\n")
	if json.Unmarshal([]byte(text), &whole) != nil {
		for _, line := range want[1:] {
			if !slices.Contains(got, line) {
				return false
			}
		}
		return true
	}
	if len(want) == 1 {
		return true
	}
	return json.Unmarshal([]byte(strings.Join(want[1:], "\n")), &part) == nil && contains(whole, part)
}

// contains reports whether every field of part stands in whole, with the same
// value.
func contains(whole, part any) bool {
	switch part := part.(type) {
	case map[string]any:
		fields, ok := whole.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range part {
			if w, ok := fields[k]; !ok || !contains(w, v) {
				return false
			}
		}
		return true
	case []any:
		items, ok := whole.([]any)
		return ok && len(items) == len(part) && !slices.ContainsFunc(part, func(p any) bool {
			return !slices.ContainsFunc(items, func(w any) bool { return contains(w, p) })
		})
	}
	return reflect.DeepEqual(whole, part)
}
