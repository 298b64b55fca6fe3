package alerts

import "context"

// An Active is an alert that is pending or firing. Times are event time in Unix
// milliseconds.
type Active struct {
	// Labels are those of the series and of the rule, with alertname: of a pending alert as
	// they would be if it fired.
	Labels   map[string]string
	State    State // Pending or Firing
	ActiveAt int64
	FiredAt  int64 // 0 while it is pending
}

// Active are the alerts that are pending or firing as of the last evaluation, and when that
// was.
func (e *Engine) Active() (list []Active, at int64) {
	e.mu.Lock()
	var copies []alert
	for a := range e.all() {
		copies = append(copies, *a)
	}
	asked, at := e.questions(e.last), e.now
	e.mu.Unlock()
	for i := range copies { // templates run outside the lock: evaluation does not wait for them
		if a, ok := e.active(&copies[i], asked); ok {
			list = append(list, a)
		}
	}
	return list, at
}

// active is an alert as others know it, but for one that never fired and whose rule is gone.
func (e *Engine) active(a *alert, asked *questions) (out Active, ok bool) {
	out = Active{Labels: a.labels, State: a.state, ActiveAt: a.activeAt, FiredAt: a.firedAt}
	switch {
	case a.labels != nil:
	case a.rule == nil:
		return out, false
	default:
		data := e.templateData(a)
		data.query = asked.ask
		out.Labels, _ = a.rule.labels(context.Background(), data, a.activeAt)
	}
	return out, true
}

// Known are the alerts that rules know of while they are judged: those as of the evaluation
// before. There are none if no rule asks.
func (e *Engine) Known() []Active {
	if known := e.known.Load(); known != nil {
		return *known
	}
	return nil
}

// remember has rules know of the alerts as they are.
func (e *Engine) remember() {
	if !e.ofAlerts {
		return
	}
	known, _ := e.Active()
	if known == nil {
		known = []Active{}
	}
	e.known.Store(&known)
}
