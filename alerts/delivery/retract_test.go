package delivery

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// unsealed has a notification be corrected until an event time, in seconds.
func unsealed(n alerts.Notification, until int64) alerts.Notification {
	n.FinalAt = at1(until)
	return n
}

// corrected says that an alert should not have fired.
func corrected(channel string, at int64) alerts.Notification {
	n := on("Low", channel, alerts.Resolved, at)
	n.Corrected = true
	n.ID += " corrected"
	return n
}

// Who was told that an alert fires is told that it should not have, whether it was told before
// that it is over or not; nobody else is.
func TestRetracted(t *testing.T) {
	both(t, func(t *testing.T, crashes bool) {
		p := playing(t, "route: {receiver: ops}\n"+hooked("ops"), crashes, nil)
		p.now(unsealed(on("Low", "a", alerts.Firing, 1), 100), unsealed(on("Low", "b", alerts.Firing, 1), 100))
		p.expect(p.wait(0), "0s ops first notification: Lowa firing\n0s ops first notification: Lowb firing")
		p.now(unsealed(on("Low", "a", alerts.Resolved, 2), 100))
		p.expect(p.wait(time.Minute), "0s ops all alerts resolved: Lowa resolved")
		if err := p.d.Committed(at1(50)); err != nil { // by then whom it was told would be forgotten
			t.Fatal(err)
		}
		p.now(corrected("a", 100), corrected("b", 100), corrected("c", 100))
		p.expect(p.wait(time.Hour), "1m0s ops all alerts resolved: Lowa resolved\n1m0s ops all alerts resolved: Lowb resolved")
		wantPast(t, "corrected", p.d, "Low resolved", "Low resolved ops:firing:delivered ops:corrected:delivered", "Low resolved ops:firing:delivered ops:resolved:delivered ops:corrected:delivered")
		p.now(corrected("a", 100), corrected("b", 100))
		p.expect(p.wait(time.Hour), "")
		if err := p.d.Committed(at1(100)); err != nil || len(p.box.current()) != 0 {
			t.Errorf("kept %v, %v", slices.Collect(maps.Keys(p.box.current())), err)
		}
	})
}

// A correction that waits for its group is overtaken by the alert that fires again, which is
// told like any.
func TestRetractedAndFiresAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := playing(t, grouping+hooked("ops"), false, nil)
		p.now(unsealed(on("Low", "a", alerts.Firing, 1), 100))
		p.expect(p.wait(10*time.Second), "10s ops first notification: Lowa firing")
		p.now(unsealed(on("Low", "a", alerts.Resolved, 2), 100))
		p.expect(p.wait(time.Minute), "1m10s ops all alerts resolved: Lowa resolved")
		p.now(corrected("a", 100))
		p.expect(p.wait(20*time.Second), "")
		p.now(unsealed(on("Low", "a", alerts.Firing, 101), 200))
		p.expect(p.wait(2*time.Minute), "2m10s ops first notification: Lowa firing")
		p.now(unsealed(on("Low", "a", alerts.Resolved, 102), 200))
		p.expect(p.wait(2*time.Minute), "3m30s ops all alerts resolved: Lowa resolved")
	})
}
