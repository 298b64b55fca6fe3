package app

import (
	"context"
	"time"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/stream/jetstream"
	"github.com/tidewatch/tidewatch/windows/users"
)

// Known is who has an id: a user's, else an anonymous one, which may be a user's.
func (e *engine) Known(ctx context.Context, id string) (*api.Identity, error) {
	who, _, err := e.who(ctx, id, (*users.Partition).Known)
	if err != nil || who == nil {
		return nil, err
	}
	out := &api.Identity{Identities: append([]string{}, who.Identities...)}
	switch {
	case who.Name == "":
		return nil, api.Unavailable("the name of the user whose anonymous id %q is has been lost: give the user's own id", id)
	case e.key.User([]byte(who.Name)) == who.Hash:
		out.UserID = who.Name
	default:
		out.AnonymousID = who.Name
	}
	return out, nil
}

// eraser publishes erasures for the HTTP side.
type eraser struct{ s *Service }

func (i eraser) Erase(ctx context.Context, who api.Identity) (*api.Receipt, error) {
	if why := i.s.Paused(); why != nil {
		return nil, api.RateLimited("not taking messages: %v", why)
	}
	sequence, err := i.s.broker.Erase(ctx, stream.Erasure{UserID: who.UserID, AnonymousID: who.AnonymousID})
	if err != nil {
		return nil, err
	}
	now := time.Now()
	side := api.Time{Time: now.Add(i.s.config.Retention.Events)}
	return &api.Receipt{Sequence: sequence, Gone: api.Gone{Events: side, Late: side, DeadLetters: side, Signals: api.Time{Time: now.Add(jetstream.SignalsAge)}}}, nil
}
