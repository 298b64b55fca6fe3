package client

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Definition is a KPI as GET /api/v1/kpis describes it.
type Definition struct {
	Name        string       `json:"name"`
	Title       kpi.Text     `json:"title"`
	Description kpi.Text     `json:"description"`
	Unit        kpi.Unit     `json:"unit"`
	By          []kpi.Set    `json:"by"`
	Windows     []string     `json:"windows"`
	Ratio       bool         `json:"ratio"`
	Targets     *kpi.Targets `json:"targets"`
	FinalOnly   bool         `json:"final_only"`
	// Split are the fields by which every breakdown tells series apart, Texts what each of
	// them can be, as they follow each other.
	Split kpi.Set             `json:"split"`
	Texts map[string][]string `json:"texts"`
}

// Default is the window that an answer is about without one.
func (d *Definition) Default() string {
	const usual = "5m"
	if slices.Contains(d.Windows, usual) || len(d.Windows) == 0 {
		return usual
	}
	return d.Windows[0]
}

// Set is the smallest set of fields that series with these fields are kept by.
func (d *Definition) Set(fields ...string) (best kpi.Set, kept bool) {
	for _, set := range d.By {
		missing := func(field string) bool { return !slices.Contains(set, field) }
		if !slices.ContainsFunc(fields, missing) && (!kept || len(set) < len(best)) {
			best, kept = set, true
		}
	}
	return best, kept
}

// Definitions are all that the service keeps.
func (c *Client) Definitions(ctx context.Context) (list []Definition, err error) {
	_, err = c.get(ctx, "/api/v1/kpis", nil, &list)
	return list, err
}

// RawDefinitions are the same, as the service writes them.
func (c *Client) RawDefinitions(ctx context.Context) (list json.RawMessage, err error) {
	_, err = c.get(ctx, "/api/v1/kpis", nil, &list)
	return list, err
}
