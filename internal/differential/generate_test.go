package differential

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/tidewatch/tidewatch/internal/oracle"
)

// starts are moments shortly before something happens to a calendar.
var starts = []struct{ zone, at string }{
	{"Asia/Shanghai", "2026-03-14 23:59:20"},
	{"UTC", "2026-12-31 23:59:20"},
	{"America/New_York", "2026-03-08 01:59:20"},
	{"America/New_York", "2026-11-01 01:59:20"},
	{"Europe/Berlin", "2026-03-28 23:58:00"},
	{"America/Sao_Paulo", "2018-11-03 23:59:20"}, // midnight does not exist
	{"America/Havana", "2026-10-31 23:59:20"},    // it comes twice
	{"Pacific/Apia", "2011-12-29 23:59:20"},      // nor does a whole day
	{"Australia/Lord_Howe", "2026-04-04 23:59:20"},
	{"Asia/Kathmandu", "2026-07-01 12:00:00"},
	{"Asia/Kathmandu", "2026-07-01 23:53:20"}, // it begins between two steps of today
	{"Pacific/Chatham", "2026-04-04 23:53:20"},
}

// A generator makes a case that goes wrong in every way that a test thinks of.
type generator struct {
	*rand.Rand
	*trial
	now int64 // ms
	// watermark is about where time has come to.
	watermark int64
	lines     []string
	next      int
	users     int
	calm      int // nothing comes for long, one message in so many
	anonymous int // ids, of which users turn out to be; 0: none do
}

func anything(seed uint64) *trial {
	c := &trial{seed: seed}
	c.holdout = seed % 3 * 35
	c.forgetAfter = 400 + seed%2*30
	c.leastBase = int(seed / 2 % 2)
	g := &generator{Rand: c.random(1), trial: c, users: 3 + int(seed%7)}
	start := starts[g.IntN(len(starts))]
	c.zone, g.now = start.zone, instant(start.zone, start.at)
	c.timing, c.later = g.pickTiming(), g.pickTiming()
	if g.IntN(2) == 0 {
		c.currency = "CNY"
	}
	c.accept = []string{"", "", "{ad_cost: 0s}", "{ad_cost: 31h, pay: 5d}", "{click: 36h, refund: 50h, ad_cost: 4d}"}[g.IntN(5)]
	c.kpis, c.active = g.definitions()
	c.operators = slices.Concat(g.funnels(), g.retentions())
	g.calm = []int{15, 40, 200}[g.IntN(3)]
	if g.IntN(2) == 0 {
		g.anonymous = 1 + g.IntN(40)
		c.kpis = append(c.kpis, "{name: people, distinct: {field: user_id}, by: [channel, device], windows: [today, day]}")
	}
	rounds := 6 + g.IntN(10)
	for round := range rounds {
		for range 1 + g.IntN(25) {
			g.steps = append(g.steps, step{act: send, message: g.message()})
			g.operate()
		}
		if round == rounds/2 && g.IntN(8) == 0 {
			g.steps = append(g.steps, step{act: retime})
		}
		if round == rounds-1 && g.IntN(2) == 0 { // all is closed, and most of it sealed
			g.now += 8000
			g.steps = append(g.steps, step{act: send, message: oracle.Message{Stamp: g.now, Tick: true, To: g.now + 500_000}})
		}
		g.steps = append(g.steps, step{act: ask, whole: round == rounds-1})
	}
	return c
}

func (g *generator) pickTiming() oracle.Timing {
	t := oracle.Timing{
		Disorder: []time.Duration{0, 500 * time.Millisecond, 2 * time.Second, 5 * time.Second}[g.IntN(4)],
		Lateness: []time.Duration{0, time.Second, 30 * time.Second, 90500 * time.Millisecond, 10 * time.Minute, 10 * time.Minute, 2 * time.Hour, 30 * time.Hour}[g.IntN(8)],
	}
	t.DedupWindow = t.Lateness + t.Disorder
	if g.IntN(3) == 0 {
		t.DedupWindow += g.duration(2 * time.Hour)
	}
	return t
}

func (g *generator) duration(most time.Duration) time.Duration {
	return time.Duration(g.Int64N(int64(most/time.Second))) * time.Second
}

// operate has players do what they do between messages, and now and then lets
// days pass, so that users have a rhythm.
func (g *generator) operate() {
	if g.IntN(4) == 0 {
		g.steps = append(g.steps, step{act: read, player: g.IntN(players)})
	}
	if g.IntN(12) == 0 {
		g.steps = append(g.steps, step{act: checkpoint, player: 1 + g.IntN(players-1)})
	}
	if g.IntN(40) == 0 {
		g.steps = append(g.steps, step{act: crash, player: 2, partitions: []int{1, 2, 3, 8}[g.IntN(4)]})
	}
	if g.IntN(150) == 0 {
		g.steps = append(g.steps, step{act: crash, player: 1, partitions: 3})
	}
	if g.seed%3 == 0 && g.IntN(6) == 0 {
		g.now += (1 + g.Int64N(8)) * day
	}
}

