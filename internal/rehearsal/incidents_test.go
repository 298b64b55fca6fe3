//go:build months

package rehearsal

import (
	"time"

	"github.com/tidewatch/tidewatch/internal/generate"
)

// incidents are those of a run.
var incidents = []incident{
	{
		name: "completion on the largest channel falls by a third", from: at("2026-11-14 15:00"), long: 3 * hour, on: drops("douyin", 0.33),
		found: []finder{by("CompletionUnusuallyLow", "channel", "douyin")},
	},
	{
		name: "completion on the smallest channel falls by half", from: at("2026-11-15 20:00"), long: 3 * hour, on: drops("wechat", 0.5),
		found: []finder{by("CompletionUnusuallyLow", "channel", "wechat")},
		also:  []string{"CompletionLow"},
	},
	{
		name: "players stall everywhere: nine of ten plays end early", from: at("2026-11-16 10:00"), long: 2 * hour, on: drops("", 0.9),
		found: []finder{by("CompletionLow"), by("EarlyExits"), by("CompletionUnusuallyLow")},
	},
	{
		name: "click-through of one channel halves", from: at("2026-11-17 12:00"), long: 6 * hour, on: loses(0.5, on("kuaishou"), generate.Click, generate.AdCost),
		found: []finder{by("CTRUnusuallyLow", "channel", "kuaishou")},
	},
	{
		name: "clicks are not tracked any more", from: at("2026-11-18 19:00"), long: 2 * hour, on: loses(1, all, generate.Click),
		found: []finder{by("CTRUnusuallyLow"), by("CTRLow")},
	},
	{
		name: "impressions of one channel are not tracked any more", from: at("2026-11-19 11:00"), long: 3 * hour, on: loses(0.97, on("xiaohongshu"), generate.Impression),
		found: []finder{by("CTRUnusuallyHigh", "channel", "xiaohongshu"), by("CTRImplausible", "channel", "xiaohongshu")},
	},
	{
		name: "conversion falls to a quarter", from: at("2026-11-20 14:00"), long: 8 * hour, on: unsold(0.75, all),
		found: []finder{by("ConversionCollapsed")},
		also:  []string{"OrdersGone", "PaymentsGone"},
	},
	{
		name: "payments stop, orders do not", from: at("2026-11-21 16:00"), long: 6 * hour,
		on:    loses(1, all, generate.Pay, generate.Settle, generate.Refund, generate.SurveyCSAT, generate.Complaint),
		found: []finder{by("PaymentsGone", "by", "total"), by("GMVStalled"), by("ConversionCollapsed")},
		also:  []string{"PaymentsGone"},
	},
	{
		name: "orders of one region stop", from: at("2026-11-22 10:00"), long: 24 * hour, on: unsold(1, func(v visit) bool { return v.Region() == "cn-gd" }),
		found: []finder{by("OrdersGone", "region", "cn-gd"), by("PaymentsGone", "region", "cn-gd")},
	},
	{
		name: "nothing is paid on one channel", from: at("2026-11-23 11:00"), long: 24 * hour,
		on:    loses(1, on("kuaishou"), generate.Pay, generate.Settle, generate.Refund, generate.SurveyCSAT, generate.Complaint),
		found: []finder{by("PaymentsGone", "channel", "kuaishou")},
	},
	{
		name: "a storm of negative comments", from: at("2026-11-24 20:00"), long: hour,
		on:    storm,
		found: []finder{by("NegativeComments")},
	},
	{
		name: "complaints rise to six times", from: at("2026-11-25 00:00"), long: 6 * 24 * hour,
		on: func(v visit) fate {
			if v.Type == generate.SurveyCSAT && among(mixed(v.own), 0.33) {
				v.Type = generate.Complaint
			}
			return fate{}
		},
		found: []finder{by("ComplaintsRising")},
	},
	{
		name: "a campaign spends, and none of its orders comes", from: at("2026-11-26 00:00"), long: 60 * hour,
		on:    unsold(1, func(v visit) bool { return v.Campaign == 3 }),
		found: []finder{by("SpendWithoutConversions", "campaign_id", "m3")},
	},
	{
		name: "one channel sends nothing any more", from: at("2026-11-28 13:00"), long: 3 * hour,
		on:    func(v visit) fate { return fate{lost: v.Channel() == "xiaohongshu"} },
		found: []finder{by("ChannelSilent", "channel", "xiaohongshu"), by("AudienceUnusuallySmall", "channel", "xiaohongshu")},
		also:  []string{"AudienceUnusuallySmall", "OrdersGone", "PaymentsGone"},
	},
	{
		name: "nothing is sent any more", from: at("2026-11-29 21:00"), long: hour,
		on:    func(visit) fate { return lost },
		found: []finder{by("ChannelSilent"), by("AudienceUnusuallySmall")},
		also:  []string{"OrdersGone", "PaymentsGone", "EngagementUnusuallyLow"},
	},
	{
		name: "one user in seven stays away", from: at("2026-12-01 00:00"), long: 72 * hour,
		on:    func(v visit) fate { return fate{lost: mixed(uint64(v.User)+7)%100 < 15} },
		found: []finder{by("AudienceUnusuallySmall"), by("AudienceShrinks"), by("DailyUsersUnusuallyFew")},
	},
	{
		name: "clicks cost twice as much", from: at("2026-12-04 10:00"), long: 6 * hour,
		on: func(v visit) fate {
			if v.Type == generate.AdCost {
				v.AmountMinor *= 2
			}
			return fate{}
		},
		found: []finder{by("ClicksUnusuallyDear")},
	},
	{
		name: "interactions are not sent any more", from: at("2026-12-05 17:00"), long: 2 * hour,
		on:    loses(1, all, generate.Like, generate.Comment, generate.Share, generate.Favourite, generate.Follow),
		found: []finder{by("EngagementLow"), by("EngagementUnusuallyLow")},
	},
	{
		name: "events are sent three times", from: at("2026-12-05 09:00"), long: hour,
		on:    func(visit) fate { return fate{copies: 2} },
		found: []finder{by("TidewatchDuplicates")},
	},
	{
		name: "a tenth of the events comes half an hour late", from: at("2026-12-06 11:00"), long: hour,
		on: func(v visit) fate {
			if among(mixed(v.own), 0.1) {
				return fate{late: 30 * time.Minute}
			}
			return fate{}
		},
		found: []finder{by("TidewatchLate")},
	},
	{
		name: "a release sends what cannot be read", from: at("2026-12-06 16:00"), long: hour,
		on:    func(v visit) fate { return fate{broken: among(v.random, 0.05)} },
		found: []finder{by("TidewatchDeadLetters")},
	},
	{
		name: "completion on the largest channel falls by 10 %, and stays so", from: at("2026-12-07 00:00"), long: 72 * hour, on: drops("douyin", 0.1),
		found: []finder{by("CompletionShifts", "channel", "douyin")},
		also:  []string{"CompletionUnusuallyLow"},
	},
	{
		name: "who came for a day is gone for 30", from: at("2026-11-08 00:00"), long: 24 * hour, shows: at("2026-12-07 00:00"),
		on: func(v visit) fate {
			if among(mixed(v.random+4), 0.05) {
				v.User += 1_000_000
			}
			return fate{}
		},
		found: []finder{by("ChurnRising")},
	},
}
