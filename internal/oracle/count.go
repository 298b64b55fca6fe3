package oracle

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Count asks how many users were active on one of some days, and on none of others.
type Count struct {
	Active   [2]int32  // the first and the last day
	Inactive *[2]int32 // nil for none
	Channel  *string   // with which they were active, nil for any
}

// Path is the question as it is asked over HTTP.
func (c *Count) Path() string {
	path := "/api/v1/users/count?active=" + dates(c.Active)
	if c.Inactive != nil {
		path += "&not_active=" + dates(*c.Inactive)
	}
	if c.Channel != nil {
		path += "&channel=" + url.QueryEscape(*c.Channel)
	}
	return path
}

func dates(days [2]int32) string { return date(days[0]) + ".." + date(days[1]) }

// keptDays is for how many days it is known who was active, unless users are forgotten
// before.
const keptDays = 400

// RandomCount is some question about days that are known, nil while nothing is closed.
func (o *Oracle) RandomCount(pick func(n int) int) *Count {
	if known := o.Seconds(); len(known) == 0 || known[0] >= o.Head() {
		return nil
	}
	days := func() [2]int32 {
		ago := pick(8)
		switch pick(3) {
		case 0:
			ago = pick(64)
		case 1:
			ago = pick(keptDays + 1)
		}
		ago = min(ago, o.catalogue.ForgetAfter)
		from := o.Today() - int32(ago)
		return [2]int32{from, from + int32(pick([]int{1, 10, 90}[pick(3)]))}
	}
	c := &Count{Active: days()}
	if pick(2) == 0 {
		c.Inactive = new(days())
	}
	if channels := o.channels(); len(channels) > 0 && pick(2) == 0 {
		c.Channel = &channels[pick(len(channels))]
	}
	return c
}

// channels are those that users were active with; none where it is not known with which
// each of them was.
func (o *Oracle) channels() (out []string) {
	k := o.overDays()
	if k == nil {
		return nil
	}
	active, budget := kpi.Measure{Op: kpi.Distinct, Where: k.From.Days.Where}, math.MaxInt
	counts := func(m *kpi.Measure) bool { return m.Op == kpi.Distinct && m.Key() == active.Key() }
	for _, other := range o.catalogue.KPIs {
		if slices.ContainsFunc(other.Measures(), counts) && slices.ContainsFunc(other.By, func(by kpi.Set) bool { return slices.Equal(by, kpi.Set{"channel"}) }) {
			budget = min(budget, other.Budget)
		}
	}
	for i := range o.rows {
		if r := &o.rows[i]; r.user != "" && r.passes(k.From.Days.Where) && !slices.Contains(out, label(r, "channel")) {
			out = append(out, label(r, "channel"))
		}
	}
	if budget == math.MaxInt || len(out) > budget {
		return nil
	}
	slices.Sort(out)
	return out
}

// JudgeCount compares the answer to a question. Who was erased was there all the same.
func (o *Oracle) JudgeCount(c *Count, status int, body []byte) []Difference {
	k := o.overDays()
	if k == nil {
		return nil
	}
	differ := func(field, got, want string) []Difference {
		return []Difference{{Segment: c.Path(), Field: field, Got: got, Want: want}}
	}
	var data struct{ Count int }
	if first := o.calendar.day(o.first); c.Active[1] < first || c.Inactive != nil && c.Inactive[1] < first {
		if status != http.StatusNotFound {
			return differ("status", fmt.Sprintf("%d %s", status, body), "404")
		}
		return nil
	}
	if status != http.StatusOK {
		return differ("status", fmt.Sprintf("%d %s", status, body), "200")
	}
	if err := read(body, &data, nil); err != nil {
		return differ("body", err.Error(), "JSON")
	}
	there := o.attendance(k.From.Days.Where, c.Channel)
	want := there(c.Active)
	if c.Inactive != nil {
		for user := range there(*c.Inactive) {
			delete(want, user)
		}
	}
	if data.Count != len(want) {
		return differ("count", fmt.Sprint(data.Count), fmt.Sprint(len(want)))
	}
	return nil
}

// attendance tells who was active on some days, as of what is closed: each under the name
// of the user whom an anonymous id turned out to be.
func (o *Oracle) attendance(where *kpi.Expr, channel *string) func(days [2]int32) map[string]bool {
	owners := map[string]string{}
	for _, m := range o.moved(o.Head(), math.MaxInt) {
		if m.to != "" {
			owners[m.from] = m.to
		}
	}
	rows := o.visible(span{never, o.Head()}, View{Before: o.Head()})
	return func(days [2]int32) map[string]bool {
		there := map[string]bool{}
		for _, r := range rows {
			day := o.calendar.day(r.time)
			if r.user == "" || day < days[0] || day > days[1] || !r.passes(where) || channel != nil && label(r, "channel") != *channel {
				continue
			}
			there[cmp.Or(owners[r.user], r.user)] = true
		}
		return there
	}
}