const second, hour, day = int64(1000), 3600 * second, 24 * hour

// message is the next one.
func (g *generator) message() oracle.Message {
	switch n := g.IntN(100); {
	case n < 60:
		g.now += g.Int64N(1500)
	case n < 90:
		g.now += g.Int64N(20)
	default:
		g.now += g.Int64N(20 * second)
	}
	if g.IntN(g.calm) == 0 {
		pauses := []int64{60 * second, 600 * second, hour, 9 * hour, 30 * hour, 4 * day, 33 * day}
		if g.IntN(4) == 0 { // longer than the days that are remembered
			pauses = []int64{62 * day, 63 * day, 64 * day, 65 * day, 70 * day}
		}
		if g.IntN(4) == 0 { // and longer than users are
			long := int64(g.forgetAfter) * day
			pauses = []int64{200 * day, long - day, long, long + day, 2*long + day}
		}
		g.now += pauses[g.IntN(len(pauses))] + g.Int64N(2*second)
	}
	m := oracle.Message{Stamp: g.now + g.Int64N(200)}
	switch n := g.IntN(100); {
	case n < 6:
		m.Tick = true
	case n < 7:
		m.Tick, m.To = true, g.now+g.Int64N(3*second)
	case n < 8 && g.now > 0:
		m.Tick, m.To = true, m.Stamp+g.Int64N(20*60*second) // further than it may
	case n < 10 && g.anonymous > 0:
		m.Erased = fmt.Sprintf("user u%d", g.IntN(g.users))
		if g.IntN(3) == 0 {
			m.Erased = fmt.Sprintf("anonymous u%d", g.IntN(g.anonymous))
		}
	default:
		var lines []string
		for range 1 + g.IntN(4) {
			lines = append(lines, g.line(m.Stamp))
		}
		if g.IntN(30) == 0 {
			lines = append(lines, g.wrong())
		}
		m.Data = []byte(strings.Join(lines, "\n") + "\n")
		if g.IntN(20) == 0 {
			m.Data = []byte("[" + strings.Join(lines, ",") + "]")
			if !json.Valid(m.Data) {
				m.Data = []byte(strings.Join(lines, "\n"))
			}
		}
	}
	return m
}

// wrong is what is no event.
func (g *generator) wrong() string {
	at := g.now
	return []string{
		`{`, `7`, `"text"`, `null`, `{"id":"x"}`, `{"id":"","time":1,"type":"play","user_id":"u"}`,
		`{"id":"b","time":1500000000,"type":"play","user_id":"u"}`,
		`{"id":"b","time":"yesterday","type":"play","user_id":"u"}`,
		fmt.Sprintf(`{"id":"b","time":%d,"user_id":"u"}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play"}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":7,"user_id":"u"}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play","user_id":"u","watch_ms":"3"}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play","user_id":"u","watch_ms":3.5}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play","user_id":"u","watch_ms":9000000000001}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"pay","user_id":"u","amount_minor":3,"currency":"yuan"}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play","user_id":"u","channel":["a"]}`, at),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play","user_id":"u","channel":%q}`, at, strings.Repeat("x", 257)),
		fmt.Sprintf(`{"id":"b","time":%d,"type":"play","user_id":"u","props":3}`, at),
	}[g.IntN(18)]
}

