package api

import (
	"slices"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
)

// No field can have the name of a parameter: its values could not be asked for.
func TestParametersAreNoFields(t *testing.T) {
	for _, name := range slices.Concat(orderParameters, []string{"at", "from", "to", "compare", "format", "lang", "kpi"}) {
		if name != kpi.StepField && !slices.Contains(kpi.Parameters, name) {
			t.Errorf("a KPI can have a field %q, which is a parameter", name)
		}
	}
}
