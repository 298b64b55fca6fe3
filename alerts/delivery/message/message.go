// Package message says in words what a notification is about, in Chinese or English. It
// knows no markup: what it says stands in texts that whoever shows them has to escape.
package message

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// A Message is what people are told of one alert.
type Message struct {
	Firing bool
	Title  string
	// Summary and Description are the rule's own words, "" where it has none.
	Summary, Description string
	// Facts are what is known of it, what says most first.
	Facts []Fact
	Links []Link
}

// A Fact is a name and what it is.
type Fact struct{ Name, Value string }

// A Link leads to an address.
type Link struct{ Text, URL string }

// Of is the message of a notification that is sent now. Its times are in now's zone.
func Of(n *alerts.Notification, l Language, now time.Time) Message {
	w, f := words[l], figuresOf(n, l)
	m := Message{
		Firing: n.Status == alerts.Firing, Title: title(n, w),
		Summary: n.Annotations["summary"], Description: n.Annotations["description"],
	}
	fact := func(name, value string) {
		if value != "" {
			m.Facts = append(m.Facts, Fact{name, value})
		}
	}
	fact(f.name(n, w, now.Location()), f.valued(w))
	fact(w.condition, f.condition(w))
	if m.Firing {
		fact(w.change, f.change(n, w))
	}
	fact(w.expression, f.expression(w))
	fact(w.time, w.span(n, now.Location(), l))
	fact(w.because, Because(n.Annotations["resolved_because"], l))
	fact(w.data, w.asOf(n, now, l))
	fact(w.missed, n.Annotations["not_taken_by"])
	fact(w.labels, strings.Join(labels(n), w.comma))
	m.Links = links(n, w)
	return m
}

// Explain says what is known of an alert in lines: each fact behind its name.
func Explain(n *alerts.Notification, l Language, now time.Time) string {
	var lines []string
	for _, f := range Of(n, l, now).Facts {
		lines = append(lines, f.Name+words[l].colon+f.Value)
	}
	return strings.Join(lines, "\n")
}

// Because is why an alert is over that no rule has decided so, given as its annotation has it.
func Because(why string, l Language) string { return cmp.Or(words[l].reasons[why], why) }

// Title is that of a message that tells of alerts.
func Title(ns []*alerts.Notification, l Language) string {
	if len(ns) == 1 {
		return title(ns[0], words[l])
	}
	return DigestOf(ns, l).Title
}

// Links lead to the page and, if the rule names it, to what is to be done.
func Links(n *alerts.Notification, l Language) []Link { return links(n, words[l]) }

func title(n *alerts.Notification, w *vocabulary) string {
	return Sender + " " + w.status(n) + w.colon + n.Rule
}

// Sender is in the title of every message: a robot may ask for a word that all have.
const Sender = "Tidewatch"

// labels are those that tell the alert apart; the rest is said elsewhere.
func labels(n *alerts.Notification) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(n.Labels)) {
		switch name {
		case "alertname", "by", "window", "currency":
		default:
			out = append(out, name+"="+n.Labels[name])
		}
	}
	return out
}

// links lead to the page and, if the rule names it, to what is to be done.
func links(n *alerts.Notification, w *vocabulary) (out []Link) {
	for _, l := range []Link{{w.page, cmp.Or(n.Annotations["link"], n.Link)}, {w.runbook, n.Annotations["runbook_url"]}} {
		if u, err := url.Parse(l.URL); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
			out = append(out, Link{l.Text, u.String()})
		}
	}
	return out
}

// CutNote says of a text about so many alerts that it was cut.
func CutNote(l Language, about int) string {
	if about > 1 {
		return fmt.Sprintf(words[l].cutOf, about)
	}
	return words[l].cut
}

// Freshness is how old what was decided on is.
func Freshness(n *alerts.Notification, now time.Time) time.Duration {
	return now.Sub(time.UnixMilli(n.AsOf())).Round(time.Millisecond)
}
