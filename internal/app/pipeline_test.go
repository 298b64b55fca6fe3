package app

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/internal/config"
	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/merge"
)

// TestSmallAndLargeParcels: events count once, whether their parcel goes through
// all stages on one goroutine, through the pipeline, or comes while the other is at
// work; through a stop and a start, with epochs all the time.
func TestSmallAndLargeParcels(t *testing.T) {
	c := config.Default()
	c.Data, c.CheckpointInterval = t.TempDir(), 20*time.Millisecond
	id := 0
	for range 2 {
		s := openService(t, c)
		s.Start()
		last := uint64(0)
		for i, n := range []int{1, 1, 4000, 1, 60, 4000, 4000, 1, 700, 1, 5} {
			var b bytes.Buffer
			for range n {
				id++
				fmt.Fprintf(&b, `{"id":%d,"time":%d,"type":"play","user_id":"u%d","watch_ms":%d,"filler":"%0100d"}`+"\n", id, time.Now().UnixMilli(), id%500, 1+id%9000, 0)
			}
			var err error
			if last, err = s.broker.Append(t.Context(), b.Bytes()); err != nil {
				t.Fatal(err)
			}
			if i%3 == 0 { // else the next comes while this one is under way
				if err := s.WaitFor(t.Context(), last); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.WaitFor(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		s.await()
		if got := s.Ledger().Total; got.Verdicts[stream.Counted] != int64(id) || got.Received() != int64(id) {
			t.Errorf("ledger = %+v, want %d counted", got, id)
		}
		live := s.look().live
		plays := live.Ask(merge.Question{KPI: "plays", Window: kpi.Window{Length: 24 * time.Hour}})
		if n := plays.Samples[0].Numerator.Whole(); n != int64(id) {
			t.Errorf("plays = %d, want %d", n, id)
		}
		if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if kept := s.commits.last.position; kept != last {
			t.Errorf("committed up to message %d, want %d", kept, last)
		}
	}
}
