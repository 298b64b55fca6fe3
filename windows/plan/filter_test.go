package plan

import (
	"bytes"
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
)

// TestManyRows: what a filter needs for a batch of very many rows it lets go of.
func TestManyRows(t *testing.T) {
	c, err := kpi.Load(time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	key := stream.HashKey{1, 2}
	p, err := New(c, key)
	if err != nil {
		t.Fatal(err)
	}
	f, d, b := p.Events.NewFilter(), stream.NewDecoder(p.Events.Schema, key), &stream.Batch{}
	for _, c := range []struct {
		rows  int
		keeps bool
	}{{100, true}, {stream.ManyRows + 1, false}, {100, true}} {
		b.Reset(p.Events.Schema)
		d.Append(b, stream.Raw{Data: bytes.Repeat([]byte("1\n"), c.rows)})
		f.Apply(b)
		if b.Rows != c.rows {
			t.Fatalf("%d rows, want %d", b.Rows, c.rows)
		}
		for _, n := range f.nodes {
			if got := cap(n.truth)+cap(n.numbers) > 0; got != c.keeps {
				t.Fatalf("%d rows: a node keeps what it worked with: %t, want %t", c.rows, got, c.keeps)
			}
		}
	}
}
