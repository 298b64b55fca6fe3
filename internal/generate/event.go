package generate

import "time"

// Type is the kind of an event.
type Type uint8

// The types, as in the product's event vocabulary.
const (
	SessionStart Type = iota
	SessionEnd
	Impression
	Click
	PageView
	Play
	PlayStart // of a play that is told in parts
	PlayProgress
	PlayEnd
	Like
	Unlike
	Comment
	Share
	Favourite
	Follow
	Unfollow
	AddToCart
	Order
	Cancel
	Pay
	Refund
	Settle
	AdCost
	Ask   // a message to the shop
	Reply // the shop's answer
	SurveyCSAT
	SurveyNPS
	Complaint
	Identify // of a guest who logs in
	types
)

var typeNames = [types]string{
	"session_start", "session_end", "impression", "click", "page_view", "play", "play_start", "play_progress", "play_end", "like", "unlike", "comment",
	"share", "favourite", "follow", "unfollow", "add_to_cart", "order", "cancel", "pay", "refund", "settle",
	"ad_cost", "message", "message", "survey_csat", "survey_nps", "complaint", "identify",
}

// String is the event's `type`.
func (t Type) String() string { return typeNames[t] }

// An Event is something that happened in the shop.
type Event struct {
	// Time is in Unix milliseconds.
	Time int64
	// ID and Session are unique for a seed.
	ID, Session   uint64
	User, Content uint32
	Type          Type
	// Place is channel, region and device.
	Place uint8
	// Guest says that the user is known by the browser alone.
	Guest bool
	// Campaign is 0 for none.
	Campaign  uint8
	Sentiment uint8 // of a Comment: Negative, or another one
	Score     uint8 // of a survey
	Acquired  uint8 // by which channel: of a SessionStart
	// Milliseconds and fen, each of the types that have it.
	WatchMS, DurationMS, PositionMS, DwellMS, ResponseMS int32
	AmountMinor                                          int32

	arrival int64
}

// Channel is the event's channel.
func (e *Event) Channel() string { return channels[channelOf(e.Place)].name }

// Region is the event's region.
func (e *Event) Region() string { return regions[int(e.Place)/len(devices)%len(regions)].name }

// Arrival is when the event arrives, in Unix milliseconds.
func (e *Event) Arrival() int64 { return max(e.arrival, e.Time) }

func placeOf(channel, region, device uint8) uint8 {
	return (channel*uint8(len(regions))+region)*uint8(len(devices)) + device
}

func channelOf(place uint8) uint8 { return place / uint8(len(regions)*len(devices)) }

// traits are what the events of a type have.
type traits uint8

const (
	hasUser traits = 1 << iota
	hasSession
	hasContent
	hasAmount
	hasOrder
)

// traitsOf has the exceptions; all else is of a user in a session, about a
// content.
var traitsOf = [types]traits{
	SessionStart: hasUser | hasSession,
	SessionEnd:   hasUser | hasSession,
	SurveyNPS:    hasUser | hasSession,
	Identify:     hasUser | hasSession,
	Order:        hasUser | hasSession | hasContent | hasAmount | hasOrder,
	Cancel:       hasUser | hasSession | hasContent | hasOrder,
	Pay:          hasUser | hasSession | hasContent | hasAmount | hasOrder,
	Complaint:    hasUser | hasSession | hasContent | hasOrder,
	// The shop's doing, after the visit.
	Refund: hasUser | hasContent | hasAmount | hasOrder,
	Settle: hasUser | hasContent | hasAmount | hasOrder,
	// The platform's.
	AdCost: hasContent | hasAmount,
}

// Texts that are the same for many events, ready to be appended.
var (
	typeText  [types]string
	placeText []string
	tailText  []string // by vertical
)

func init() {
	for t := range typeText {
		if traitsOf[t] == 0 {
			traitsOf[t] = hasUser | hasSession | hasContent
		}
		typeText[t] = `,"type":"` + typeNames[t]
	}
	for _, c := range channels {
		for _, r := range regions {
			for _, d := range devices {
				placeText = append(placeText, `","channel":"`+c.name+`","region":"`+r.name+`","device":"`+d.name+`"`)
			}
		}
	}
	for _, v := range verticals {
		tailText = append(tailText, `,"props":{"vertical":"`+v+`"}}`)
	}
}

