package jetstream

import (
	"bytes"
	"sync"
	"time"
)

const (
	groupBytes = 512 << 10
	groupTime  = 5 * time.Millisecond
)

// A committer has concurrent appends share a message and its sync. An append
// that finds nothing under way is sent at once; those that come meanwhile form
// a group, which leaves when the message before it is synced, at the latest
// after groupTime or with groupBytes.
type committer struct {
	send func(body []byte) (uint64, error)

	mu      sync.Mutex
	open    *group
	flying  int
	stopped bool
	idle    chan struct{} // made by stop, closed when nothing flies
}

// A group is the lines of one message, and its fate once done is closed.
type group struct {
	texts    [][]byte
	size     int
	timer    *time.Timer
	done     chan struct{}
	sequence uint64
	err      error
}

func (g *group) body() []byte {
	if len(g.texts) == 1 {
		return g.texts[0]
	}
	return bytes.Join(g.texts, []byte{'\n'})
}

// add joins lines, which it keeps, to a group and returns it.
func (c *committer) add(text []byte) (*group, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return nil, ErrClosed
	}
	g := c.open
	if g == nil {
		g = &group{done: make(chan struct{})}
		c.open = g
	}
	g.texts = append(g.texts, text)
	g.size += len(text)
	switch {
	case c.flying == 0 || g.size >= groupBytes:
		c.launch()
	case g.timer == nil:
		g.timer = time.AfterFunc(groupTime, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.open == g {
				c.launch()
			}
		})
	}
	return g, nil
}

// launch sends the open group. The caller holds mu.
func (c *committer) launch() {
	c.flying++
	go c.fly(c.take())
}

func (c *committer) take() *group {
	g := c.open
	c.open = nil
	if g.timer != nil {
		g.timer.Stop()
	}
	return g
}

// fly sends a group, then what has gathered meanwhile.
func (c *committer) fly(g *group) {
	for g != nil {
		g.sequence, g.err = c.send(g.body())
		close(g.done)
		g = c.landed()
	}
}

// landed returns the group to go next; nil when there is none, or when another
// message still flies, behind which it leaves.
func (c *committer) landed() *group {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flying == 1 && c.open != nil {
		return c.take()
	}
	if c.flying--; c.flying == 0 && c.idle != nil {
		close(c.idle)
	}
	return nil
}

// stop refuses new lines and reports whether all others were sent within d.
func (c *committer) stop(d time.Duration) bool {
	c.mu.Lock()
	c.stopped = true
	idle := make(chan struct{})
	if c.flying == 0 {
		close(idle)
	} else {
		c.idle = idle
	}
	c.mu.Unlock()
	select {
	case <-idle:
		return true
	case <-time.After(d):
		return false
	}
}
