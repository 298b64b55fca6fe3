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

// How long is waited before a receiver is tried again. What it refuses takes a change
// of its configuration or of ours, and until then each try is a nuisance.
const (
	FirstPause   = 500 * time.Millisecond
	MostPause    = 15 * time.Second
	FirstRefused = 5 * time.Second
	MostRefused  = 5 * time.Minute
)

// Pause is the pause after so many failures in a row of one kind.
func Pause(failures int, refused bool) time.Duration {
	if refused {
		return BackOff(failures, FirstRefused, MostRefused)
	}
	return BackOff(failures, FirstPause, MostPause)
}

// Refused reports whether a status that is no success says that the receiver will not
// take it as things are.
func Refused(status int) bool {
	return status < 500 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests
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
