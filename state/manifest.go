package state

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/tidewatch/tidewatch/internal/codec"
)

// A Manifest is the head of an epoch: the position and what the state depends
// on. It is written whole every time.
type Manifest struct {
	// Epoch is the epoch's number, given by Commit.
	Epoch uint64
	Lanes map[string]Lane
	// HashKey is the key by which users are hashed to shards.
	HashKey [2]uint64
	Shards  int
	// Config is the hash of the configuration, Tzdata the version of the time
	// zone database.
	Config string
	Tzdata string
	// StreamCreated is when the event stream was created: another time is
	// another stream.
	StreamCreated time.Time
	// Outputs is the last sequence of each output stream.
	Outputs map[string]uint64
	// Remote is up to where the stores of remote write have everything, in Unix
	// milliseconds, by URL.
	Remote map[string]int64 `json:",omitempty"`
	// Root is the engine's own small state, at most 1 MiB.
	Root []byte
}

// A Lane is how far a lane was read.
type Lane struct {
	// Position is the sequence of the last message that the state contains,
	// Fingerprint that message's hash.
	Position    uint64
	Fingerprint uint64
	// Watermark in Unix milliseconds.
	Watermark int64
	// Clock names the errors of the clock that were known for what was read.
	Clock string `json:",omitempty"`
}

func (m Manifest) clone() Manifest {
	m.Lanes = maps.Clone(m.Lanes)
	m.Outputs = maps.Clone(m.Outputs)
	m.Remote = maps.Clone(m.Remote)
	m.Root = slices.Clone(m.Root)
	return m
}

const (
	manifestMagic = "TWM1"
	maxRoot       = 1 << 20
)

// encodeManifest is the manifest with the table's index pages, sealed by a
// checksum.
func encodeManifest(m *Manifest, t *table) ([]byte, error) {
	head, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	out := binary.AppendUvarint(nil, uint64(len(head)))
	out = append(out, head...)
	for n := range t {
		out = t.bucket(n).ref.append(out)
	}
	return seal(manifestMagic, out), nil
}

// decodeManifest also answers where the index pages are, one a bucket.
func decodeManifest(data []byte) (*Manifest, []ref, error) {
	body, err := unseal(manifestMagic, data)
	if err != nil {
		return nil, nil, fmt.Errorf("decode manifest: %w", err)
	}
	in := codec.NewReader(body)
	var m Manifest
	if err := json.Unmarshal(in.Bytes(in.Uvarint()), &m); err != nil {
		return nil, nil, fmt.Errorf("decode manifest: %w", err)
	}
	refs := make([]ref, len(table{}))
	for n := range refs {
		refs[n] = decodeRef(in)
	}
	if err := ended(in); err != nil {
		return nil, nil, fmt.Errorf("decode manifest: %w", err)
	}
	return &m, refs, nil
}

// seal puts a magic word and the checksum of body before it.
func seal(magic string, body []byte) []byte {
	out := make([]byte, 0, len(magic)+8+len(body))
	out = append(out, magic...)
	out = binary.LittleEndian.AppendUint64(out, xxh3.Hash(body))
	return append(out, body...)
}

// sealOf is the checksum that sealed data bears, 0 without one.
func sealOf(data []byte) uint64 {
	in := codec.NewReader(data)
	in.Bytes(uint64(len(manifestMagic))) // all magic words are of one length
	return in.Uint64()
}

func unseal(magic string, data []byte) ([]byte, error) {
	in := codec.NewReader(data)
	word, sum := in.Bytes(uint64(len(magic))), in.Uint64()
	if in.Err() != nil || string(word) != magic || xxh3.Hash(in.Rest()) != sum {
		return nil, fmt.Errorf("%w: magic word or checksum", ErrDamaged)
	}
	return in.Rest(), nil
}

// ended tells whether the reader had neither too few bytes nor too many.
func ended(in *codec.Reader) error {
	switch {
	case in.Err() != nil:
		return fmt.Errorf("%w: it ends early", ErrDamaged)
	case in.Len() > 0:
		return fmt.Errorf("%w: %d bytes too many", ErrDamaged, in.Len())
	}
	return nil
}