// line is an event, often out of order or a duplicate.
func (g *generator) line(stamp int64) string {
	if n := len(g.lines); n > 0 && g.IntN(12) == 0 {
		return g.lines[n-1-g.IntN(min(n, 40))]
	}
	typ := []string{"play", "play", "play", "impression", "click", "pay", "pay", "order", "like", "message", "other", "ad_cost", "ad_cost", "refund", "refund", "cancel", "settle", "play_start", "play_progress", "play_end"}[g.IntN(20)]
	at := g.when(stamp)
	if g.watermark > 0 && (typ == "ad_cost" && g.IntN(2) == 0 || g.IntN(30) == 0) {
		at = g.belated()
	}
	g.next++
	id := g.next
	if g.IntN(20) == 0 {
		id = max(1, id-g.IntN(30)) // a duplicate with another time, if the user is the same
	}
	e := []string{fmt.Sprintf(`"id":%d`, id), fmt.Sprintf(`"time":%d`, at)}
	if g.IntN(4) == 0 {
		e = []string{fmt.Sprintf(`"id":"%d"`, id), fmt.Sprintf(`"time":%q`, time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z"))}
	}
	e = append(e, fmt.Sprintf(`"type":%q`, typ))
	switch {
	case g.anonymous > 0 && g.IntN(20) == 0:
		e[len(e)-1] = `"type":"identify"`
		e = append(e, fmt.Sprintf(`"user_id":"u%d"`, g.IntN(g.users)), fmt.Sprintf(`"anonymous_id":"u%d"`, g.IntN(g.anonymous)))
	case g.anonymous > 0 && g.IntN(3) == 0:
		e = append(e, fmt.Sprintf(`"anonymous_id":"u%d"`, g.IntN(g.anonymous)))
	case typ != "ad_cost" || g.IntN(3) == 0:
		e = append(e, fmt.Sprintf(`"%s":"u%d"`, []string{"user_id", "user_id", "user_id", "anonymous_id"}[g.IntN(4)], g.IntN(g.users)))
	}
	for _, field := range fields {
		if text := g.text(field); text != "" {
			e = append(e, fmt.Sprintf(`%q:%s`, field, text))
		}
	}
	if g.IntN(2) == 0 {
		e = append(e, fmt.Sprintf(`"session_id":%s`, []string{`"s1"`, `"s2"`, `"7"`, `7`, `""`}[g.IntN(5)]))
	}
	if g.IntN(6) == 0 {
		e = append(e, fmt.Sprintf(`"dwell_ms":%d`, g.number(4)*2500))
	}
	switch typ {
	case "play", "play_start", "play_progress", "play_end":
		if typ != "play" && g.IntN(2) == 0 {
			e = append(e, fmt.Sprintf(`"position_ms":%d`, g.number(4)*2000))
		}
		if typ != "play" && g.IntN(3) == 0 {
			e = append(e, fmt.Sprintf(`"completed":%v`, g.IntN(3) > 0))
		}
		if g.IntN(8) > 0 {
			e = append(e, fmt.Sprintf(`"watch_ms":%d`, g.number(4)*3000))
		}
		if g.IntN(8) > 0 {
			e = append(e, fmt.Sprintf(`"duration_ms":%d`, g.IntN(3)*4000))
		}
	case "pay", "order", "ad_cost", "refund", "cancel", "settle":
		if g.IntN(5) > 0 {
			e = append(e, fmt.Sprintf(`"order_id":"o%d"`, g.IntN(4)))
		}
		e = append(e, fmt.Sprintf(`"amount_minor":%d`, g.number(5)*100-100))
		if g.IntN(10) > 0 {
			e = append(e, fmt.Sprintf(`"currency":%q`, []string{"CNY", "CNY", "USD", "JPY"}[g.IntN(4)]))
		}
	case "message":
		e = append(e, fmt.Sprintf(`"direction":%q`, []string{"inbound", "outbound"}[g.IntN(2)]))
	}
	if g.IntN(3) == 0 {
		price := g.number(5) - 2
		if price > 1_000_000_000 {
			price *= 3000
		}
		e = append(e, fmt.Sprintf(`"props":{"price":%d.%06d,"watch_ms":1}`, price, g.IntN(4)*250_000))
	}
	line := "{" + strings.Join(e, ",") + "}"
	g.lines = append(g.lines, line)
	if at <= stamp {
		g.watermark = max(g.watermark, at-g.timing.Disorder.Milliseconds())
	}
	return line
}

// when is the time of an event in a message of that stamp.
func (g *generator) when(stamp int64) int64 {
	disorder, lateness := g.timing.Disorder.Milliseconds(), g.timing.Lateness.Milliseconds()
	switch n := g.IntN(100); {
	case n < 60:
		return g.now - g.Int64N(disorder+1)
	case n < 80:
		return g.now - disorder - g.Int64N(lateness+1)
	case n < 83:
		return g.now - disorder - lateness - g.Int64N(5*second)
	case n < 90:
		return g.now + g.Int64N(3*second)
	case n < 91:
		return g.now + 3*second + g.Int64N(590*second)
	case n < 92:
		return stamp + 600*second + g.Int64N(2*second) - second
	case n < 93:
		return stamp + 600*second + g.Int64N(2)
	case n < 95 && g.watermark > 0:
		return g.watermark - lateness - g.Int64N(2)
	}
	return g.now
}

// belated is a time that may be accepted late, or is just beyond that.
func (g *generator) belated() int64 {
	if g.IntN(4) == 0 {
		return g.watermark - []int64{31 * hour, 36 * hour, 50 * hour, 3 * day, 4 * day, 5 * day}[g.IntN(6)] + g.Int64N(3) - 1
	}
	return g.watermark - g.timing.Lateness.Milliseconds() - g.Int64N([]int64{2 * hour, 2 * day, 6 * day}[g.IntN(3)])
}

// number is a number of a field: below n, now and then below 0 or so large that
// a few of them need more than 64 bits in millionths.
func (g *generator) number(n int) int {
	switch g.IntN(60) {
	case 0:
		return -1 - g.IntN(3)
	case 1:
		return 2_900_000_000
	case 2:
		return 1_000_000
	}
	return g.IntN(n)
}
