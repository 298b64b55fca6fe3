package windows_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// Who is active is new, returning or resurrecting; who was the day before is returning or
// dormant: of all users, and of those who were first seen with each channel.
func TestLifecycleAddsUp(t *testing.T) {
	s := setup{catalogue(t, small), timing(2*time.Second, 10*time.Minute, 602*time.Second)}
	calendar := kpi.NewCalendar(s.catalogue.Location)
	days, seen := 0, map[string]int64{}
	for seed := range *seeds {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 8)), setup: s, now: start, users: 12, contents: 9, pauses: 8}
		drive(t, g, 300, func(where string, runs []*pipeline, o *oracle.Oracle, _ bool) bool {
			if len(o.Seconds()) == 0 {
				return true
			}
			p := runs[len(runs)-1]
			counts := func(name string, by kpi.Set, day int32) map[string]int64 {
				a, err := p.ask(merge.Question{KPI: name, By: by, Window: kpi.Day, Moment: merge.Moment{Day: day}})
				if err != nil {
					t.Fatalf("%s: ask %s of %d: %v", where, name, day, err)
				}
				out := map[string]int64{}
				for _, one := range a.Samples {
					n, _ := one.Numerator.N.Int64()
					key := ""
					for _, l := range one.Labels {
						key += l + " "
					}
					out[key] = n
				}
				return out
			}
			today := calendar.Day(o.Head()*1000 - 1)
			for day := max(calendar.Day(o.Seconds()[0]*1000)+1, today-70); day <= today; day++ {
				on, before := counts("states", kpi.Set{"state", "channel"}, day), counts("states", kpi.Set{"state", "channel"}, day-1)
				active, was := int64(0), int64(0)
				for _, channel := range []string{"c1 ", "c2 ", "c3 ", kpi.None + " "} {
					now := on["new "+channel] + on["returning "+channel] + on["resurrecting "+channel]
					then := before["new "+channel] + before["returning "+channel] + before["resurrecting "+channel]
					if got := on["returning "+channel] + on["dormant "+channel]; got != then {
						t.Errorf("%s: day %d, channel %s: returning + dormant = %d, %d were active the day before", where, day, channel, got, then)
					}
					active, was = active+now, was+then
				}
				if want := counts("users", kpi.Set{}, day)[""]; day < today && active != want { // of today it has what is not closed, too
					t.Errorf("%s: day %d: stages add up to %d users, %d were active", where, day, active, want)
				}
				total := counts("states", kpi.Set{"state"}, day)
				if total["new "]+total["returning "]+total["resurrecting "] != active || total["returning "]+total["dormant "] != was {
					t.Errorf("%s: day %d: all stages are %v, by channel %d are active and %d were", where, day, total, active, was)
				}
				for state, n := range total {
					seen[state] += n
				}
				days++
			}
			return !t.Failed()
		})
	}
	for _, state := range []string{"new ", "returning ", "resurrecting ", "dormant "} {
		if seen[state] == 0 {
			t.Errorf("nobody was %sin %d days", state, days)
		}
	}
}
