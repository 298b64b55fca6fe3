package message

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// A Digest is what people are told of several alerts at once.
type Digest struct {
	// Firing is set if any of them fires.
	Firing bool
	Title  string
	// Note says why they come together.
	Note string
	// Lines name each of them, in the order of the notifications.
	Lines []Line
	// More says that there are others, "" if there are none.
	More  string
	Links []Link
}

// A Line is one alert of a digest.
type Line struct {
	Firing bool
	Text   string
	// Links are its own, where there is room for them.
	Links []Link
}

// DigestOf puts notifications together.
func DigestOf(ns []*alerts.Notification, l Language) Digest {
	w, firing := words[l], 0
	d := Digest{Note: w.together}
	for _, n := range ns {
		if n.Status == alerts.Firing {
			firing++
		}
		d.Lines = append(d.Lines, Line{Firing: n.Status == alerts.Firing, Text: lineOf(n, l, nil)})
	}
	d.Firing = firing > 0
	var counts []string
	if firing > 0 {
		counts = append(counts, strconv.Itoa(firing)+w.manyFiring)
	}
	if rest := len(ns) - firing; rest > 0 {
		counts = append(counts, strconv.Itoa(rest)+w.manyResolved)
	}
	d.Title = Sender + w.colon + strings.Join(counts, w.comma)
	if rules := rulesOf(ns); len(rules) <= namedRules {
		d.Title += " · " + strings.Join(rules, w.comma)
	}
	if len(ns) > 0 {
		d.Links = links(&alerts.Notification{Link: ns[0].ExternalURL}, w)
	}
	return d
}

// namedRules is how many rules a title names at most.
const namedRules = 3

// rulesOf are the rules of notifications, each once.
func rulesOf(ns []*alerts.Notification) (out []string) {
	for _, n := range ns {
		if !slices.Contains(out, n.Rule) {
			out = append(out, n.Rule)
		}
	}
	return out
}

// GroupOf tells of alerts that the receivers file puts together, and names the first of them.
func GroupOf(ns []*alerts.Notification, named int, l Language) Digest {
	w, d := words[l], DigestOf(ns, l)
	d.Lines, d.Note = d.Lines[:named], w.grouped
	if out := len(ns) - named; out > 0 {
		d.More = strconv.Itoa(out) + w.more
	}
	return d
}

// WholeGroupOf tells of such alerts what a message of its own would tell first: of each how
// sure it is, since when, and where to look. Its times are in now's zone.
func WholeGroupOf(ns []*alerts.Notification, l Language, now time.Time) Digest {
	w, d := words[l], GroupOf(ns, len(ns), l)
	for i, n := range ns {
		d.Lines[i].Text = lineOf(n, l, now.Location())
		d.Lines[i].Links = links(n, w)
	}
	return d
}

// lineOf is an alert in a line: with a zone how sure it is and since when, too.
func lineOf(n *alerts.Notification, l Language, zone *time.Location) string {
	w, f := words[l], figuresOf(n, l)
	parts := []string{w.status(n) + w.colon + n.Rule}
	if own := labels(n); len(own) > 0 {
		parts = append(parts, strings.Join(own, w.comma))
	}
	value := f.value()
	if zone != nil {
		value = f.valued(w)
	}
	if value != "" && !elsewhen(n) {
		said := f.name(n, w, nil) + " " + value
		if c := f.condition(w); c != "" {
			said += w.open + c + w.close
		}
		parts = append(parts, said)
	}
	if zone != nil {
		parts = append(parts, w.span(n, zone, l))
	}
	if by := n.Annotations["not_taken_by"]; by != "" {
		parts = append(parts, w.missed+w.colon+by)
	}
	return strings.Join(parts, " · ")
}
