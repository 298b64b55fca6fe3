package stream

import (
	"math/bits"

	"github.com/tidewatch/tidewatch/kpi"
)

// validate checks the event that was scanned and fills its row in.
func (d *Decoder) validate(b *Batch, row int) Reason {
	id, reason := d.name(b, &d.top, slotID, ReasonMissingID)
	if reason != ReasonNone {
		return reason
	}
	if text := b.Bytes(id); placeholder(text) && text[0] != '0' { // one may be numbered from 0 on
		return d.wrong(slotID, &d.top.values[slotID], ReasonPlaceholderID)
	}
	if b.Time[row], reason = d.time(b); reason != ReasonNone {
		return reason
	}
	typ, reason := d.name(b, &d.top, slotType, ReasonMissingType)
	if reason != ReasonNone {
		return reason
	}
	if at := &d.top.values[slotType]; !texts.has(at.kind) {
		return d.wrong(slotType, at, ReasonWrongType)
	}
	user, missing := d.name(b, &d.top, slotUser, ReasonMissingUser)
	if missing != ReasonNone && missing != ReasonMissingUser {
		return missing
	}
	anonymous, reason := d.name(b, &d.top, slotAnonymous, ReasonMissingUser)
	if reason != ReasonNone && reason != ReasonMissingUser {
		return reason
	}
	if none := d.noUser(b, user, anonymous, missing, reason); none != slotNone {
		if !userless(b.Bytes(typ)) {
			return d.wrong(none, &d.top.values[none], ReasonPlaceholderID)
		}
		missing, reason = ReasonMissingUser, ReasonMissingUser
	}
	switch {
	case d.judging:
		if missing != ReasonNone && reason != ReasonNone && !userless(b.Bytes(typ)) {
			return d.wrong(slotUser, nil, ReasonMissingUser)
		}
	case missing == ReasonNone:
		b.User[row], b.Name[row] = d.key.User(b.Bytes(user)), user
	case reason == ReasonNone:
		b.User[row], b.Name[row] = d.key.Anonymous(b.Bytes(anonymous)), anonymous
		b.Anonymous = append(b.Anonymous, row)
	case !userless(b.Bytes(typ)):
		return d.wrong(slotUser, nil, ReasonMissingUser)
	}
	if string(b.Bytes(typ)) == kpi.Identify {
		if reason = d.identify(b, row, missing, reason, anonymous); reason != ReasonNone {
			return reason
		}
	}
	if !d.judging {
		b.ID[row] = d.key.Event(b.User[row], b.Bytes(id))
	}
	if d.top.has(slotProps) {
		return d.wrong(slotProps, &d.top.values[slotProps], ReasonWrongType)
	}
	reason = d.validateFields(b, row)
	if column := d.fields[slotUser].text; column >= 0 && missing != ReasonNone { // it may be empty
		b.Text[column].Hash[row], b.Text[column].Span[row] = 0, Span{}
	}
	return reason
}

// identify notes that an anonymous id is the user's. Each of both may be missing.
func (d *Decoder) identify(b *Batch, row int, user, unknown Reason, anonymous Span) Reason {
	switch {
	case user != ReasonNone:
		return d.wrong(slotUser, nil, ReasonMissingUser)
	case unknown != ReasonNone:
		return d.wrong(slotAnonymous, nil, ReasonMissingUser)
	case placeholder(b.Bytes(anonymous)):
		return d.wrong(slotAnonymous, &d.top.values[slotAnonymous], ReasonPlaceholderID)
	case !d.judging:
		b.Identities = append(b.Identities, Identity{row, d.key.Anonymous(b.Bytes(anonymous)), anonymous})
	}
	return ReasonNone
}

// ofEvent are the slots that are no fields of the props.
const ofEvent = 1<<slotFields - 1

// noUser is the slot of the id that counts, if that stands for no user.
func (d *Decoder) noUser(b *Batch, user, anonymous Span, missing, unknown Reason) int {
	switch {
	case missing == ReasonNone && placeholder(b.Bytes(user)):
		return slotUser
	case missing != ReasonNone && unknown == ReasonNone && placeholder(b.Bytes(anonymous)):
		return slotAnonymous
	}
	return slotNone
}

// validateFields checks the fields in the order of their slots and writes those
// that the schema asks for.
func (d *Decoder) validateFields(b *Batch, row int) Reason {
	for w, top := range d.top.seen {
		props := d.props.seen[w]
		if w == 0 {
			top &^= 1 << slotNone
			props &^= ofEvent
		}
		for seen := top | props; seen != 0; seen &= seen - 1 {
			bit := bits.TrailingZeros64(seen)
			slot := w<<6 | bit
			at := &d.top.values[slot]
			if top>>bit&1 == 0 {
				at = &d.props.values[slot]
			}
			if reason := d.validateField(b, row, &d.fields[slot], at); reason != ReasonNone {
				return d.wrong(slot, at, reason)
			}
		}
	}
	if d.carries(d.amount) && !d.carries(d.currency) {
		return d.addCurrency(b, row)
	}
	return ReasonNone
}

