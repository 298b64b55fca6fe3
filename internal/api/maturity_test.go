package api

import (
	"strings"
	"testing"

	"github.com/tidewatch/tidewatch/kpi"
	"github.com/tidewatch/tidewatch/windows/sample"
)

// TestMaturity: of a KPI with a maturity a business day says it, with the answer and
// each sample, and every point of a range; nothing else does.
func TestMaturity(t *testing.T) {
	ripe := &kpi.KPI{
		Name: "ripe", ID: "ripe@1", Horizon: 7, Maturity: &kpi.Measure{Op: kpi.Quantile, Field: "lag_ms"},
		By: []kpi.Set{{}}, Windows: []kpi.Window{hour, kpi.Day},
	}
	for _, c := range []struct {
		name     string
		kpi      *kpi.KPI
		window   kpi.Window
		maturity sample.Maturity
		want     string // behind complete
	}{
		{"known", ripe, kpi.Day, sample.Maturity{In: 5, Of: 8}, `,"maturity":0.625`},
		{"nothing in", ripe, kpi.Day, sample.Maturity{Of: 8}, `,"maturity":0`},
		{"not known", ripe, kpi.Day, sample.Maturity{}, `,"maturity":null`},
		{"final", ripe, kpi.Day, sample.Final, `,"maturity":1`},
		{"a window of a length", ripe, hour, sample.Maturity{}, ""},
		{"a KPI without", daily, kpi.Day, sample.Maturity{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake()
			f.kpis = []*kpi.KPI{c.kpi}
			f.answer = &sample.Answer{KPI: c.kpi, Window: c.window, End: now, AsOf: now, Maturity: c.maturity, Samples: make([]sample.Sample, 1)}
			f.series = &RangeAnswer{KPI: c.kpi, Window: c.window, Series: []sample.Series{{Points: []sample.Point{{End: now, Maturity: c.maturity}}}}}
			h, path := New(f.deps(t)), "/api/v1/kpis/"+c.kpi.Name
			one := string(ask(h, "GET", path+"?window="+c.window.String(), "").body)
			for _, want := range []string{`"complete":false` + c.want + `,"samples":`, `"complete":false` + c.want + `,"revision":`} {
				if !strings.Contains(one, want) {
					t.Errorf("got %s, want %s in it", one, want)
				}
			}
			f.answer = nil // a range is f.series
			many := string(ask(h, "GET", path+"/range?from=2026-11-22&window="+c.window.String(), "").body)
			if want := `"complete":false` + c.want + `,"revision":`; !strings.Contains(many, want) {
				t.Errorf("got %s, want %s in it", many, want)
			}
			list := string(ask(h, "GET", "/api/v1/kpis", "").body)
			if got := strings.Contains(list, `"horizon":7,"maturity":"lag_ms"`); got != (c.kpi == ripe) {
				t.Errorf("the definition is %s", list)
			}
		})
	}
}