// Append appends the event as JSON.
func (g *Generator) Append(dst []byte, e *Event) []byte {
	dst = append(dst, `{"id":"`...)
	dst = appendID(dst, e.ID)
	dst = append(dst, `","time":"`...)
	dst = g.written.append(dst, e.Time)
	has := traitsOf[e.Type]
	dst = append(dst, typeText[e.Type]...)
	if has&hasUser != 0 {
		if e.Guest || e.Type == Identify {
			dst = append(dst, `","anonymous_id":"w`...)
			dst = appendInt(dst, uint64(e.User)+1)
		}
		if !e.Guest {
			dst = append(dst, `","user_id":"u`...)
			dst = appendInt(dst, uint64(e.User)+1)
		}
	}
	if has&hasSession != 0 {
		dst = append(dst, `","session_id":"s`...)
		dst = appendInt(dst, e.Session)
	}
	dst = append(dst, placeText[e.Place]...)
	if has&hasContent != 0 {
		dst = append(dst, `,"content_id":"v`...)
		dst = appendInt(dst, uint64(e.Content)+1)
		dst = append(dst, `","creator_id":"c`...)
		dst = appendInt(dst, uint64(e.Content)/16+1)
		dst = append(dst, '"')
		if e.Campaign > 0 {
			dst = append(dst, `,"campaign_id":"m`...)
			dst = appendInt(dst, uint64(e.Campaign))
			dst = append(dst, '"')
		}
	}
	if has&hasAmount != 0 {
		dst = append(dst, `,"amount_minor":`...)
		dst = appendInt(dst, uint64(e.AmountMinor))
		dst = append(dst, `,"currency":"CNY"`...)
	}
	if has&hasOrder != 0 {
		// All of one purchase is of one session and content.
		dst = append(dst, `,"order_id":"o`...)
		dst = appendID(dst, mix(e.Session<<20^uint64(e.Content)^g.salt))
		dst = append(dst, '"')
	}
	dst = e.appendOwn(dst)
	if has&hasContent == 0 {
		return append(dst, '}')
	}
	return append(dst, tailText[e.Content%uint32(len(tailText))]...)
}

// appendOwn appends what events of this type alone have.
func (e *Event) appendOwn(dst []byte) []byte {
	switch e.Type {
	case SessionStart:
		dst = append(append(dst, `,"acquisition_channel":"`...), acquired[e.Acquired].name...)
		return append(dst, '"')
	case SessionEnd:
		return appendInt(append(dst, `,"dwell_ms":`...), uint64(e.DwellMS))
	case Play:
		dst = appendInt(append(dst, `,"watch_ms":`...), uint64(e.WatchMS))
		return appendInt(append(dst, `,"duration_ms":`...), uint64(e.DurationMS))
	case PlayStart:
		return appendInt(append(dst, `,"duration_ms":`...), uint64(e.DurationMS))
	case PlayProgress:
		return appendInt(append(dst, `,"position_ms":`...), uint64(e.PositionMS))
	case PlayEnd:
		dst = appendInt(append(dst, `,"watch_ms":`...), uint64(e.WatchMS))
		if e.WatchMS >= e.DurationMS {
			dst = append(dst, `,"completed":true`...)
		}
		return dst
	case Comment:
		dst = append(append(dst, `,"sentiment":"`...), sentiment[e.Sentiment].name...)
		return append(dst, '"')
	case Ask:
		return append(dst, `,"direction":"outbound"`...)
	case Reply:
		return appendInt(append(dst, `,"direction":"inbound","response_ms":`...), uint64(e.ResponseMS))
	case SurveyCSAT, SurveyNPS:
		return appendInt(append(dst, `,"score":`...), uint64(e.Score))
	}
	return dst
}

// appendID appends 13 characters of Crockford's base 32.
func appendID(dst []byte, id uint64) []byte {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	var b [13]byte
	for i := range b {
		b[i] = digits[id>>(60-5*i)&31]
	}
	return append(dst, b[:]...)
}

func appendInt(dst []byte, n uint64) []byte {
	var b [20]byte
	i := len(b)
	for n >= 10 {
		i--
		b[i] = byte('0' + n%10)
		n /= 10
	}
	i--
	b[i] = byte('0' + n)
	return append(dst, b[i:]...)
}

// dateText writes times in Shanghai's zone; most share the day before them.
type dateText struct {
	day  int64
	text [11]byte // 2006-01-02T
}

func (d *dateText) append(dst []byte, ms int64) []byte {
	local := ms + shanghai*1000
	if today := floorDiv(local, day*1000) + 1; today != d.day { // 0 is unset
		d.day = today
		time.UnixMilli(local).UTC().AppendFormat(d.text[:0], "2006-01-02T")
	}
	of := uint32(local - (d.day-1)*day*1000)
	s, f := of/1000, of%1000
	h, m, s := s/3600, s/60%60, s%60
	dst = append(dst, d.text[:]...)
	return append(dst,
		byte('0'+h/10), byte('0'+h%10), ':', byte('0'+m/10), byte('0'+m%10), ':', byte('0'+s/10), byte('0'+s%10),
		'.', byte('0'+f/100), byte('0'+f/10%10), byte('0'+f%10), '+', '0', '8', ':', '0', '0', '"')
}
