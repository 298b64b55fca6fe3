package users

import (
	"math/bits"
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// facts are what is said of users because of their active days, until it is added
// up. Who is told of the same together is one fact with a weight.
type facts struct {
	plan       *plan.Plan
	days       *plan.Days
	statements [64][]statement
	counted    uint64 // bits that are no levels
	perDay     []statement
	joined     []statement
	retention  []statement // by place among the afters
	signals    []statement // by signalled: state and holdout
	recalls    []statement // by signalled and place among kpi.RecallDays

	forgetAfter int32 // days

	gapBit   int    // of who is at risk by the gap of lists and signals
	told     uint64 // bits that any KPI asks for
	weights  map[fact]int64
	calendar [4]calendarDay // those looked at last: one after the other, mostly

	places []int // by text column: where it comes from
	rows   *factRows
}

// A fact is a statement about users.
type fact struct {
	slice  int64 // by which it became known
	day    int32 // that it is about
	kind   int32 // its bit, or of the others their place behind them
	origin carry.Number
}

// Kinds behind the bits: active days; retention by place among the afters; signals by
// state and holdout, and recall by these and its days. They have room for each other.
const (
	kindActive    = 64
	kindJoined    = 255
	kindRetention = 65
	kindSignal    = 256
	kindRecall    = 512
)

func newFacts(p *plan.Plan) *facts {
	d := p.Days
	f := &facts{plan: p, days: d, forgetAfter: int32(p.Catalogue.ForgetAfter), statements: statements(d), counted: counted(len(d.Gaps)), gapBit: firstGap + slices.Index(d.Gaps, d.Gap)*bitsOfGap, weights: map[fact]int64{}, places: placesOf(d), rows: newFactRows(p, d.Rows)}
	for bit, list := range f.statements {
		if len(list) > 0 {
			f.told |= 1 << bit
		}
	}
	if d.Kinds[kpi.FactActiveDays] {
		f.perDay = []statement{say(1, kpi.FactActiveDays, kpi.OfField, "30")}
	}
	if d.Kinds[kpi.FactJoined] {
		f.joined = []statement{say(1, kpi.FactJoined)}
	}
	for _, state := range kpi.LeavingStates {
		for _, holdout := range kpi.Holdouts {
			texts := []string{kpi.StateField, state, kpi.HoldoutField, holdout}
			if d.Kinds[kpi.FactSignal] {
				f.signals = append(f.signals, say(1, kpi.FactSignal, texts...))
			}
			for _, of := range kpi.RecallDays {
				if d.Kinds[kpi.FactRecall] {
					f.recalls = append(f.recalls, say(1, kpi.FactRecall, append(texts, kpi.OfField, of)...))
				}
			}
		}
	}
	for _, after := range d.Afters {
		f.retention = append(f.retention, say(1, kpi.FactRetention, kpi.AfterField, strconv.Itoa(after)))
	}
	for _, list := range append(f.statements[:], f.perDay, f.joined, f.retention, f.signals, f.recalls) {
		for i := range list {
			list[i].hash(f.rows)
		}
	}
	return f
}

func (f *facts) note(slice int64, day int32, kind int, origin carry.Number, n int64) {
	if n != 0 && (kind != kindActive || f.perDay != nil) {
		f.weights[fact{slice, day, int32(kind), origin}] += n
	}
}

// noteAll notes the facts of several bits.
func (f *facts) noteAll(slice int64, day int32, set uint64, origin carry.Number, n int64) {
	for ; set != 0; set &= set - 1 {
		f.note(slice, day, bits.TrailingZeros64(set), origin, n)
	}
}

// change says what changes by a user's active days being others, on the days from one
// to another. Days of a user who has none, or is of another origin, are nil.
func (f *facts) change(slice int64, origin carry.Number, before, after *activeDays, from, to int32) {
	var old, fresh status // of the day before: all that comes before is the same
	if before != nil && after != nil {
		old = f.on(before, from-1)
		fresh = old
	}
	for day := from; day <= to; day++ {
		if f.skipped(day) {
			continue
		}
		b, a := f.on(before, day), f.on(after, day)
		in, out := f.moved(fresh, a)
		lessIn, lessOut := f.moved(old, b)
		f.noteAll(slice, day, in&^lessIn, origin, 1)
		f.noteAll(slice, day, lessIn&^in, origin, -1)
		f.noteAll(slice, day, out&^lessOut, origin, -1)
		f.noteAll(slice, day, lessOut&^out, origin, 1)
		f.note(slice, day, kindActive, origin, int64(a.active-fresh.active-b.active+old.active))
		old, fresh = b, a
	}
	f.retain(slice, origin, before, -1)
	f.retain(slice, origin, after, 1)
}

// moved are the facts that are told on a day, entered levels among them, and the
// levels that are left.
func (f *facts) moved(before, on status) (in, out uint64) {
	return on.facts & (f.counted | ^before.facts) & f.told, before.facts &^ on.facts &^ f.counted & f.told
}

// enter says what the days from one to another bring a user without being active: of
// each by the slice before it begins, but by the last one if that is earlier.
func (f *facts) enter(last int64, origin carry.Number, d *activeDays, from, to int32) {
	was := f.on(d, from-1)
	for day := from; day <= to; day++ {
		if f.skipped(day) {
			continue
		}
		slice := min(last, f.plan.Calendar.Start(day)/1000-1)
		s := f.on(d, day)
		in, out := f.moved(was, s)
		f.noteAll(slice, day, in, origin, 1)
		f.noteAll(slice, day, out, origin, -1)
		f.note(slice, day, kindActive, origin, int64(s.active-was.active))
		was = s
	}
}

// enterDays says what the days bring to users who were active before them, before a
// look beyond what is closed can reach one. Until then nothing is said of a day.
func (p *Partition) enterDays(second int64) {
	if p.facts != nil {
		p.walk(&p.entering, second, func(shard int, after, upTo int32) { p.enterShard(shard, after, upTo, second-1) })
	}
}

func (p *Partition) enterShard(shard int, after, upTo int32, last int64) {
	for row := range uint32(p.shards[shard].n) {
		p.pause(row)
		ref := uint32(shard)<<24 | row
		d := p.daysOf(ref)
		if d.activity == 0 {
			continue
		}
		// Beyond the days that are remembered nothing changes until the user is forgotten.
		if from, to := max(after+1, d.first), min(upTo, d.last+64); from <= to {
			p.facts.enter(last, p.originOf(ref), &d, from, to)
		}
		if end := d.last + p.forgetAfter + 1; after < end && end <= upTo {
			p.facts.enter(last, p.originOf(ref), &d, end, min(upTo, end+1)) // the zone may have skipped the date
		}
	}
}

// retain says n times on which days after the first the user was active.
func (f *facts) retain(slice int64, origin carry.Number, d *activeDays, n int64) {
	if d == nil || d.activity == 0 {
		return
	}
	for i, after := range f.days.Afters {
		if day := d.first + int32(after); after == 0 || day <= d.last && day > d.last-64 && d.until(day)&1 == 1 {
			f.note(slice, d.first, kindRetention+i, origin, n)
		}
	}
}

func (f *facts) statementsOf(kind int32) []statement {
	switch {
	case kind == kindActive:
		return f.perDay
	case kind == kindJoined:
		return f.joined
	case kind >= kindRecall:
		return f.recalls[kind-kindRecall:][:1]
	case kind >= kindSignal:
		return f.signals[kind-kindSignal:][:1]
	case kind >= kindRetention:
		return f.retention[kind-kindRetention:][:1]
	}
	return f.statements[kind]
}

// addFacts adds up what was said, in the slices by which it became known.
func (p *Partition) addFacts() {
	f := p.facts
	if f == nil || len(f.weights) == 0 {
		return
	}
	for k, n := range f.weights {
		if n == 0 {
			continue
		}
		statements := f.statementsOf(k.kind)
		for i := range statements {
			s := &statements[i]
			f.rows.begin(placement{k.slice, k.day, n * s.weight})
			p.sayTexts(k, s)
		}
	}
	clear(f.weights)
	f.rows.addTo(p)
}

// sayTexts gives the row of a statement its texts.
func (p *Partition) sayTexts(k fact, s *statement) {
	var origin []carry.Text
	if p.origins != nil {
		origin = p.origins.At(k.origin)
	}
	rows := p.facts.rows
	for c, place := range p.facts.places {
		var t carry.Text
		switch {
		case place == ofDay:
			t = rows.dayText(k.day)
		case place >= ofOrigin && origin != nil:
			t = origin[place-ofOrigin]
		case place < ofOrigin:
			t = s.said[place]
		}
		rows.say(c, t)
	}
}

// Where a text column of the facts comes from: a field of their own by its place, the
// day, or from ofOrigin on the texts of the origin.
const (
	ofDay    = numFields
	ofOrigin = numFields + 1
)

func placesOf(d *plan.Days) (out []int) {
	carried := 0
	for c, name := range d.Schema.Text {
		switch {
		case d.Origin[c] >= 0:
			out = append(out, ofOrigin+carried)
			carried++
		case name == plan.DayField:
			out = append(out, ofDay)
		default:
			out = append(out, slices.Index(kpi.FactFields, name))
		}
	}
	return out
}