// carries reports whether the event has the field, at the top or in its props.
func (d *Decoder) carries(slot int) bool { return d.top.has(slot) || d.props.has(slot) }

// addCurrency gives an amount the schema's currency.
func (d *Decoder) addCurrency(b *Batch, row int) Reason {
	if d.schema.Currency == "" {
		at := &d.top.values[d.amount]
		if !d.top.has(d.amount) {
			at = &d.props.values[d.amount]
		}
		return d.wrong(d.amount, at, ReasonNoCurrency)
	}
	if column := d.fields[d.currency].text; column >= 0 {
		start := len(b.Payload)
		b.Payload = append(b.Payload, d.schema.Currency...)
		b.Text[column].Hash[row] = d.hash
		b.Text[column].Span[row] = Span{uint32(start), uint32(len(b.Payload) - start)}
	}
	return ReasonNone
}

func (d *Decoder) validateField(b *Batch, row int, f *field, at *token) Reason {
	if !f.takes.has(at.kind) {
		return ReasonWrongType
	}
	if f.bounds.has(at.kind) {
		v, ok := d.number(f, at)
		if !ok {
			return ReasonBadNumber
		}
		if f.number >= 0 {
			b.Number[f.number][row] = v
		}
	}
	if f.measures.has(at.kind) {
		text := d.span(b, at)
		if text.Len > MaxText {
			return ReasonTooLarge
		}
		if f.kind == kpi.KindCurrency && !kpi.IsCurrency(b.Bytes(text)) {
			return ReasonBadCurrency
		}
		if f.text >= 0 && !(f.id && placeholder(b.Bytes(text))) {
			column := &b.Text[f.text]
			column.Hash[row] = d.key.Text(b.Payload[text.Off : text.Off+text.Len])
			column.Span[row] = text
		}
	}
	return ReasonNone
}

// number is a number as its column keeps it.
func (d *Decoder) number(f *field, at *token) (v int64, ok bool) {
	if at.kind == kindInteger {
		if at.val > kpi.MaxNumber || at.val < -kpi.MaxNumber {
			return 0, false
		}
		if f.kind == kpi.KindInteger {
			return at.val, true
		}
		return at.val * kpi.Scale, true
	}
	v, isWhole, ok := decimal(d.p[at.off:at.end])
	if f.kind != kpi.KindInteger {
		return v, ok
	}
	return v / kpi.Scale, ok && isWhole
}

// name reads an id or another short text that must not be empty.
func (d *Decoder) name(b *Batch, l *level, slot int, missing Reason) (Span, Reason) {
	if !l.has(slot) {
		return Span{}, d.wrong(slot, nil, missing)
	}
	at := &l.values[slot]
	if !ids.has(at.kind) {
		return Span{}, d.wrong(slot, at, ReasonWrongType)
	}
	s := d.span(b, at)
	switch {
	case s.Len == 0:
		return s, d.wrong(slot, at, missing)
	case s.Len > MaxText:
		return s, d.wrong(slot, at, ReasonTooLarge)
	}
	return s, ReasonNone
}

// span is where a value's text stands; it is unescaped once.
func (d *Decoder) span(b *Batch, at *token) Span {
	if at.kind == kindEscaped {
		start := len(b.Payload)
		b.Payload = unescape(b.Payload, d.p[at.off:at.end])
		return Span{uint32(start), uint32(len(b.Payload) - start)}
	}
	return Span{at.off, at.end - at.off}
}

// time reads the event's time in Unix milliseconds.
func (d *Decoder) time(b *Batch) (ms int64, _ Reason) {
	at := &d.top.values[slotTime]
	var ok bool
	switch {
	case !d.top.has(slotTime):
		return 0, d.wrong(slotTime, nil, ReasonMissingTime)
	case at.kind == kindInteger:
		if ms, ok = at.val, true; ms < seconds {
			return 0, d.wrong(slotTime, at, ReasonTimeInSeconds)
		}
	case texts.has(at.kind):
		s := d.span(b, at)
		if s.Len == 0 {
			return 0, d.wrong(slotTime, at, ReasonMissingTime)
		}
		ms, ok = d.clock.parse(b.Bytes(s))
	case at.kind != kindDecimal:
		return 0, d.wrong(slotTime, at, ReasonWrongType)
	}
	if !ok || ms < minTime || ms >= endTime {
		return 0, d.wrong(slotTime, at, ReasonBadTime)
	}
	return ms, ReasonNone
}

// wrong keeps what is wrong for Check to explain.
func (d *Decoder) wrong(slot int, at *token, r Reason) Reason {
	d.fault.slot, d.fault.at = slot, token{kind: kindNull}
	if at != nil {
		d.fault.at = *at
	}
	return r
}
