package plugin

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tidewatch/tidewatch/dashboards/grafana/plugin/pkg/client"
	"github.com/tidewatch/tidewatch/kpi"
)

// catalogueAge is for how long definitions hold: they change with a restart of the service.
const catalogueAge = 30 * time.Second

// A catalogue is what the service keeps.
type catalogue struct {
	client *client.Client

	mu   sync.Mutex
	at   time.Time
	kept *kept
}

// kept are the definitions by name, and the calendar of business days.
type kept struct {
	kpis map[string]*client.Definition
	days *kpi.Calendar
}

// get is the catalogue, if need be from the service.
func (c *catalogue) get(ctx context.Context) (*kept, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept != nil && time.Since(c.at) < catalogueAge {
		return c.kept, nil
	}
	list, err := c.client.Definitions(ctx)
	if err != nil {
		return nil, err
	}
	ledger, err := c.client.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(ledger.Timezone)
	if err != nil {
		return nil, fmt.Errorf("read the time zone of business days: %w", err)
	}
	k := &kept{kpis: make(map[string]*client.Definition, len(list)), days: kpi.NewCalendar(zone)}
	for i := range list {
		k.kpis[list[i].Name] = &list[i]
	}
	c.kept, c.at = k, time.Now()
	return k, nil
}

// names has the definitions of these KPIs. The service itself says of one that there is
// none.
func (c *catalogue) names(ctx context.Context, names ...string) (k *kept, list []*client.Definition, err error) {
	if k, err = c.get(ctx); err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		d := k.kpis[name]
		if d == nil {
			if _, _, err := c.client.Window(ctx, client.Selection{KPIs: []string{name}}, time.Time{}); err != nil {
				return nil, nil, err
			}
			c.forget() // it is there since a moment ago
			return nil, nil, fmt.Errorf("KPI %q was not there a moment ago: ask again", name)
		}
		list = append(list, d)
	}
	return k, list, nil
}

func (c *catalogue) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = nil
}
