package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows/users"
)

// signals are the messages of what happened to users by a parcel.
func (e *engine) signals(p *parcel) (out []jetstream.Output) {
	all := slices.Concat(p.signals...)
	if len(all) == 0 || p.position.Sequence <= e.lane.quietTo {
		return nil
	}
	all = slices.DeleteFunc(all, func(s users.Signal) bool { return s.Watermark <= max(e.lane.toldTo, p.toldTo) })
	slices.SortFunc(all, func(a, b users.Signal) int {
		return cmp.Or(cmp.Compare(a.Watermark, b.Watermark), cmp.Compare(a.Ref, b.Ref), cmp.Compare(a.Day, b.Day), cmp.Compare(a.Kind, b.Kind))
	})
	names := e.names()
	for i := range all {
		s := &all[i]
		if !names.complete(&s.Person) {
			e.log.Error().Str("state", string(s.Kind)).Msg("a signal without a name: the user's is lost")
		}
		m := e.signal(s)
		data, err := json.Marshal(m)
		if err != nil {
			e.log.Error().Err(err).Msg("signal is not told")
			continue
		}
		out = append(out, jetstream.Output{ID: m.ID, Subject: "signals.churn." + m.State, Data: data})
	}
	return out
}

func (e *engine) signal(s *users.Signal) *api.Signal {
	u := e.describe(&s.Person)
	definition := e.plan.Days.Name
	identity := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%d", definition, u.UserID, u.AnonymousID, s.Kind, s.Day)
	if s.Name == "" { // lost
		identity += fmt.Sprintf("\x00%x", s.Hash)
	}
	id := xxh3.HashString128(identity).Bytes()
	return &api.Signal{
		ID: fmt.Sprintf("%x", id[:]), Time: api.Time{Time: time.UnixMilli(s.At)}, State: string(s.Kind), UserID: u.UserID, AnonymousID: u.AnonymousID,
		LastSeen: u.LastSeen, FirstSeen: u.FirstSeen, DaysAway: int(s.Day - s.Last), UsualGapDays: u.UsualGapDays, ActiveDays28: u.ActiveDays28, RFM: u.RFM,
		Fields: u.Fields, Definition: definition, Watermark: api.Time{Time: time.UnixMilli(s.Watermark)},
		Holdout: kpi.HeldOut(cmp.Or(u.UserID, u.AnonymousID), e.config.Signals.Holdout),
	}
}

// mostSignals bounds what one answer looks through.
const mostSignals = 50_000

// listSignals answers from the signals that are out, which each visits on a subject
// behind a sequence.
func listSignals(ctx context.Context, q api.SignalQuery, each func(ctx context.Context, subject string, after uint64, visit func(jetstream.Stored) bool) error) (*api.SignalList, error) {
	out, seen := &api.SignalList{}, 0
	err := each(ctx, "signals.churn."+cmp.Or(q.State, "*"), q.After, func(m jetstream.Stored) bool {
		if len(out.Signals) == q.Limit || seen == mostSignals {
			out.Next = m.Sequence - 1
			return false
		}
		seen++
		var s struct{ Time time.Time }
		if json.Unmarshal(m.Data, &s) == nil && !s.Time.Before(q.From) && (q.To.IsZero() || s.Time.Before(q.To)) {
			out.Signals = append(out.Signals, slices.Clone(m.Data))
		}
		return true
	})
	return out, err
}

// Signals are those in the stream.
func (s *Service) Signals(ctx context.Context, q api.SignalQuery) (*api.SignalList, error) {
	return listSignals(ctx, q, func(ctx context.Context, subject string, after uint64, visit func(jetstream.Stored) bool) error {
		return s.broker.Outputs(ctx, jetstream.Signals, subject, after, visit)
	})
}

// Signals are those in the log.
func (r *Replica) Signals(ctx context.Context, q api.SignalQuery) (*api.SignalList, error) {
	return listSignals(ctx, q, func(_ context.Context, subject string, after uint64, visit func(jetstream.Stored) bool) error {
		for i, m := range r.events.signals {
			on := strings.HasSuffix(subject, "*") || m.Subject == subject
			if sequence := uint64(i + 1); on && sequence > after && !visit(jetstream.Stored{Sequence: sequence, Data: m.Data}) {
				return nil
			}
		}
		return nil
	})
}
