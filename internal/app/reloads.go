package app

import (
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/api"
)

// reloads remembers how rules and receivers were read last: who asked for it may have gone,
// and a signal gets no answer.
type reloads struct {
	mu   sync.Mutex
	last api.Reload
}

// took notes that what was read is at work.
func (r *reloads) took(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = api.Reload{SucceededAt: alerts.Time{Time: now}}
}

// refused notes that it is not, and why.
func (r *reloads) refused(err error, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last.FailedAt, r.last.Error = alerts.Time{Time: now}, err.Error()
}

func (r *reloads) told() api.Reload {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// families are their metrics, by the names that Prometheus gives its own.
func (r *reloads) families() []*family {
	last := r.told()
	return []*family{
		truth("tidewatch_config_last_reload_successful", "1 when rules and receivers are those of the files as they were read last, 0 when these were refused.", last.Error == ""),
		gauge("tidewatch_config_last_reload_success_timestamp_seconds", "When the rules and receivers at work were read, in Unix seconds.", float64(last.SucceededAt.UnixMilli())/1000),
	}
}
