package alerts

// An Active is an alert that is pending or firing. Times are event time in Unix
// milliseconds.
type Active struct {
	// Labels are those of the series and of the rule, with alertname: of a pending alert
	// those of when it came to be. They are not changed after the call.
	Labels   map[string]string
	State    State // Pending or Firing
	ActiveAt int64
	FiredAt  int64 // 0 while it is pending
}

// Active are the alerts that are pending or firing as of the last evaluation, and when that
// was.
func (e *Engine) Active() (list []Active, at int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for a := range e.all() {
		if a.labels != nil { // else it has just come
			list = append(list, Active{Labels: a.labels, State: a.state, ActiveAt: a.activeAt, FiredAt: a.firedAt})
		}
	}
	return list, e.now
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
