package app

import (
	"context"

	"github.com/tidewatch/tidewatch/internal/api"
)

// Ledger is the engine's, with what the stream has beyond it.
func (s *Service) Ledger() api.Ledger {
	l := s.engine.Ledger()
	if end := s.progress.end.Load(); end > l.Position {
		l.Backlog = end - l.Position
	}
	return l
}

// WaitFor returns when the stream is in up to the sequence.
func (s *Service) WaitFor(ctx context.Context, sequence uint64) error {
	for {
		changed := s.changed.wait()
		if s.progress.position.Load() >= sequence {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
