package app

import "context"

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
