package plan

import (
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// Keyed is what sums and users have in common: the dimension set and windows.
type Keyed struct {
	Name string
	Set  kpi.Set
	// Hidden is what values are kept apart by although no series shows it, "" for
	// none: the currency of money, the bins of a quantile's number. Series are
	// admitted to the budget, listed and folded with all their hidden labels.
	Hidden string
	// Dated says that rows belong to a business day of their own, not to that of
	// their slice: it is a label behind all others that nobody sees.
	Dated   bool
	Lengths []Length
	Day     bool
	Budget  int // how many series have a place

	fields []int // text columns of the set, the hidden one and the day last
	days   *days // of dated events: their day is that of their time, and no column
}

// A Length is one window length that goes along with time: a sliding one, or
// today.
type Length struct {
	Window  kpi.Window
	Seconds int64 // of today, which the calendar cuts, the most that it can have
	Step    int64
	days    *kpi.Calendar // nil for a sliding length
}

// Today reports whether it is that of the running day.
func (l Length) Today() bool { return l.days != nil }

// longestDay is what no business day exceeds: a date can come twice.
const longestDay = 48 * 3600

func lengthOf(w kpi.Window, days *kpi.Calendar) Length {
	l := Length{Window: w, Seconds: int64(w.Length / time.Second), Step: int64(w.Step() / time.Second)}
	if w == kpi.Today {
		l.Seconds, l.days = longestDay, days
	}
	return l
}

// Tail is the first second of the live window when the slices before head are
// closed: the window that ends at the next step.
func (l Length) Tail(head int64) int64 {
	end := Ceil(head, l.Step)
	if l.days != nil {
		return l.days.Start(l.days.Day(end*1000-1)) / 1000
	}
	return end - l.Seconds
}

// Reaches reports whether the live window, with the slices before head closed, ends
// behind the slice.
func (l Length) Reaches(slice, head int64) bool { return slice < head || slice < Ceil(head, l.Step) }

// Exit is the first head at which the slice has left the live window. Where a day
// ends between two steps, its slices behind the former are in no window of today:
// they have left before they close.
func (l Length) Exit(slice int64) int64 {
	if l.days != nil {
		return Floor(l.days.Start(l.days.Day(slice*1000)+1)/1000, l.Step) + 1
	}
	return Floor(slice, l.Step) + l.Seconds + 1
}

// Pane is the first second of the pane that a second of a window is in: the part
// of a step that lies in one day.
func (l Length) Pane(second int64) int64 {
	pane := Floor(second, l.Step)
	if l.days != nil {
		pane = max(pane, l.days.Start(l.days.Day(second*1000))/1000)
	}
	return pane
}

// Unsealed is for how many milliseconds slices behind the watermark may still
// change: the lateness, but a second at the least, so that the day that ends with
// what is closed is still the live one.
func Unsealed(t stream.Timing) int64 { return max(t.Lateness.Milliseconds(), 1000) }

// Floor is the largest multiple of step up to t.
func Floor(t, step int64) int64 {
	m := t % step
	if m < 0 {
		m += step
	}
	return t - m
}

// Ceil is the smallest multiple of step from t on.
func Ceil(t, step int64) int64 { return -Floor(-t, step) }

func (r *Rows) keyed(name string, set kpi.Set, hidden string, budget int, dated bool) Keyed {
	k := Keyed{Name: name, Set: slices.Clone(set), Hidden: hidden, Budget: budget, Dated: dated}
	for _, f := range set {
		k.fields = append(k.fields, column(&r.Schema.Text, f))
	}
	if hidden != "" {
		k.fields = append(k.fields, r.hiddenColumn(hidden))
	}
	if dated && r.name != "" {
		k.fields = append(k.fields, column(&r.Schema.Text, DayField))
	}
	return k
}

// DayField names the text column of the day that a row belongs to, by its number;
// no event has such a field.
const DayField = "\x00day"

// Fields is how many labels a group has, those included that nobody sees.
func (k *Keyed) Fields() int {
	if k.days != nil {
		return len(k.fields) + 1
	}
	return len(k.fields)
}

// Text is one of the labels of a row in the dimension set; there is whether the row has
// one.
func (k *Keyed) Text(b *stream.Batch, row, field int) (text []byte, there bool) {
	if field == len(k.fields) {
		return k.days.label(b.Time[row]).text, true
	}
	c := &b.Text[k.fields[field]]
	span := c.Span[row]
	return b.Payload[span.Off : span.Off+span.Len], c.Hash[row] != 0
}

func (k *Keyed) addWindows(p *Plan, ws []kpi.Window) {
	for _, w := range ws {
		if w.IsDay() {
			k.Day = true
			continue
		}
		if !slices.ContainsFunc(k.Lengths, func(l Length) bool { return l.Window == w }) {
			k.Lengths = append(k.Lengths, lengthOf(w, p.Calendar))
		}
	}
	slices.SortStableFunc(k.Lengths, func(a, b Length) int { return int(a.Seconds - b.Seconds) })
}

// Begin is the first second of the window of a length that ends at end.
func (p *Plan) Begin(w kpi.Window, end int64) int64 { return lengthOf(w, p.Calendar).Tail(end) }

// Length is the place of a window among the lengths, -1 for the day.
func (k *Keyed) Length(w kpi.Window) int {
	return slices.IndexFunc(k.Lengths, func(l Length) bool { return l.Window == w })
}

// Key is the key of a row's labels: the hash of the one field, or a mix of
// several.
func (k *Keyed) Key(p *Plan, b *stream.Batch, row int) uint64 {
	switch {
	case k.Fields() == 0:
		return 0
	case k.Fields() > 1:
	case k.days != nil:
		return k.days.label(b.Time[row]).hash
	default:
		if h := b.Text[k.fields[0]].Hash[row]; h != 0 {
			return h
		}
		return p.none
	}
	var h uint64
	for _, f := range k.fields {
		t := b.Text[f].Hash[row]
		if t == 0 {
			t = p.none
		}
		h = Mix(h, t)
	}
	if k.days != nil {
		h = Mix(h, k.days.label(b.Time[row]).hash)
	}
	return h
}

// days are the labels of business days.
type days struct {
	*kpi.Calendar
	labels kpi.PerDay[dayLabel]
}

type dayLabel struct {
	text []byte
	hash uint64
}

func newDays(c *kpi.Calendar, key stream.HashKey) *days {
	d := &days{Calendar: c}
	d.labels.Make = func(day int32) dayLabel {
		text := strconv.AppendInt(nil, int64(day), 10)
		return dayLabel{text, key.Text(text)}
	}
	return d
}

// label is that of the business day of an instant in Unix milliseconds.
func (d *days) label(ms int64) *dayLabel { return d.labels.Of(d.Day(ms)) }

// Text is the hash of a text, as decoders have it.
func (p *Plan) Text(text string) uint64 { return p.key.Text([]byte(text)) }

// Anonymous is the hash of an anonymous id.
func (p *Plan) Anonymous(id string) uint64 { return p.key.Anonymous([]byte(id)) }

// Key is the key of labels: that of the rows that have them.
func (p *Plan) Key(labels []string) (h uint64) {
	for i, text := range labels {
		t := p.key.Text([]byte(text))
		if i == 0 && len(labels) == 1 {
			return t
		}
		h = Mix(h, t)
	}
	return h
}

// OtherKey is the key of kpi.Other with the labels: of all that is folded, or of
// what is less than 0.
func (p *Plan) OtherKey(labels []string, negative bool) uint64 {
	key := p.Key(labels)
	if negative {
		key = Mix(key, p.none)
	}
	return key
}

// OtherLabels are the labels of kpi.Other for what is folded, with its labels that
// nobody sees.
func (k *Keyed) OtherLabels(folded []string) []string {
	out := slices.Clone(folded)
	for i := range k.Set {
		out[i] = kpi.Other
	}
	return out
}

// Visible are the labels that series show.
func (k *Keyed) Visible(labels []string) []string { return labels[:len(k.Set)] }

// Kept are the labels that history keeps: all but the day, which its blocks are of.
func (k *Keyed) Kept(labels []string) []string {
	if k.Dated {
		return labels[:len(labels)-1]
	}
	return labels
}

// HiddenOf is the hidden label, "" if there is none.
func (k *Keyed) HiddenOf(labels []string) string {
	if k.Hidden == "" {
		return ""
	}
	return labels[len(k.Set)]
}

// DayOf is the business day of labels that have one.
func DayOf(labels []string) int32 {
	day, _ := strconv.Atoi(labels[len(labels)-1])
	return int32(day)
}

// At are labels with another day.
func At(labels []string, day int32) []string {
	out := slices.Clone(labels)
	out[len(out)-1] = strconv.Itoa(int(day))
	return out
}

// IsOther reports whether the labels are those of kpi.Other.
func (k *Keyed) IsOther(labels []string) bool {
	v := k.Visible(labels)
	return len(v) > 0 && !slices.ContainsFunc(v, func(l string) bool { return l != kpi.Other })
}

// Labels are the labels of a row in the dimension set.
func (k *Keyed) Labels(b *stream.Batch, row int) []string {
	out := make([]string, 0, k.Fields())
	for field := range k.Fields() {
		text, there := k.Text(b, row, field)
		if !there {
			text = []byte(kpi.None)
		}
		out = append(out, string(text))
	}
	return out
}

// Mix folds a hash into another so that order counts.
func Mix(h, t uint64) uint64 {
	h = (h ^ t) * 0x9E3779B97F4A7C15
	return (h ^ h>>32) * 0xD6E8FEB86659FD93
}
