package api

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// A kpiLive serves GET /api/v1/kpis/{name}/live: every window of a KPI as it closes, and
// the one that is not over. The id of an event is the end of its window, so that who comes
// back goes on where they were.
type kpiLive struct {
	live    *live
	queries *queries
}

// maxMissed is how many windows who comes back is told of, the newest ones.
const maxMissed = 1000

// lastEvent is the header by which a client of server-sent events says where it was.
const lastEvent = "Last-Event-ID"

func (l *kpiLive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, err := l.follower(r)
	if err != nil {
		l.live.router.respond(w, r, answer{}, err)
		return
	}
	l.live.serve(w, r, f.say, f.due)
}

// A kpiFollower is a client, and what it was told.
type kpiFollower struct {
	*kpiLive
	*selection
	request *http.Request
	told    int64 // when the last window ended that it was told of, Unix ms; 0 for none
}

func (l *kpiLive) follower(r *http.Request) (*kpiFollower, error) {
	asked, err := l.queries.find(r)
	if err != nil {
		return nil, err
	}
	if len(asked) > 1 {
		return nil, BadData("%d KPIs are asked for, of one a stream: ask for one", len(asked))
	}
	f := &kpiFollower{kpiLive: l, request: r}
	if f.selection, err = selectFrom(r.URL.Query(), asked[0], clockOf(l.queries.engine)); err != nil {
		return nil, err
	}
	if text := r.Header.Get(lastEvent); text != "" {
		if f.told, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, BadData("%s %q is no id of this stream: send the last one that it had, or none", lastEvent, text)
		}
	}
	return f, nil
}

// say tells of the windows that closed since, and of the one that is not over.
func (f *kpiFollower) say(c *liveClient) error {
	for _, end := range f.closed() {
		a, err := f.ask(time.UnixMilli(end))
		if told, ok := errors.AsType[*Error](err); ok && told.Kind == KindNotFound {
			f.told = end // lost, or before the first event
			continue
		}
		if err != nil {
			return f.fail(c, err)
		}
		if err := f.write(c, fmt.Sprintf("event: closed\nid: %d\n", end), a); err != nil {
			return err
		}
		f.told = end
	}
	a, err := f.ask(time.Time{})
	if err != nil {
		return f.fail(c, err)
	}
	return f.write(c, "event: live\n", a)
}

// due reports whether a window closed since, which is told before a second is over.
func (f *kpiFollower) due() bool {
	at := f.queries.engine.Ledger().Watermark
	return !at.IsZero() && f.last(at.UnixMilli()) > f.told
}

// closed are the ends of the windows that closed since, at first of the newest alone.
func (f *kpiFollower) closed() (ends []int64) {
	watermark := f.queries.engine.Ledger().Watermark
	if watermark.IsZero() {
		return nil
	}
	at := watermark.UnixMilli()
	if f.told > at { // by a service that was since put back
		f.told = 0
	}
	for end := f.last(at); end > f.told && len(ends) < maxMissed; end = f.last(end - 1) {
		if ends = append(ends, end); f.told == 0 {
			break
		}
	}
	slices.Reverse(ends)
	return ends
}

// last is the newest end of a window up to an instant.
func (f *kpiFollower) last(ms int64) int64 {
	if f.window == kpi.Day {
		return f.clock.zone.Start(f.clock.zone.Day(ms))
	}
	return ms - ms%f.window.Step().Milliseconds()
}

func (f *kpiFollower) ask(at time.Time) (*sample.Answer, error) {
	a, err := f.queries.engine.Query(f.request.Context(), Query{KPI: f.kpi, Window: f.window, By: f.by, Match: f.match, At: at})
	if err == nil {
		f.filters.samples(a)
	}
	return a, err
}

// write writes an event, with what GET /api/v1/kpis/{name} has as data.
func (f *kpiFollower) write(c *liveClient, head string, a *sample.Answer) error {
	share, err := f.queries.reads.start(f.request.Context(), int64(len(a.Samples)))
	if err != nil {
		return f.fail(c, err)
	}
	defer share.done()
	e := &encoder{b: append([]byte(head), "data: "...), to: &transfer{begun: true, w: c.w, c: c.control, refusals: f.live.router.refusals, pace: newPace(f.live.router.limits.BodyRate)}}
	(&sampleJSON{Answer: a}).writeJSON(e)
	e.b = append(e.b, "\n\n"...)
	e.to.write(e.b)
	if e.to.err != nil {
		return e.to.err
	}
	return c.control.Flush()
}

// fail tells why there is no answer, and ends the stream: the client comes back.
func (f *kpiFollower) fail(c *liveClient, err error) error {
	if e := c.write("event: error\ndata: " + string(appendFailure(nil, f.live.router.told(f.request, err))) + "\n\n"); e != nil {
		return e
	}
	return err
}
