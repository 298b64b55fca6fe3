package generate

// A session is one visit of a user, on its way to the next event.
type session struct {
	at       int64 // Unix ms of the next event
	id       uint64
	began    int64
	dice     dice
	user     uint32
	content  uint32
	watch    int32 // of a play, or the time until a reply
	duration int32
	events   uint16
	next     Type
	place    uint8 // index into places
	campaign uint8 // 0: none
	guest    bool
	counter  bool
	bought   purchase
}

// A purchase is what a visit paid for: one thing at most.
type purchase struct {
	content  uint32 // plus 1; 0: nothing
	campaign uint8
}

// session is the n-th session of a second.
func (g *Generator) session(second int64, n, seed uint64) session {
	x := session{at: second*1000 + int64(seed>>54*1000>>10), id: uint64(second)<<26 | n<<8, dice: dice(seed), next: SessionStart}
	x.began = x.at
	today := floorDiv(second+shanghai, day)
	for range 16 { // until the draw is of a user who is around
		x.user = g.users.draw(&x.dice)
		if g.active(x.user, today) {
			break
		}
	}
	home := g.home(x.user)
	channel := pick(channels, uint32(home>>8))
	if x.dice.below(100) < 12 { // a guest in another channel
		channel = pick(channels, x.dice.below(1<<16))
	}
	device := pick(devices, uint32(home>>40))
	x.place = placeOf(channel, pick(regions, uint32(home>>24)), device)
	x.guest = g.o.Guests && devices[device].name == "web" && mix(x.id)%2 == 0
	return x
}

// purchase is one at the counter while a session begins, by somebody who is in no session.
func (g *Generator) purchase(x session) session {
	x.id |= 1 << 25 // more sessions than a second has
	x.dice = dice(mix(x.id ^ g.salt))
	x.user = uint32(g.o.Users) + x.dice.below(uint32(g.o.Users)/20+1)
	x.guest, x.counter = false, true
	return x
}

// home says where a user is at home, and what else stays as it is.
func (g *Generator) home(user uint32) uint64 { return mix(uint64(user) ^ g.o.Seed<<1) }

// step makes the session's next event and moves the session on to the one
// after it, at least a second later.
func (g *Generator) step(x *session, e *Event) (more bool) {
	*e = Event{
		Time: x.at, ID: mix(x.id ^ g.salt), Session: x.id >> 8, Type: x.next, User: x.user,
		Content: x.content, Place: x.place, Campaign: x.campaign, Guest: x.guest && x.next != Identify,
	}
	x.id++
	x.events++
	switch x.next {
	case SessionStart:
		e.Acquired = pick(acquired, uint32(mix(g.home(x.user))>>32))
	case SessionEnd:
		e.DwellMS = int32(x.at - x.began)
		return g.payOut(x)
	case Refund, Settle:
		e.AmountMinor = price(x.content)
		return false
	case PlayStart:
		e.DurationMS = x.duration
	case Play, PlayEnd:
		e.WatchMS, e.DurationMS = x.watch, x.duration
	case PlayProgress:
		e.PositionMS = min(x.watch/2, x.duration)
	case Order:
		e.AmountMinor = price(x.content)
	case Pay:
		e.AmountMinor = price(x.content)
		x.bought = purchase{x.content + 1, x.campaign}
	case AdCost:
		e.AmountMinor = bid(x.campaign) + int32(x.dice.below(20))
	case Identify:
		x.guest = false
	case Reply:
		e.ResponseMS = x.watch
	case Comment:
		e.Sentiment = pick(sentiment, x.dice.below(100))
	case SurveyCSAT:
		e.Score = 1 + pick(stars, x.dice.below(100))
	case SurveyNPS:
		e.Score = pick(recommend, x.dice.below(100))
	}
	g.move(x)
	return true
}

// A step is what may follow an event, so often out of 1000.
type step struct {
	to   Type
	odds uint32
}

// watched are the steps that follow a play.
var watched = []step{{Like, 50}, {Comment, 13}, {Favourite, 12}, {Share, 9}, {Follow, 7}, {Unfollow, 2}}

// odds are the steps that follow an event, out of 1000; if none does, the
// next thing in the feed.
var odds = [types][]step{
	Impression: {{Click, 72}},
	Click:      {{PageView, 700}},
	AdCost:     {{PageView, 700}}, // of a click
	PageView:   {{AddToCart, 290}, {Ask, 30}},
	Ask:        {{Reply, 920}},
	Reply:      {{AddToCart, 450}},
	AddToCart:  {{Order, 500}},
	Order:      {{Pay, 880}, {Cancel, 40}},
	Pay:        {{SurveyCSAT, 150}, {Complaint, 10}},
	PlayEnd:    watched,
	Play:       watched,
	Like:       {{Unlike, 30}},
	SurveyNPS:  {{SessionEnd, 1000}},
	Identify:   {{AddToCart, 1000}},
}

