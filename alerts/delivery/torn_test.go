package delivery

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidewatch/tidewatch/alerts"
)

// A torn box keeps any part of what it is given next, as if the process had died meanwhile.
type torn struct {
	*box
	rand *rand.Rand
}

var errTorn = errors.New("died")

func (b torn) Put(entries map[string][]byte) error {
	part := map[string][]byte{}
	for key, data := range entries {
		if b.rand.IntN(2) == 0 {
			part[key] = data
		}
	}
	if err := b.box.Put(part); err != nil {
		return err
	}
	b.fail(errTorn)
	return errTorn
}

// A crash while the outbox worked loses nothing: what was decided comes again, whatever part
// of it is on disk.
func TestTornPut(t *testing.T) {
	for _, file := range []string{
		"route: {receiver: ops}\n",
		"route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n",
	} {
		for seed := range uint64(50) {
			synctest.Test(t, func(t *testing.T) {
				both := file + "receivers: [{name: ops, webhook_configs: [{url: 'http://receiver/a'}, {url: 'http://receiver/b'}]}]\n"
				kept, dice := newBox(), rand.New(rand.NewPCG(seed, 0))
				last := map[string]string{}
				r := newReceiver(t, nil)
				tell := func(status alerts.State, second int64) {
					var decided []alerts.Notification
					for _, name := range []string{"A", "B", "C", "D"} {
						decided = append(decided, on("Low", name, status, second))
					}
					// It dies with the first that it writes.
					dying, err := New(r.routed(t, both), torn{kept, dice}, Options{})
					if err == nil {
						err = dying.Notify(decided)
					}
					if !errors.Is(err, errTorn) {
						t.Fatalf("it did not die: %v", err)
					}
					kept = &box{kept: maps.Clone(kept.kept)}
					d := deliverer(t, r.routed(t, both), kept, Options{})
					notifyAll(t, d, decided...)
					time.Sleep(10 * time.Second)
					for _, c := range r.take() {
						for _, a := range c.msg.Alerts {
							last[c.path+" "+a.Labels["channel"]] = a.Status
						}
					}
					if err := d.Committed(at1(second)); err != nil {
						t.Fatal(err)
					}
					stop(d)
				}
				for second, status := range []alerts.State{alerts.Firing, alerts.Resolved, alerts.Firing} {
					tell(status, int64(second))
					for _, to := range []string{"/a", "/b"} {
						for _, name := range []string{"A", "B", "C", "D"} {
							if got := last[to+" "+name]; got != string(status) {
								t.Errorf("seed %d, second %d: %s knows of %s: %q, want %q", seed, second, to, name, got, status)
							}
						}
					}
				}
				if len(kept.owed()) != 0 {
					t.Errorf("seed %d: left over: %s", seed, fmt.Sprint(kept.owed()))
				}
			})
		}
	}
}

// Nor does one while alerts that are over before anybody heard of them are written leave a
// receiver with one that fires.
func TestTornPutOfWhatIsOver(t *testing.T) {
	for seed := range uint64(100) {
		synctest.Test(t, func(t *testing.T) {
			file := "route: {receiver: ops, group_by: [alertname], group_interval: 1s}\n" + hooked("ops")
			kept, dice := newBox(), rand.New(rand.NewPCG(seed, 0))
			r := newReceiver(t, nil)
			fire := []alerts.Notification{on("Low", "A", alerts.Firing, 1), on("Low", "B", alerts.Firing, 1)}
			over := []alerts.Notification{on("Low", "A", alerts.Resolved, 2), on("Low", "B", alerts.Resolved, 2)}
			d, err := New(r.routed(t, file), kept, Options{})
			if err != nil {
				t.Fatal(err)
			}
			notifyAll(t, d, fire...)
			d.box = torn{kept, dice}
			if err := d.Notify(over); !errors.Is(err, errTorn) {
				t.Fatalf("it did not die: %v", err)
			}
			kept = &box{kept: maps.Clone(kept.kept)}
			d = deliverer(t, r.routed(t, file), kept, Options{})
			time.Sleep(time.Second) // what is left is tried before anything comes again
			notifyAll(t, d, append(fire, over...)...)
			time.Sleep(10 * time.Second)
			last := map[string]string{}
			for _, c := range r.take() {
				for _, a := range c.msg.Alerts {
					last[a.Labels["channel"]] = a.Status
				}
			}
			if last["A"] == "firing" || last["B"] == "firing" {
				t.Errorf("seed %d: the receiver is left with %v", seed, last)
			}
			if err := d.Committed(at1(9)); err != nil || len(kept.current()) != 0 {
				t.Errorf("seed %d: kept %v, %v", seed, slices.Collect(maps.Keys(kept.current())), err)
			}
			stop(d)
		})
	}
}
