package users

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkAttend is what it costs that a user is active for the first time on a day, of
// a million who come in some order, at all and with one of five channels.
func BenchmarkAttend(b *testing.B) {
	const users = 1 << 20
	order := rand.New(rand.NewPCG(1, 2)).Perm(users)
	r, channels := rosters{}, &track{}
	for i := 0; b.Loop(); i++ {
		user := uint32(order[i%users])
		ref, day := user<<24|user>>8, int32(i/users)
		r.at(rosterOf{day, 0}).attend(&track{keyed: -1}, 0, ref)
		r.at(rosterOf{day, 1}).attend(channels, user%5, ref)
		if i%users == 0 {
			clear(r)
		}
	}
}
