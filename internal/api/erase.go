package api

import (
	"context"
	"net/http"
)

// An Eraser has users erased.
type Eraser interface {
	// Erase is answered once the message that erases is stored.
	Erase(ctx context.Context, who Identity) (*Receipt, error)
}

// An Identity is who somebody is: a user, or an anonymous id that is no user's.
type Identity struct {
	UserID      string `json:"user_id,omitempty"`
	AnonymousID string `json:"anonymous_id,omitempty"`
	// Identities are the anonymous ids that are the user's.
	Identities []string `json:"identities"`
}

// A Receipt says that a user is erased, and until when what was stored before is kept.
type Receipt struct {
	// Sequence is that of the message which erases.
	Sequence uint64 `json:"sequence"`
	Gone     Gone   `json:"gone"`
}

// Gone is by when nothing that names the user is left in the streams.
type Gone struct {
	Events      Time `json:"events"`
	Late        Time `json:"late_events"`
	DeadLetters Time `json:"dead_letters"`
	Signals     Time `json:"signals"`
}

// erase has a user forgotten.
func (l *userList) erase(r *http.Request) (answer, error) {
	if err := takes(r); err != nil {
		return answer{}, err
	}
	if err := l.ready(); err != nil {
		return answer{}, err
	}
	if l.eraser == nil {
		return answer{}, Unavailable("nobody can be erased here: there is no stream to write to")
	}
	id := r.PathValue("id")
	who, err := l.users.Known(r.Context(), id)
	if err != nil {
		return answer{}, err
	}
	if who == nil {
		return answer{}, NotFound("user %q is not known: nothing is kept of them but, for as long as it is kept, what they sent; ids are taken as they are, with case and blanks", id)
	}
	receipt, err := l.eraser.Erase(r.Context(), *who)
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted, data: struct {
		Identity
		Receipt
	}{*who, *receipt}}, nil
}
