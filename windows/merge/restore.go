package merge

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/tidewatch/tidewatch/internal/codec"
	"github.com/tidewatch/tidewatch/windows/page"
	"github.com/tidewatch/tidewatch/windows/step"
	"github.com/tidewatch/tidewatch/windows/users"
)

// Checkpoint encodes what changed since the last one, and the root, which is
// small and written every time. Finished blocks are history and go there first:
// see TakeBlocks.
func (m *Merger) Checkpoint(number uint64) (root []byte, pages []page.Page, late page.Section) {
	late = page.Section{Kind: page.Corrections, Until: m.head}
	for _, a := range m.aggregates {
		pages = a.checkpoint(pages, number)
		late.Data = a.corrections(late.Data)
	}
	root = binary.AppendVarint(nil, m.watermark)
	root = binary.AppendVarint(root, m.head)
	root = binary.AppendVarint(root, m.sealed)
	return root, pages, late
}

// SetOut puts an empty merger where an epoch's root says that it was.
func (m *Merger) SetOut(root []byte) error {
	r := codec.NewReader(root)
	m.watermark, m.head, m.sealed = r.Varint(), r.Varint(), r.Varint()
	if r.Err() != nil {
		return fmt.Errorf("read the epoch's root: %w", r.Err())
	}
	return nil
}

// Restore fills a merger that has set out, and the numbering of labels that belongs to
// it, from an epoch; late is its journal of corrections. What users say of it is
// missing until Resume.
func (m *Merger) Restore(pages page.Pages, late []page.Entry, labels *users.Labels) error {
	// Groups come before what names them.
	for _, kind := range [...]page.Kind{page.Labels, page.Groups, page.Pane, page.Slice, page.Day, page.Block, page.Revisions} {
		err := pages.Each(kind, func(a uint32, b uint64, data []byte) error {
			target, length := int(a), 0
			if kind == page.Pane || kind == page.Block {
				target, length = page.Split(a)
			}
			r := codec.NewReader(data)
			if m.aggregates[target].load(kind, length, b, r); r.Err() != nil {
				return fmt.Errorf("read page %d/%d/%d: %w", kind, a, b, r.Err())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, a := range m.aggregates {
		a.renumber(labels)
	}
	for _, section := range late {
		r := codec.NewReader(section.Data)
		for r.Len() > 0 {
			target := r.Uvarint()
			if target >= uint64(len(m.aggregates)) {
				r.Fail()
				break
			}
			m.aggregates[target].loadCorrection(section.Number, r)
		}
		if r.Err() != nil {
			return fmt.Errorf("read corrections of checkpoint %d: %w", section.Number, r.Err())
		}
	}
	if m.head == math.MinInt64 {
		return nil
	}
	for i, a := range m.aggregates {
		a.resume()
		m.expect(i)
	}
	return nil
}

// Resume takes in what a partition's Resume answered.
func (m *Merger) Resume(held []step.Delta, since *step.Step) {
	for _, n := range held {
		m.aggregates[n.Target].hold(n)
	}
	if since != nil {
		for i, as := range m.intake.sort([]*step.Step{{Deltas: since.Deltas}}) {
			if len(as) > 0 {
				m.aggregates[i].close(m.head, as)
			}
		}
	}
	if m.head != math.MinInt64 {
		for i := range m.aggregates {
			m.expect(i)
		}
	}
}

// Unwritten is how many changes wait for a checkpoint to write them.
func (m *Merger) Unwritten() int {
	n := 0
	for _, a := range m.aggregates {
		n += a.unsaved()
	}
	return n
}
