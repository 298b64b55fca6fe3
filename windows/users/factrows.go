package users

import (
	"slices"
	"strconv"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/carry"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// factRows makes rows of facts and adds them up like events.
type factRows struct {
	plan    *plan.Plan
	rows    *plan.Rows
	day     int // the column of the day, -1 without one
	filter  *plan.Filter
	effects plan.Effects
	batch   stream.Batch
	placed  []placement // by row
	hashes  map[string]uint64
	days    [8]dayText // those said last, each in a place of its own
}

// A dayText is a business day as facts say it.
type dayText struct {
	day  int32
	text carry.Text
}

// A placement is where a row of facts is added up, and how often.
type placement struct {
	slice  int64 // by which it became known
	day    int32 // that it belongs to
	weight int64
}

func newFactRows(p *plan.Plan, rows *plan.Rows) *factRows {
	return &factRows{plan: p, rows: rows, day: slices.Index(rows.Schema.Text, plan.DayField), filter: rows.NewFilter(), hashes: map[string]uint64{}}
}

// begin begins a row. Its texts and numbers follow, column by column.
func (f *factRows) begin(at placement) {
	b := &f.batch
	if len(f.placed) == 0 {
		b.Reset(f.rows.Schema)
	}
	f.placed = append(f.placed, at)
	b.Verdict = append(b.Verdict[:b.Rows], stream.Counted)
	b.Rows++
}

// say gives the row its text in a column.
func (f *factRows) say(column int, t carry.Text) {
	b := &f.batch
	c, row := &b.Text[column], b.Rows-1
	c.Hash = append(c.Hash[:row], t.Hash)
	c.Span = append(c.Span[:row], stream.Span{Off: uint32(len(b.Payload)), Len: uint32(len(t.Text))})
	b.Payload = append(b.Payload, t.Text...)
}

// redate has a row say that it is of a day.
func (f *factRows) redate(row int, day int32) {
	c, t := &f.batch.Text[f.day], f.dayText(day)
	c.Hash[row], c.Span[row] = t.Hash, stream.Span{Off: uint32(len(f.batch.Payload)), Len: uint32(len(t.Text))}
	f.batch.Payload = append(f.batch.Payload, t.Text...)
}

// number gives the row its number in a column.
func (f *factRows) number(column int, n int64) {
	b := &f.batch
	b.Number[column] = append(b.Number[column][:b.Rows-1], n)
}

// dayText is a business day.
func (f *factRows) dayText(day int32) carry.Text {
	known := &f.days[uint32(day)%uint32(len(f.days))]
	if known.day != day || known.text.Hash == 0 {
		*known = dayText{day, f.text(strconv.Itoa(int(day)))}
	}
	return known.text
}

// text is one that facts have by themselves. There are few: days, and the words of
// kinds.
func (f *factRows) text(text string) carry.Text {
	h, ok := f.hashes[text]
	if !ok {
		if len(f.hashes) > manyTexts {
			clear(f.hashes)
		}
		h = f.plan.Text(text)
		f.hashes[text] = h
	}
	return carry.Text{Hash: h, Text: text}
}

const manyTexts = 1 << 12

// addTo adds the rows to the partition's slices. What becomes known of a day when
// nothing can any more is in none; a level has it from the first day on that is open.
func (f *factRows) addTo(p *Partition) {
	if len(f.placed) == 0 {
		return
	}
	b := &f.batch
	f.filter.Apply(b)
	for row, at := range f.placed {
		effect := f.effects.Of(p.plan, f.rows, b.Mask[row*b.MaskWords:(row+1)*b.MaskWords])
		for _, a := range effect.Adds {
			s, set := f.rows.Sums[a.Place], f.rows.Sets[a.Place]
			final := s.Dated && p.plan.Calendar.Start(at.day+1+int32(s.Horizon)) <= at.slice*1000
			if final && !s.Level {
				continue
			}
			if final {
				f.redate(row, p.plan.Calendar.Day(at.slice*1000)-int32(s.Horizon))
			}
			vals := p.slice(at.slice).Sets[set].Group(s, p.plan, b, row)
			if final {
				f.redate(row, at.day)
			}
			lift(vals, a.Adders, b, row, at.weight)
		}
	}
	f.placed = f.placed[:0]
}
