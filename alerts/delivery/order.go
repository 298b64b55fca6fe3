package delivery

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/tidewatch/tidewatch/alerts"
)

// inOrder puts alerts that are told together as people read them: those that fire first, then by
// rule and labels, numbers by their size.
func inOrder(all []*alerts.Notification) {
	texts := make(map[*alerts.Notification]string, len(all))
	for _, n := range all {
		texts[n] = inWords(n)
	}
	slices.SortStableFunc(all, func(a, b *alerts.Notification) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), natural(texts[a], texts[b]), cmp.Compare(a.Alert, b.Alert))
	})
}

// inWords are the rule and the labels of an alert.
func inWords(n *alerts.Notification) string {
	parts := []string{n.Rule}
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		parts = append(parts, name, n.Labels[name])
	}
	return strings.Join(parts, "\x00")
}

// natural compares texts, with numbers in them by their size.
func natural(a, b string) int {
	for a != "" && b != "" {
		i, j := digits(a), digits(b)
		if i == 0 || j == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
		a, b = a[i:], b[j:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits a text begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
