package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tidewatch/tidewatch/internal/api"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/roster"
)

// BenchmarkCount asks how many of a million users were active on so many days that are
// over, and on none of the week behind them. Each user comes on three days of ten, with
// one of five channels.
func BenchmarkCount(b *testing.B) {
	const users, before, today = 1 << 20, 120, 20_779
	h := openTheatre(b, 10)
	channels := []string{"web", "app", "tv", "shop", "car"}
	for _, channel := range channels {
		h.play("ann", channel, -before-1)
	}
	h.play("ann", "web", 0)
	if err := h.Read(); err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	all, err := h.newRollCall(nil)
	if err != nil {
		b.Fatal(err)
	}
	of := []*rollCall{all}
	for _, channel := range channels {
		c, err := h.newRollCall(&channel)
		if err != nil {
			b.Fatal(err)
		}
		of = append(of, c)
	}
	bytes := make([]int, len(of))
	for day := int32(today - before); day < today; day++ {
		sets := make([]*roster.Set, len(of))
		for i := range sets {
			sets[i] = &roster.Set{}
		}
		for i := range uint32(users) {
			if r.IntN(10) < 3 {
				ref := i<<24 | i>>8
				sets[0].Add(ref)
				sets[1+r.IntN(len(channels))].Add(ref)
			}
		}
		var blocks []*history.Block
		for i, c := range of {
			id, _ := h.lane.roster(c.rosters, day)
			bytes[i] += len(sets[i].Append(nil))
			label := ""
			if i > 0 {
				label = channels[i-1]
			}
			blocks = append(blocks, &history.Block{BlockID: id, Rosters: []history.Roster{{Label: label, Shares: []*roster.Set{sets[i]}}}})
		}
		if err := h.store.PutBlocks(blocks); err != nil {
			b.Fatal(err)
		}
	}
	for _, days := range []int32{1, 7, 60, 112} {
		for i, name := range []string{"all", "channel"} {
			b.Run(fmt.Sprintf("days=%d/of=%s", days, name), func(b *testing.B) {
				q := api.UserQuery{Active: &api.Days{From: today - before, To: today - before + days - 1}}
				q.Inactive = &api.Days{From: q.Active.To + 1, To: q.Active.To + 7}
				if i > 0 {
					q.Channel = &channels[0]
				}
				for b.Loop() {
					if found, err := h.Count(context.Background(), q); err != nil || found.Count == 0 {
						b.Fatalf("got %+v, %v", found, err)
					}
				}
				b.ReportMetric(float64(bytes[i])/before, "B/day")
			})
		}
	}
}
