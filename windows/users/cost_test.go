package users

import (
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/journey"
	"github.com/tidewatch/tidewatch/windows/plan"
)

const measured = `
keep: [active_users]
kpis:
  - {name: payers, distinct: {field: user_id, where: 'type == "pay"'}, windows: [5m]}
  - {name: coming, from: days, by: [[channel]], count: {where: 'fact == "stage"'}, split: [state], windows: [day]}
  - {name: visits, from: sessions, count: {where: 'fact == "session"'}, windows: [5m]}
  - {name: bought, from: buy_path, count: {where: 'fact == "completed"'}, windows: [24h]}
  - {name: bought_it, from: buy_it, count: {where: 'fact == "completed"'}, windows: [24h]}
  - {name: new_buyers, from: firsts, count: {where: 'fact == "cohort"'}, windows: [day]}
  - {name: buyers, from: daily, count: {where: 'fact == "cohort"'}, windows: [day]}
  - {name: clicked, from: clicks, count: {where: 'fact == "conversion"'}, windows: [24h]}
operators:
  - {name: buy_path, funnel: {steps: [{name: click, where: 'type == "click"'}, {name: pay, where: 'type == "pay"'}], window: 2d}}
  - {name: buy_it, funnel: {steps: [{name: click, where: 'type == "click"'}, {name: pay, where: 'type == "pay"'}], window: 2d, hold: content_id}}
  - {name: firsts, retention: {start: 'type == "pay"', return: 'type == "pay"', first: true, after: [1]}}
  - {name: daily, retention: {start: 'type == "pay"', return: 'type == "pay"', after: [1, 7]}}
  - {name: clicks, attribution: {conversion: 'type == "pay"', click: {where: 'type == "click"', within: 3d}}}
  - {name: unread, sessions: {gap: 5m}}
`

func TestCosts(t *testing.T) {
	c, err := kpi.Load(time.UTC, kpi.File{Name: "kpis.yaml", Data: []byte(measured)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(c, stream.HashKey{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"each user: 32 B and 6 to 11 B in an index; 16 B a second of activity until it is sealed",
		"distinct users by other filters, 1 of them: 34 to 55 B a user who passes one",
		"users by business day, 2 sets: about 2 B a user of the day in each, as much again for each label in 1 of them, until it is sealed",
		"days: 12 B of these, for the active ones of 64; 16 B each user for the channel first seen by",
		"funnel buy_path: 110 to 131 B a user with a funnel of the last 2d, and 56 B for it",
		"funnel buy_it: 110 to 131 B a user with a funnel of the last 2d, and 56 B for each content_id with one, up to 100",
		"retention daily: 110 to 131 B a user with a start in the last 8 days, and 56 B for each day with one",
		"attribution clicks: 110 to 131 B a user with a click of the last 3d, a view of the last 24h or a conversion of the last 30 days, and 56 B for the last click, the last view and each order, up to 1000",
		"retention firsts: 110 to 131 B a user with a start in the last 400 days, and 56 B for the first one",
		"sessions: 110 to 131 B a user with an open session, and 56 B for each, up to 1000 at a time",
		"each that follows events: 28 B an event that it reads, 60 with a key or numbers, until it is sealed",
	}
	if diff := cmp.Diff(want, Costs(p)); diff != "" {
		t.Error(diff)
	}
}

// TestCostsOfBook: what is said of a user with an item, which is settled, is what there is
// in memory.
func TestCostsOfBook(t *testing.T) {
	const users = 100_000
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	b := journey.NewBook(journey.NewFunnel(&kpi.Funnel{Steps: make([]kpi.Step, 2), Window: 48 * time.Hour}, kpi.NewCalendar(time.UTC)))
	for second := range int64(users / 10_000) {
		for i := range int64(10_000) {
			n := uint32(second*10_000 + i)
			b.Add(n%Shards<<24|n/Shards, &journey.Row{Time: second * 1000, Numbers: journey.NoNumbers})
		}
		b.Close(second + 1)
		b.TakeFacts()
		b.Seal(second + 1)
	}
	got := (heap() - before) / users
	least, most := journey.LeastUserBytes+journey.ItemBytes, journey.MostUserBytes+journey.ItemBytes
	// Allocations are rounded up, and when a funnel ends is noted.
	if got < least || got > most*6/5 {
		t.Errorf("%d B a user, want %d to %d and not much more", got, least, most)
	}
	runtime.KeepAlive(b)
}
