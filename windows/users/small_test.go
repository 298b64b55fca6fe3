package users

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/tidewatch/tidewatch/internal/hashmap"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

const payers = `
kpis:
  - name: arppu
    title: {en: a, zh: a}
    ratio:
      numerator: {sum: {field: amount_minor, where: 'type == "pay"'}}
      denominator: {distinct: {field: user_id, where: 'type == "pay"'}}
    by: [channel, region, device]
    windows: [1h, day]
  - name: payers
    title: {en: a, zh: a}
    distinct: {field: user_id, where: 'type == "pay" and amount_minor > 100'}
    by: [channel, campaign_id]
    windows: [5m, 24h]
`

// TestSmallSets: sets of users that few belong to cost what these few cost, not
// a share of every user's row and entries.
func TestSmallSets(t *testing.T) {
	const users, each = 50_000, 4
	held := func(files ...kpi.File) (rows, entries int) {
		c, err := kpi.Load(time.UTC, files...)
		if err != nil {
			t.Fatal(err)
		}
		pl, err := plan.New(c, stream.HashKey{1, 2})
		if err != nil {
			t.Fatal(err)
		}
		timing := stream.Timing{Lateness: 10 * time.Minute, DedupWindow: 10 * time.Minute}
		p, labels, filter := NewPartition(pl, timing, 0, 1), NewLabels(pl), pl.Events.NewFilter()
		decoder, sequencer := stream.NewDecoder(pl.Events.Schema, stream.HashKey{1, 2}), stream.NewSequencer(timing, pl.Acceptance)
		b := new(stream.Batch)
		for i := range each {
			b.Reset(pl.Events.Schema)
			at := int64(1_800_000_000_000 + 5000*i)
			var data []byte
			for u := range users {
				kind := "play"
				if u%100 == 0 {
					kind = "pay"
				}
				data = fmt.Appendf(data, `{"id":"%d-%d","time":%d,"type":%q,"user_id":"u%d","channel":"c%d","device":"d%d","amount_minor":500,"currency":"CNY"}`+"\n", i, u, at, kind, u, u%5, u%3)
			}
			decoder.Append(b, stream.Raw{Sequence: uint64(i + 1), Stamp: at, Data: data})
			filter.Apply(b)
			crossings := sequencer.Pass(b, nil)
			labels.Assign(b)
			p.Process(b, crossings)
		}
		for _, sh := range p.shards {
			rows += len(sh.rows)*int(unsafe.Sizeof(row{})*blockRows) + 4*cap(sh.table) + hashmap.MostBytes*sh.over.Len()
			for _, s := range sh.small {
				rows += cap(s.list)*int(unsafe.Sizeof(member{})) + hashmap.MostBytes*s.places.Len()
			}
		}
		n := 0
		for _, a := range p.audiences {
			for _, s := range a.slices {
				n += s.n
				entries += 4*cap(s.chunks) + 4*cap(s.details)
			}
			for _, b := range a.blocks {
				if b != nil {
					entries += int(unsafe.Sizeof(*b))
				}
			}
			entries += int(unsafe.Sizeof(chunkOwner{})) * cap(a.chunks)
		}
		if n < users*each {
			t.Fatalf("%d entries, want at least %d", n, users*each)
		}
		return rows, entries
	}
	rows, entries := held()
	moreRows, moreEntries := held(kpi.File{Name: "payers.yaml", Data: []byte(payers)})
	t.Logf("a user takes %d bytes and %d with payers, an entry %d and %d", rows/users, moreRows/users, entries/(users*each), moreEntries/(users*each))
	if row := unsafe.Sizeof(row{}); row != 32 {
		t.Errorf("a row takes %d bytes, want 32", row)
	}
	if limit := 18 * users * each; entries > limit {
		t.Errorf("the entries take %d bytes, want at most %d", entries, limit)
	}
	if moreRows > rows+rows/10 || moreEntries > entries+entries/10 {
		t.Errorf("with 1 %% of payers rows take %d bytes instead of %d, entries %d instead of %d: more than a tenth more", moreRows, rows, moreEntries, entries)
	}
}
