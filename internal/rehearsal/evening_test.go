package rehearsal

import (
	"slices"
	"testing"
	"time"
)

// evening is from when to when an evening is known.
const (
	evening = 18 * hour
	late    = 22 * hour
)

// TestEvening is a rehearsal for every day: of three Tuesdays the evening is known, and
// of the fourth the rules say nothing while all is well, and what is wrong while not.
func TestEvening(t *testing.T) {
	b := open(t, 1, day("2026-10-13").Add(evening))
	for week := range 3 {
		tuesday := day("2026-10-13").AddDate(0, 0, 7*week)
		b.skip(tuesday.Add(evening))
		b.until(tuesday.Add(late))
	}
	b.skip(at("2026-11-03 18:00"))
	b.stop()
	t.Run("well", func(t *testing.T) {
		t.Parallel()
		well := b.fork(t, rules)
		well.until(at("2026-11-03 22:00"))
		for _, n := range well.told {
			t.Error(told(n))
		}
		healthy(t, well)
	})
	t.Run("ill", func(t *testing.T) {
		t.Parallel()
		ill := b.fork(t, rules,
			incident{
				name: "completion falls by a third", from: at("2026-11-03 19:00"), long: hour, on: drops("douyin", 0.33),
				found: []finder{by("CompletionUnusuallyLow", "channel", "douyin")},
			},
			incident{
				name: "a storm of negative comments", from: at("2026-11-03 20:00"), long: 20 * time.Minute, on: storm,
				found: []finder{by("NegativeComments")},
			},
			incident{
				name: "one channel sends nothing", from: at("2026-11-03 21:00"), long: 20 * time.Minute, on: silent("xiaohongshu"),
				found: []finder{by("ChannelSilent", "channel", "xiaohongshu")},
			},
		)
		ill.until(at("2026-11-03 22:00"))
		healthy(t, ill)
		for i := range ill.incidents {
			in := &ill.incidents[i]
			if !slices.ContainsFunc(ill.told, func(n notification) bool {
				return in.finds(n) && !n.StartsAt.Before(in.from) && n.StartsAt.Before(in.from.Add(hour))
			}) {
				t.Errorf("%s: not found within an hour", in.name)
			}
		}
	})
}
