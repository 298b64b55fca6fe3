package users

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

func TestThreshold(t *testing.T) {
	every := func(gap, n int) (bits uint64) {
		for i := range n {
			bits |= 1 << (gap * i)
		}
		return bits
	}
	for _, c := range []struct {
		name     string
		activity uint64
		gap      int32
		want     int32
	}{
		{"one day", 1, 30, 3},
		{"four gaps are no rhythm", every(7, 5), 30, 3},
		{"five gaps are", every(7, 6), 30, 7},
		{"daily", math.MaxUint64, 30, 3},
		{"the 90th percentile of ten gaps is the ninth", every(5, 10) | 1<<63, 30, 5},
		{"of nine the largest", every(5, 9) | 1<<63, 30, 23},
		{"capped", every(12, 6), 10, 10},
		{"a short churn gap", 1, 2, 2},
	} {
		if got := threshold(c.activity, c.gap); got != c.want {
			t.Errorf("%s: threshold(%b, %d) = %d, want %d", c.name, c.activity, c.gap, got, c.want)
		}
	}
}

// TestLateDays lets active days come up to a week late, also after more days than
// the bits hold, and compares what is counted of each day with what all days of
// the user until then say.
func TestLateDays(t *testing.T) {
	catalogue, err := kpi.Load(time.UTC, kpi.File{Name: "a.yaml", Data: []byte(`
keep: []
kpis:
  - {name: risk, title: {en: a, zh: a}, at_risk: {churn_gap: 30}, windows: [day]}
  - {name: churned, title: {en: a, zh: a}, churned: {churn_gap: 10}, windows: [day]}
`)})
	if err != nil {
		t.Fatal(err)
	}
	pl, err := plan.New(catalogue, stream.HashKey{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	const user = 5<<56 | 7
	lost := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := NewPartition(pl, stream.Timing{}, 0, 1)
		at, _ := p.shards[ShardOf(user)].find(user)
		ref := uint32(ShardOf(user))<<24 | at
		p.shards[ShardOf(user)].row(at).newest = math.MaxUint32 // the row is in use
		active, levels := map[int32]bool{}, map[fact]int64{}
		check := func(today int32) {
			t.Helper()
			days := slices.Sorted(maps.Keys(active))
			for day := today - 40; day <= today; day++ {
				until, _ := slices.BinarySearch(days, day+1)
				for i, gap := range pl.Days.Gaps {
					for place, kind := range []string{kpi.FactAtRisk, kpi.FactChurned} {
						var got int64
						for f, n := range levels {
							if int(f.kind) == firstGap+i*bitsOfGap+place && f.day <= day {
								got += n
							}
						}
						if want := isAway(kind, int32(gap), days[:until], day); got != want {
							t.Fatalf("seed %d on day %d: %s by %d of day %d = %d, want %d, after %v", seed, today, kind, gap, day, got, want, days)
						}
					}
				}
			}
		}
		lateness, today := r.Int32N(8), int32(10_000)
		for range 30 {
			today += []int32{1, 1 + r.Int32N(3), 1 + r.Int32N(12), 1 + r.Int32N(100)}[r.IntN(4)]
			p.seal(int64(today-lateness) * 86400)
			p.enterDays(int64(today) * 86400)
			var late []int32
			for range r.IntN(4) {
				late = append(late, today-r.Int32N(lateness+1))
			}
			late = append(late, today)
			r.Shuffle(len(late), func(i, j int) { late[i], late[j] = late[j], late[i] })
			for _, day := range late {
				p.activeDay(ref, day, 0)
				active[day] = true
			}
			for f, n := range p.facts.weights {
				if f.kind >= firstGap && f.kind < kindActive {
					levels[f] += n
				}
			}
			clear(p.facts.weights)
			check(today)
			lost = max(lost, len(p.absences[ref]))
		}
	}
	if lost < 2 {
		t.Errorf("bits were lost %d times at the most while days could come late, want several", lost)
	}
}

// isAway is 1 if a user with these active days, ascending, is at risk, or churned.
func isAway(kind string, gap int32, days []int32, day int32) int64 {
	if len(days) == 0 {
		return 0
	}
	last := days[len(days)-1]
	var activity uint64
	for _, d := range days {
		activity |= 1 << (last - d)
	}
	if kind == kpi.FactChurned && day-last >= gap || kind == kpi.FactAtRisk && day-last > threshold(activity, gap) && day-last < gap {
		return 1
	}
	return 0
}
