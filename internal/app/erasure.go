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
	for _, n := range e.namings(id) {
		user, anonymous := e.key.User([]byte(n.user)), e.key.Anonymous([]byte(n.anonymous))
		who, owner, err := e.known(ctx, user, anonymous)
		if err == nil && who == nil && owner != anonymous {
			who, _, err = e.known(ctx, owner, owner)
		}
		if err != nil {
			return nil, err
		}
		if who == nil {
			continue
		}
		out := &api.Identity{Identities: append([]string{}, who.Identities...)}
		switch {
		case who.Hash == user:
			out.UserID = n.user
		case who.Hash == anonymous:
			out.AnonymousID = n.anonymous
		case e.names().complete(who):
			out.UserID = who.Name
		default:
			return nil, api.Unavailable("the name of the user whose anonymous id %q is has been lost: give the user's own id", id)
		}
		return out, nil
	}
	return nil, nil
}

// known is who has one hash, else another, and whose an anonymous id of that other is.
func (e *engine) known(ctx context.Context, user, anonymous uint64) (who *users.Person, owner uint64, err error) {
	type share struct {
		found [2]users.Person
		known [2]bool
		owner uint64
	}
	shares := make([]share, len(e.lane.Partitions))
	var asOf time.Time
	err = e.visit(ctx, &asOf, false, func(i int, p *users.Partition) {
		s := &shares[i]
		for j, hash := range [...]uint64{user, anonymous} {
			s.found[j], s.known[j] = p.Known(hash)
		}
		s.owner = p.Canonical(anonymous)
	})
	owner = anonymous
	for j := range 2 {
		for i := range shares {
			s := &shares[i]
			if s.owner != anonymous {
				owner = s.owner
			}
			if who == nil && s.known[j] {
				who = &s.found[j]
			}
		}
	}
	return who, owner, err
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
