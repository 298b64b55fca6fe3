package generate

import "time"

// The shop's world. Weights are out of the sum of their list.
var (
	channels = []weighted{{"douyin", 55}, {"kuaishou", 18}, {"xiaohongshu", 16}, {"wechat", 11}}
	regions  = []weighted{
		{"cn-gd", 14}, {"cn-zj", 10}, {"cn-js", 10}, {"cn-sd", 9}, {"cn-sc", 8}, {"cn-he", 7},
		{"cn-hn", 7}, {"cn-bj", 6}, {"cn-sh", 6}, {"cn-hb", 6}, {"cn-fj", 5}, {"cn-sn", 4},
	}
	devices = []weighted{{"android", 57}, {"ios", 39}, {"web", 4}}
	// acquired is what brought a user to the shop.
	acquired  = []weighted{{"search", 30}, {"ads", 26}, {"creator", 24}, {"friend", 13}, {"store", 7}}
	verticals = []string{"food", "beauty", "fashion", "home", "travel", "games", "sports", "learning"}
	sentiment = []weighted{{"positive", 59}, {"neutral", 33}, {"negative", 8}}
	campaigns = 12
	// stars are the scores of surveys from 1 on; recommend those from 0 on: 16 %
	// detractors, 29 % between, 55 % promoters.
	stars     = []weighted{{"1", 4}, {"2", 3}, {"3", 8}, {"4", 28}, {"5", 57}}
	recommend = []weighted{{"0", 3}, {"1", 1}, {"2", 1}, {"3", 2}, {"4", 2}, {"5", 4}, {"6", 3}, {"7", 11}, {"8", 18}, {"9", 26}, {"10", 29}}
	// completion is the share of plays that are watched to the end, by
	// channel, in percent.
	completion = []uint32{56, 40, 48, 45}
)

// Negative is the sentiment of a comment that is.
const Negative = 2

// atCounter is for how many sessions there is a purchase at the counter.
const atCounter = 1000

// Out of 1000: purchases that are paid back, and visits that are asked at their
// end whether they would recommend the shop.
const (
	refunds = 60
	asked   = 10
)

type weighted struct {
	name   string
	weight uint32
}

// pick chooses by weight.
func pick(list []weighted, x uint32) uint8 {
	var sum uint32
	for _, w := range list {
		sum += w.weight
	}
	x %= sum
	for i, w := range list {
		if x < w.weight {
			return uint8(i)
		}
		x -= w.weight
	}
	return 0
}

// hours is how busy the hours of a day are in Shanghai; their mean is 1000.
var hours = [24]uint64{
	520, 280, 160, 110, 100, 150, 330, 600, 800, 900, 980, 1080,
	1380, 1230, 1000, 960, 1000, 1110, 1360, 1760, 2240, 2430, 2080, 1440,
}

// rhythm is how busy a second is, 1000 being the mean.
func rhythm(second int64) uint64 {
	local := second + shanghai
	of := local % day
	if of < 0 {
		of += day
	}
	hour, into := of/3600, uint64(of%3600)
	busy := (hours[hour]*(3600-into) + hours[(hour+1)%24]*into) / 3600
	if weekday := (floorDiv(local, day) + 4) % 7; weekday == 0 || weekday == 6 {
		return busy * 1075 / 1000
	}
	return busy * 970 / 1000
}

func floorDiv(a, b int64) int64 {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// active says whether a user uses the shop at all on a day: a third always
// does, the others come and go, some for a year or more.
func (g *Generator) active(user uint32, day int64) bool {
	h := mix(uint64(user)<<20 ^ g.o.Seed)
	if h%3 == 0 {
		return true
	}
	on, off := 5+int64(h>>8%45), 4+int64(h>>16%60)
	if h>>24%5 == 0 {
		off += 400
	}
	return (day+int64(h>>32))%(on+off) < on
}

// duration is a content's length in milliseconds, 7 s to 90 s, mostly short.
func duration(content uint32) int32 {
	h := mix(uint64(content))
	return int32(7000 + (h&0xffff)*(h>>16&0xffff)>>16*83000>>16)
}

// price is what a content's goods cost, in fen: 9.90 to 499.
func price(content uint32) int32 {
	h := mix(uint64(content) ^ 0x5bd1)
	return int32(990 + (h&0xffff)*(h>>16&0xffff)>>16*48910>>16/100*100)
}

// bid is what a click costs a campaign, in fen, but for what auctions add.
func bid(campaign uint8) int32 { return 40 + 12*int32(campaign) }

// response is how long the shop takes to answer: 2 to 45 s, mostly less than 15.
func response(d *dice) int32 {
	r := d.roll()
	u, v := int64(r>>16&0xffff), int64(r>>48)
	return 2000 + int32(u*v>>16*43_000>>16)
}

// partial is the channel that tells plays in parts.
const partial = 3

// troubled is the channel whose completion drops in an incident: the largest, so
// that it shows.
const troubled = 0

// Incident says whether the completion of a channel is down at a time from
// Options.Incidents on: every five minutes, for three of them.
func Incident(t time.Time) (channel string, ok bool) {
	return channels[troubled].name, incident(t.UnixMilli())
}

func incident(ms int64) bool {
	const every, from, to = 300, 60, 240
	of := ms / 1000 % every
	return of >= from && of < to
}
