package api

import (
	"context"
	"net/http"
	"time"

	"github.com/tidewatch/tidewatch/internal/backtest"
)

// A Backtester judges rules over history.
type Backtester interface {
	Backtest(ctx context.Context, b Backtest) (r *backtest.Report, warnings []string, err error)
}

// A Backtest is a rule file to be judged from one time to another. Step 0 is as fine as
// its rules need.
type Backtest struct {
	Name     string
	Rules    []byte
	From, To time.Time
	Step     time.Duration
}

// maxRules bounds a rule file.
const maxRules = 1 << 20

// backtestTime is how long one may take.
const backtestTime = 5 * time.Minute

// backtests answers what would have come of rules.
type backtests struct {
	Deps
	bodies *bodies
	// turn is taken by the one that runs: it takes as much of a core as there is.
	turn chan struct{}
}

func (t *backtests) run(c *http.ResponseController, r *http.Request) (answer, error) {
	if err := takes(r, "from", "to", "step"); err != nil {
		return answer{}, err
	}
	if err := t.Engine.Ready(); err != nil {
		return answer{}, Unavailable("%v", err)
	}
	s, clock := &selection{values: r.URL.Query(), reserved: []string{"from", "to", "step"}}, clockOf(t.Engine)
	s.clock = clock
	b := Backtest{Name: "rules"}
	var err error
	if b.From, err = s.instant("from", false); err != nil {
		return answer{}, err
	}
	if b.To, err = s.instant("to", true); err != nil {
		return answer{}, err
	}
	if b.From.IsZero() {
		return answer{}, BadData("from is missing: give RFC 3339, integer epoch milliseconds, a date or a length back such as -7d")
	}
	if newest := clock.newest(); b.To.IsZero() || b.To.After(newest) {
		b.To = newest
	}
	if !b.From.Before(b.To) {
		return answer{}, BadData("from %s is not before to %s: exchange them", rfc3339(b.From), rfc3339(b.To))
	}
	text, err := s.one("step")
	if err == nil && text != "" {
		b.Step, err = parseStep(text)
	}
	if err != nil {
		return answer{}, err
	}
	if b.Step != 0 && b.Step < time.Second {
		return answer{}, BadData("step %s is below a second: give 1s or more", text)
	}
	body, held, err := t.bodies.read(c, r)
	if err != nil {
		return answer{}, err
	}
	defer held.release()
	if len(body) > maxRules {
		return answer{}, TooLarge("the rule file has %d bytes, more than %d KiB: judge it in parts", len(body), maxRules>>10)
	}
	b.Rules = body
	ctx, cancel := context.WithTimeout(r.Context(), backtestTime)
	defer cancel()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return answer{}, Unavailable("another backtest takes all the time there is: try again later")
	}
	report, warnings, err := t.Backtester.Backtest(ctx, b)
	reuse(body)
	if err != nil {
		return answer{}, err
	}
	return answer{data: report, warnings: warnings}, nil
}
