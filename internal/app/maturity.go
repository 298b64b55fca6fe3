package app

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/state"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// ripenings are how soon facts become known, by KPI, as it was last asked: it takes a
// month of history to know, which is read when a day becomes final or is sealed.
type ripenings struct {
	mu  sync.Mutex
	all map[string]*merge.Ripening
}

// of is nil, or what is known of the days up to one.
func (r *ripenings) of(k *kpi.KPI, day int32) *merge.Ripening {
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.all[k.Name]; known != nil && known.Day == day {
		return known
	}
	return nil
}

func (r *ripenings) keep(k *kpi.KPI, ripening *merge.Ripening) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all == nil {
		r.all = map[string]*merge.Ripening{}
	}
	r.all[k.Name] = ripening
}

// A maturing says of the answers to one request how mature they are.
type maturing struct {
	engine  *engine
	history merge.History
	last    *merge.Ripening
	lost    *state.LostError // what of the days is
}

// mature says of a business day how much of what is expected of it is in.
func (m *maturing) mature(a *sample.Answer) error {
	switch {
	case a.KPI.Maturity == nil || !a.Window.IsDay() || a.AsOf.IsZero():
		return nil
	case a.Complete:
		a.Maturity = sample.Final
		return nil
	case m.lost != nil:
		return nil
	}
	day := merge.RipeDay(m.engine.plan, a.KPI, a.AsOf.Unix())
	if m.last == nil || m.last.Day != day {
		var err error
		m.last, err = m.engine.ripening(a.KPI, day, m.history)
		if lost, ok := errors.AsType[*state.LostError](err); ok {
			m.lost = lost
			return nil
		}
		if err != nil {
			return err
		}
	}
	a.Maturity = m.last.At(a.AsOf.Sub(a.End))
	return nil
}

// warnings say why a maturity is not known.
func (m *maturing) warnings() []string {
	if m.lost == nil {
		return nil
	}
	return []string{fmt.Sprintf("maturity is not known: %v", m.lost)}
}

// ripening is how soon the facts of a KPI become known, as the days up to one say, or
// those of them that are kept.
func (e *engine) ripening(k *kpi.KPI, day int32, h merge.History) (*merge.Ripening, error) {
	known := e.ripenings.Load() // of what there is now: that may be replaced meanwhile
	before := known.of(k, day)
	if before != nil && before.Sealed {
		return before, nil
	}
	days := min(kpi.MaturityDays, int(e.store.Kept(kpi.Day)/(24*time.Hour)))
	r := e.lane.ripening(k.Name, day, days, before)
	if err := r.Read(h); err != nil {
		return nil, err
	}
	known.keep(k, r)
	return r, nil
}
