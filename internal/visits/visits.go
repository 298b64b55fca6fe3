// Package visits has events of a small shop in which everything happens that there are KPIs
// of: for tests of what is shown.
package visits

import (
	"fmt"
	"strings"
	"time"
)

// Zone is one in which the business day of a time has begun, and does not end soon.
func Zone(now time.Time) *time.Location {
	if h := now.UTC().Hour(); h < 2 || h > 22 {
		return time.FixedZone("Asia/Shanghai", 8*3600)
	}
	return time.UTC
}

// Story are visits on each of the last 40 days and today, an hour before this time of the
// day, and at this moment. User u comes every u+1 days; each day somebody comes for the first time, and
// again after 1, 3, 7, 14 and 30 days.
func Story(now time.Time) []string {
	var events []string
	for day := 40; day >= 0; day-- {
		at := now.Add(-time.Duration(day)*24*time.Hour - time.Hour)
		var users []string
		for u := range 10 {
			if day%(u+1) == 0 {
				users = append(users, fmt.Sprint("u", u))
			}
		}
		for _, after := range []int{0, 1, 3, 7, 14, 30} {
			users = append(users, fmt.Sprint("n", day+after))
		}
		events = append(events, At(at, users)...)
		if day == 0 {
			events = append(events, At(now, users)...)
		}
	}
	// What cannot be read is told of, too.
	return append(events, `{"id":"broken","time":1,"type":"play","user_id":"u1"}`)
}

// At are users on two channels, each going from impression to payment and what comes
// after it, just before the given time.
func At(at time.Time, users []string) []string {
	const order = `"order_id":"o%[1]d","amount_minor":4990,"currency":"CNY"`
	steps := []string{
		`"type":"session_start","acquisition_channel":"ads"`,
		`"type":"impression"`,
		`"type":"click"`,
		`"type":"play","watch_ms":15000,"duration_ms":15000`,
		`"type":"play_start","duration_ms":9000`,
		`"type":"play_progress","position_ms":8000`,
		`"type":"play_end","watch_ms":8000`,
		`"type":"like"`,
		`"type":"unlike"`,
		`"type":"comment","sentiment":"negative"`,
		`"type":"share"`,
		`"type":"favourite"`,
		`"type":"follow"`,
		`"type":"unfollow"`,
		`"type":"ad_cost","amount_minor":1200,"currency":"CNY"`,
		`"type":"add_to_cart"`,
		`"type":"order",` + order,
		`"type":"pay",` + order,
		`"type":"settle",` + order,
		`"type":"complaint"`,
		`"type":"survey_nps","score":9`,
		`"type":"survey_csat","score":4`,
		`"type":"message","direction":"inbound","response_ms":12000`,
		`"type":"session_end","dwell_ms":15000`,
	}
	var events []string
	for u, user := range users {
		for step, extra := range steps {
			if u > 0 && strings.HasPrefix(extra, `"type":"un`) {
				continue // one has second thoughts
			}
			ms := at.UnixMilli() - 2000 + int64(len(steps)*u+step)
			if !strings.HasPrefix(extra, `"type":"play`) { // as in the demo, none is of a campaign
				extra = `"campaign_id":"m1",` + extra
			}
			extra = strings.ReplaceAll(extra, "%[1]d", fmt.Sprint(ms-int64(step)))
			events = append(events, fmt.Sprintf(
				`{"id":"%d-%d","time":%d,"user_id":"%s","session_id":"s%d","channel":"%s","region":"cn-gd","device":"ios","content_id":"v1","creator_id":"k1",%s}`,
				ms, step, ms, user, ms-int64(step), []string{"douyin", "wechat"}[u%2], extra))
		}
	}
	return events
}
