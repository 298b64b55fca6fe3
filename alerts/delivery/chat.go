package delivery

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/robot"
)

// A chat is told by its robot.
type chat struct {
	robot *robot.Robot
}

func (c chat) limits() limits {
	l := c.robot.Limits()
	return limits{l.Burst, l.Every}
}

func (c chat) together(ns []*alerts.Notification) int { return c.robot.Together(ns) }

func (c chat) request(ns []*alerts.Notification, secret string, now time.Time) (*request, error) {
	p, err := c.robot.Post(ns, secret, now)
	return &request{query: p.Query, body: p.Body, private: []string{p.Sign}}, err
}

// read: a robot says in the body whether it took a message. Who answers in another way is
// none, whatever the status.
func (c chat) read(resp *http.Response, answer []byte, tell func(string) string) (attempt, bool) {
	took, err := c.robot.Read(answer)
	if f, ok := errors.AsType[*robot.Fault](err); ok {
		f.Says = tell(f.Says)
		a := attempt{err: f, refused: f.Refused, whole: !f.Content, after: f.Pause, limited: f.Pause > 0}
		a.heed(resp)
		return a, true
	}
	if resp.StatusCode/100 != 2 {
		return attempt{}, false
	}
	if took {
		return attempt{}, true
	}
	return attempt{err: fmt.Errorf("answered %d, but not as a robot of %s does: correct the url", resp.StatusCode, c.robot), refused: true, whole: true}, true
}
