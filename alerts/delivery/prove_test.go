package delivery

import (
	"testing"
	"testing/synctest"

	"github.com/tidewatch/tidewatch/alerts"
)

// An alert that an earlier run told of, and that no rule has fire after a restart, is
// resolved, once what may come again has come.
func TestProve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, r := newBox(), newReceiver(t, nil)
		first := deliverer(t, r.receivers(), b, Options{})
		if !first.Doubts() {
			t.Error("does not ask what fires")
		}
		if err := first.Prove(nil, at1(4)); err != nil {
			t.Fatal(err)
		}
		kept, gone, late := says("Kept", alerts.Firing, 5), says("Gone", alerts.Firing, 5), says("Late", alerts.Firing, 7)
		notifyAll(t, first, kept, gone, late, says("Over", alerts.Firing, 5))
		if first.Doubts() {
			t.Error("doubts what it has seen")
		}
		synctest.Wait()
		stop(first)
		r.take()

		next := deliverer(t, r.receivers(), b, Options{})
		for _, step := range []struct {
			at     int64
			firing []alerts.Notification
			doubts bool
			want   []string
		}{
			{4, nil, true, nil},
			{6, []alerts.Notification{kept}, true, []string{"oncall Gone resolved"}},
			{7, []alerts.Notification{kept, late}, false, nil},
			{8, nil, false, nil}, // its own resolve is on its way
		} {
			if step.at == 6 {
				notifyAll(t, next, says("Over", alerts.Resolved, 6))
				step.want = append(step.want, "oncall Over resolved")
			}
			if err := next.Prove(step.firing, at1(step.at)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			expect(t, "told", r.told(), step.want...)
			if next.Doubts() != step.doubts {
				t.Errorf("at %d: doubts %v", step.at, next.Doubts())
			}
		}
	})
}
