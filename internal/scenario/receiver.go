package scenario

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// receivers are the other end of all webhooks, in memory. They outlive crashes.
type receivers struct {
	mu sync.Mutex
	// once lists each notification once, however often it comes.
	once   bool
	ids    map[string]bool
	down   map[string]bool
	faults map[string][]int // statuses to answer next
	calls  []call           // since they were last asked for
}

type call struct {
	receiver string
	refused  int // status, 0 for a call that was taken
	body     message
}

// message is what scripts see of a notification.
type message struct {
	Status string `json:"status"`
	Alerts []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// asOf is the time of the decision, as it stands there.
func (c call) asOf() string { return c.annotation("as_of") }

func (c call) annotation(name string) string {
	if len(c.body.Alerts) == 0 {
		return ""
	}
	return c.body.Alerts[0].Annotations[name]
}

// name tells the alerts apart.
func (c call) name() string {
	if len(c.body.Alerts) == 0 {
		return c.receiver
	}
	l := c.body.Alerts[0].Labels
	return c.receiver + " " + l["alertname"] + series(l)
}

func newReceivers() *receivers {
	return &receivers{ids: map[string]bool{}, down: map[string]bool{}, faults: map[string][]int{}}
}

var errDown = errors.New("connection refused")

// RoundTrip takes a notification. The receiver's name is the path.
func (r *receivers) RoundTrip(req *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := call{receiver: strings.TrimPrefix(req.URL.Path, "/")}
	if r.down[c.receiver] {
		return nil, errDown
	}
	if err := json.Unmarshal(data, &c.body); err != nil {
		return nil, fmt.Errorf("read notification: %w", err)
	}
	status := http.StatusOK
	if f := r.faults[c.receiver]; len(f) > 0 {
		status, r.faults[c.receiver] = f[0], f[1:]
		c.refused = status
	}
	id := c.receiver + " " + req.Header.Get("Idempotency-Key")
	if !r.once || !r.ids[id] {
		r.calls = append(r.calls, c)
	}
	r.ids[id] = r.ids[id] || c.refused == 0
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(&bytes.Buffer{}), Request: req}, nil
}

// inject decides how a receiver answers: "down", "up", or a status so many
// times.
func (r *receivers) inject(receiver, what string, times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch what {
	case "down", "up":
		r.down[receiver] = what == "down"
	default:
		status, _ := strconv.Atoi(what) // the script was checked
		for range times {
			r.faults[receiver] = append(r.faults[receiver], status)
		}
	}
}

func (r *receivers) isDown(receiver string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down[receiver]
}

// take answers the calls since it was last asked.
func (r *receivers) take() []call {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}
