package api

import "sync"

const (
	recentBuckets = 1 << 17
	bucketKeys    = 8 // a cache line
)

// recent knows the keys that were seen of late: nearly all of the last half
// million, and none that was not seen. A bucket keeps the last eight of the keys
// that belong into it, the newest first. The zero value is empty.
type recent struct {
	mu      sync.Mutex
	buckets [][bucketKeys]uint64
	warmth  uint64 // keeps the compiler from leaving touch out
}

// ahead is how many keys' cache lines are fetched at a time.
const ahead = 32

// see adds keys, and puts 0 in the place of those that were there; 0 is none.
func (r *recent) see(keys []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.buckets == nil {
		r.buckets = make([][bucketKeys]uint64, recentBuckets)
	}
	for len(keys) > 0 {
		next := keys[:min(len(keys), ahead)]
		keys = keys[len(next):]
		r.touch(next)
		for i, k := range next {
			if k != 0 && see(&r.buckets[k%recentBuckets], k) {
				next[i] = 0
			}
		}
	}
}

// touch brings the keys' buckets into the cache.
func (r *recent) touch(keys []uint64) {
	var sum uint64
	for _, k := range keys {
		sum += r.buckets[k%recentBuckets][0]
	}
	r.warmth = sum
}

// see adds a key to its bucket and reports whether it was there.
func see(b *[bucketKeys]uint64, k uint64) bool {
	for _, other := range b {
		if other == k {
			return true
		}
	}
	copy(b[1:], b[:])
	b[0] = k
	return false
}
