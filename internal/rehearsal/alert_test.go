package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/alerts"
)

type notification = alerts.Notification

// told is a notification in a line.
func told(n notification) string {
	at := n.StartsAt
	if n.Status != alerts.Firing {
		at = n.EndsAt
	}
	var of []string
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		if name != "alertname" && name != "severity" {
			of = append(of, name+"="+n.Labels[name])
		}
	}
	return fmt.Sprintf("%s %s %s {%s} %s", at.In(shanghai).Format("2006-01-02 15:04:05"), n.Status, n.Rule, strings.Join(of, " "), n.Annotations["value"])
}

// healthy holds the rules to have been evaluated without an error.
func healthy(t *testing.T, b *business) {
	for _, r := range b.replica.Alerts().Rules {
		if r.LastError != "" {
			t.Errorf("%s: %s", r.Name, r.LastError)
		}
	}
}
