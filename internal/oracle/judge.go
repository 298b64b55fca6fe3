package oracle

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
)

// A Difference is where an answer is not what the log says.
type Difference struct {
	Question *Question // nil for the ledger's and a list's of users
	Labels   []string
	// Field is what is wrong: a field of the answer, "series" for one that is
	// missing or too much.
	Field     string
	End       int64 // of the window, Unix seconds
	Got, Want string
	Segment   string // of users, "" for other answers
}

func (d *Difference) String() string {
	where := "ledger"
	if d.Segment != "" {
		where = "users " + d.Segment
	}
	if d.Question != nil {
		where = d.Question.String()
	}
	if d.End != 0 {
		where += " until " + time.Unix(d.End, 0).UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s %q: %s is %s, the log says %s", where, d.Labels, d.Field, d.Got, d.Want)
}

// JudgeLedger compares the ledger of GET /api/v1/ledger. While late rows wait
// for the next crossing, which takes them into the windows that are over, it
// may be any since the last one.
func (o *Oracle) JudgeLedger(status int, body []byte) []Difference {
	var data struct {
		Total, Quarantined map[string]int64
		Watermark          *time.Time
	}
	if status != http.StatusOK {
		return []Difference{{Field: "status", Got: fmt.Sprintf("%d %s", status, body), Want: "200"}}
	}
	if err := read(body, &data, nil); err != nil {
		return []Difference{{Field: "body", Got: err.Error(), Want: "JSON"}}
	}
	got := Ledger{}
	var sum int64
	for word, n := range data.Total {
		if n != 0 {
			got[word] = n
		}
		if word != "received" {
			sum += n
		}
	}
	for reason, n := range data.Quarantined {
		got[quarantined+" "+reason] = n
	}
	var out []Difference
	if sum != got["received"] {
		out = append(out, Difference{Field: "received", Got: fmt.Sprint(got["received"]), Want: fmt.Sprint(sum)})
	}
	allowed := []Ledger{o.ledger}
	if slices.ContainsFunc(slices.Concat(o.rows, o.belated), func(r row) bool { return o.waits(&r) }) {
		allowed = append(o.accounts, o.ledger)
	}
	if !slices.ContainsFunc(allowed, func(l Ledger) bool { return maps.Equal(l, got) }) {
		out = append(out, Difference{Field: "total", Got: fmt.Sprint(got), Want: fmt.Sprint(o.ledger)})
	}
	if o.watermark == never != (data.Watermark == nil) || data.Watermark != nil && !o.stands(data.Watermark.UnixMilli()) {
		out = append(out, Difference{Field: "watermark", Got: fmt.Sprint(data.Watermark), Want: fmt.Sprint(o.crossed(), " to ", o.watermark)})
	}
	return out
}

// stands reports whether a watermark is one since the last crossing.
func (o *Oracle) stands(watermark int64) bool {
	return watermark >= o.crossed() && watermark <= o.watermark
}

// read reads the data and the warnings of an answer.
func read(body []byte, data any, warnings *[]string) error {
	envelope := struct {
		Status   string
		Data     any
		Warnings *[]string
	}{Data: data, Warnings: warnings}
	return json.Unmarshal(body, &envelope)
}

// An answer is what GET /api/v1/kpis/{name} says.
type answer struct {
	KPI, Definition, Window string
	Samples                 []shown
	Start, End              time.Time
	AsOf                    time.Time `json:"as_of"`
	Watermark               *time.Time
	Complete                bool
	Maturity                json.RawMessage
	warnings                []string
}

// shown is a sample in an answer.
type shown struct {
	Labels                        map[string]string
	Value, Numerator, Denominator *json.Number
	N                             json.Number
	Low, High                     *float64
	Revision                      int
	Exactness, Currency           string
	Maturity                      json.RawMessage
}

// Judge compares an answer to a question with what the log says.
func (o *Oracle) Judge(q Question, status int, body []byte) []Difference {
	if !o.hears(q.KPI) {
		return nil
	}
	j := &judgement{o: o, q: &q, warned: true}
	if q.To != 0 {
		j.series(status, body)
		return j.out
	}
	var a answer
	if o.watermark != never && q.At != 0 {
		j.window = o.windowAt(&q)
		if j.outside(status) {
			return j.out
		}
	}
	if status != http.StatusOK {
		j.differ(nil, "status", fmt.Sprintf("%d %s", status, body), "200")
		return j.out
	}
	if err := read(body, &a, &a.warnings); err != nil {
		j.differ(nil, "body", err.Error(), "JSON")
		return j.out
	}
	j.check(nil, "definition", a.Definition, q.KPI.ID)
	if o.watermark == never { // nothing is known of time
		j.compare([]Sample{}, a.Samples)
		return j.out
	}
	if q.At == 0 {
		j.window = span{a.Start.Unix(), a.End.Unix()}
		watermark := o.watermark
		if a.Watermark != nil {
			watermark = a.Watermark.UnixMilli()
		}
		j.live(watermark)
	}
	j.check(nil, "start", a.Start.Unix(), j.window.start)
	j.check(nil, "end", a.End.Unix(), j.window.end)
	if a.Watermark == nil || !o.stands(a.Watermark.UnixMilli()) {
		j.differ(nil, "watermark", fmt.Sprint(a.Watermark), fmt.Sprint(o.crossed(), " to ", o.watermark))
		return j.out
	}
	final := o.final(q.KPI, j.window, q.Window.IsDay())
	j.complete = final*1000 <= a.Watermark.UnixMilli()
	j.check(nil, "complete", a.Complete, j.complete)
	if asOf := a.AsOf.Unix(); j.complete && asOf != final || asOf < min(final, o.Head()) || asOf > final {
		j.differ(nil, "as_of", a.AsOf.String(), "the window's end, or what is in")
	}
	j.maturity(a.Maturity, a.AsOf.Unix())
	for i := range a.Samples {
		j.check(nil, "maturity of a sample", string(a.Samples[i].Maturity), string(a.Maturity))
	}
	j.warnings = strings.Join(a.warnings, "; ")
	j.compare(o.samples(&q, j.window, j.complete), a.Samples)
	return j.out
}

// windowAt is the newest window with end <= At.
func (o *Oracle) windowAt(q *Question) span {
	if q.Window.IsDay() {
		day := o.calendar.before(q.At)
		return span{o.calendar.start(day), o.calendar.start(day + 1)}
	}
	step := int64(q.Window.Step().Seconds())
	return o.until(q.Window, floorDiv(floorDiv(q.At, 1000), step)*step)
}

// samples are those of a window: closed, or with all that is in.
func (o *Oracle) samples(q *Question, w span, complete bool) []Sample {
	v := View{Before: math.MaxInt64, Waiting: true}
	if complete || q.Window.IsDay() && w.end <= o.Head() { // over, be it open
		v = View{Before: o.Head()}
	}
	// Of a series that is asked for by name it is known how often it was restated,
	// even to nothing.
	named := len(q.By) == len(q.Match)
	return slices.DeleteFunc(o.answer(q.KPI, q.By, q.Window, w, v, named), func(s Sample) bool {
		for i, f := range q.By {
			if text, ok := q.Match[f]; ok && s.Labels[i] != text {
				return true
			}
		}
		return false
	})
}

// beforeFirst is what is right for a window from before the first event.
const beforeFirst = "not known: from before the first event"

// A judgement is on its way through an answer.
type judgement struct {
	o        *Oracle
	q        *Question
	window   span
	complete bool
	warnings string
	// warned says that the answer carries warnings and how exact it is: the
	// points of a range do not.
	warned bool
	folded bool // there have been more keys than the budget keeps
	out    []Difference
}

func (j *judgement) differ(labels []string, field, got, want string) {
	j.out = append(j.out, Difference{Question: j.q, Labels: labels, Field: field, End: j.window.end, Got: got, Want: want})
}

func (j *judgement) check(labels []string, field string, got, want any) {
	if got != want {
		j.differ(labels, field, fmt.Sprint(got), fmt.Sprint(want))
	}
}

// outside reports whether there is nothing to compare: a window from before
// the first event is not known, of one that is no longer kept there may be
// nothing.
func (j *judgement) outside(status int) bool {
	switch {
	case j.window.end*1000 <= j.o.first:
		if status != http.StatusNotFound {
			j.differ(nil, "status", fmt.Sprint(status), beforeFirst)
		}
		return true
	case j.window.end*1000 <= j.o.taken: // what came first counts nowhere
		return true
	}
	return status == http.StatusNotFound && time.Duration(j.o.watermark-j.q.At)*time.Millisecond > kept(j.q.Window)
}

// kept is for how long windows are kept at least, without a configuration.
func kept(w kpi.Window) time.Duration {
	switch w.Length {
	case time.Minute:
		return 6 * time.Hour
	case 5 * time.Minute:
		return 72 * time.Hour
	case time.Hour:
		return 90 * 24 * time.Hour
	case kpi.Today.Length:
		return 35 * 24 * time.Hour
	}
	return 400 * 24 * time.Hour
}

// reach is the second up to which time has come, the last of what is in.
func (o *Oracle) reach() int64 {
	return floorDiv(o.watermark+o.timing.Disorder.Milliseconds(), 1000) + 1
}

// live checks that the window is the one that is live: it ends at the next
// step after what is closed, or after what is in; at the last step of a day that
// ends before the next.
func (j *judgement) live(watermark int64) {
	reach := j.o.reach()
	if w, ok := j.o.newestFinal(j.q.KPI, watermark); ok {
		j.window = w
		return
	}
	if j.q.Window.IsDay() {
		first, last := j.o.calendar.day(j.o.Head()*1000-1), j.o.calendar.day(reach*1000-1)
		if day := j.o.calendar.date(j.window.start); day < first || day > last {
			j.differ(nil, "start", fmt.Sprint(j.window.start), "today's")
		}
		j.window.end = j.o.calendar.start(j.o.calendar.date(j.window.start) + 1)
		return
	}
	step := int64(j.q.Window.Step().Seconds())
	next := func(head int64) int64 {
		end := ceilDiv(head, step) * step
		if j.q.Window == kpi.Today && j.o.until(j.q.Window, end).start >= head {
			return end - step
		}
		return end
	}
	if end := j.window.end; end%step != 0 || end < next(j.o.Head()) || end > next(reach) {
		j.differ(nil, "end", fmt.Sprint(end), fmt.Sprintf("the step after %d to %d", j.o.Head(), reach))
	}
	j.window = j.o.until(j.q.Window, j.window.end)
}

// compare compares the series of one window.
func (j *judgement) compare(want []Sample, got []shown) {
	named := len(j.q.By) == len(j.q.Match)
	nothing := func(labels []string) Sample {
		return Sample{Labels: labels, Numerator: new(big.Int), Denominator: new(big.Int), Null: j.q.KPI.Nullable(), Revision: 1}
	}
	if named && len(want) == 0 { // the total, or one asked for by name, is there even if nothing is in it
		labels := []string{}
		for _, f := range j.q.By {
			labels = append(labels, j.q.Match[f])
		}
		want = append(want, nothing(labels))
	}
	bySeries := map[string]*Sample{}
	for i := range want {
		bySeries[fmt.Sprintf("%q", want[i].Labels)] = &want[i]
	}
	j.folded = j.folds()
	j.ordered(got)
	seen, rest := map[string]bool{}, false
	for i := range got {
		g := &got[i]
		labels := []string{}
		for _, f := range j.q.By {
			labels = append(labels, g.Labels[f])
		}
		key := fmt.Sprintf("%q", labels)
		if seen[key] || len(g.Labels) != len(j.q.By) {
			j.differ(labels, "series", "there twice", "once")
		}
		seen[key] = true
		w := bySeries[key]
		switch {
		case w != nil:
			j.sample(g, w)
		case j.folded && slices.Contains(labels, kpi.Other):
			rest = true
		case g.zero(): // of what was there and is gone, or adds up to nothing
		case j.folded: // a part of it is in the rest
			none := nothing(labels)
			j.sample(g, &none)
		default:
			j.differ(labels, "series", g.String(), "none")
		}
	}
	if j.folded {
		j.adds(want, got)
		return
	}
	if rest {
		j.differ(nil, "series", kpi.Other, "none: there is room for all")
	}
	list := want
	if j.q.KPI.Top > 0 {
		list = want[:min(len(want), j.q.KPI.Top)]
		if len(j.q.Match) == 0 {
			j.ranked(list, got)
		}
	}
	if j.q.KPI.Top > 0 && len(j.q.Match) > 0 && !named {
		return // a list that is over knows of these only what is on it
	}
	for i := range list {
		if w := &list[i]; !seen[fmt.Sprintf("%q", w.Labels)] && !w.zero() {
			j.differ(w.Labels, "series", "missing", w.String(j.q.KPI))
		}
	}
	if j.q.KPI.Top > 0 && len(got) > j.q.KPI.Top {
		j.differ(nil, "series", fmt.Sprint(len(got)), fmt.Sprintf("at most %d", j.q.KPI.Top))
	}
}

// folds reports whether there have been more keys than the budget keeps.
func (j *judgement) folds() bool {
	rows := slices.Concat(j.o.rows, j.o.belated)
	if len(rows) <= j.q.KPI.Budget {
		return false
	}
	keys := map[string]bool{}
	for i := range rows {
		var labels []string
		for _, f := range j.q.By {
			labels = append(labels, label(&rows[i], f))
		}
		keys[fmt.Sprintf("%q %q", labels, label(&rows[i], "currency"))] = true
	}
	return len(keys) > j.q.KPI.Budget
}

// ordered checks that series come in the order of their labels.
func (j *judgement) ordered(got []shown) {
	if j.q.KPI.Top > 0 || !j.warned {
		return
	}
	texts := func(s shown) (out []string) {
		for _, f := range j.q.By {
			out = append(out, s.Labels[f])
		}
		return out
	}
	if !slices.IsSortedFunc(got, func(a, b shown) int { return slices.Compare(texts(a), texts(b)) }) {
		j.differ(nil, "order", fmt.Sprint(got), "that of the labels")
	}
}

// ranked checks that a list is in its order: that of its values, the largest
// first, of equals by label.
func (j *judgement) ranked(list []Sample, got []shown) {
	if !j.warned || len(got) > len(list) {
		return // with series that are zero
	}
	for i := range got {
		for f, field := range j.q.By {
			if got[i].Labels[field] != list[i].Labels[f] {
				j.differ(list[i].Labels, "order", got[i].String(), list[i].String(j.q.KPI))
				return
			}
		}
	}
}

// adds checks that counts and sums are neither lost nor doubled when series
// are folded.
func (j *judgement) adds(want []Sample, got []shown) {
	k := j.q.KPI
	if k.Top > 0 || k.Ratio() || k.Numerator.Op == kpi.Distinct || k.Minus != nil && k.Minus.Op == kpi.Distinct || k.Nullable() || k.Numerator.Money || len(j.q.Match) > 0 {
		return
	}
	all, sum := new(big.Rat), new(big.Rat)
	for i := range want {
		all.Add(all, numerator(&want[i], k))
	}
	for i := range got {
		if n := number(got[i].Value); n != nil {
			sum.Add(sum, n)
		}
	}
	if all.Cmp(sum) != 0 {
		j.differ(nil, "sum of the series", sum.RatString(), all.RatString())
	}
	if len(j.q.By) > 0 && len(got) > k.Budget+1 {
		j.differ(nil, "budget", fmt.Sprint(len(got), " series"), fmt.Sprintf("at most %d and the rest", k.Budget))
	}
}
