package app

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
	"github.com/tidewatch/tidewatch/internal/backtest"
	"github.com/tidewatch/tidewatch/kpi"
)

// purgeMargin is how much of the stream's beginning is left alone: the service may purge it
// meanwhile.
const purgeMargin = time.Minute

// A holding is what a stream still has.
type holding struct {
	first, last uint64 // of the messages that can be read
	bytes       float64
	// begins is when the first of the stream was stored; whole says that none is gone.
	begins time.Time
	whole  bool
	// complete is the event time from which on nothing is missing, if it is not whole.
	complete time.Time
}

// hold looks at the stream. Nothing is an empty one.
func (r *Replay) hold(ctx context.Context) (*holding, error) {
	info, err := r.events.Info(ctx)
	if err != nil || info.Last < info.First {
		return nil, err
	}
	h := &holding{first: info.First, last: info.Last, bytes: float64(info.Bytes) / float64(info.Last+1-info.First), whole: info.First <= 1}
	if h.begins, err = r.stored(ctx, info.First); err != nil || h.whole {
		return h, err
	}
	if h.first, err = olderThan(ctx, r.events, info.First, info.Last, h.begins.Add(purgeMargin).UnixMilli()); err != nil {
		return nil, err
	}
	from, err := r.stored(ctx, h.first)
	h.complete = from.Add(r.unsure)
	return h, err
}

// stored is when a message was.
func (r *Replay) stored(ctx context.Context, sequence uint64) (time.Time, error) {
	raw, err := r.events.Message(ctx, sequence)
	return time.UnixMilli(raw.Stamp), err
}

// survey says from when on each rule can be judged as known then, and what of the stream is
// read for it.
func (r *Replay) survey(ctx context.Context, reaches map[*alerts.Rule]backtest.Reach) error {
	r.report = backtest.NewReport(r.options.From, r.options.To, time.Second)
	r.report.Judge(r.all.Status())
	h, err := r.hold(ctx)
	if err != nil {
		return err
	}
	need := int64(math.MaxInt64) // the time since which messages are read
	for i, rule := range r.all.Status().Rules {
		v, back := &r.report.Rules[i], reaches[rule.Of]
		from, because := r.knownFrom(h, back)
		if v.Because = because; !from.Before(r.options.To) {
			continue
		}
		v.KnownFrom = alerts.Time{Time: from}
		if need = min(need, from.Add(-back.Span-r.unsure).UnixMilli()); back.Ever {
			need = math.MinInt64
		}
	}
	if need == math.MaxInt64 {
		return nil
	}
	first, err := olderThan(ctx, r.events, h.first, h.last, need)
	if err != nil {
		return err
	}
	since, err := r.stored(ctx, first)
	r.extent = Extent{First: first, Messages: h.last + 1 - first, Since: since}
	r.extent.Bytes = uint64(h.bytes * float64(r.extent.Messages))
	return err
}

// knownFrom is from when on what reaches so far back is known as it was: no sooner than
// that is asked for, and why later.
func (r *Replay) knownFrom(h *holding, back backtest.Reach) (from time.Time, because string) {
	from = r.options.From
	switch {
	case h == nil:
		return r.options.To, "the stream is empty"
	case h.whole:
		return from, ""
	case back.Ever:
		from = r.options.To
	default:
		ready := h.complete.Add(back.Span + time.Second - 1).Truncate(time.Second)
		if !ready.After(from) {
			return from, ""
		}
		from = ready
	}
	return from, fmt.Sprintf("it looks back %s (%s), the stream begins at %s", roughly(back), back.What, h.begins.UTC().Format(time.RFC3339))
}

// roughly is how far back something reaches, rounded up.
func roughly(r backtest.Reach) string {
	unit := time.Minute
	switch {
	case r.Ever:
		return "for ever"
	case r.Span > 48*time.Hour:
		unit = 24 * time.Hour
	case r.Span > 2*time.Hour:
		unit = time.Hour
	}
	return kpi.FormatLength((r.Span + unit - 1).Truncate(unit))
}
