package plan

import (
	"fmt"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A keeping is what is kept of a KPI by one dimension set in some of its windows.
type keeping struct {
	*kpi.KPI
	by      kpi.Set
	windows []kpi.Window
	dated   bool // rows belong to a business day of their own
	horizon int
}

// keepings are what is kept of a KPI by a dimension set. Of facts, and of events with a
// horizon, a sliding window has what becomes known in it, a day what belongs to it: they
// are apart.
func keepings(k *kpi.KPI, by kpi.Set) (out []keeping) {
	if k.From == nil && k.Horizon == 0 {
		return []keeping{{k, by, k.Windows, false, 0}}
	}
	sliding := slices.DeleteFunc(slices.Clone(k.Windows), kpi.Window.IsDay)
	if len(sliding) > 0 {
		out = append(out, keeping{k, by, sliding, false, 0})
	}
	if k.Keeps(kpi.Day) {
		out = append(out, keeping{k, by, []kpi.Window{kpi.Day}, true, k.Horizon})
	}
	return out
}

// budget is how many series are kept; the total needs none.
func (k keeping) budget() int {
	if len(k.by) == 0 {
		return 0
	}
	return k.Budget
}

// name names what is kept by a dimension set. KPIs share it if their budgets are
// the same: who has a place depends on it.
func (k keeping) name() string {
	if k.budget() == 0 {
		return k.by.Key()
	}
	return fmt.Sprintf("%s/%d", k.by.Key(), k.Budget)
}
