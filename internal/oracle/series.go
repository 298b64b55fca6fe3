package oracle

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"
)

// series compares a range: the windows that end in (From, To], each as the
// question for it alone would.
func (j *judgement) series(status int, body []byte) {
	var data struct {
		Series []struct {
			Labels map[string]string
			Points []struct {
				shown
				End      time.Time
				Complete bool
			}
		}
	}
	if status == http.StatusNotFound && !slices.ContainsFunc(j.o.between(j.q), func(w span) bool { return w.end*1000 > j.o.first }) {
		return // it lies before the first event
	}
	if status != http.StatusOK {
		j.differ(nil, "status", fmt.Sprintf("%d %s", status, body), "200")
		return
	}
	if err := read(body, &data, nil); err != nil {
		j.differ(nil, "body", err.Error(), "JSON")
		return
	}
	if j.o.watermark == never { // no window is over, and none is live
		if len(data.Series) > 0 {
			j.differ(nil, "series", fmt.Sprint(len(data.Series)), "none: nothing came yet")
		}
		return
	}
	points := map[int64][]shown{}
	complete := map[int64]bool{}
	for _, s := range data.Series {
		last := int64(math.MinInt64)
		for _, p := range s.Points {
			end := p.End.Unix()
			if end <= last {
				j.differ(nil, "points", fmt.Sprint(end, " after ", last), "in order")
			}
			last = end
			p.Labels = s.Labels
			points[end] = append(points[end], p.shown)
			complete[end] = p.Complete
		}
	}
	j.warned = false
	for _, w := range j.o.between(j.q) {
		j.window = w
		if w.start >= j.o.Head() && len(points[w.end]) == 0 {
			continue // a day that begins with what is not closed
		}
		got, known := points[w.end], w.end*1000 > j.o.first
		delete(points, w.end)
		if !known {
			if len(got) > 0 {
				j.differ(nil, "points", fmt.Sprint(len(got)), beforeFirst)
			}
			continue
		}
		if w.end*1000 <= j.o.taken {
			continue
		}
		if len(got) == 0 && len(j.q.By) > 0 { // every series may be nothing there
			j.complete = j.o.final(j.q.KPI, w, j.q.Window.IsDay())*1000 <= j.o.watermark
		} else {
			j.complete = complete[w.end]
			if final := j.o.final(j.q.KPI, w, j.q.Window.IsDay()) * 1000; j.complete != (final <= j.o.watermark) && !(final <= j.o.watermark && final > j.o.crossed()) {
				j.differ(nil, "complete", fmt.Sprint(j.complete), fmt.Sprint(!j.complete))
			}
		}
		for i := range got {
			j.maturity(got[i].Maturity, j.o.Head())
		}
		j.compare(j.o.samples(j.q, w, j.complete), got)
	}
	for end, got := range points {
		j.window = span{end: end}
		j.differ(nil, "points", got[0].String(), "none: outside the range")
	}
}

// between are the windows of a range, oldest first, as far as time has come.
func (o *Oracle) between(q *Question) []span {
	var out []span
	if q.Window.IsDay() {
		last := min(q.To, o.calendar.start(o.calendar.day(o.reach()*1000-1)+1)*1000)
		for at := last; ; {
			day := o.calendar.before(at)
			w := span{o.calendar.start(day), o.calendar.start(day + 1)}
			if w.end*1000 <= q.From {
				break
			}
			out = append(out, w)
			at = w.start * 1000
		}
		slices.Reverse(out)
		return out
	}
	step := q.Window.Step().Milliseconds()
	for end := (floorDiv(q.From, step) + 1) * step; end <= min(q.To, o.watermark); end += step {
		out = append(out, o.until(q.Window, end/1000))
	}
	return out
}
