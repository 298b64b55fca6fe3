package stream

import (
	"maps"
	"slices"
)

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
	// the anonymous id was until then, 0 for nobody's. Where To is 0, From is erased, a
	// user or an anonymous id.
	From, To, Before uint64
	Name             string
}

// identify takes in that the events of an anonymous id are a user's from the next
// crossing on.
func (s *Sequencer) identify(anonymous, user uint64, name []byte) {
	before, known := s.coming[anonymous]
	if !known {
		before, known = s.aliases[anonymous]
	}
	if known && before == user {
		return
	}
	if known {
		s.Reassigned++
	}
	s.coming[anonymous] = user
	s.Moved++
	s.Moves = append(s.Moves, Move{s.Moved, anonymous, user, before, string(name)})
}

// take has the aliases be those from a crossing on, and answers the moves that it makes.
func (s *Sequencer) take() []Move {
	maps.Copy(s.aliases, s.coming)
	clear(s.coming)
	if len(s.Erasures) > 0 {
		s.erase(s.Erasures)
	}
	moves := s.Moves
	s.Moves, s.Erasures = nil, nil
	return moves
}

// erase has users be forgotten, with all anonymous ids and what came until then. An
// anonymous id that is a user's stands for that user.
func (s *Sequencer) erase(users []uint64) {
	owners := map[uint64]bool{}
	for _, user := range users {
		owners[s.aliases.of(user)] = true
	}
	gone := slices.Collect(maps.Keys(owners))
	for anonymous, owner := range s.aliases {
		if owners[owner] {
			gone = append(gone, anonymous)
			delete(s.aliases, anonymous)
		}
	}
	slices.Sort(gone) // the same however often it is done
	for _, id := range gone {
		s.Moved++
		s.Moves = append(s.Moves, Move{Number: s.Moved, From: id})
	}
}

// Rename has anonymous ids be users', as they were when the sequencer was where it was
// restored to: each calls visit with those of whom the moves were made.
func (s *Sequencer) Rename(each func(visit func(anonymous, user uint64))) {
	each(func(anonymous, user uint64) { s.aliases[anonymous] = user })
	for _, m := range s.Moves {
		s.coming[m.From] = m.To
	}
}
