package history

// A Span is for how long an alert was active. Times are event time in Unix milliseconds.
type Span struct {
	// Labels are those of the series and of the rule, with alertname. They are not to be
	// changed.
	Labels map[string]string
	// ActiveAt is since when its condition held, FiredAt when it fired.
	ActiveAt, FiredAt int64
	ResolvedAt        int64 // 0 while it fires
}

// Spans are those of the episodes of which any part lies in from <= time <= to, since when
// the condition held, in the order in which they became known: of a rule, of all with "".
func (s *Store) Spans(rule string, from, to int64) (out []Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.order {
		if (rule == "" || k.rule == rule) && k.active <= to && (k.resolved == 0 || k.resolved >= from) {
			out = append(out, Span{k.labels, k.active, k.fired, k.resolved})
		}
	}
	return out
}
