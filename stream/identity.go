package stream

import (
	"maps"
	"slices"
)

// An alias says whose an anonymous id is.
type alias struct {
	user uint64
	// seen is a day, by UTC, on which it was: the last one, or up to notedAfter days before
	// that.
	seen int32
}

// aliases are by the hashes of anonymous ids.
type aliases map[uint64]alias

// of is whose the events of a user are.
func (a aliases) of(user uint64) uint64 {
	if known, ok := a[user]; ok {
		return known.user
	}
	return user
}

// notedAfter is after how many days it is noted anew that an alias was seen.
const notedAfter = 30

// A Move says that what is known of one user is another's from the next crossing on.
type Move struct {
	// Number tells moves of a lane apart. They are made in its order.
	Number uint64
	// From is an anonymous id, Name how it reads; To is a user. Before is the user whose
	// the anonymous id was until then, 0 for nobody's. Where To is 0, From is forgotten, a
	// user or an anonymous id.
	From, To, Before uint64
	Name             string
	// At is the event time in ms by which an anonymous id became To's.
	At int64
	// Seen is a day, by UTC, on which the anonymous id was. Where Again is set it is To's
	// already, and nothing else is new.
	Seen  int32
	Again bool
}

// move appends a move to those of the next crossing.
func (s *Sequencer) move(m Move) {
	s.Moved++
	m.Number = s.Moved
	s.Moves = append(s.Moves, m)
}

// name has an anonymous row, by its place among these, be the user's whose id it has.
func (s *Sequencer) name(b *Batch, row, place int) {
	anonymous := b.User[row]
	if known, ok := s.aliases[anonymous]; ok {
		s.see(anonymous, known, dayOf(b.Time[row]))
		b.know(place)
		b.User[row] = known.user
	}
}

// see notes on which day an alias was seen.
func (s *Sequencer) see(anonymous uint64, known alias, day int32) {
	if _, moves := s.coming[anonymous]; moves || day <= known.seen+notedAfter {
		return
	}
	known.seen = day
	s.aliases[anonymous] = known
	s.move(Move{From: anonymous, To: known.user, Seen: day, Again: true})
}

// dayOf is the day of an instant by UTC.
func dayOf(ms int64) int32 { return int32(floorDiv(ms, 86_400_000)) }

// identify takes in that the events of an anonymous id are a user's from the next
// crossing on.
func (s *Sequencer) identify(anonymous, user uint64, name []byte, at int64) {
	before, known := s.coming[anonymous]
	if known && before.user == user {
		return
	}
	if !known {
		if before, known = s.aliases[anonymous]; known && before.user == user {
			s.see(anonymous, before, dayOf(at))
			return
		}
	}
	if known {
		s.Reassigned++
	}
	s.coming[anonymous] = alias{user, dayOf(at)}
	s.move(Move{From: anonymous, To: user, Before: before.user, Name: string(name), At: at, Seen: dayOf(at)})
}

// take has the aliases be those from a crossing on, and answers the moves that it makes.
func (s *Sequencer) take() []Move {
	maps.Copy(s.aliases, s.coming)
	clear(s.coming)
	if len(s.Erasures) > 0 {
		s.erase(s.Erasures)
	}
	s.end(dayOf(s.Watermark))
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
	for anonymous, known := range s.aliases {
		if owners[known.user] {
			gone = append(gone, anonymous)
		}
	}
	slices.Sort(gone) // the same however often it is done
	for _, id := range gone {
		s.drop(id, 0)
	}
}

// end has anonymous ids be nobody's that were not seen for so long that their users are
// forgotten, once a day.
func (s *Sequencer) end(day int32) {
	if day <= s.Ended || s.ForgetAfter == 0 {
		return
	}
	s.Ended = day
	var gone []uint64
	looked := 0
	for anonymous, known := range s.aliases {
		if looked++; looked%yieldRows == 0 && s.Yield != nil {
			s.Yield()
		}
		if day-known.seen > notedAfter+s.ForgetAfter {
			gone = append(gone, anonymous)
		}
	}
	slices.Sort(gone)
	for _, id := range gone {
		s.drop(id, s.aliases[id].user)
	}
}

// drop forgets a user or an anonymous id, which was that of another who stays.
func (s *Sequencer) drop(id, before uint64) {
	delete(s.aliases, id)
	s.move(Move{From: id, Before: before})
}

// Rename has anonymous ids be users', as they were when the sequencer was where it was
// restored to: each calls visit with those of whom the moves were made.
func (s *Sequencer) Rename(each func(visit func(anonymous, user uint64, seen int32))) {
	each(func(anonymous, user uint64, seen int32) { s.aliases[anonymous] = alias{user, seen} })
	for _, m := range s.Moves {
		known := alias{m.To, m.Seen}
		if m.Again {
			s.aliases[m.From] = known
		} else {
			s.coming[m.From] = known
		}
	}
}
