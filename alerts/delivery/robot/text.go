package robot

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"
	"time"
	"unicode"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/alerts/delivery/message"
)

// A text is a message in markdown.
type text struct {
	title  string // plain
	body   string
	firing bool
}

const (
	// longest and shortest are to how many characters the texts of a message are cut, so
	// that the whole fits.
	longest, shortest = 2000, 8
	// longestLine is the same of a line of a digest, which is to name an alert, longestWhole
	// of one that says what is known of it.
	longestLine, longestWhole = 160, 500
	// longestTitle is the same of titles.
	longestTitle = 100
)

// one is the text of a single notification. Where it is longer than the robot takes, its
// parts are cut.
func (r *Robot) one(m message.Message) text {
	p := protocols[r.Kind]
	for most := longest; ; most /= 2 {
		t := r.cutTo(m, most)
		if p.size(t.body) <= p.limits().Text || most <= shortest {
			return t
		}
	}
}

// cutTo is the text with no part longer than so many characters.
func (r *Robot) cutTo(m message.Message, most int) text {
	c := cutter{most: most}
	p := protocols[r.Kind]
	t := text{title: clip(plain(m.Title), longestTitle), firing: m.Firing}
	lines := []string{p.title(p.escape(t.title), m.Firing), p.escape(c.cut(m.Summary))}
	for _, f := range m.Facts {
		lines = append(lines, r.bold(clip(plain(f.Name), longestTitle))+p.escape(c.cut(f.Value)))
	}
	lines = append(lines, p.escape(c.cut(m.Description)), r.links(m.Links, &c))
	if c.did {
		lines = append(lines, p.escape(message.CutNote(r.Language, 1)))
	}
	if m.Firing {
		lines = append(lines, p.mention(r))
	}
	t.body = join(lines, p.newline())
	return t
}

// digest is the text of several notifications.
func (r *Robot) digest(d message.Digest) text {
	p := protocols[r.Kind]
	t := text{title: clip(plain(d.Title), longestTitle), firing: d.Firing}
	lines := []string{p.title(p.escape(t.title), d.Firing), p.escape(d.Note)}
	for _, l := range d.Lines {
		mark := "🟢 "
		if l.Firing {
			mark = "🔴 "
		}
		most := longestLine
		if len(l.Links) > 0 {
			most = longestWhole
		}
		lines = append(lines, mark+p.escape(clip(plain(l.Text), most)), r.links(l.Links, &cutter{most: longest}))
	}
	lines = append(lines, p.escape(d.More), r.links(d.Links, &cutter{most: longest}))
	if d.Firing {
		lines = append(lines, p.mention(r))
	}
	t.body = join(lines, p.newline())
	return t
}

// Together is how many of the notifications, from the first on, one message names.
func (r *Robot) Together(ns []*alerts.Notification) int {
	return r.fit(len(ns), func(n int) message.Digest { return message.DigestOf(ns[:n], r.Language) })
}

// fit is how many of several, and at least one, a digest can name.
func (r *Robot) fit(several int, of func(n int) message.Digest) int {
	p := protocols[r.Kind]
	fits := func(n int) bool { return p.size(r.digest(of(n)).body) <= p.limits().Text }
	// The first length that does not fit, of those from 2 on.
	return 1 + sort.Search(several-1, func(i int) bool { return !fits(i + 2) })
}

// group is the text of alerts that the receivers file puts together: all that is known of
// them, if that fits, or else a short line of as many as it takes, and how many others there
// are.
func (r *Robot) group(ns []*alerts.Notification, now time.Time) text {
	p := protocols[r.Kind]
	if whole := r.digest(message.WholeGroupOf(ns, r.Language, now)); p.size(whole.body) <= p.limits().Text {
		return whole
	}
	of := func(n int) message.Digest { return message.GroupOf(ns, n, r.Language) }
	return r.digest(of(r.fit(len(ns), of)))
}

func (r *Robot) bold(name string) string {
	p := protocols[r.Kind]
	if r.Language == message.English {
		return "**" + p.escape(name) + "**: "
	}
	return "**" + p.escape(name) + "**："
}

// links stand on one line. An address that is cut leads nowhere: a long one is left out.
func (r *Robot) links(links []message.Link, c *cutter) string {
	var out []string
	for _, l := range links {
		address := inMarkdown.Replace(l.URL)
		if len(address) > max(c.most, 400) {
			c.did = true
			continue
		}
		out = append(out, "["+protocols[r.Kind].escape(l.Text)+"]("+address+")")
	}
	return strings.Join(out, " | ")
}

// inMarkdown has an address not end before it does.
var inMarkdown = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", "[", "%5B", "]", "%5D", "*", "%2A", "'", "%27", `"`, "%22", " ", "%20")

// A cutter cuts texts and notes whether it did.
type cutter struct {
	most int
	did  bool
}

func (c *cutter) cut(s string) string {
	s = plain(s)
	short := clip(s, c.most)
	c.did = c.did || short != s
	return short
}

// clip is a text of no more than so many characters.
func clip(s string, most int) string {
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}

// plain is a text on one line: a line of its own could begin a heading or a list.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}

func join(lines []string, newline string) string {
	var out []string
	for _, l := range lines {
		if l != "" {
			out = append(out, l)
		}
	}
	return strings.Join(out, newline)
}

// encode writes JSON as it is, without escapes for HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// inJSON is how many bytes a text takes in JSON.
func inJSON(text string) int {
	b, _ := encode(text) // any text is one in JSON
	return len(b)
}
