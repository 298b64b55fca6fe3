package api

import (
	"slices"
	"strings"
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

// No field can have the name of a column of CSV, but for the currency, which is one.
func TestColumnsAreNoFields(t *testing.T) {
	csv := string(ask(New(newFake().deps(t)), "GET", "/api/v1/kpis/money_b?window=1h&format=csv", "").body)
	names, _, _ := strings.Cut(strings.TrimPrefix(csv, byteOrderMark), "\n")
	for name := range strings.SplitSeq(names, ",") {
		_, err := kpi.Load(shanghai, kpi.File{Name: "x.yaml", Data: []byte("kpis: [{name: x, count: {}, windows: [day], by: [" + name + "]}]")})
		if refused := err != nil; refused == (name == kpi.CurrencyField) {
			t.Errorf("by: [%s]: %v", name, err)
		}
	}
}
