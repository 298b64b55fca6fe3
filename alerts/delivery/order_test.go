package delivery

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

func TestNatural(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"shop9", "shop10", -1},
		{"shop010", "shop9", 1},
		{"shop9a", "shop9b", -1},
		{"9", "a", -1},
		{"a", "a1", -1},
		{"a01", "a1", 0},
		{"抖音2", "抖音10", -1},
		{"", "", 0},
		{"99999999999999999999998", "99999999999999999999999", -1},
	} {
		if got, back := natural(tt.a, tt.b), natural(tt.b, tt.a); got != tt.want || back != -tt.want {
			t.Errorf("%q and %q: %d and %d, want %d", tt.a, tt.b, got, back, tt.want)
		}
	}
}

// A group names its alerts in order, and so does a digest.
func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		p := playing(t, "route: {receiver: ops, group_by: [], group_wait: 1s, group_interval: 1m}\n"+hooked("ops"), false, func(call) (int, http.Header) {
			if down.Load() {
				return http.StatusServiceUnavailable, nil
			}
			return http.StatusOK, nil
		})
		expect := func(want string) {
			t.Helper()
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			var got []string
			calls := p.r.take()
			for _, a := range calls[len(calls)-1].msg.Alerts {
				got = append(got, a.Labels["alertname"]+a.Labels["channel"]+" "+a.Status)
			}
			if got := strings.Join(got, ", "); got != want {
				t.Errorf("told %s, want %s", got, want)
			}
		}
		var all []alerts.Notification
		for i := range 12 {
			all = append(all, on("Low", fmt.Sprint(12-i), alerts.Firing, 1))
		}
		p.now(append(all, on("High", "3", alerts.Firing, 1))...)
		expect("High3 firing, Low1 firing, Low2 firing, Low3 firing, Low4 firing, Low5 firing, Low6 firing, Low7 firing, Low8 firing, Low9 firing, Low10 firing, Low11 firing, Low12 firing")
		over := []alerts.Notification{on("High", "3", alerts.Resolved, 2)}
		for i := range 9 {
			over = append(over, on("Low", fmt.Sprint(i+4), alerts.Resolved, 2))
		}
		p.now(over...)
		expect("Low1 firing, Low2 firing, Low3 firing, High3 resolved, Low4 resolved, Low5 resolved, Low6 resolved, Low7 resolved, Low8 resolved, Low9 resolved, Low10 resolved, Low11 resolved, Low12 resolved")
		down.Store(true) // what is resolved is carried on by what comes next
		p.now(on("Low", "3", alerts.Resolved, 3))
		time.Sleep(2 * time.Minute)
		p.now(on("Low", "9", alerts.Firing, 4), on("Low", "10", alerts.Firing, 4))
		time.Sleep(time.Minute)
		down.Store(false)
		expect("Low1 firing, Low2 firing, Low9 firing, Low10 firing, Low3 resolved")
	})
	var batch []*entry
	for _, n := range []alerts.Notification{on("Low", "a", alerts.Resolved, 2), on("Low", "10", alerts.Firing, 1), on("Low", "9", alerts.Firing, 1), on("High", "b", alerts.Firing, 1)} {
		batch = append(batch, &entry{Notification: n})
	}
	var got []string
	digest := flat(batch)
	inOrder(digest)
	for _, n := range digest {
		got = append(got, n.Rule+n.Labels["channel"])
	}
	if got, want := strings.Join(got, " "), "Highb Low9 Low10 Lowa"; got != want {
		t.Errorf("a digest names %s, want %s", got, want)
	}
}
