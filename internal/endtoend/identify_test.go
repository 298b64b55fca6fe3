package endtoend

import (
	"fmt"
	"testing"
	"time"
)

// Users go from partition to partition, of which there are more than cores, many at a
// time and one by one, also through a crash.
func TestIdentify(t *testing.T) {
	t.Parallel()
	s := serving(t, "partitions: 8\ncheckpoint_interval: 100ms\n")
	begin := time.Now().Add(-time.Hour).Truncate(time.Second)
	const guests = 600
	var seen, known []string
	for i := range guests {
		guest, user := fmt.Sprint("w", i), fmt.Sprint("u", i)
		seen = append(seen, event(fmt.Sprint("a", i), begin, "page_view", "user_id", nil, "anonymous_id", guest))
		known = append(known, event(fmt.Sprint("b", i), begin.Add(time.Duration(5+i%20)*time.Second), "identify", "user_id", user, "anonymous_id", guest))
	}
	s.post(t, seen...)
	s.post(t, known[:guests/2]...)
	for _, line := range known[guests/2 : guests/2+40] {
		s.post(t, line)
	}
	s.kill(t)
	s.start(t)
	s.post(t, known[guests/2+40:]...)
	s.close(t, begin.Add(time.Minute))
	s.awaitReceived(t, 2*guests)
	if a := s.kpi(t, "alias_users", "window", "day"); a.Samples[0].Numerator != guests {
		t.Errorf("%d identities were joined, want %d", a.Samples[0].Numerator, guests)
	}
	for i := range guests {
		var who struct {
			UserID string `json:"user_id"`
		}
		if s.get(t, fmt.Sprint("/api/v1/users/w", i), &who); who.UserID != fmt.Sprint("u", i) {
			t.Fatalf("w%d is %q", i, who.UserID)
		}
	}
}
