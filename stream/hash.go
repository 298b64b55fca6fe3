package stream

import "github.com/zeebo/xxh3"

// A HashKey keys every hash that is kept, so that nobody outside can choose
// values that collide. It lives as long as the state does.
type HashKey [2]uint64

// Text hashes the text of a field; never 0, which stands for no text.
func (k HashKey) Text(b []byte) uint64 { return max(xxh3.HashSeed(b, k[0]), 1) }

// User hashes a user id; never 0, which stands for no user.
func (k HashKey) User(b []byte) uint64 { return max(xxh3.HashSeed(b, k[1]), 1) }

// Anonymous hashes an anonymous id, which is nobody's user id.
func (k HashKey) Anonymous(b []byte) uint64 { return max(xxh3.HashSeed(b, ^k[1]), 1) }

// Event hashes the pair of a user's hash, 0 without one, and an event id. The
// user seeds the hash of the id, so that no pair has to be put together.
func (k HashKey) Event(user uint64, id []byte) Key {
	h := xxh3.Hash128Seed(id, k[0]^user)
	return Key{h.Hi, h.Lo}
}

// Fingerprint hashes what a message holds and when it was stored, to tell it
// from another that took its sequence number: ticks are alike but for the time.
func Fingerprint(m Raw) uint64 { return xxh3.HashSeed(m.Data, uint64(m.Stamp)) }
