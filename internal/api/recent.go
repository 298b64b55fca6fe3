package api

import "github.com/tidewatch/tidewatch/stream"

// generation is the number of keys after which the older half is forgotten.
const generation = 1 << 19

// recent is a bounded set of keys: it knows the last 2^19 at least, 2^20 at
// most. The zero value is empty.
type recent struct{ young, old map[stream.Key]struct{} }

// see adds a key and reports whether it was there.
func (r *recent) see(k stream.Key) bool {
	if _, ok := r.young[k]; ok {
		return true
	}
	_, ok := r.old[k]
	if r.young == nil || len(r.young) == generation {
		r.old, r.young = r.young, r.old
		clear(r.young)
		if r.young == nil {
			r.young = make(map[stream.Key]struct{})
		}
	}
	r.young[k] = struct{}{}
	return ok
}
