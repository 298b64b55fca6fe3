package delivery

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/robot"
	"github.com/tidewatch/tidewatch/alerts/reason"
)

// A chat is told by its robot.
type chat struct {
	robot *robot.Robot
}

func (c chat) limits() limits {
	l := c.robot.Limits()
	return limits{l.Burst, l.Every}
}

// together: a group of several alerts goes into a message as a whole, as far as it goes.
func (c chat) together(batch []*entry) int {
	left := c.robot.Together(flat(batch))
	for i, e := range batch {
		if left -= len(e.alerts()); left < 0 {
			return max(i, 1)
		}
	}
	return len(batch)
}

func (c chat) post(ctx context.Context, g *Integration, batch []*entry, now time.Time) attempt {
	return g.send(ctx, c, batch, now)
}

func (c chat) request(batch []*entry, secret string, now time.Time) (*request, error) {
	post := c.robot.Post
	if len(batch) == 1 && len(batch[0].alerts()) > 1 {
		post = c.robot.PostGroup
	}
	told := flat(batch)
	inOrder(told)
	p, err := post(told, secret, now)
	return &request{query: p.Query, body: p.Body, private: []string{p.Sign}}, err
}

// flat are the alerts that notifications tell of.
func flat(batch []*entry) (out []*alerts.Notification) {
	for _, e := range batch {
		for _, n := range e.alerts() {
			out = append(out, &n)
		}
	}
	return out
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
	return attempt{err: reason.NoRobot.Of(reason.Args{"status": resp.StatusCode, "robot": c.robot.String()}), refused: true, whole: true}, true
}
