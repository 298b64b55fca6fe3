package app

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// TestLedgerWithLateRows: while late rows come without an end, the ledger goes
// on from crossing to crossing, and shows nothing that queries do not see.
func TestLedgerWithLateRows(t *testing.T) {
	c := config.Default()
	catalogue, err := kpi.Load(c.Location)
	if err != nil {
		t.Fatal(err)
	}
	key := stream.HashKey{1, 2}
	p, err := plan.New(catalogue, key)
	if err != nil {
		t.Fatal(err)
	}
	l := newLane(theLane, p, stream.Timing{Disorder: c.Disorder, Lateness: c.Lateness, DedupWindow: c.Lateness + c.Disorder}, 2)
	d := newDecoder(p, key)
	begin := time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)
	sequence, id := uint64(0), 0
	pass := func(seconds ...int) {
		in := &parcel{batch: &stream.Batch{}}
		for _, at := range seconds {
			id, sequence = id+1, sequence+1
			line := fmt.Sprintf(`{"id":%d,"time":%d,"type":"play","user_id":"u","watch_ms":1}`, id, begin.Add(time.Duration(at)*time.Second).UnixMilli())
			in.raws = append(in.raws, stream.Raw{Sequence: sequence, Stamp: begin.Add(time.Hour).UnixMilli(), Data: []byte(line)})
		}
		d.decode(in)
		l.sequence(in)
		l.reveal(in)
		for i := range l.Partitions {
			l.partition(i, in)
		}
		for range l.merge(in) {
		}
	}
	for _, step := range []struct {
		seconds []int
		counted int64
		upTo    uint64
	}{
		{[]int{0, 10}, 2, 2},
		{[]int{5}, 2, 2},         // late: its windows are closed
		{[]int{11, 20, 6}, 4, 4}, // with 20 all before it are in, 20 and 6 are not
		{[]int{7}, 4, 4},
		{[]int{21, 8}, 7, 7},
	} {
		pass(step.seconds...)
		now := l.shown.Load()
		if got := now.ledger.Verdicts[stream.Counted]; got != step.counted || now.position != step.upTo {
			t.Errorf("after %v: ledger counts %d up to message %d, want %d and %d", step.seconds, got, now.position, step.counted, step.upTo)
		}
		a := now.live.Ask(merge.Question{KPI: "plays", Window: kpi.Window{Length: 5 * time.Minute}})
		if got := a.Samples[0].Numerator.Whole(); got != int64(id) {
			t.Errorf("after %v: the live window has %d plays, want all %d", step.seconds, got, id)
		}
	}
}
