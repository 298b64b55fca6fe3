package stream

// aliases are the users whom anonymous ids are of, by hash.
type aliases map[uint64]uint64

// of is whose the events of a user are.
func (a aliases) of(user uint64) uint64 {
	if known, ok := a[user]; ok {
		return known
	}
	return user
}

// A Move says that what is known of one user is another's from the next crossing on.
type Move struct {
	// Number tells moves of a lane apart. They are made in its order.
	Number uint64
	// From is an anonymous id, Name how it reads; To is a user. Before is the user whose
	// the anonymous id was until then, 0 for nobody's.
	From, To, Before uint64
	Name             string
}

// identify takes in that the events of an anonymous id are a user's from here on.
func (s *Sequencer) identify(anonymous, user uint64, name []byte) {
	before, known := s.aliases[anonymous]
	if known && before == user {
		return
	}
	if known {
		s.Reassigned++
	}
	s.aliases[anonymous] = user
	s.Moved++
	s.Moves = append(s.Moves, Move{s.Moved, anonymous, user, before, string(name)})
}

// Rename has the events of an anonymous id be a user's, as they were when the sequencer
// was where it was restored to: by the last move that was made.
func (s *Sequencer) Rename(anonymous, user uint64) {
	if _, moves := s.aliases[anonymous]; !moves {
		s.aliases[anonymous] = user
	}
}
