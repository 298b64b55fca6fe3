package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

const silences = "/alertmanager/api/v2/silence"

// silence reads: NAME LABEL=VALUE... [for=1h]. The name is the comment.
func (r *run) silence(c *command) ([]string, error) {
	type matcher struct {
		Name    string `json:"name"`
		Value   string `json:"value"`
		IsRegex bool   `json:"isRegex"`
	}
	var matchers []matcher
	length := time.Hour
	if len(c.args) < 2 {
		return nil, fmt.Errorf("give: NAME LABEL=VALUE... [for=1h]")
	}
	for _, arg := range c.args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		switch {
		case !ok:
			return nil, fmt.Errorf("%q is not LABEL=VALUE", arg)
		case name == "for":
			var err error
			if length, err = time.ParseDuration(value); err != nil {
				return nil, err
			}
		default:
			pattern, regex := strings.CutPrefix(value, "~")
			matchers = append(matchers, matcher{name, pattern, regex})
		}
	}
	now := time.Now()
	_, err := r.change(http.MethodPost, silences+"s", map[string]any{
		"matchers": matchers, "startsAt": now, "endsAt": now.Add(length), "createdBy": "script", "comment": c.args[0],
	})
	return nil, err
}

// expire ends the silences with a name.
func (r *run) expire(c *command) ([]string, error) {
	body, err := r.change(http.MethodGet, silences+"s", nil)
	if err != nil {
		return nil, err
	}
	var all []struct {
		ID, Comment string
		Status      struct{ State string }
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, err
	}
	for _, one := range all {
		if one.Comment != c.rest || one.Status.State == "expired" {
			continue
		}
		if _, err := r.change(http.MethodDelete, silences+"/"+one.ID, nil); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// change sends a request that has to be taken.
func (r *run) change(method, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req := httptest.NewRequest(method, path, bytes.NewReader(text))
	req.Host = "localhost"
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	if w.Code != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.Bytes(), nil
}
