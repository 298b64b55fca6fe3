package windows_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/users"
)

// TestProcessAllocates: once users, labels and tables are there, adding events
// allocates nothing.
func TestProcessAllocates(t *testing.T) {
	s := setup{catalogue(t), timing(2*time.Second, 10*time.Minute, 602*time.Second)}
	p := newPipeline(t, s, 1, newDisk())
	b := new(stream.Batch)
	b.Reset(p.Plan.Events.Schema)
	var data []byte
	for i := range 1000 {
		data = fmt.Appendf(data, `{"id":%d,"time":%d,"type":"play","user_id":"u%d","channel":"c%d","content_id":"v%d","watch_ms":3000,"duration_ms":4000}`+"\n",
			i, start+int64(i)%900, i%300, i%5, i%40)
	}
	p.decoder.Append(b, stream.Raw{Sequence: 1, Stamp: start + 1000, Data: data})
	p.filter.Apply(b)
	crossings := p.Sequencer.Pass(b, nil)
	p.Merger.Label(p.Labels.Assign(b))
	p.Partitions[0].Process(b, crossings)
	if n := testing.AllocsPerRun(20, func() { p.Partitions[0].Process(b, nil) }); n > 0 {
		t.Errorf("a batch of 1,000 rows allocates %v times, want none", n)
	}
	if n := testing.AllocsPerRun(20, func() { p.filter.Apply(b) }); n > 0 {
		t.Errorf("filters over 1,000 rows allocate %v times, want none", n)
	}
	if n := testing.AllocsPerRun(20, func() { p.Labels.Assign(b) }); n > 0 {
		t.Errorf("labels of 1,000 rows allocate %v times, want none", n)
	}
}

// TestCountAllocates: looking through users allocates nothing for each of them.
func TestCountAllocates(t *testing.T) {
	p := newPipeline(t, setup{catalogue(t), timing(2*time.Second, 10*time.Minute, 602*time.Second)}, 1, newDisk())
	const known = 1000
	var data []byte
	for i := range known {
		data = fmt.Appendf(data, `{"id":%d,"time":%d,"type":"play","user_id":"u%d","watch_ms":3000}`+"\n", i, start, i)
	}
	p.feed([]stream.Raw{{Sequence: 1, Stamp: start, Data: data}})
	p.feed([]stream.Raw{{Sequence: 2, Stamp: start + 20_000, Tick: true, Data: fmt.Appendf(nil, `{"to":%d}`, start+20_000)}})
	part := p.Partitions[0]
	today := part.OldestDay() + 63
	s := users.Selection{Active: &users.DayRange{From: today, To: today}, Inactive: &users.DayRange{From: today - 1, To: today - 1}}
	count := func() int {
		n, _, _ := part.Count(s, 0, 2*known)
		return n
	}
	if n := count(); n != known {
		t.Fatalf("%d users were active, want %d", n, known)
	}
	if n := testing.AllocsPerRun(20, func() { count() }); n > 2 { // what it counts with
		t.Errorf("counting %d users allocates %v times, want 2 at most", known, n)
	}
}
