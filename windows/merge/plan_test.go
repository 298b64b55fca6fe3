package merge

import (
	"testing"
	"time"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/stream"
	"github.com/tidewatch/tidewatch/windows/plan"
)

// compiled is the plan of a catalogue.
func compiled(t *testing.T, catalogue string) *plan.Plan {
	t.Helper()
	c, err := kpi.Load(time.UTC, kpi.File{Name: "own.yaml", Data: []byte(catalogue)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.New(c, stream.HashKey{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
