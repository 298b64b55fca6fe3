package differential

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
)

// A trial is definitions, a configuration, and what happens in order.
type trial struct {
	seed   uint64
	zone   string
	timing oracle.Timing
	later  oracle.Timing
	// holdout is the share of users, in per cent, of whom no webhook is told.
	holdout uint64
	// forgetAfter is for how many days after they were active users are known.
	forgetAfter uint64
	// leastBase is what checkpoints write whole at the least: with 1 a recovery reads journals,
	// with 0, the default, so few users are written whole each time.
	leastBase int
	// currency is that of amounts which name none.
	currency string
	// accept are the types that are accepted late, YAML.
	accept    string
	kpis      []string // definitions, YAML
	active    string   // a filter
	operators []string // beside those that all cases have
	steps     []step
	// embedded has what every service has of itself in place of these, of which a few
	// questions are asked at a time.
	embedded bool
}

// A step is one thing that happens: a message comes, to all players, or one of
// them does something. Players read what has come at different times.
type step struct {
	act     act
	message oracle.Message
	player  int
	// partitions are those after a crash.
	partitions int
	// whole asks for every series of every window.
	whole bool
}

type act int

const (
	send act = iota
	read
	checkpoint
	crash
	retime // everyone starts again with the case's later timing
	ask    // everyone, after they have read everything
)

// players are how many services read each case, each at its own pace.
const players = 3

var names = [players]string{"the service without crashes", "the service of 3 partitions", "the service that crashes"}

// config is the configuration file of the case with a timing.
func (c *trial) config(t oracle.Timing) string {
	text := fmt.Sprintf("timezone: %s\ndisorder: %dms\nlateness: %dms\ndedup_window: %dms\n", c.zone,
		t.Disorder.Milliseconds(), t.Lateness.Milliseconds(), t.DedupWindow.Milliseconds())
	if c.currency != "" {
		text += "currency: " + c.currency + "\n"
	}
	if c.accept != "" {
		text += "accept_late: " + c.accept + "\n"
	}
	return text + fmt.Sprintf("signals: {holdout: %d%%}\nusers: {forget_after: %dd}\n", c.holdout, c.forgetAfter)
}

// own leaves out what every service has of itself.
const own = "keep: []\n"

func (c *trial) definitions() string {
	if c.embedded {
		return "kpis: []\n"
	}
	return own + "kpis:\n  - " + strings.Join(c.kpis, "\n  - ") +
		fmt.Sprintf("\noperators:\n  - {name: mine, days: {churn_gap: 10, where: '%s'}}\n  - {name: visits, sessions: {gap: 1m, where: '%s', end: 'type == \"like\"'}}\n  - {name: stays, sessions: {gap: 45m}}\n  - {name: plays, plays: {}}\n  - {name: parts, plays: {gap: 1m, where: 'channel != \"c2\"'}}\n  - {name: ranks, rfm: {recency: [1, 2, 3, 9], frequency: [2, 3, 4, 6], monetary: {CNY: [1, 3, 5, 9], JPY: [100, 300, 500, 900]}}}\n  - {name: others, rfm: {where: 'not (channel == \"c1\")', recency: [1, 3, 40, 90], monetary: {USD: [1, 2, 3, 4]}}}\n  - {name: steady, rfm: {recency: [1, 2, 3, 9], frequency: [2, 3, 4, 6], monetary: {CNY: [1, 3, 5, 9], JPY: [100, 300, 500, 900]}, hysteresis: 50%%}}\n  - {name: fifths, rfm: {quintiles: daily, where: 'type != \"refund\" or channel != \"c1\"', recency: [1, 2, 3, 9], frequency: [2, 3, 4, 6], monetary: {CNY: [1, 3, 5, 9], JPY: [100, 300, 500, 900]}}}\n", c.active, c.active) + attributions + "  - " + strings.Join(c.operators, "\n  - ") + "\n"
}

// script is the case as a scenario, with what a player does and the question
// that was answered wrong.
func (c *trial) script(f *finding) []byte {
	var b bytes.Buffer
	block := func(name, text string) {
		fmt.Fprintf(&b, "%s\n", name)
		for line := range strings.Lines(text) {
			fmt.Fprintf(&b, "  %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	fmt.Fprintf(&b, "# Seed %d.\n", c.seed)
	block("config", c.config(c.timing))
	block("kpis", c.definitions())
	for _, s := range c.steps {
		switch m := s.message; s.act {
		case send:
			switch {
			case m.Tick && m.To != 0:
				fmt.Fprintf(&b, "tick %d to=%d\n", m.Stamp, m.To)
			case m.Erased != "":
				kind, id, _ := strings.Cut(m.Erased, " ")
				fmt.Fprintf(&b, "erase @%d %s_id=%s\n", m.Stamp, kind, id)
			case m.Tick:
				fmt.Fprintf(&b, "tick %d\n", m.Stamp)
			default:
				block(fmt.Sprintf("raw @%d", m.Stamp), string(m.Data))
			}
		case checkpoint:
			b.WriteString("checkpoint\n")
		case crash:
			b.WriteString("crash\n")
		case retime:
			block("restart", c.config(c.later))
		}
	}
	if f != nil {
		question := "ledger"
		if f.Segment != "" {
			question = "users " + f.Segment
		}
		if f.Question != nil {
			question = f.Question.String()
		}
		fmt.Fprintf(&b, "%s\n", question)
	}
	return b.Bytes()
}

// random is a source for one purpose of the case.
func (c *trial) random(purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(c.seed, purpose)) }

// instant is a moment in a zone's time.
func instant(zone, at string) int64 {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	t, err := time.ParseInLocation("2006-01-02 15:04:05", at, location)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}