func (g *Generator) move(x *session) {
	was := x.at
	switch span := int64(min(x.watch, longestPlay)); x.next {
	case PlayStart:
		if x.next = PlayEnd; span > shortPlay {
			x.next, span = PlayProgress, span/2
		}
		x.at += max(span, 1000)
		return
	case PlayProgress:
		x.next, x.at = PlayEnd, x.at+span-span/2
		return
	}
	x.at += 1000 + int64(x.dice.below(2500))
	if x.counter {
		if x.next = SessionEnd; x.bought.content == 0 {
			x.next, x.content = Pay, g.content(x)
		}
		return
	}
	if x.next == Click && x.campaign > 0 {
		x.next = AdCost
		return
	}
	r := x.dice.below(1000)
	for _, o := range odds[x.next] {
		if r >= o.odds {
			r -= o.odds
			continue
		}
		switch {
		case o.to == AddToCart && x.bought.content > 0:
			g.feed(x)
			return
		case o.to == AddToCart && x.guest: // who has a cart has logged in
			x.next = Identify
			return
		case o.to == Reply:
			x.watch = response(&x.dice)
			x.at = was + int64(x.watch)
		}
		x.next = o.to
		return
	}
	g.feed(x)
}

// payOut has what was bought paid out after the visit, or paid back.
func (g *Generator) payOut(x *session) (more bool) {
	if x.bought.content == 0 {
		return false
	}
	x.content, x.campaign = x.bought.content-1, x.bought.campaign
	x.at += 20_000 + int64(x.dice.below(30_000))
	x.next = Settle
	switch {
	case x.counter && x.dice.below(2) == 0:
		x.next = Refund
		x.content = (x.content + 1) % uint32(g.o.Contents) // another purchase
	case x.dice.below(1000) < refunds:
		x.next = Refund
	}
	return true
}

// feed shows the next thing, or ends the session.
func (g *Generator) feed(x *session) {
	r := x.dice.below(1000)
	if r < 120 || x.at-x.began > 120_000 || x.events > 200 {
		x.content, x.campaign = 0, 0
		if x.next = SessionEnd; x.dice.below(1000) < asked {
			x.next = SurveyNPS
		}
		return
	}
	x.content = g.content(x)
	x.campaign = 0
	if r < 400 {
		x.next = Impression
		if r < 260 {
			x.campaign = uint8(1 + mix(uint64(x.content)*7)%uint64(campaigns))
		}
		return
	}
	over := g.watch(x)
	if channelOf(x.place) == partial {
		x.next = PlayStart
		return
	}
	x.next, x.at = Play, over // it is told when it is over
}

// A play takes longestPlay at most, and one up to shortPlay has no progress to tell,
// in ms.
const (
	longestPlay = 45_000
	shortPlay   = 4_000
)

// content draws what is popular in these six hours.
func (g *Generator) content(x *session) uint32 {
	const spread, drift = 2654435761, 40503 // primes: ranks scatter over ids
	rank := uint64(g.contents.draw(&x.dice))
	return uint32((rank*spread + uint64(x.at/21_600_000)*drift) % uint64(g.o.Contents))
}

// watch decides how long the play lasts, and answers when it is over.
func (g *Generator) watch(x *session) (over int64) {
	channel := channelOf(x.place)
	x.duration = duration(x.content)
	to := completion[channel]
	r := x.dice.roll()
	if uint32(r%100) < to {
		x.watch = x.duration
		if r>>32&7 == 0 { // watched again in part
			x.watch += int32(r >> 40 % uint64(x.duration))
		}
	} else {
		x.watch = swipe(x.duration, r)
	}
	over = x.at + int64(min(x.watch, longestPlay))
	if channel == troubled && !g.o.Incidents.IsZero() && over >= g.o.Incidents.UnixMilli() && incident(over) && r>>16&15 != 0 {
		x.watch = swipe(x.duration, r) / 2
	}
	return over
}

// swipe is how far somebody comes who does not stay: mostly not far.
func swipe(duration int32, r uint64) int32 {
	u, v := int64(r>>32&0xffff), int64(r>>48)
	return 300 + int32(int64(duration-1000)*(u*v>>16)>>16*9/10)
}
