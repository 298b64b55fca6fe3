package merge

import (
	"encoding/binary"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/history"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/plan"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

func (d *distinct) checkpoint(pages []page.Page, _ uint64) []page.Page {
	add := func(kind page.Kind, a uint32, b uint64, data []byte) {
		pages = append(pages, page.Page{Kind: kind, A: a, B: b, Data: data})
	}
	if d.dirty {
		d.dirty = false
		b := binary.AppendUvarint(nil, uint64(len(d.texts)-1))
		for i, texts := range d.texts[1:] {
			b = binary.LittleEndian.AppendUint64(b, d.keys[i+1])
			b = codec.AppendTexts(b, texts)
		}
		add(page.Labels, uint32(d.target), 0, b)
	}
	for j, w := range d.windows {
		if data := w.block.Encode(); data != nil {
			add(page.Block, page.Of(d.target, j), 0, data)
		}
	}
	for _, day := range d.dropped {
		add(page.Day, uint32(d.target), day, nil)
	}
	d.dropped = nil
	for day, t := range d.days {
		if t.dirty {
			t.dirty = false
			add(page.Day, uint32(d.target), uint64(day), t.encode(len(d.texts)))
		}
	}
	return pages
}

// encode: by code the users.
func (t *distinctDay) encode(codes int) []byte {
	b := binary.AppendUvarint(nil, uint64(codes))
	for code := range uint32(codes) {
		n := int64(0)
		if row := t.final.row(code); row != nil {
			n = row[0]
		}
		b = binary.AppendVarint(b, n)
	}
	return b
}

func (d *distinct) load(kind page.Kind, length int, b uint64, r *codec.Reader) {
	switch kind {
	case page.Labels:
		for range r.Count(9) {
			key := r.Uint64()
			d.label(key, r.Texts())
		}
		d.dirty = false
	case page.Day:
		t, live := d.day(int32(b)), d.live.day(int32(b))
		for code := range r.Count(1) {
			n := r.Varint()
			t.final.edit(uint32(code))[0] = n
			live.edit(uint32(code))[0] = n
		}
	case page.Block:
		w := d.windows[length]
		w.block = history.Decode(d.name, w.Window, d.columns, r)
	}
}

// Pages are written whole, however often they changed.
func (d *distinct) corrections(b []byte) []byte              { return b }
func (d *distinct) unsaved() int                             { return 0 }
func (d *distinct) loadCorrection(_ uint64, r *codec.Reader) { r.Fail() }

func (d *distinct) renumber(labels *users.Labels) { labels.Restore(d.target, d.keys[1:]) }

// resume lets the next kept window of each length be noted: it may differ from
// the last one by what the partitions' live windows are about to say.
func (d *distinct) resume() {
	for _, w := range d.windows {
		w.of(int32(len(d.texts) - 1))
		w.resumed = true
		d.due.note(plan.Ceil(d.sealed+1, w.Step))
	}
}

func (d *distinct) hold(n step.Delta) {
	w := d.windows[n.Column]
	d.live.add(n)
	w.of(n.Group).base += n.N
	w.sealed += n.N
}
