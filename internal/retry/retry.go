// Package retry says when something that failed is to be tried again.
package retry

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// BackOff is the pause after so many failures in a row: first, then twice as
// long each time up to most, less up to a half by chance so that those who fail
// together do not come back together.
func BackOff(failures int, first, most time.Duration) time.Duration {
	pause := min(first<<min(failures-1, 10), most)
	return pause/2 + rand.N(pause/2)
}

// After is how long a Retry-After header asks to wait: seconds or a date. 0
// without a wish.
func After(header string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
