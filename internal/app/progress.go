package app

import "context"

// Position is the sequence up to which the stream is in, and whether the
// service answers queries.
func (s *Service) Position() (sequence uint64, ready bool) {
	return s.progress.position.Load(), s.progress.ready.Load()
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
