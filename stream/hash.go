package stream

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// A HashKey keys every hash that is kept, so that nobody outside can choose
// values that collide. It lives as long as the state does.
type HashKey [2]uint64

// Text hashes the text of a field; never 0, which stands for no text.
func (k HashKey) Text(b []byte) uint64 { return max(xxh3.HashSeed(b, k[0]), 1) }

// User hashes a user id; never 0, which stands for no user.
func (k HashKey) User(b []byte) uint64 { return max(xxh3.HashSeed(b, k[1]), 1) }

// Event hashes the pair of user and event id; user is empty without one.
func (k HashKey) Event(user, id []byte) Key {
	var buf [96]byte // longer pairs are rare and may allocate
	b := binary.LittleEndian.AppendUint64(buf[:0], k[1])
	b = binary.LittleEndian.AppendUint32(b, uint32(len(user)))
	b = append(b, user...)
	b = append(b, id...)
	h := xxh3.Hash128Seed(b, k[0])
	return Key{h.Hi, h.Lo}
}

// Fingerprint hashes a message's data, to tell it from another that took its
// sequence number.
func Fingerprint(data []byte) uint64 { return xxh3.Hash(data) }
