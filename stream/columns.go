package stream

import "slices"

// Reset empties the batch for the columns of a schema; what it allocated is
// used again.
func (b *Batch) Reset(s Schema) {
	b.Text = resize(b.Text, len(s.Text))
	b.Number = resize(b.Number, len(s.Number))
	b.truncate(0)
	b.Belated = b.Belated[:0]
	b.Mask, b.MaskWords = b.Mask[:0], 0
	for i := range b.Code {
		b.Code[i] = b.Code[i][:0]
	}
	b.Anonymous, b.Identities = b.Anonymous[:0], b.Identities[:0]
	b.Known.Column, b.Known.Hash, b.Known.Mask = -1, b.Known.Hash[:0], b.Known.Mask[:0]
	b.Messages = b.Messages[:0]
	b.Payload = b.Payload[:0]
}

func resize[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// extend adds n empty rows to the columns; Rows stays.
func (b *Batch) extend(n int) {
	b.Time = blank(b.Time, n)
	b.User = blank(b.User, n)
	b.Name = blank(b.Name, n)
	b.ID = blank(b.ID, n)
	b.Verdict = blank(b.Verdict, n)
	b.Reason = blank(b.Reason, n)
	b.Line = blank(b.Line, n)
	for i := range b.Text {
		b.Text[i].Hash = blank(b.Text[i].Hash, n)
		b.Text[i].Span = blank(b.Text[i].Span, n)
	}
	for i := range b.Number {
		column := blank(b.Number[i], n)
		for j := len(column) - n; j < len(column); j++ {
			column[j] = Missing
		}
		b.Number[i] = column
	}
}

func blank[T any](s []T, n int) []T {
	s = slices.Grow(s, n)
	s = s[:len(s)+n]
	clear(s[len(s)-n:])
	return s
}

// truncate cuts the columns to n rows.
func (b *Batch) truncate(n int) {
	b.Rows = n
	b.Time = b.Time[:n]
	b.User = b.User[:n]
	b.Name = b.Name[:n]
	b.ID = b.ID[:n]
	b.Verdict = b.Verdict[:n]
	b.Reason = b.Reason[:n]
	b.Line = b.Line[:n]
	for i := range b.Text {
		b.Text[i].Hash = b.Text[i].Hash[:n]
		b.Text[i].Span = b.Text[i].Span[:n]
	}
	for i := range b.Number {
		b.Number[i] = b.Number[i][:n]
	}
	for last := len(b.Anonymous) - 1; last >= 0 && b.Anonymous[last] >= n; last-- {
		b.Anonymous = b.Anonymous[:last]
	}
	for last := len(b.Identities) - 1; last >= 0 && b.Identities[last].Row >= n; last-- {
		b.Identities = b.Identities[:last]
	}
}

// quarantine makes a row say no more than why it is there.
func (b *Batch) quarantine(row int, r Reason) {
	b.Verdict[row], b.Reason[row] = Quarantined, r
	b.Time[row], b.User[row], b.Name[row], b.ID[row] = 0, 0, Span{}, Key{}
	for i := range b.Text {
		b.Text[i].Hash[row], b.Text[i].Span[row] = 0, Span{}
	}
	for i := range b.Number {
		b.Number[i][row] = Missing
	}
}

// Bytes is the part of the payload that the span names.
func (b *Batch) Bytes(s Span) []byte { return b.Payload[s.Off : s.Off+s.Len : s.Off+s.Len] }
