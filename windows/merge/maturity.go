package merge

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A Ripening says how soon the facts of a KPI become known: how many were how long
// after what decides on their day, of the newest days that were final at an instant. It
// is planned as a Lookup is, and read outside every lock.
type Ripening struct {
	// Day is the newest of the days.
	Day int32
	// Sealed says that none of them changes any more.
	Sealed bool

	source *plan.Source
	keyed  *plan.Keyed
	// Some of the days may change: they are read each time, the others once.
	open, settled []*ripe
	through       int32   // the newest day that is settled
	rest          []int64 // by bin of the grid, how many facts of the settled days
	bins          []int64 // and of all
}

// ripe is one of the days.
type ripe struct {
	query *query
	part  *part
}

// RipeDay is the newest day of which nothing becomes known any more at an instant, in
// Unix seconds.
func RipeDay(p *plan.Plan, k *kpi.KPI, asOf int64) int32 {
	return p.Calendar.Before(p.Calendar.Day(asOf*1000) - int32(k.Horizon))
}

// Ripening plans what so many days up to one say, which is final. The KPI has a
// maturity. known is nil, or what was read of the same days before: what it has of
// those that are settled is not read again.
func (m *Merger) Ripening(name string, day int32, days int, known *Ripening) *Ripening {
	k := m.plan.KPI(name)
	r := &Ripening{Day: day, Sealed: true, source: k.Maturity, keyed: m.plan.Keyed(k.Maturity.Target)}
	for range days {
		w := window{kpi.Day, day, m.ends(day)}
		l := &Lookup{window: w, stored: finalOf(m.plan, k.KPI, w) <= m.sealed}
		if l.stored && r.settled == nil && known != nil && known.Day == r.Day && known.through == day {
			r.through, r.rest = day, known.rest
			break
		}
		var last *part
		one := &ripe{&query{window: w, source: r.source, kpi: k.KPI}, m.part(l, k, r.source, &last)}
		if l.stored {
			if r.settled == nil {
				r.through = day
			}
			r.settled = append(r.settled, one)
		} else {
			r.open, r.Sealed = append(r.open, one), false
		}
		day = m.calendar.Before(day)
	}
	return r
}

// Read reads what is in history.
func (r *Ripening) Read(h History) (err error) {
	if r.rest == nil {
		if r.rest, err = r.add(make([]int64, r.source.Grid.Bins()), r.settled, h); err != nil {
			return err
		}
	}
	r.bins, err = r.add(slices.Clone(r.rest), r.open, h)
	r.open, r.settled = nil, nil
	return err
}

// add counts the facts of days by their bins.
func (r *Ripening) add(bins []int64, days []*ripe, h History) ([]int64, error) {
	for _, d := range days {
		if d.part.reading == nil {
			if err := d.part.fetch(h, nil); err != nil {
				return nil, fmt.Errorf("read how soon facts become known: %w", err)
			}
			if d.part.block == nil { // nothing was on that day
				continue
			}
		}
		d.part.reading.each(d.query, func(labels []string, n sample.Int) {
			// A group without a number has no bin, and nothing in it.
			if bin, err := strconv.Atoi(r.keyed.HiddenOf(labels)); err == nil {
				bins[bin] += n.Saturated()
			}
		})
	}
	return bins, nil
}

// At is the maturity of a day that has been over for so long. Times of the grid's bin in
// which the age lies count all or none.
func (r *Ripening) At(age time.Duration) (out sample.Maturity) {
	most := max(age.Milliseconds(), 0) * r.source.Scale
	for bin, n := range r.bins {
		out.Of += n
		if r.source.Grid.Below(bin) || r.source.Grid.Value(bin) <= most {
			out.In += n
		}
	}
	return out
}
